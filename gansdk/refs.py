"""How a user names a model: a text that is parsed without looking at a disk, a registry or the network.

=========================  =================================================================
``builtin:srgan-x4``        ships inside a plugin
``hub:org/name``            on the Hub; ``@revision`` and ``:file`` may follow, in this order
``./model``, ``runs/one``   a folder: has a separator, or starts with a dot, ``~`` or a drive
``portraits``               an alias
=========================  =================================================================

Anything else is refused. The same text means the same wherever it is parsed; :func:`meant` does look around for what a
wrong text probably meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.errors import RefError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

_BUILTIN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_LAST_REPO = re.compile(rf"{_REPO.pattern}/?$")
_REVISION = re.compile(r"[^\s:~^?*\[\\]+")
_ALIAS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_DRIVE = re.compile(r"[A-Za-z]:")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_KINDS = "write builtin:NAME, hub:ORG/NAME, a folder like ./NAME, or an alias"


@dataclass(frozen=True)
class Builtin:
    """A model that ships inside a plugin."""

    name: str

    def __str__(self) -> str:
        return f"builtin:{self.name}"


@dataclass(frozen=True)
class Hub:
    """A model on the Hub.

    Attributes:
        repo: ``org/name``.
        revision: Branch, tag or commit; empty for the default branch.
        file: A file within the repository; empty for the model as a whole.
    """

    repo: str
    revision: str = ""
    file: str = ""

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        file = f":{self.file}" if self.file else ""
        return f"hub:{self.repo}{revision}{file}"


@dataclass(frozen=True)
class Folder:
    """A model folder, or a run folder, which means its model. Keeps the text: ``./x`` is a folder, ``x`` is not."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def path(self) -> Path:
        """Where it is, with ``~`` expanded; a :class:`RefError` if ``~name`` is not a user."""
        try:
            return Path(self.text).expanduser()
        except RuntimeError:
            raise RefError(f"{self.text!r}: there is no such home folder", hint="write the whole path") from None

    def absolute(self) -> Folder:
        """The same folder, named so that it stays the same from another working directory."""
        return Folder(str(self.path.absolute()))


@dataclass(frozen=True)
class Alias:
    """A name that the user gave another ref."""

    name: str

    def __str__(self) -> str:
        return self.name


Ref = Builtin | Hub | Folder | Alias


def parse(text: str) -> Ref:
    """The ref that a text is; ``str()`` of it parses to the same again.

    Raises:
        RefError: If it is none of the four kinds.
    """
    if not text.strip():
        raise RefError("an empty text does not name a model", hint=_KINDS)
    if _CONTROL.search(text):
        raise RefError(f"{text!r} does not name a model: it has control characters", hint=_KINDS)
    if text.startswith("builtin:"):
        name = text.removeprefix("builtin:")
        if _BUILTIN.fullmatch(name):
            return Builtin(name)
        what = f"{text!r} does not name a model: builtin models are lower-case words joined by hyphens"
        raise RefError(what, hint="see `gansdk models` for what is installed")
    if text.startswith("hub:"):
        return _hub(text)
    if text.startswith((".", "~")) or _DRIVE.match(text):
        return Folder(text)
    scheme = _SCHEME.match(text)
    if scheme:
        repo = _LAST_REPO.search(scheme[2])
        hint = f"did you mean hub:{repo[0].rstrip('/')}?" if repo else _KINDS
        raise RefError(f"{text!r} does not name a model: only builtin: and hub: go before a colon", hint=hint)
    if "/" in text or "\\" in text:
        return Folder(text)
    return parse_alias(text)


def parse_alias(name: str) -> Alias:
    """Checks the name of an alias: letters, digits and ``. _ + -``, so that it never looks like another kind of ref."""
    if not _ALIAS.fullmatch(name):
        raise RefError(f"{name!r} does not name a model", hint=_KINDS)
    return Alias(name)


def meant(name: str, *, aliases: Iterable[str], builtins: Iterable[str]) -> str:
    """Which ref a name that is not an alias was probably meant for, as a hint; empty if that is unclear."""
    builtins = list(builtins)
    if name in builtins:
        return f"did you mean builtin:{name}?"
    if Path(name).exists():
        return f"for the folder write ./{name}"
    refs = {alias: alias for alias in aliases} | {builtin: f"builtin:{builtin}" for builtin in builtins}
    close = [refs[known] for known in nearest(name, refs)]
    return f"did you mean {' or '.join(close)}?" if close else ""


def meant_by_missing_folder(text: str) -> str:
    """The same for a folder that does not exist: ``org/name`` may be a repository on the Hub."""
    return f"for a model on the Hub write hub:{text}" if _REPO.fullmatch(text) else "see `gansdk models`"


def _hub(text: str) -> Hub:
    where, colon, file = text.removeprefix("hub:").partition(":")
    repo, at, revision = where.partition("@")
    hint = "write hub:ORG/NAME, hub:ORG/NAME@REVISION or hub:ORG/NAME@REVISION:FILE"
    if not _REPO.fullmatch(repo):
        raise RefError(f"{text!r} does not name a repository on the Hub", hint=hint)
    if at and not _REVISION.fullmatch(revision):
        raise RefError(f"{text!r} does not name a revision after the @", hint=hint)
    if colon and (not file.strip() or "\\" in file or {"", ".", ".."} & set(file.split("/"))):
        raise RefError(f"{text!r} does not name a file of the repository after the colon", hint=hint)
    return Hub(repo, revision, file)
