"""Writes the table of tasks and models in ``docs/architecture.md``, or checks with ``--check`` that it is up to date.

A method that brings no model yet is listed with its configs, by the facts of their tiny versions.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pages import DOCS, between, main

from gansdk.model.config import read_config
from gansdk.models.catalog import unsupported_reason
from gansdk.plugins.registry import CORE, discover
from gansdk.testing.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gansdk.model.facts import Facts
    from gansdk.plugins.declarations import Method
    from gansdk.plugins.registry import Registry

ROOT = Path(__file__).parent.parent
OURS = {CORE, *(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))}
"""What else is installed here has no place in the document."""


def models(method: Method) -> Iterator[tuple[str, Facts]]:
    """A method's models by name, or its configs where it has none."""
    for model in method.models:
        yield f"builtin:{model.name}", read_config(model.folder).facts
    if not method.models:
        for name, config in method.configs.items():
            yield f"{method.name}/{name}", Replay(config).recipe.export().facts


def table(registry: Registry) -> str:
    """One row per model, one column per task: ``yes``, or why not."""
    tasks = [task for name, task in registry.tasks.items() if registry.owners["task", name] in OURS]
    methods = [method for name, method in registry.methods.items() if registry.owners["method", name] in OURS]
    lines = [["", *(f"`{task.name}`" for task in tasks)], ["---"] * (len(tasks) + 1)]
    for method in sorted(methods, key=lambda method: method.name):
        for name, facts in models(method):
            lines.append([f"`{name}`", *(unsupported_reason(task, facts) or "**yes**" for task in tasks)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def page(text: str) -> str:
    """The page with the table as it should be."""
    return between("tasks", f"{table(discover())}\n", text)


if __name__ == "__main__":
    sys.exit(main(DOCS / "architecture.md", page))
