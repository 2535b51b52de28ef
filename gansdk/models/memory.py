"""How much memory there is, and how much a network takes."""

from __future__ import annotations

import ctypes
import platform
import sys
import threading
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def free_memory(device: torch.device) -> int:
    """Bytes that this process could still take on a device, a container's limit included."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    available = int(psutil.virtual_memory().available)
    root = Path("/sys/fs/cgroup")  # what control groups leave to this process (Linux, version 2)
    try:
        limit, used = (root / "memory.max").read_text(), (root / "memory.current").read_text()
        return min(available, max(0, int(limit) - int(used)))
    except (OSError, ValueError):  # no control group, or its limit is "max"
        return available


def default_budget(device: torch.device) -> int:
    """Bytes that networks may use on a device by default: half of what is free."""
    return free_memory(device) // 2


def release_cached() -> None:
    """Gives what torch keeps for reuse back to its devices, after running out of memory."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


_LOOK_EVERY = 0.002
"""Seconds."""

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_GLIBC_TRIM, _GLIBC_MMAP_MAX = 128 * 1024, 65_536  # its own defaults
_kept = threading.Lock()


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """A block in which large pieces of memory, once freed, serve again instead of going back to the system.

    glibc maps every large tensor anew, and the system fills each with zeros page by page: measured back to back on one
    core with windows of a megapixel, that was over 40 % of the time (22 against 13 µs a pixel in bf16, 32 against 19
    in fp32); `make bench` has the ratio. At the end of the block all of it is given back. Without glibc, or
    while another thread is in such a block, nothing is done.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" and platform.libc_ver()[0] == "glibc" else None
    if libc is None or not _kept.acquire(blocking=False):
        yield
        return
    try:
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)
        yield
    finally:
        libc.mallopt(_M_MMAP_MAX, _GLIBC_MMAP_MAX)
        libc.mallopt(_M_TRIM_THRESHOLD, _GLIBC_TRIM)
        libc.malloc_trim(0)
        _kept.release()


class PeakTaken:
    """What a block takes of a device's memory at most, beyond what was taken before it began.

    On a GPU torch counts it. On a CPU the process is looked at every other millisecond, so a shorter peak may be
    missed.
    """

    def __init__(self, device: torch.device) -> None:
        self.peak = 0
        self._device = device
        self._process = psutil.Process()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = self._taken()
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._watcher.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._device.type == "cuda":
            self.peak = torch.cuda.max_memory_allocated(self._device) - self._before
            return
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            self.peak = max(self.peak, self._taken() - self._before)

    def _taken(self) -> int:
        if self._device.type == "cuda":
            return int(torch.cuda.memory_allocated(self._device))
        return int(self._process.memory_info().rss)


class PeakBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what tensors made inside the block hold at most at one time.

    It sees every tensor that torch makes, on any device; what a kernel takes for itself while it computes stays
    unseen, so leave room above the figure.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._now = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if not isinstance(leaf, torch.Tensor):
                continue
            storage = leaf.untyped_storage()
            key, size = storage.data_ptr(), storage.nbytes()
            if key and key not in self._seen:
                self._seen.add(key)
                self._now += size
                weakref.finalize(storage, self._drop, key, size)
        self.peak = max(self.peak, self._now)
        return result

    def _drop(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self._now -= size
