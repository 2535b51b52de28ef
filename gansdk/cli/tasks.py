"""``gansdk tasks``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer  # noqa: TC002 - read when the command is built

from gansdk.cli.session import Session, session_of
from gansdk.errors import GansdkError

if TYPE_CHECKING:
    from gansdk.plugins.declarations import Task


def list_tasks(context: typer.Context) -> None:
    """List what can be asked for, and the model that each task takes where none is named."""
    session = session_of(context)
    records = [_record(session, task) for _, task in sorted(session.registry.tasks.items())]
    columns = {
        "task": lambda record: str(record["task"]),
        "model": lambda record: str(record["model"] or "-"),
        "summary": lambda record: str(record["summary"]),
    }
    session.output.listing(records, columns)


def _record(session: Session, task: Task) -> dict[str, Any]:
    model, why = None, ""
    try:
        choice = session.catalog.choose(task)
        model, why = choice.ref, choice.why
    except GansdkError as error:  # a listing goes on; `gansdk default TASK` says what is wrong
        why = str(error)
    return {
        "task": task.name,
        "summary": task.summary,
        "inputs": [{"name": slot.name, "kind": slot.kind, "help": slot.help} for slot in task.slots],
        "outputs": list(task.outputs),
        "model": model,
        "why": why,
        "plugin": session.registry.owners["task", task.name],
    }
