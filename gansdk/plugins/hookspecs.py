"""The hooks, all of them. A plugin implements those that it needs and nothing else.

A plugin is a distribution with an entry point in the group ``gansdk`` that names a module::

    [project.entry-points.gansdk]
    srgan = "gansdk_srgan"

and in that module functions marked with :data:`gansdk.hookimpl`::

    @gansdk.hookimpl
    def gansdk_methods():
        return [METHOD]

The module must import neither torch nor its own networks: it is imported for every listing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gansdk.plugins.declarations import Importer, Method, MetricSpec, NamedDataset, Task


GROUP = "gansdk"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def gansdk_methods() -> Iterable[Method]:  # type: ignore[empty-body]
    """The methods that this plugin brings, each with its models and its ways to train."""


@hookspec
def gansdk_tasks() -> Iterable[Task]:  # type: ignore[empty-body]
    """The tasks that this plugin adds to the core's."""


@hookspec
def gansdk_importers() -> Iterable[Importer]:  # type: ignore[empty-body]
    """What recognises weights that others published, for ``gansdk import``."""


@hookspec
def gansdk_metrics() -> Iterable[MetricSpec]:  # type: ignore[empty-body]
    """Numbers about quality, for ``gansdk eval`` and what is measured at the end of a training."""


@hookspec
def gansdk_datasets() -> Iterable[NamedDataset]:  # type: ignore[empty-body]
    """Data sets that users may name instead of giving a folder, for ``--data`` and ``--test``."""
