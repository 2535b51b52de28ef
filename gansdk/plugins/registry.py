"""All that the working plugins bring, as one value: it can be built empty, and a failed add changes nothing."""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
import sys
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

import pluggy

from gansdk.errors import PluginError, UnknownNameError
from gansdk.media.formats import format_by_ending
from gansdk.media.medium import Medium, writing_of
from gansdk.options import (
    RESERVED,
    AnimationWriting,
    ImageReading,
    LoadOptions,
    Options,
    RecordWriting,
    describe,
    merged,
)
from gansdk.plugins import hookspecs
from gansdk.plugins.declarations import Facet, Importer, Method, MetricSpec, NamedDataset, Task, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import EntryPoint
    from pathlib import Path


_T = TypeVar("_T")

State = Literal["ok", "broken", "conflict"]

_HOOKS: Mapping[str, tuple[str, type[Any]]] = {
    "methods": ("method", Method),
    "tasks": ("task", Task),
    "importers": ("importer", Importer),
    "metrics": ("metric", MetricSpec),
    "datasets": ("data set", NamedDataset),
}
"""What messages call a value that the hook ``gansdk_…`` gives, and its class."""


@dataclass(frozen=True)
class PluginSource:
    """Where something comes from: one entry point of one distribution."""

    distribution: str
    version: str
    entry_point: str


@dataclass(frozen=True)
class Contributions:
    """What one entry point hands over."""

    source: PluginSource
    methods: tuple[Method, ...] = ()
    tasks: tuple[Task, ...] = ()
    importers: tuple[Importer, ...] = ()
    metrics: tuple[MetricSpec, ...] = ()
    datasets: tuple[NamedDataset, ...] = ()


@dataclass(frozen=True)
class PluginStatus:
    """How it went with one plugin.

    Attributes:
        source: Which one.
        state: ``ok``; ``broken``: it raised, or handed over what it must not; ``conflict``: a name was taken already.
            Of a plugin that is not ``ok``, nothing is registered.
        reason: Why, in one line; empty for ``ok``.
        error: What was raised.
        methods: Names of what it brings, here and in the fields below.
    """

    source: PluginSource
    state: State
    reason: str = ""
    error: BaseException | None = field(default=None, compare=False, repr=False)
    methods: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    importers: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


class NameTakenError(PluginError):
    """Two plugins bring the same name; the first one keeps it."""


@dataclass(frozen=True)
class InstalledModel:
    """A model that ships inside a working plugin."""

    name: str
    method: Method
    folder: Path

    @property
    def ref(self) -> str:
        """How a user names it."""
        return f"builtin:{self.name}"


def _empty() -> MappingProxyType[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Registry:
    """Methods, tasks, importers, metrics, data sets and built-in models by name, and how it went with each plugin.

    ``Registry()`` is an empty one. :meth:`add` gives a new registry and leaves the old one as it was.
    """

    methods: Mapping[str, Method] = field(default_factory=_empty)
    tasks: Mapping[str, Task] = field(default_factory=_empty)
    models: Mapping[str, InstalledModel] = field(default_factory=_empty)
    importers: Mapping[str, Importer] = field(default_factory=_empty)
    metrics: Mapping[str, MetricSpec] = field(default_factory=_empty)
    datasets: Mapping[str, NamedDataset] = field(default_factory=_empty)
    statuses: tuple[PluginStatus, ...] = ()
    owners: Mapping[tuple[str, str], str] = field(default_factory=_empty)

    def add(self, contributions: Contributions) -> Registry:
        """A registry that has this plugin's things too.

        Raises:
            NameTakenError: If a name is taken, by another plugin or twice within this one.
            PluginError: If a task's options are not a closed group of options, or one of them has a reserved name.
        """
        for task in contributions.tasks:
            check_task(task)
        owners = dict(self.owners)
        for what, name, source in _names(contributions):
            if owners.get((what, name)) == source.distribution:
                raise NameTakenError(f"{what} {name!r} is brought twice")
            if (what, name) in owners:
                raise NameTakenError(f"{what} {name!r} is brought by {owners[what, name]} already")
            owners[what, name] = source.distribution
        changed: dict[str, Any] = {
            plural: MappingProxyType(
                dict(getattr(self, plural)) | {value.name: value for value in getattr(contributions, plural)}
            )
            for plural in _HOOKS
        }
        models = [
            InstalledModel(model.name, method, model.folder)
            for method in contributions.methods
            for model in method.models
        ]
        changed["models"] = MappingProxyType({**self.models, **{model.name: model for model in models}})
        brought: dict[str, Any] = {
            plural: tuple(value.name for value in getattr(contributions, plural)) for plural in _HOOKS
        }
        status = PluginStatus(contributions.source, "ok", **brought)
        return replace(self, owners=MappingProxyType(owners), statuses=(*self.statuses, status), **changed)

    def with_failure(self, status: PluginStatus) -> Registry:
        """A registry that remembers that this plugin does not work, and is otherwise the same."""
        return replace(self, statuses=(*self.statuses, status))

    @property
    def failures(self) -> tuple[PluginStatus, ...]:
        """The plugins that do not work."""
        return tuple(status for status in self.statuses if status.state != "ok")

    def task(self, name: str) -> Task:
        """The task of that name.

        Raises:
            UnknownNameError: If no working plugin brings it.
        """
        return self._find("task", name, self.tasks, hint="see `gansdk tasks`")

    def source_of(self, task: str) -> PluginSource | None:
        """What brings a task; None if no plugin registered it."""
        return next((status.source for status in self.statuses if task in status.tasks), None)

    def method(self, name: str) -> Method:
        """The method of that name.

        Raises:
            UnknownNameError: If no working plugin brings it.
        """
        return self._find("method", name, self.methods, hint="see `gansdk plugins`")

    def metric(self, name: str) -> MetricSpec:
        """The metric of that name.

        Raises:
            UnknownNameError: If no working plugin brings it.
        """
        return self._find("metric", name, self.metrics, hint=f"there are {', '.join(sorted(self.metrics))}")

    def model(self, name: str) -> InstalledModel:
        """The built-in model of that name (without ``builtin:``).

        Raises:
            UnknownNameError: If no working plugin brings it.
        """
        if name not in self.models:
            refs = (model.ref for model in self.models.values())
            raise self.unknown("model", f"builtin:{name}", refs, hint="see `gansdk models`")
        return self.models[name]

    def _find(self, what: str, name: str, known: Mapping[str, _T], *, hint: str) -> _T:
        if name not in known:
            raise self.unknown(what, name, known, hint=hint)
        return known[name]

    def unknown(self, what: str, name: str, known: Iterable[str], *, hint: str) -> UnknownNameError:
        """The error for an unknown name; it says so if a plugin that does not work may be the cause."""
        error = UnknownNameError(what, name, known, hint=hint)
        if self.failures:
            failing = ", ".join(sorted({status.source.distribution for status in self.failures}))
            error.hint = f"{error.hint} ({failing} does not work: see `gansdk plugins`)"
        return error


def options_of(task: Task) -> type[Options]:
    """The class of a task's own options.

    Raises:
        PluginError: If it cannot be imported or is not a closed group of options.
    """
    group = resolve(task.options)
    if not (isinstance(group, type) and issubclass(group, Options)):
        raise PluginError(f"task {task.name!r}: {task.options} is not a subclass of gansdk.Options")
    if group.model_config.get("extra") != "forbid":
        raise PluginError(f"task {task.name!r}: {task.options} takes options that it does not declare (extra='forbid')")
    return group


def reading_of(task: Task) -> type[Options] | None:
    """The options that say how a task's inputs are read; None if there are none."""
    groups = tuple(medium.reading for medium in (slot.reader for slot in task.slots) if medium.reading is not None)
    return merged(groups) if groups else None


def groups_of(task: Task) -> dict[str, type[Options]]:
    """The groups of options that take part in a task: ``call``, ``load``, ``read`` where it reads, and ``write``.

    Raises:
        PluginError: If the task's own options cannot be used.
    """
    groups: dict[str, type[Options]] = {"call": options_of(task), "load": LoadOptions}
    reading = reading_of(task)
    if reading is not None:
        groups["read"] = reading
    groups["write"] = writing_of(task.writers)
    return groups


def check_task(task: Task) -> None:
    """Finds what is wrong with a declaration before anything is computed with it.

    Option classes are pydantic without torch, and media import neither numpy nor torch, so that a listing can afford
    to look at them.

    Raises:
        PluginError: If a medium or a facet does not exist, a medium cannot be read or written, the name of an option
            or a slot is taken, or two options would have the same flag.
    """
    try:
        for slot in task.slots:
            if type(slot.reader).read is Medium.read:
                raise PluginError(f"slot {slot.name!r} is of a medium that is not read: {slot.medium}")
            if slot.fits is not None and slot.fits not in get_args(Facet):
                hint = f"it fits {', '.join(get_args(Facet))}, or None"
                raise PluginError(f"slot {slot.name!r} fits {slot.fits!r}, which is not a facet of a model", hint=hint)
        for name, found in task.writers.items():
            if found.writing is None or not format_by_ending(found.writing):
                raise PluginError(f"output {name!r} is of a medium that is not written: {task.outputs[name]}")
        groups = groups_of(task)
    except PluginError as error:
        said = error.message if error.message.startswith("task ") else f"task {task.name!r}: {error.message}"
        raise PluginError(said, hint=error.hint) from error
    group = groups.pop("call")
    others: list[type[Options]] = [*groups.values(), ImageReading, AnimationWriting, RecordWriting]
    core = {name for other in others for name in other.model_fields}
    taken = sorted(set(group.model_fields) & (core | RESERVED))
    if taken:
        what = f"task {task.name!r} has an option {taken[0]!r}, a name that every task has already"
        raise PluginError(what, hint="rename the option")
    names = [slot.name for slot in task.slots]
    for name in names:
        if not name.isidentifier() or names.count(name) > 1 or name in {*group.model_fields, *core, *RESERVED}:
            what = f"task {task.name!r} has a slot {name!r}, which is not a name in Python, or one that it has already"
            raise PluginError(what, hint="rename the slot")
    if task.many and "batch" not in group.model_fields:
        raise PluginError(f"task {task.name!r} computes many at a time and has no option 'batch'", hint="add it")
    infos = describe(group)
    opposites = {f"--no-{info.name.replace('_', '-')}": info.name for info in infos if info.is_flag}
    for info in infos:
        if info.flag in opposites:
            what = f"task {task.name!r}: option {info.name!r} is spelled like the opposite of {opposites[info.flag]!r}"
            raise PluginError(what, hint="rename one of them")


def _names(contributions: Contributions) -> Iterable[tuple[str, str, PluginSource]]:
    for plural, (what, _) in _HOOKS.items():
        for value in getattr(contributions, plural):
            yield what, value.name, contributions.source
    for method in contributions.methods:
        for model in method.models:
            yield "model", model.name, contributions.source


CORE = "gansdk"
"""Name of the distribution whose entry points come first."""

_REASON_LENGTH = 300


def discover(entry_points: Iterable[EntryPoint] | None = None) -> Registry:
    """Builds the registry of everything that is installed. Never raises for what a plugin does.

    Args:
        entry_points: Where to look; the environment's entry points of the group ``gansdk`` if not given. The core
            comes first, then distributions by name, so that which of two equal names wins does not depend on the disk.
    """
    if entry_points is None:
        entry_points = importlib.metadata.entry_points(group=hookspecs.GROUP)
    registry = Registry()
    for source, entry_point in sorted(((_source(point), point) for point in entry_points), key=_order):
        registry = _add(registry, source, entry_point)
    return registry


def core_only() -> Registry:
    """The registry of the core's own tasks, whatever else is installed: what the reference pages are made from."""
    found = importlib.metadata.entry_points(group=hookspecs.GROUP)
    return discover(point for point in found if _source(point).distribution == CORE)


def _order(found: tuple[PluginSource, EntryPoint]) -> tuple[bool, str, str]:
    source = found[0]
    return source.distribution != CORE, source.distribution, source.entry_point


def _add(registry: Registry, source: PluginSource, entry_point: EntryPoint) -> Registry:
    try:
        # A plugin that prints while it is imported must not get between a reader and the data on stdout.
        with contextlib.redirect_stdout(sys.stderr):
            return registry.add(_ask(source, entry_point))
    except KeyboardInterrupt:
        raise
    except NameTakenError as error:
        return registry.with_failure(PluginStatus(source, "conflict", error.message, error))
    except BaseException as error:  # noqa: BLE001  a plugin may raise anything, SystemExit included
        return registry.with_failure(PluginStatus(source, "broken", _reason(error), error))


def _ask(source: PluginSource, entry_point: EntryPoint) -> Contributions:
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(entry_point.load(), name=source.distribution)
    manager.check_pending()  # a hook that does not exist is a misspelt one
    brought = {
        plural: _collect(f"gansdk_{plural}", getattr(manager.hook, f"gansdk_{plural}")(), kind)
        for plural, (_, kind) in _HOOKS.items()
    }
    return Contributions(source, **brought)


def _collect(hook: str, results: list[Any], kind: type[_T]) -> tuple[_T, ...]:
    found: list[_T] = []
    for result in results:
        if isinstance(result, (str, bytes, kind)) or not hasattr(result, "__iter__"):
            raise PluginError(f"{hook} gave {_kind(result)}, not a list of {kind.__name__}")
        for value in result:
            if not isinstance(value, kind):
                raise PluginError(f"{hook} gave {_kind(value)} among its {kind.__name__}s")
            found.append(value)
    return tuple(found)


def _kind(value: object) -> str:
    return f"{type(value).__name__} {str(value)[:60]!r}"


def _reason(error: BaseException) -> str:
    """One line that says what was raised, and where for what Python itself could not read."""
    if isinstance(error, PluginError):
        return str(error)
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text[:_REASON_LENGTH]


def _source(entry_point: EntryPoint) -> PluginSource:
    """Names are normalised, as pip does it; a damaged installation may have none."""
    try:
        distribution = entry_point.dist
        name = (distribution.name if distribution else None) or entry_point.name
        version = (distribution.version if distribution else None) or "?"
    except Exception:  # noqa: BLE001  metadata that lacks a field raises whatever its reader happens to
        name, version = entry_point.name, "?"
    return PluginSource(re.sub(r"[-_.]+", "-", name).lower(), version, entry_point.name)
