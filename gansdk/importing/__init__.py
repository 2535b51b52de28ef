"""Weights that others published: read without running a byte of them, recognised, and made a model folder."""
