"""The errors that gansdk raises on purpose.

GansdkError
├── UsageError                 exit 2: known from the command line, the plugins and the facts alone
│   ├── OptionError            a value out of range or of the wrong kind, or an option that does not exist
│   ├── UnknownNameError       a verb, task, model, alias or recipe that does not exist; carries suggestions
│   ├── RefError               a text that does not name a model
│   ├── NotApplicableError     the model's facts do not fit the task
│   ├── MissingPluginError     the model's method is not installed; ends with the pip line
│   └── DeviceError            no such device, or a precision that it cannot compute
├── InputError                 exit 1: a file that is missing, broken, too large or not what it claims
├── OutputError                exit 1: a result that cannot be put where it should go
│   └── OutputExistsError      something is there already
├── ModelError                 exit 1: a model folder that does not load
├── HubError                   exit 1: the Hub refuses, or does not have what was asked for
│   ├── UnknownRevisionError   a repository without such a branch, tag or commit; suggests others
│   ├── UnreachableError       the Hub, or the way to it, fails; later it may not
│   └── DamagedError           a file came with other bytes, twice
├── ComputationError           exit 1: the network gave no usable result
│   ├── OutOfMemoryError       not even the smallest tile fits
│   └── WrongResultError       a task gave something else than it declares
├── CancelledError             exit 1: the caller's cancel was set while a call ran
├── SettingsError              exit 1: the user's settings cannot be read or written
├── PluginError                exit 1: a plugin broke one of the rules of the hooks
├── TrainingError              exit 1: a run that cannot start, continue or resume
└── UnforeseenError            exit 1: any other exception at one of many items; the rest continue

A message says in one line what is wrong, a hint what to do next. Both spell options as the caller types them: by
:func:`option`. The exit codes of the command line are decided here and nowhere else.
"""

from __future__ import annotations

import difflib
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_typed_in_shell: ContextVar[bool] = ContextVar("typed_in_shell", default=False)


@contextmanager
def called_from_shell() -> Iterator[None]:
    """A block whose messages spell options as the command line does; elsewhere they are Python's keywords."""
    token = _typed_in_shell.set(True)
    try:
        yield
    finally:
        _typed_in_shell.reset(token)


def option(name: str, *values: object) -> str:
    """An option in a message or a hint, as the caller types it.

    ``option("on_exists", "skip", "rename")`` is ``--on-exists skip or rename`` on the command line and
    ``on_exists="skip" or "rename"`` in Python; with no value, ``--on-exists`` and ``on_exists``.

    Args:
        name: As it is declared, in a group of options or as a keyword of a function.
        values: What to give it; True for a flag.
    """
    in_shell = _typed_in_shell.get()
    *first, last = [str(value) if in_shell else _literal(value) for value in values] or [""]
    given = f"{', '.join(first)} or {last}" if first else last
    if not in_shell:
        return f"{name}={given}" if values else name
    flag = "-" + name if len(name) == 1 else "--" + name.replace("_", "-")
    return flag if values in {(), (True,)} else f"{flag} {given}"


def as_typed(shell: str, python: str, /) -> str:
    """The one of two wordings that the caller can use, where they differ in more than an option's spelling."""
    return shell if _typed_in_shell.get() else python


def entry(name: str, key: str, value: object) -> str:
    """One entry of an option that takes several by name: ``--set class=three`` or ``set={"class": "three"}``."""
    return as_typed(f"{option(name)} {key}={value}", f"{name}={{{_literal(key)}: {_literal(value)}}}")


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


class GansdkError(Exception):
    """Base of all errors that a caller may want to catch.

    Args:
        message: What is wrong, in one line, without a full stop.
        hint: What to do next, in one line; empty if nothing helps.

    Both may quote names and values from files; their line ends and control characters are spelled out.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = one_line(message)
        self.hint = one_line(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    def as_record(self) -> dict[str, str]:
        """What ``--json`` prints of a failure."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


class UsageError(GansdkError):
    """The call itself is wrong; nothing was read or written."""

    exit_code = 2
    kind = "usage"


class OptionError(UsageError):
    """An option has a value that it cannot take, or does not exist."""

    kind = "option"


class UnknownNameError(UsageError):
    """A name that does not exist.

    Args:
        what: What kind of name it is, as in "task" or "model".
        name: What was asked for.
        known: The names that exist; near ones become the hint.
        hint: Used if no known name is near.
    """

    kind = "unknown"

    def __init__(self, what: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        self.what = what
        self.name = name
        self.suggestions = nearest(name, known)
        suggested = f"did you mean {' or '.join(self.suggestions)}?" if self.suggestions else hint
        super().__init__(f"there is no {what} {name!r}", hint=suggested)


class RefError(UsageError):
    """A text that is not a model ref."""

    kind = "ref"


class NotApplicableError(UsageError):
    """A task that the model's facts do not fit."""

    kind = "not-applicable"


class MissingPluginError(UsageError):
    """The plugin with the model's method is not installed, or does not work."""

    kind = "missing-plugin"


class DeviceError(UsageError):
    """A device that this machine lacks, or a precision that the device lacks."""

    kind = "device"


class InputError(GansdkError):
    """An input that is missing, broken, too large or not what it claims to be."""

    kind = "input"


class OutputError(GansdkError):
    """A result that cannot be written where it should go."""

    kind = "output"


class OutputExistsError(OutputError):
    """Something is at the output's place already."""

    kind = "output-exists"


class ModelError(GansdkError):
    """A model folder that is incomplete, damaged or written for another version."""

    kind = "model"


class HubError(GansdkError):
    """The Hub refuses, or has not what was asked for."""

    kind = "hub"


class UnknownRevisionError(HubError):
    """A repository that has no branch, tag or commit of that name."""

    kind = "unknown-revision"


class UnreachableError(HubError):
    """The Hub, or the way to it, fails; later it may not."""

    kind = "unreachable"


class DamagedError(HubError):
    """A file of the Hub came with other bytes than it should have, twice."""

    kind = "damaged"


class ComputationError(GansdkError):
    """A network gave no usable result."""

    kind = "computation"


class OutOfMemoryError(ComputationError):
    """Not even the smallest tile fits into the memory of the device."""

    kind = "out-of-memory"


class WrongResultError(ComputationError):
    """A task gave something else than it declares."""

    kind = "wrong-result"


class CancelledError(GansdkError):
    """A call ended early because its ``cancel`` was set; there is no result."""

    kind = "cancelled"


class SettingsError(GansdkError):
    """The user's settings cannot be read or written."""

    kind = "settings"


class PluginError(GansdkError):
    """A plugin hands over something that breaks the rules of the hooks."""

    kind = "plugin"


class TrainingError(GansdkError):
    """A training run that cannot start, continue or resume."""

    kind = "training"


class UnforeseenError(GansdkError):
    """An exception that is none of these ended one of many items; the rest continue."""

    kind = "unforeseen"


def one_line(text: str) -> str:
    """The text on one line, its control characters spelled out: names come from files, and a terminal obeys them."""
    joined = " ".join(text.splitlines())
    return "".join(letter if letter.isprintable() or letter == " " else repr(letter)[1:-1] for letter in joined)


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names that ``name`` may have been typed for, best first."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=limit, cutoff=0.6)
    starts = [folded for folded in by_folded if folded.startswith(name.casefold()) and folded not in close]
    return [by_folded[folded] for folded in (*close, *sorted(starts))][:limit]
