"""How GPUs compute where nobody chose: exactly in fp32, and the same each time."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Plain:
    """cuDNN's settings are the process's, not a thread's: the first who needs them sets them, the last restores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._settings = ExitStack()

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                cudnn = torch.backends.cudnn
                self._settings.enter_context(
                    cudnn.flags(enabled=cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False)
                )
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._settings.close()


_PLAIN = _Plain()


@contextmanager
def plain_arithmetic(device: torch.device) -> Iterator[None]:
    """A block in which a GPU's convolutions in fp32 are fp32, and give the same numbers each time.

    By itself torch lets cuDNN multiply in TF32, whose 10 bits of mantissa show in the last step of 8-bit pixels and in
    the third digit of a code, and lets it add in any order. On other devices nothing is to be done.
    """
    if device.type != "cuda":
        yield
        return
    _PLAIN.enter()
    try:
        yield
    finally:
        _PLAIN.leave()
