"""Trained feature networks for losses and evaluators. None of them ships; each is read from a file that a user has."""

LITE0 = "efficientnet_lite0"
"""The evaluator's file; named here so that whoever only names it need not import torch."""
