"""Finds the installed plugins and asks each for what it brings, so that one that fails takes nobody down.

pluggy's own loader stops at the first entry point that raises, so the loop is ours; each plugin gets a plugin manager
of its own, so nothing of one that fails half-way stays behind.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from gansdk.errors import PluginError
from gansdk.plugins import hookspecs
from gansdk.plugins.datasets import NamedDataset
from gansdk.plugins.declarations import Importer, Method, Metric, Task
from gansdk.plugins.registry import Brought, NameTakenError, PluginStatus, Registry, Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

CORE = "gansdk"
"""Name of the distribution whose entry points come first."""

_REASON_LENGTH = 300
_T = TypeVar("_T")


def discover(entry_points: Iterable[EntryPoint] | None = None) -> Registry:
    """Builds the registry of everything that is installed. Never raises for what a plugin does.

    Args:
        entry_points: Where to look; the environment's entry points of the group ``gansdk`` if not given. The core
            comes first, then distributions by name, so that which of two equal names wins does not depend on the disk.
    """
    if entry_points is None:
        entry_points = importlib.metadata.entry_points(group=hookspecs.GROUP)
    registry = Registry()
    for source, entry_point in sorted(((_source(one), one) for one in entry_points), key=_order):
        registry = _add(registry, source, entry_point)
    return registry


def core_only() -> Registry:
    """The registry of the core's own tasks, whatever else is installed: what the reference pages are made from."""
    found = importlib.metadata.entry_points(group=hookspecs.GROUP)
    return discover(one for one in found if _source(one).distribution == CORE)


def _order(found: tuple[Source, EntryPoint]) -> tuple[bool, str, str]:
    source = found[0]
    return source.distribution != CORE, source.distribution, source.entry_point


def _add(registry: Registry, source: Source, entry_point: EntryPoint) -> Registry:
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


def _ask(source: Source, entry_point: EntryPoint) -> Brought:
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(entry_point.load(), name=source.distribution)
    manager.check_pending()  # a hook that does not exist is a misspelt one
    return Brought(
        source,
        methods=_collect("gansdk_methods", manager.hook.gansdk_methods(), Method),
        tasks=_collect("gansdk_tasks", manager.hook.gansdk_tasks(), Task),
        importers=_collect("gansdk_importers", manager.hook.gansdk_importers(), Importer),
        metrics=_collect("gansdk_metrics", manager.hook.gansdk_metrics(), Metric),
        datasets=_collect("gansdk_datasets", manager.hook.gansdk_datasets(), NamedDataset),
    )


def _collect(hook: str, results: list[Any], kind: type[_T]) -> tuple[_T, ...]:
    found: list[_T] = []
    for result in results:
        if isinstance(result, (str, bytes, kind)) or not hasattr(result, "__iter__"):
            raise PluginError(f"{hook} gave {_kind(result)}, not a list of {kind.__name__}")
        for one in result:
            if not isinstance(one, kind):
                raise PluginError(f"{hook} gave {_kind(one)} among its {kind.__name__}s")
            found.append(one)
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


def _source(entry_point: EntryPoint) -> Source:
    """Names are normalised, as pip does it; a damaged installation may have none."""
    try:
        distribution = entry_point.dist
        name = (distribution.name if distribution else None) or entry_point.name
        version = (distribution.version if distribution else None) or "?"
    except Exception:  # noqa: BLE001  metadata that lacks a field raises whatever its reader happens to
        name, version = entry_point.name, "?"
    return Source(re.sub(r"[-_.]+", "-", name).lower(), version, entry_point.name)
