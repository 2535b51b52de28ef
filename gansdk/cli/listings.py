"""``gansdk tasks``, ``plugins``, ``datasets`` and ``doctor``: what is installed here, and whether it works."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING, Any

import typer

from gansdk._version import __version__
from gansdk.cli.commands import Command, CommandContext, context_of, new_app
from gansdk.cli.new_plugin import new_plugin
from gansdk.cli.output import uninterrupted
from gansdk.errors import GansdkError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gansdk.cli.output import Columns
    from gansdk.plugins.declarations import NamedDataset, Task
    from gansdk.plugins.registry import PluginStatus


def list_tasks(context: typer.Context) -> None:
    """List what can be asked for, and the model that each task takes where none is named."""
    session = context_of(context)
    records = [_task_record(session, task) for _, task in sorted(session.registry.tasks.items())]
    columns: Columns = {
        "task": "task",
        "model": "model",
        "summary": "summary",
    }
    session.output.listing(records, columns)


def _task_record(session: CommandContext, task: Task) -> dict[str, Any]:
    model, why = None, ""
    try:
        choice = session.catalog.choose(task)
        model, why = choice.ref, choice.why
    except GansdkError as error:  # a listing goes on; `gansdk default TASK` says what is wrong
        why = str(error)
    return {
        "task": task.name,
        "summary": task.summary,
        "inputs": [{"name": slot.name, "medium": slot.medium, "help": slot.help} for slot in task.slots],
        "outputs": dict(task.outputs),
        "model": model,
        "why": why,
        "plugin": session.registry.owners["task", task.name],
    }


app = new_app(invoke_without_command=True)


@app.callback()
def plugins(context: typer.Context) -> None:
    """List the installed plugins and say of each whether it works, and why not."""
    if context.invoked_subcommand is None:
        _list_plugins(context_of(context))


@app.command("list", cls=Command)
def list_plugins(context: typer.Context) -> None:
    """The same as without `list`. A plugin that fails does not affect the others; --verbose shows its traceback."""
    _list_plugins(context_of(context))


app.command("new", cls=Command)(new_plugin)


def _list_plugins(session: CommandContext) -> None:
    statuses = session.registry.statuses
    columns: Columns = {
        "plugin": "plugin",
        "version": "version",
        "state": "state",
        "brings, or why not": lambda record: record["reason"] or _brings(record),
    }
    session.output.listing([_plugin_record(status) for status in statuses], columns)
    for status in statuses:
        if status.error is not None and session.output.flags.verbose:
            session.output.trace(status.error)


def _plugin_record(status: PluginStatus) -> dict[str, Any]:
    return {
        "plugin": status.source.distribution,
        "version": status.source.version,
        "entry_point": status.source.entry_point,
        "state": status.state,
        "reason": status.reason,
        "methods": list(status.methods),
        "tasks": list(status.tasks),
        "importers": list(status.importers),
        "metrics": list(status.metrics),
        "datasets": list(status.datasets),
    }


def _brings(record: dict[str, Any]) -> str:
    kinds = [what for what in ("methods", "tasks", "importers", "metrics", "datasets") if record[what]]
    parts = [f"{what[:-1] if len(record[what]) == 1 else what} {', '.join(record[what])}" for what in kinds]
    return "; ".join(parts) or "nothing"


def list_datasets(context: typer.Context) -> None:
    """List the data sets that have a name, and where they are.

    The names are for `--data` and `--test`. With --json there are also classes, digests and authors.
    """
    from gansdk.data.opening import route

    session = context_of(context)
    named = sorted(session.registry.datasets.items())
    records = [_dataset_record(session, dataset, split) for _, dataset in named for split in dataset.splits]
    columns: Columns = {
        "data": "data",
        "items": "items",
        "licence": "licence",
        "in folder": "folder",
        "summary": "summary",
    }
    session.output.listing(records, columns)
    lacking = {record["data"].partition(":")[0] for record in records if record["folder"] is None}
    for name in sorted(lacking):
        session.output.note(f"to get {name}: {route(session.registry.datasets[name])}")


def _dataset_record(session: CommandContext, dataset: NamedDataset, name: str) -> dict[str, Any]:
    split = dataset.splits[name]
    from gansdk.data.opening import find_split, route

    try:
        folder = str(find_split(dataset, split))
    except InputError:  # a listing goes on; what gets it is said below
        folder = None
    return {
        "data": f"{dataset.name}:{name}",
        "summary": dataset.summary,
        "items": split.items,
        "classes": list(dataset.classes),
        "licence": dataset.licence,
        "author": dataset.author,
        "digest": split.digest,
        "folder": folder,
        "route": route(dataset),
        "plugin": session.registry.owners["data set", dataset.name],
    }


def doctor(context: typer.Context) -> None:
    """Check versions, devices, plugins, folders and settings; exit code 1 if something needs attention."""
    session = context_of(context)
    records = [*_versions(), *_torch(), *_plugins(session), *_folders(), *_settings(session), *_defaults(session)]
    columns = {key: key for key in ("state", "what", "found")}
    session.output.listing(records, columns)
    problems = sum(record["state"] != "ok" for record in records)
    if problems:
        session.output.note(f"{problems} of {len(records)} need attention")
        raise typer.Exit(1)


def _finding(what: str, found: object, *, ok: bool = True) -> dict[str, Any]:
    return {"what": what, "state": "ok" if ok else "problem", "found": str(found)}


def _versions() -> Iterator[dict[str, Any]]:
    yield _finding("gansdk", __version__)
    yield _finding("python", f"{platform.python_version()} on {platform.platform(terse=True)}, {sys.executable}")


def _torch() -> Iterator[dict[str, Any]]:
    try:
        with uninterrupted():
            import torch

            from gansdk.models.runtime import devices, has_native
    except (ImportError, OSError) as error:  # OSError: a shared library that is missing
        yield _finding("torch", f"cannot be imported: {error}", ok=False)
        return
    yield _finding("torch", torch.__version__)
    for name in devices():
        device = torch.device(name)
        native = [precision for precision in ("bf16", "fp16") if has_native(device, precision)]
        count = torch.get_num_threads()
        threads = f", {count} thread{'s' if count > 1 else ''}" if device.type == "cpu" else ""
        yield _finding(f"device {name}", f"fp32{''.join(f', {precision}' for precision in native)} natively{threads}")


def _plugins(session: CommandContext) -> Iterator[dict[str, Any]]:
    for status in session.registry.statuses:
        found = f"{status.source.version}{f', {status.state}: {status.reason}' if status.reason else ''}"
        name = f"plugin {status.source.distribution}, {status.source.entry_point}"
        yield _finding(name, found, ok=status.state == "ok")


def _folders() -> Iterator[dict[str, Any]]:
    from gansdk.settings import folders

    place = folders()
    for name, folder in (("config", place.config), ("cache", place.cache)):
        writable = os.access(_nearest(folder), os.W_OK)
        yield _finding(f"{name} folder", folder if writable else f"{folder} cannot be written to", ok=writable)


def _nearest(folder: Path) -> Path:
    """The folder, or the one above in which it would be made."""
    return folder if folder.exists() or folder == folder.parent else _nearest(folder.parent)


def _settings(session: CommandContext) -> Iterator[dict[str, Any]]:
    try:
        aliases, defaults = session.settings.aliases(), session.settings.defaults()
        yield _finding("settings", f"{len(aliases)} aliases, {len(defaults)} defaults in {session.settings.file}")
    except GansdkError as error:
        yield _finding("settings", error, ok=False)


def _defaults(session: CommandContext) -> Iterator[dict[str, Any]]:
    try:
        defaults = session.settings.defaults()
    except GansdkError:  # said above
        return
    for name in defaults:
        try:
            choice = session.catalog.choose(session.registry.task(name))
            yield _finding(f"default {name}", choice.ref)
        except GansdkError as error:
            yield _finding(f"default {name}", error, ok=False)
