"""``gansdk models``: what is installed, what the Hub has, and all that a model declares. No weights, no torch."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED, Command, CommandContext, complete_ref, context_of, new_app
from gansdk.cli.model_records import found_record, full_record, hub_record, short_record
from gansdk.cli.output import bytes_text
from gansdk.errors import nearest, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansdk.cli.output import Columns


_METHOD = re.compile(r"[a-z][a-z0-9-]*")

_FOUND: Columns = {
    "model": "ref",
    "method": "method",
    "tasks": "tasks",
    "licence": "licence",
    "downloads": "downloads",
    "changed": lambda record: record["modified"][:10] or "-",
    "access": lambda record: ", ".join(word for word in ("private", "gated") if record[word]) or "open",
}

app = new_app(invoke_without_command=True)


@app.callback()
def models(context: typer.Context) -> None:
    """List the installed models, search the Hub, or show one."""
    if context.invoked_subcommand is None:
        _list(context_of(context))


@app.command("list", cls=Command)
def list_models(context: typer.Context) -> None:
    """List the installed models and the tasks that each can do."""
    _list(context_of(context))


@app.command("show", cls=Command)
def show_model(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=complete_ref)],
) -> None:
    """Show what a model takes and gives, what it can do and why not more, and how good it is.

    Of a model on the Hub no weights are fetched. With --json also the JSON Schema of each task's options.
    """
    session = context_of(context)
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
    from gansdk.hub.listings import search

    session = context_of(context)
    if task:
        session.registry.task(task)
    if method and not _METHOD.fullmatch(method):  # no model can be of it
        session.registry.method(method)
    found = search(text, task=task, method=method, limit=limit, access=session.catalog.access)
    records = [found_record(session, one, method) for one in found]
    session.output.listing(records, _FOUND)
    for line in _notes(session, records, method=method, limit=limit):
        session.output.note(line)


def _notes(session: CommandContext, records: Sequence[dict[str, Any]], *, method: str, limit: int) -> list[str]:
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


def _record_of(session: CommandContext, text: str) -> dict[str, Any]:
    from gansdk.refs import Hub

    ref = session.catalog.follow(text)
    if not isinstance(ref, Hub) or ref.file:
        return full_record(session, session.catalog.locate(text))
    from gansdk.hub.snapshots import describe

    return hub_record(session, text, describe(ref, session.catalog.access, session.output.note))


def _list(session: CommandContext) -> None:
    columns: Columns = {
        "model": "ref",
        "method": "method",
        "tasks": lambda record: record["error"] or ", ".join(record["tasks"]) or "-",
        "size": lambda record: bytes_text(record["bytes"]),
        "licence": "licence",
    }
    records = [short_record(session, installed) for installed in session.catalog.installed()]
    if any(record["remarks"] for record in records):
        columns = {**columns, "remarks": lambda record: "; ".join(record["remarks"])}
    session.output.listing(records, columns)
    if not records:
        session.output.note("no model is installed; plugins bring them: see `gansdk plugins`")


_MOST_LABELS = 12


def text_of(record: dict[str, Any]) -> list[str]:
    """The record for people.

    Args:
        record: As `gansdk.cli.model_records` makes it, of a model here or on the Hub.
    """
    lines = [f"{record['ref']}  {record['summary']}".rstrip(), ""]
    lines += [f"  method    {_method(record)}", f"  licence   {record['licence'] or 'not stated'}"]
    lines += [f"  remark    {remark}" for remark in record["remarks"]]
    lines += [f"  hub       {_place(record)}"] if "repo" in record else []
    lines += [f"  folder    {record['folder']}"] if record["folder"] else []
    lines += [f"  file      {file['name']}, {_size(file['bytes'])}" for file in record["files"]]
    lines += ["", "  takes and gives"]
    lines += [f"    {name}: {value}" for name, value in _flat(record["facts"])]
    lines += ["", "  tasks"]
    lines += [f"    {one['task']}: {'yes' if one['applies'] else 'no, ' + one['reason']}" for one in record["tasks"]]
    if record["trained"] is not None:
        lines += ["", "  trained", *_trained_lines(record["trained"])]
    if record["origin"] is not None:
        lines += ["", "  imported", *_origin_lines(record["origin"])]
    if record["evaluation"] is not None:
        lines += ["", *_evaluation_lines(record["evaluation"])]
    return [one_line(line) for line in lines]


def _method(record: dict[str, Any]) -> str:
    missing = "" if record["installed"] else f" (not installed: pip install {shlex.quote(record['requires'])})"
    return f"{record['method']}, from {record['requires']}{missing}"


def _place(record: dict[str, Any]) -> str:
    limits = [word for word in ("private", "gated") if record[word]]
    return ", ".join([record["repo"], f"commit {record['commit'][:12]}", *limits])


def _size(count: int | None) -> str:
    return "not in the cache" if count is None else bytes_text(count)


def _evaluation_lines(evaluation: dict[str, Any]) -> list[str]:
    told = "" if evaluation["source"].endswith(".json") else f", as its {evaluation['source']} states"
    baseline = [f"    baseline: {evaluation['baseline']}"] if evaluation["baseline"] else []
    return [f"  measured{told}", *_measured_lines(evaluation["measurements"]), *baseline]


def _flat(value: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, one in value.items():
        if isinstance(one, dict):
            found += _flat(one, f"{prefix}{name}.")
        elif one is not None:
            text = ", ".join(_word(item) for item in one) or "none" if isinstance(one, list) else str(one)
            found.append((prefix + name, text))
    return found


def _word(item: Any) -> str:
    """One of several: of a part its name, how many numbers or values it has, and what they are called."""
    if not isinstance(item, dict):
        return str(item)
    if "unit" in item:
        low, high = item["sweep"]
        return f"{item['name']} ({low:g} to {high:g}, steps {item['unit']})"
    labels = item.get("labels") or []
    what = ", ".join(labels) if 0 < len(labels) <= _MOST_LABELS else f"{item.get('k', item.get('n'))} {item['kind']}"
    return f"{item['name']} ({what})"


def _trained_lines(trained: dict[str, Any]) -> list[str]:
    lines = [f"    {trained['recipe']}, config {trained['config']}, {trained['steps']} steps, seed {trained['seed']}"]
    return lines + [f"    on {data['name']} ({data['items']} items, {data['licence']})" for data in trained["data"]]


def _origin_lines(origin: dict[str, Any]) -> list[str]:
    table = f", under {origin['table']}" if origin["table"] else ""
    lines = [
        f"    {origin['layout']}, stored in {' and '.join(origin['numbers'])}",
        f"    from {origin['file']}{table}",
    ]
    return [*lines, f"    {origin['digest']}"]


def _measured_lines(measurements: list[dict[str, Any]]) -> list[str]:
    """A line each; of a model that was measured on test sets, the trial images are left to its card."""
    from gansdk.evaluation.restoration import PREFIX

    own = [one for one in measurements if not one["data"].startswith(PREFIX)]
    return [_measured_line(one) for one in own or measurements]


def _measured_line(one: dict[str, Any]) -> str:
    from gansdk.evaluation.record import number

    beside = {"baseline": one["baseline"]["value"]} if one["baseline"] is not None else {}
    others = ", ".join(f"{name} {number(value, one['unit'])}" for name, value in (beside | one["references"]).items())
    text = f"    {one['metric']} on {one['data']}: {number(one['value'], one['unit'])} {one['unit']}".rstrip()
    return f"{text} ({others})" if others else text
