"""A model as data: its facts, its facets and its folder. Importing it does not import torch."""
