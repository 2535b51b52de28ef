"""Importing torch, which takes a second or two, without being torn apart in the middle."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that Ctrl-C does not enter; it takes effect when the block ends.

    An exception that reaches the C++ code which registers torch's types aborts the whole process.
    """
    if threading.current_thread() is not threading.main_thread():  # Python handles no signals there
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if received:
        raise KeyboardInterrupt
