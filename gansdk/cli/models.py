"""``gansdk models``: what is installed, what the Hub has, and all that a model declares. No weights, no torch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED, Command, new_app
from gansdk.cli.model_lines import text_of
from gansdk.cli.model_records import found_record, full_record, hub_record, short_record
from gansdk.cli.output import bytes_text
from gansdk.cli.session import Session, known_refs, session_of
from gansdk.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

_METHOD = re.compile(r"[a-z][a-z0-9-]*")

_FOUND = {
    "model": lambda record: str(record["ref"]),
    "method": lambda record: record["method"] or "-",
    "tasks": lambda record: ", ".join(record["tasks"]) or "-",
    "licence": lambda record: record["licence"] or "-",
    "downloads": lambda record: str(record["downloads"]),
    "changed": lambda record: record["modified"][:10] or "-",
    "access": lambda record: ", ".join(word for word in ("private", "gated") if record[word]) or "open",
}

app = new_app(invoke_without_command=True)


@app.callback()
def models(context: typer.Context) -> None:
    """List the installed models, search the Hub, or show one."""
    if context.invoked_subcommand is None:
        _list(session_of(context))


@app.command("list", cls=Command)
def list_models(context: typer.Context) -> None:
    """List the installed models and the tasks that each can do."""
    _list(session_of(context))


@app.command("show", cls=Command)
def show_model(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=known_refs)],
) -> None:
    """Show what a model takes and gives, what it can do and why not more, and how good it is.

    Of a model on the Hub no weights are fetched. With --json also the JSON Schema of each task's options.
    """
    session = session_of(context)
    record = _record_of(session, ref)
    if session.output.flags.json:
        session.output.record(record)
    else:
        for line in text_of(record):
            session.output.data(line)


@app.command("search", cls=Command)
def search_models(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="what their names contain; all if left out")] = "",
    task: Annotated[str, typer.Option(metavar="TASK", help="those that can do it")] = "",
    method: Annotated[str, typer.Option(metavar="METHOD", help="those of it, installed here or not")] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="how many at most, 1 to 100")] = 20,
) -> None:
    """Find models on the Hub, those first that are downloaded most."""
    from gansdk.hub.searching import search

    session = session_of(context)
    if task:
        session.registry.task(task)
    if method and not _METHOD.fullmatch(method):  # no model can be of it
        session.registry.method(method)
    found = search(text, task=task, method=method, limit=limit, access=session.catalog.access)
    records = [found_record(session, one, method) for one in found]
    session.output.listing(records, _FOUND)
    for line in _notes(session, records, method=method, limit=limit):
        session.output.note(line)


def _notes(session: Session, records: Sequence[dict[str, Any]], *, method: str, limit: int) -> list[str]:
    """What a list of models does not say.

    A method that no plugin here brings may well be on the Hub, so it is searched for; only where nothing is found it
    was perhaps another that was meant.
    """
    known = session.registry.methods
    if not records:
        meant = nearest(method, known) if method and method not in known else []
        hint = f"did you mean {' or '.join(meant)}?" if meant else "the Hub looks for a text in names; ask for less"
        return [f"no model on the Hub is like that; {hint}"]
    more = f"these are the first {limit}; there may be more: raise --limit, or narrow the search"
    lines = [more] if len(records) == limit else []
    if method and method not in known:
        lines += [f"no plugin here brings {method}; `gansdk models show {records[0]['ref']}` says what to install"]
    return lines


def _record_of(session: Session, text: str) -> dict[str, Any]:
    from gansdk.refs import Hub

    ref = session.catalog.follow(text)
    if not isinstance(ref, Hub) or ref.file:
        return full_record(session, session.catalog.locate(text))
    from gansdk.hub.describing import describe

    return hub_record(session, text, describe(ref, session.catalog.access, session.output.note))


def _list(session: Session) -> None:
    columns = {
        "model": lambda record: str(record["ref"]),
        "method": lambda record: str(record["method"]),
        "tasks": lambda record: record["error"] or ", ".join(record["tasks"]) or "-",
        "size": lambda record: bytes_text(record["bytes"]),
        "licence": lambda record: record["licence"] or "-",
    }
    records = [short_record(session, installed) for installed in session.catalog.installed()]
    if any(record["remarks"] for record in records):
        columns["remarks"] = lambda record: "; ".join(record["remarks"])
    session.output.listing(records, columns)
    if not records:
        session.output.note("no model is installed; plugins bring them: see `gansdk plugins`")
