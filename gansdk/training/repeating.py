"""What makes a training on a GPU one that can be repeated."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """A block in which the same step gives the same weights on a GPU too, so that a resumed run is the run.

    By themselves cuDNN and cuBLAS add gradients in the order in which threads happen to end. torch warns of what it
    can compute in no other way. On a CPU, where sums have an order for each number of threads, nothing is to be done.
    """
    if device.type != "cuda":
        yield
        return
    # cuBLAS reads it when it is first used, and keeps an order only with a workspace of a fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    is_on, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    deterministic: Any = torch.utils.deterministic  # its attributes are made when it is imported, which mypy cannot see
    filling = deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    deterministic.fill_uninitialized_memory = False  # it costs time, and no step reads what it never wrote
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(is_on, warn_only=warns)
        deterministic.fill_uninitialized_memory = filling
