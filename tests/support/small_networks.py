"""Networks for tests of turns, and whether two of them are equal."""

from itertools import pairwise

import torch
from torch import nn


def dense(*sizes, seed):
    """Linear layers with batch-norm and leaky ReLU between them."""
    torch.manual_seed(seed)
    layers = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-2])


def tensors(*modules):
    """Copies of all that modules hold."""
    return [value.clone() for module in modules for value in module.state_dict().values()]


def same(left, right):
    """Whether such copies are equal to the last bit."""
    return len(left) == len(right) and all(torch.equal(a, b) for a, b in zip(left, right, strict=True))
