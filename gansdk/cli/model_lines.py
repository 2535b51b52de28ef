"""What is said of a model, for people: its record as lines."""

from __future__ import annotations

import shlex
from typing import Any

from gansdk.cli.output import bytes_text
from gansdk.errors import one_line

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
    twin = [f"    twin: {evaluation['twin']}"] if evaluation["twin"] else []
    return [f"  measured{told}", *_measured_lines(evaluation["measurements"]), *twin]


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
