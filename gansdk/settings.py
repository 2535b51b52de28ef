"""The user's settings: aliases and default models; and the folders for settings, cache and data.

Settings are one JSON file, which is read when something is asked of it and never before, so that a damaged file stops
only the commands that need it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from gansdk.errors import GansdkError, SettingsError, UnknownNameError
from gansdk.files import write_whole
from gansdk.model.config import read_record
from gansdk.refs import parse, parse_alias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOME = "GANSDK_HOME"
"""Environment variable: one folder for settings and cache, in place of the platform's two."""

DATA = "GANSDK_DATA"
"""Environment variable: the folder of named data sets, and of feature networks in ``backbones``."""

_LOCK_SECONDS = 10


@dataclass(frozen=True)
class Folders:
    """The folders of a user.

    Attributes:
        config: Settings.
        cache: Files that can be fetched or made again.
    """

    config: Path
    cache: Path


def folders(environment: Mapping[str, str] = os.environ) -> Folders:
    """The folders of this user on this platform; ``GANSDK_HOME`` names one for both."""
    home = environment.get(HOME)
    if home:
        base = Path(home).absolute()
        return Folders(config=base / "config", cache=base / "cache")
    import platformdirs

    return Folders(config=platformdirs.user_config_path("gansdk"), cache=platformdirs.user_cache_path("gansdk"))


def data_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder with data sets; None if the user has not named one."""
    folder = environment.get(DATA)
    return Path(folder) if folder else None


class _Content(BaseModel):
    """The file's content. Closed, so that a misspelt key is not silently without effect."""

    model_config = ConfigDict(extra="forbid")

    gansdk: Literal[1] = 1
    aliases: dict[str, str] = {}
    defaults: dict[str, str] = {}


class Settings:
    """Aliases and defaults in one file. Nothing is kept in memory: every call sees what other processes wrote.

    All methods raise a :class:`~gansdk.errors.SettingsError` if the file is damaged, or cannot be read or written.

    Args:
        file: The JSON file; it need not exist. The user's own if not given.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file or folders().config / "settings.json"

    def aliases(self) -> dict[str, str]:
        """The refs of aliases, by name."""
        return dict(sorted(self._read().aliases.items()))

    def defaults(self) -> dict[str, str]:
        """The refs of default models, by task."""
        return dict(sorted(self._read().defaults.items()))

    def set_alias(self, name: str, ref: str) -> None:
        """Gives a ref an alias, which replaces one of the same name.

        Raises:
            RefError: If ``name`` cannot be an alias, or ``ref`` is not a ref.
        """
        parse_alias(name)
        parse(ref)
        with self._edit() as content:
            content.aliases[name] = ref

    def remove_alias(self, name: str) -> None:
        """Removes an alias.

        Raises:
            UnknownNameError: If there is none of that name.
        """
        with self._edit() as content:
            if content.aliases.pop(name, None) is None:
                raise UnknownNameError("alias", name, content.aliases, hint="see `gansdk alias`")

    def set_default(self, task: str, ref: str) -> None:
        """Sets the model that a task takes if a call names none.

        Raises:
            RefError: If it is not a ref.
        """
        parse(ref)
        with self._edit() as content:
            content.defaults[task] = ref

    def unset_default(self, task: str) -> bool:
        """Forgets a task's default. Returns whether there was one."""
        if task not in self.defaults():
            return False
        with self._edit() as content:
            return content.defaults.pop(task, None) is not None

    def _read(self) -> _Content:
        try:
            self.file.stat()
        except FileNotFoundError:
            return _Content()
        except OSError:  # reading says why
            pass
        return read_record(self.file, _Content, SettingsError, _REPAIR)

    @contextmanager
    def _edit(self) -> Iterator[_Content]:
        """Reads, lets the block change, and writes, while no other process does; an error in it changes nothing."""
        import filelock

        lock = filelock.FileLock(self.file.with_name(self.file.name + ".lock"), timeout=_LOCK_SECONDS)
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except filelock.Timeout:
            what = f"{self.file} is locked by another process for more than {_LOCK_SECONDS} s"
            raise SettingsError(what, hint="try again when it has ended") from None
        except OSError as error:
            raise self._cannot_write(error.strerror or str(error)) from None
        try:
            content = self._read()
            yield content
            try:
                write_whole(self.file, content.model_dump_json(indent=2) + "\n")
            except GansdkError as error:
                raise self._cannot_write(error.message) from None
        finally:
            lock.release()

    def _cannot_write(self, why: str) -> SettingsError:
        return SettingsError(f"{self.file} cannot be written: {why}", hint=f"set {HOME} to a folder of yours")


_REPAIR = "repair it, or remove it to start afresh"
