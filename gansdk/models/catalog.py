"""From what a user typed to a model's folder, and which model a task takes by default; without torch.

The default rule: the user's own default; else the only installed model that fits; else the one default that one plugin
offers; else an error that ends with a line to type. A user's default that no longer resolves is an error, too: it was
chosen, so it is never skipped silently.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansdk.errors import (
    GansdkError,
    InputError,
    MissingPluginError,
    ModelError,
    NotApplicableError,
    RefError,
    UsageError,
    as_typed,
    option,
)
from gansdk.files import settle_folder
from gansdk.hub.access import ONLINE, Access
from gansdk.model.config import CONFIG, read_config
from gansdk.models.context import silent, warn
from gansdk.models.resolved import ResolvedModel
from gansdk.plugins.registry import discover
from gansdk.refs import Alias, Builtin, Folder, Hub, meant, meant_by_missing_folder, parse
from gansdk.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from pathlib import Path

    from gansdk.hub.listings import SearchResult
    from gansdk.hub.snapshots import Snapshot
    from gansdk.model.config import ModelConfig
    from gansdk.model.facts import Facts
    from gansdk.plugins.declarations import Method, Task
    from gansdk.plugins.registry import InstalledModel, Registry
    from gansdk.refs import Ref


RUN_MODEL = "model"
RUN_FILE = "train.json"


@dataclass(frozen=True)
class Choice:
    """The default model for a call; ``why`` says in a few words, for a note, what decided."""

    ref: str
    why: str


@dataclass(frozen=True)
class Installed:
    """A built-in model of a working plugin; ``error`` is why its config cannot be read, if it cannot."""

    model: InstalledModel
    config: ModelConfig | None
    error: GansdkError | None = None

    @property
    def ref(self) -> str:
        """How a user names it."""
        return self.model.ref


class Catalog:
    """Answers refs from a registry, the user's settings, the disk and the Hub.

    Args:
        registry: What the plugins bring.
        settings: The user's aliases and defaults.
        access: How to connect to the Hub.
        note: Takes lines that the user should read.
    """

    def __init__(
        self, registry: Registry, settings: Settings, access: Access = ONLINE, note: Callable[[str], None] = silent
    ) -> None:
        self.registry = registry
        self.settings = settings
        self.access = access
        self.note = note
        self._noted: set[str] = set()

    @classmethod
    def installed_here(cls, access: Access = ONLINE, note: Callable[[str], None] = silent) -> Catalog:
        """The catalog of the installed plugins and the user's settings."""
        return cls(discover(), Settings(), access, note)

    def locate(self, ref: str | PathLike[str]) -> ResolvedModel:
        """The model that a text names. A path, which cannot be an alias, is always a folder.

        Of a model on the Hub the config alone is fetched; its other files follow when they are needed.

        Raises:
            UsageError: If it names no model: no such alias or built-in model, a circle of aliases, a file on the Hub.
            InputError: If there is no such folder.
            ModelError: If the folder holds no model that can be read.
            HubError: If the Hub has no such model, or cannot be asked and nothing is cached.
        """
        text = os.fspath(ref)
        followed = self.follow(text) if isinstance(ref, str) else Folder(text)
        if isinstance(followed, Hub):
            from gansdk.hub.snapshots import config_of, resolve

            _check_names_model(text, followed)
            snapshot = resolve(followed, self.access, self.note)
            resolved = self.resolve(text, snapshot.folder, config_of(snapshot), snapshot)
        else:
            folder = self._folder(followed)
            resolved = self.resolve(text, folder, read_config(folder))
        trained = resolved.config.trained
        if trained is not None and trained.unfinished and resolved.ref not in self._noted:
            self._noted.add(resolved.ref)
            self.note(f"{resolved.ref} is of an unfinished training: {trained.unfinished}")
        return resolved

    def pull(self, text: str) -> ResolvedModel:
        """Downloads a whole model from the Hub into the cache, and repairs what is damaged there; see :func:`pull`."""
        from gansdk.hub.snapshots import pull

        ref = self.follow(text)
        if not isinstance(ref, Hub):
            self._folder(ref)
            raise UsageError(f"{text} is on this machine already", hint="pull takes hub:ORG/NAME")
        _check_names_model(text, ref)
        snapshot, config = pull(ref, self.access, self.note)
        return self.resolve(text, snapshot.folder, config, snapshot)

    def resolve(self, ref: str, folder: Path, config: ModelConfig, snapshot: Snapshot | None = None) -> ResolvedModel:
        """A model whose config was read, with its method and its base's if plugins here have them."""
        return ResolvedModel.of(ref, folder, config, self._find_method, snapshot)

    def _find_method(self, ref: str, config: ModelConfig) -> Method | MissingPluginError:
        """The method of a model; or why it is missing, with the line that installs it."""
        if config.method in self.registry.methods:
            return self.registry.methods[config.method]
        what = f"{ref} needs the method {config.method!r}, which no plugin here brings"
        wanted = re.split(r"[<>=!~;\[ ]", config.requires, maxsplit=1)[0]
        wanted = re.sub(r"[-_.]+", "-", wanted).lower()
        for status in self.registry.failures:
            if status.source.distribution == wanted:
                what = f"{ref} needs {wanted}, which is installed but does not work: {status.reason}"
                return MissingPluginError(what, hint="see `gansdk plugins`")
        return MissingPluginError(what, hint=f"pip install {shlex.quote(config.requires)}")

    def installed(self) -> list[Installed]:
        """The built-in models of working plugins, by name."""
        found = []
        for _, model in sorted(self.registry.models.items()):
            try:
                found.append(Installed(model, read_config(model.folder)))
            except GansdkError as error:
                found.append(Installed(model, None, error))
        return found

    def choose(self, task: Task) -> Choice:
        """The model that a task takes by default.

        Raises:
            RefError: If the user's default no longer resolves or no longer fits.
            UsageError: If several could be meant, or none fits; the hint is a line to type.
        """
        chosen = self.settings.defaults().get(task.name)
        if chosen is not None:
            try:
                check_fit(task, self.locate(chosen))
            except GansdkError as error:
                what = f"your default for {task.name}, {chosen}, cannot be used: {error.message}"
                raise RefError(what, hint=f"gansdk default {task.name} --unset") from error
            return Choice(chosen, "your default")
        installed = self.installed()
        fitting = [found for found in installed if found.config is not None and fits(task, found.config)]
        if len(fitting) == 1:
            return Choice(fitting[0].ref, "the only installed model that fits")
        offers = [found for found in fitting if found.model.method.defaults.get(task.name) == found.model.name]
        if len(offers) == 1:
            return Choice(offers[0].ref, f"offered by {offers[0].model.method.name}")
        if task.default and not offers:
            return Choice(task.default, f"offered by the plugin of {task.name}")
        raise _undecided(task, fitting, offers)

    def follow(self, text: str) -> Ref:
        """What a text names, once aliases are followed to their end.

        Raises:
            RefError: If it is not a ref, or its aliases form a circle.
            UnknownNameError: If there is no such alias.
        """
        seen = [text]
        while isinstance(ref := parse(seen[-1]), Alias):
            aliases = self.settings.aliases()
            if ref.name not in aliases:
                hint = meant(ref.name, aliases=aliases, builtins=self.registry.models)
                hint = hint or "see `gansdk models` and `gansdk alias`"
                raise self.registry.unknown("model or alias", ref.name, (), hint=hint)
            seen.append(aliases[ref.name])
            if seen[-1] in seen[:-1]:
                what = f"the alias {text!r} goes in a circle: {' → '.join(seen)}"
                raise RefError(what, hint=f"gansdk alias remove {shlex.quote(seen[-2])}")
        return ref

    def _folder(self, ref: Ref) -> Path:
        if isinstance(ref, Builtin):
            return self.registry.model(ref.name).folder
        if isinstance(ref, Folder):
            return model_folder(ref)
        raise TypeError(f"{ref!r} was not followed")


def _check_names_model(text: str, ref: Hub) -> None:
    if ref.file:
        hint = f"to make a model of it: gansdk import {shlex.quote(str(ref))}"
        raise RefError(f"{text} names a file, not a model", hint=hint)


def model_folder(ref: Folder) -> Path:
    """Where a folder ref's model is: the folder itself, or ``model/`` in the folder of a training run."""
    path = ref.path
    if not path.exists():
        raise InputError(f"there is no folder {ref}", hint=meant_by_missing_folder(ref.text))
    if not path.is_dir():
        raise InputError(f"{ref} is a file, not a model folder", hint="name the folder that it is in")
    if not (path / RUN_FILE).is_file() or (path / CONFIG).is_file():
        return path
    settle_folder(path / RUN_MODEL)
    if not (path / RUN_MODEL).is_dir():
        raise ModelError(f"the run {ref} has no model yet", hint=f"gansdk resume {shlex.quote(str(path))}")
    return path / RUN_MODEL


def unsupported_reason(task: Task, facts: Facts) -> str | None:
    """Why a model with these facts cannot do a task; None if it can."""
    try:
        return task.unsupported_reason(facts)
    except Exception as error:  # noqa: BLE001  a plugin's predicate must not take a listing down
        return f"the task could not tell: {type(error).__name__}: {error}"


def fits(task: Task, config: ModelConfig) -> bool:
    """Whether a model can do a task."""
    return unsupported_reason(task, config.facts) is None


def check_fit(task: Task, resolved: ResolvedModel) -> None:
    """Refuses a model that cannot do a task with a :class:`NotApplicableError`."""
    reason = unsupported_reason(task, resolved.config.facts)
    if reason is not None:
        hint = f"see `gansdk models show {shlex.quote(resolved.ref)}`"
        raise NotApplicableError(f"{resolved.ref} cannot do {task.name}: {reason}", hint=hint)


def _undecided(task: Task, fitting: list[Installed], offers: list[Installed]) -> UsageError:
    if not fitting:
        hint = task.models or f"name one with {option('model')}, or see `gansdk models` and `gansdk plugins`"
        return UsageError(f"no installed model can do {task.name}", hint=hint)
    candidates = offers or fitting
    names = ", ".join(candidate.ref for candidate in candidates)
    why = "are all offered as default" if offers else "all fit and none is offered as default"
    first = candidates[0].ref
    hint = as_typed(f"gansdk default {task.name} {shlex.quote(first)}", f"name one, as in {option('model', first)}")
    return UsageError(f"{names} {why} for {task.name}", hint=hint)


def pull(ref: str, *, offline: bool = False) -> Path:
    """Downloads a whole model from the Hub into the client's cache; what is there already is checked and repaired.

    Args:
        ref: As in ``hub:org/name@v1``, or an alias of one.
        offline: Whether no connection may be opened; what is cached is checked.

    Returns:
        Its folder in the cache, which other tools share: do not write to it.

    Raises:
        UsageError: If the ref names no model on the Hub.
        HubError: If there is none, this user may not read it, or it cannot be downloaded whole.
        ModelError: If its config is of a later format or damaged.

    Warns:
        UserWarning: If the Hub cannot be reached and what is cached of a branch or tag is used.
    """
    return Catalog.installed_here(Access(offline=offline), warn).pull(ref).folder


def search(
    text: str = "", *, task: str = "", method: str = "", limit: int = 20, offline: bool = False
) -> tuple[SearchResult, ...]:
    """Finds gansdk models on the Hub, the most downloaded first.

    Args:
        text: What their names contain, as the Hub understands it; empty for all.
        task: A task that they can do, as in ``superres``; empty for any.
        method: The method they are of, as in ``srgan``, installed here or not; empty for any.
        limit: How many at most, 1 to 100.
        offline: Whether no connection may be opened; then nothing can be searched.

    Raises:
        UnknownNameError: If no plugin here has the task.
        OptionError: If the limit is out of range.
        HubError: If the Hub refuses, cannot be asked, or must not be.
    """
    from gansdk.hub.listings import search as search_hub

    if task:
        discover().task(task)
    return search_hub(text, task=task, method=method, limit=limit, access=Access(offline=offline))
