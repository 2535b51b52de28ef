"""What a running task may use of its surroundings, so that it never prints, reads the clock or asks for a device."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from gansdk.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable


class Event(Protocol):
    """Cancels a call once it is set; an event of threading, multiprocessing or asyncio."""

    def is_set(self) -> bool: ...


def watched(progress: Callable[[float, float], object] | None, cancel: Event | None) -> Callable[[float, float], None]:
    """A context's progress that checks for cancellation first.

    Args:
        progress: Called with how much is done and of how much; what it raises ends the call.
        cancel: Ends the call with :class:`~gansdk.CancelledError` once it is set.
    """

    def tell(done: float, total: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError("the call was cancelled")
        if progress is not None:
            progress(done, total)

    return tell


def warn(text: str, /) -> None:
    """Issues a line that the user should read as a Python warning."""
    warnings.warn(text, stacklevel=2)


def silent(_text: str, /) -> None:
    """Drops a line."""


@dataclass(frozen=True)
class Context:
    """The surroundings of one call of a task.

    Attributes:
        progress: Called between steps with how many are done and of how many; may raise to cancel the call.
        note: Takes a line that the user should read: a warning, a decision.
        detail: Takes a line for users who asked for more.
        expect: Called before the work begins with roughly how many seconds it will take.
        measured: What was found out about the model by earlier calls, by name; a pipeline keeps it from call to call.
        memory: Bytes that the networks may use, or ``auto``: half of what is free when it is asked.
        fingerprint: Gives what identifies the model's generator, so that a latent is not taken to another one.
    """

    progress: Callable[[int, int], None] = lambda _done, _total: None
    note: Callable[[str], None] = silent
    detail: Callable[[str], None] = silent
    expect: Callable[[float], None] = lambda _seconds: None
    measured: dict[str, float] = field(default_factory=dict)
    memory: int | Literal["auto"] = "auto"
    fingerprint: Callable[[], str] = lambda: ""
