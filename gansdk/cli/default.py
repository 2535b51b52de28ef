"""``gansdk default``."""

from __future__ import annotations

from typing import Annotated

import typer

from gansdk.cli.alias import lasting
from gansdk.cli.session import Session, known_refs, known_tasks, session_of
from gansdk.errors import UsageError


def default(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="see `gansdk tasks`", autocompletion=known_tasks)],
    ref: Annotated[
        str, typer.Argument(metavar="[REF]", help="the model that it shall take", autocompletion=known_refs)
    ] = "",
    unset: Annotated[bool, typer.Option("--unset", help="Forget your default.")] = False,
) -> None:
    """Say, or show, which model a task takes where a call names none."""
    session = session_of(context)
    if unset and ref:
        raise UsageError("--unset goes with no REF", hint=f"gansdk default {task} --unset")
    if unset:
        _unset(session, task)
    elif ref:
        _set(session, task, ref)
    else:
        _show(session, task)


def _set(session: Session, name: str, ref: str) -> None:
    from gansdk.inference.catalog import check_fit

    task = session.registry.task(name)
    check_fit(task, session.catalog.locate(ref))
    session.settings.set_default(task.name, lasting(ref))
    session.output.outcome({"task": task.name, "ref": lasting(ref)}, f"{task.name} takes {lasting(ref)} now")


def _unset(session: Session, name: str) -> None:
    # Not looked up first: a default of a task whose plugin is gone must be forgettable too.
    is_forgotten = session.settings.unset_default(name)
    if not is_forgotten:
        session.registry.task(name)
    words = f"your default for {name} is forgotten" if is_forgotten else f"you have no default for {name}"
    session.output.outcome({"task": name, "ref": None}, words)


def _show(session: Session, name: str) -> None:
    choice = session.catalog.choose(session.registry.task(name))
    record = {"task": name, "ref": choice.ref, "why": choice.why}
    columns = {key: (lambda record, key=key: str(record[key])) for key in record}
    session.output.listing([record], columns)
