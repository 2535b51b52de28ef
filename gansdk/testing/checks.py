"""What a check is, and what comes out of one.

A check is a function of one target that returns where all is well. It says what is wrong by :func:`fail` and that
there is nothing to check by :func:`skip`; anything else that it raises is a failure too. Its docstring explains it:
the first line is its title, the rest says why it matters and what to do.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


Kind = Literal["plugin", "task", "method", "model", "recipe"]
"""What a check looks at: an installed distribution, a task, a method, a model, or one of a method's configs."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Outcome = Literal["passed", "failed", "skipped", "expected"]
"""``expected`` is a failure that was announced, with a reason."""


class CheckFailedError(AssertionError):
    """A check found something wrong."""


class CheckSkippedError(Exception):
    """A check found nothing to check."""


def fail(message: str) -> NoReturn:
    """Ends a check: what is wrong, in one line, with the numbers."""
    raise CheckFailedError(message)


def skip(reason: str) -> NoReturn:
    """Ends a check that does not apply to its target, in one line."""
    raise CheckSkippedError(reason)


def first_line(error: BaseException) -> str:
    """What an exception says, in one line; its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@dataclass(frozen=True)
class Check:
    """One rule that plugins, tasks, methods, models or recipes follow.

    Attributes:
        id: Words joined by hyphens; it stays the same from version to version.
        kind: What it looks at.
        function: Takes the target.
        needs: Ids of checks of the same target without which this one would say nothing, or blame the wrong thing.
    """

    id: str
    kind: Kind
    function: Callable[[Any], None]
    needs: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What holds, in one line."""
        return self._paragraphs()[0].rstrip(".")

    @property
    def why(self) -> str:
        """Why it matters and what to do where it fails, on one line."""
        return " ".join(self._paragraphs()[1:])

    def _paragraphs(self) -> list[str]:
        text = inspect.getdoc(self.function) or self.id
        return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def check(kind: Kind, *, needs: tuple[str, ...] = ()) -> Callable[[Callable[[Any], None]], Check]:
    """Makes a check of a function; its id is the function's name with hyphens."""

    def decorate(function: Callable[[Any], None]) -> Check:
        return Check(function.__name__.replace("_", "-"), kind, function, needs)

    return decorate


def checks_of(module: ModuleType) -> tuple[Check, ...]:
    """The checks that a file defines, in its order."""
    return tuple(value for value in vars(module).values() if isinstance(value, Check))


@dataclass(frozen=True)
class Result:
    """What one check found out about one target.

    Attributes:
        check: Which check.
        target: Name of what was checked.
        outcome: How it went.
        message: What is wrong, why it was skipped, or why the failure was expected; empty where it passed.
        seconds: How long it took.
        error: What the check raised without meaning to, for a traceback; None where it ended as checks end.
        holds: Whether the checks that need this one make sense; also where there was nothing to check.
    """

    check: Check
    target: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    error: BaseException | None = None
    holds: bool = True

    @property
    def name(self) -> str:
        """The check and its target, as in ``receptive-field@builtin:srgan-x4``."""
        return f"{self.check.id}@{self.target}"

    def as_record(self) -> dict[str, Any]:
        """What ``--json`` prints of it."""
        return {
            "check": self.check.id,
            "kind": self.check.kind,
            "target": self.target,
            "outcome": self.outcome,
            "message": self.message,
            "title": self.check.title,
            "why": self.check.why,
            "seconds": round(self.seconds, 3),
        }
