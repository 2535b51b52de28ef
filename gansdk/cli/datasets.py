"""``gansdk datasets``: the data that has a name, where it is, and what gets it. Nothing of it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer  # noqa: TC002 - read when the command is built

from gansdk.cli.session import Session, session_of
from gansdk.errors import InputError

if TYPE_CHECKING:
    from gansdk.plugins.datasets import NamedDataset


def list_datasets(context: typer.Context) -> None:
    """List the data sets that have a name, and where they are.

    The names are for `--data` and `--test`. With --json there are also classes, digests and authors.
    """
    from gansdk.data.places import route

    session = session_of(context)
    named = sorted(session.registry.datasets.items())
    records = [_record(session, dataset, split) for _, dataset in named for split in dataset.splits]
    columns = {
        "data": lambda record: str(record["data"]),
        "items": lambda record: str(record["items"]),
        "licence": lambda record: str(record["licence"]),
        "in folder": lambda record: record["folder"] or "-",
        "summary": lambda record: str(record["summary"]),
    }
    session.output.listing(records, columns)
    lacking = {record["data"].partition(":")[0] for record in records if record["folder"] is None}
    for name in sorted(lacking):
        session.output.note(f"to get {name}: {route(session.registry.datasets[name])}")


def _record(session: Session, dataset: NamedDataset, name: str) -> dict[str, Any]:
    split = dataset.splits[name]
    from gansdk.data.places import find_split, route

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
