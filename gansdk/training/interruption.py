"""What asks a run to stop, put off to the end of a step, so that what is saved is the state after a whole one."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a process: from a scheduler, or from a terminal or an ssh connection that is closed."""


class Interruption:
    """Whether somebody asked to stop, and by which signal."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def receive(self, number: int, _frame: Any) -> None:
        """The signal handler. A second Ctrl-C stops at once: then the checkpoint before is what remains."""
        if self.signal is not None and number == signal.SIGINT:
            self._say("stopped at once; what is left is the checkpoint before")
            raise KeyboardInterrupt
        self.signal = number
        self._say("stopping after this step; what is done will be saved (Ctrl-C again stops at once, unsaved)")

    def _say(self, text: str) -> None:
        """Says it, if it can: the terminal may be what is gone, and Python may be in the middle of another line."""
        with suppress(OSError, ValueError, RuntimeError):
            self._note(text)


@contextmanager
def put_off(note: Callable[[str], None]) -> Iterator[Interruption]:
    """A block in which signals only set a flag; when it ends, the signal takes its usual effect.

    Outside the main thread, where Python handles no signals, the block changes nothing. A signal that the process was
    told to ignore stays ignored: Ctrl-C in what a shell runs in the background, SIGHUP under ``nohup``.
    """
    interruption = Interruption(note)
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    heeded = [one for one in (signal.SIGINT, *ENDING) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interruption.receive) for number in heeded}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interruption.signal is not None:
        signal.raise_signal(interruption.signal)
