"""``gansdk models``: what is installed, and all that a model declares of itself. No weights, no torch."""

from __future__ import annotations

from typing import Annotated

import typer

from gansdk.cli.commands import Command, new_app
from gansdk.cli.model_lines import text_of
from gansdk.cli.model_records import full_record, short_record
from gansdk.cli.output import bytes_text
from gansdk.cli.session import Session, session_of

app = new_app(invoke_without_command=True)


@app.callback()
def models(context: typer.Context) -> None:
    """List the installed models, or show one."""
    if context.invoked_subcommand is None:
        _list(session_of(context))


@app.command("list", cls=Command)
def list_models(context: typer.Context) -> None:
    """List the installed models and the tasks that each can do."""
    _list(session_of(context))


@app.command("show", cls=Command)
def show_model(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help="builtin:NAME, a model or run folder, or an alias")],
) -> None:
    """Show what a model takes and gives, what it can do and why not more, and how good it is.

    With --json also the JSON Schema of each task's options.
    """
    session = session_of(context)
    record = full_record(session, session.catalog.locate(ref))
    if session.output.flags.json:
        session.output.record(record)
    else:
        for line in text_of(record):
            session.output.data(line)


def _list(session: Session) -> None:
    columns = {
        "model": lambda record: str(record["ref"]),
        "method": lambda record: str(record["method"]),
        "tasks": lambda record: record["error"] or ", ".join(record["tasks"]) or "-",
        "size": lambda record: bytes_text(record["bytes"]),
        "licence": lambda record: record["licence"] or "-",
    }
    records = [short_record(session, installed) for installed in session.catalog.installed()]
    session.output.listing(records, columns)
    if not records:
        session.output.note("no model is installed; plugins bring them: see `gansdk plugins`")
