"""What a running task may use of its surroundings, so that it never prints, reads the clock or asks for a device."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from gansdk.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable


class Event(Protocol):
    """What a call can be cancelled by: the events of threading, multiprocessing and asyncio are such."""

    def is_set(self) -> bool: ...


def watched(progress: Callable[[float, float], object] | None, cancel: Event | None) -> Callable[[float, float], None]:
    """A context's progress out of what a caller gives: it tells the one, once the other was looked at.

    Args:
        progress: Told how much of how much is done; what it raises ends the call.
        cancel: Ends the call with :class:`~gansdk.CancelledError` once it is set.
    """

    def tell(done: float, total: float) -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError("the call was cancelled")
        if progress is not None:
            progress(done, total)

    return tell


def warn(text: str, /) -> None:
    """Says a line that the user should read, where nobody gave another way to say it: as Python's warning."""
    warnings.warn(text, stacklevel=2)


def silent(_text: str, /) -> None:
    """Nobody listens."""


def _unseen(_done: int, _total: int, /) -> None:
    """Nobody watches."""


def _unasked(_seconds: float, /) -> None:
    """Nobody waits."""


def _unidentified() -> str:
    """Nobody knows which generator it is."""
    return ""


@dataclass(frozen=True)
class Context:
    """The surroundings of one call of a task.

    Attributes:
        progress: Is told how many of how many steps are done, between them; may raise to cancel the call.
        note: Takes a line that the user should read: a warning, a decision.
        detail: Takes a line for users who asked for more.
        expect: Is told roughly how many seconds the call will take, before it begins.
        measured: What was found out about the model by earlier calls, by name; a pipeline keeps it from call to call.
        memory: Bytes that the networks may use, or ``auto``: half of what is free when it is asked.
        fingerprint: Gives what identifies the model's generator, so that a latent is not taken to another one.
    """

    progress: Callable[[int, int], None] = _unseen
    note: Callable[[str], None] = silent
    detail: Callable[[str], None] = silent
    expect: Callable[[float], None] = _unasked
    measured: dict[str, float] = field(default_factory=dict)
    memory: int | Literal["auto"] = "auto"
    fingerprint: Callable[[], str] = _unidentified
