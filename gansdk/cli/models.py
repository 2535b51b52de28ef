"""``gansdk models``: what is installed, and all that a model declares of itself. No weights, no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import Command, new_app
from gansdk.cli.output import bytes_text
from gansdk.cli.session import Session, session_of

if TYPE_CHECKING:
    from pathlib import Path

    from gansdk.evaluation.record import Evaluation
    from gansdk.inference.catalog import Installed
    from gansdk.inference.located import Located
    from gansdk.model.config import ModelConfig

_MOST_LABELS = 12

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
    record = _full_record(session, session.catalog.locate(ref))
    if session.output.flags.json:
        session.output.record(record)
    else:
        for line in _lines(record):
            session.output.data(line)


def _list(session: Session) -> None:
    columns = {
        "model": lambda record: str(record["ref"]),
        "method": lambda record: str(record["method"]),
        "tasks": lambda record: record["error"] or ", ".join(record["tasks"]) or "-",
        "size": lambda record: bytes_text(record["bytes"]),
        "licence": lambda record: record["licence"] or "-",
    }
    records = [_short_record(session, installed) for installed in session.catalog.installed()]
    session.output.listing(records, columns)
    if not records:
        session.output.note("no model is installed; plugins bring them: see `gansdk plugins`")


def _short_record(session: Session, installed: Installed) -> dict[str, Any]:
    from gansdk.inference.catalog import fits

    config, tasks = installed.config, session.registry.tasks
    return {
        "ref": installed.ref,
        "method": installed.model.method.name,
        "tasks": sorted(name for name, task in tasks.items() if config is not None and fits(task, config)),
        "bytes": sum(_sizes(installed.model.folder, config).values()) if config is not None else 0,
        "licence": config.licence if config is not None else "",
        "summary": config.summary if config is not None else "",
        "error": str(installed.error) if installed.error is not None else "",
    }


def _full_record(session: Session, located: Located) -> dict[str, Any]:
    from gansdk.evaluation.record import read_evaluation

    config = located.config
    evaluation = read_evaluation(located.folder)
    tasks = _tasks(session, config)
    sizes = _sizes(located.folder, config)
    return {
        "ref": located.ref,
        "folder": str(located.folder),
        "summary": config.summary,
        "method": config.method,
        "requires": config.requires,
        "installed": config.method in session.registry.methods,
        "licence": config.licence,
        "facts": config.facts.model_dump(mode="json"),
        "network": config.network,
        "tasks": tasks,
        "options": {one["task"]: _schemas(session, one["task"]) for one in tasks if one["applies"]},
        "trained": config.trained.model_dump(mode="json") if config.trained is not None else None,
        "origin": config.origin.model_dump(mode="json") if config.origin is not None else None,
        "evaluation": _evaluation(evaluation) if evaluation is not None else None,
        "files": [{"name": name, "bytes": sizes[name], "sha256": digest} for name, digest in config.files.items()],
    }


def _tasks(session: Session, config: ModelConfig) -> list[dict[str, Any]]:
    from gansdk.inference.catalog import misfit

    reasons = {name: misfit(task, config.facts) for name, task in sorted(session.registry.tasks.items())}
    return [{"task": name, "applies": reason is None, "reason": reason or ""} for name, reason in reasons.items()]


def _schemas(session: Session, task: str) -> dict[str, Any]:
    from gansdk.cli.task_options import groups_of

    return {kind: group.model_json_schema() for kind, group in groups_of(session.registry.task(task)).items()}


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """The means alone; the figures of single items stay in the file."""
    measurements = [
        one.model_dump(mode="json", exclude={"values": True, "twin": {"values"}}) for one in evaluation.measurements
    ]
    return {"measurements": measurements, "twin": evaluation.twin}


def _sizes(folder: Path, config: ModelConfig) -> dict[str, int]:
    return {name: (folder / name).stat().st_size if (folder / name).is_file() else 0 for name in config.files}


def _lines(record: dict[str, Any]) -> list[str]:
    """The record for people."""
    requires = record["requires"] if record["installed"] else f"{record['requires']} (not installed)"
    lines = [f"{record['ref']}  {record['summary']}".rstrip(), ""]
    lines += [f"  method    {record['method']}, from {requires}", f"  licence   {record['licence'] or 'not stated'}"]
    lines += [f"  folder    {record['folder']}"]
    lines += [f"  file      {file['name']}, {bytes_text(file['bytes'])}" for file in record["files"]]
    lines += ["", "  takes and gives"]
    lines += [f"    {name}: {value}" for name, value in _flat(record["facts"])]
    lines += ["", "  tasks"]
    lines += [f"    {one['task']}: {'yes' if one['applies'] else 'no, ' + one['reason']}" for one in record["tasks"]]
    if record["trained"] is not None:
        lines += ["", "  trained", *_trained_lines(record["trained"])]
    if record["origin"] is not None:
        lines += ["", "  imported", *_origin_lines(record["origin"])]
    if record["evaluation"] is not None:
        lines += ["", "  measured", *_measured_lines(record["evaluation"]["measurements"])]
        lines += [f"    twin: {record['evaluation']['twin']}"] if record["evaluation"]["twin"] else []
    return lines


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
    what = " ".join(labels) if 0 < len(labels) <= _MOST_LABELS else f"{item.get('k', item.get('n'))} {item['kind']}"
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
    """A line each; of a model that was measured on test sets, the trial pictures are left to its card."""
    from gansdk.evaluation.restoration.trials import PREFIX

    own = [one for one in measurements if not one["data"].startswith(PREFIX)]
    return [_measured_line(one) for one in own or measurements]


def _measured_line(one: dict[str, Any]) -> str:
    from gansdk.evaluation.wording import number

    beside = {"twin": one["twin"]["value"]} if one["twin"] is not None else {}
    others = ", ".join(f"{name} {number(value, one['unit'])}" for name, value in (beside | one["baselines"]).items())
    text = f"    {one['metric']} on {one['data']}: {number(one['value'], one['unit'])} {one['unit']}".rstrip()
    return f"{text} ({others})" if others else text
