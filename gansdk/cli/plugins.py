"""``gansdk plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer  # noqa: TC002 - read when the command is built

from gansdk.cli.commands import Command, new_app
from gansdk.cli.session import Session, session_of

if TYPE_CHECKING:
    from gansdk.plugins.registry import PluginStatus

app = new_app(invoke_without_command=True)


@app.callback()
def plugins(context: typer.Context) -> None:
    """List the installed plugins and say of each whether it works, and why not."""
    if context.invoked_subcommand is None:
        _list(session_of(context))


@app.command("list", cls=Command)
def list_plugins(context: typer.Context) -> None:
    """The same as without `list`. A plugin that fails takes nobody down; --verbose shows its traceback."""
    _list(session_of(context))


def _list(session: Session) -> None:
    statuses = session.registry.statuses
    columns = {
        "plugin": lambda record: str(record["plugin"]),
        "version": lambda record: str(record["version"]),
        "state": lambda record: str(record["state"]),
        "brings, or why not": lambda record: record["reason"] or _brings(record),
    }
    session.output.listing([_record(status) for status in statuses], columns)
    for status in statuses:
        if status.error is not None and session.output.flags.verbose:
            session.output.trace(status.error)


def _record(status: PluginStatus) -> dict[str, Any]:
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
