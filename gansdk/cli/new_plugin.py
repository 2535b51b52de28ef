"""``gansdk plugins new``: a plugin to begin with, from a template, that passes every check."""

from __future__ import annotations

import shlex
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gansdk._version import __version__
from gansdk.cli.commands import context_of
from gansdk.files import whole_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


def new_plugin(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="of the method or the task: lower-case words joined by hyphens")],
    task: Annotated[bool, typer.Option("--task", help="write a task instead of a method")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="the folder; gansdk-plugin-NAME here if not given")
    ] = None,
) -> None:
    """Write the folder of a new plugin, with a method that trains or a task that runs, and tests.

    A method is a small GAN that generates images from noise, with the losses, the recipe and the networks in a file
    each. A task is one file that uses an image, a mask and gradients of the model. Both pass `gansdk check`.
    docs/write-a-plugin.md goes through the files.
    """
    from gansdk.plugins.declarations import check_name

    session = context_of(context)
    kind = "task" if task else "method"
    check_name(kind, name)
    folder = output or Path(f"gansdk-plugin-{name}")
    write_plugin(kind, name, folder)
    said = f"wrote {folder}; install it with `pip install -e {shlex.quote(str(folder))}`, then follow its README"
    session.output.outcome({"plugin": f"gansdk-plugin-{name}", "folder": str(folder)}, said)


def write_plugin(kind: str, name: str, folder: Path) -> None:
    """Writes a plugin's files.

    Args:
        kind: ``method`` or ``task``: which template.
        name: Of the method or task.
        folder: Where; nothing may be there.

    Raises:
        OutputExistsError: If something is there.
    """
    from jinja2 import Environment, StrictUndefined

    module = name.replace("-", "_")
    names = {
        "name": name,
        "module": module,
        "class": "".join(word.capitalize() for word in name.split("-")),
        "gansdk": __version__,
    }
    templates = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - Python and TOML
    with whole_folder(folder) as hidden:
        for path, text in _templates(kind).items():
            file = hidden / path.replace("/package/", f"/gansdk_{module}/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(templates.from_string(text).render(names), "utf-8")


def _templates(kind: str) -> Mapping[str, str]:
    """The text of each template, by the path of the file that it becomes."""
    found, folders = {}, [("", resources.files("gansdk.cli") / "templates" / kind)]
    for prefix, folder in folders:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                folders.append((f"{prefix}{entry.name}/", entry))
            elif entry.name.endswith(".jinja"):
                found[f"{prefix}{entry.name.removesuffix('.jinja')}"] = entry.read_text("utf-8")
    return found
