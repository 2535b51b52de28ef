"""Where and in what numbers to compute: flags of the commands that are not made from a task's options."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def computing(metavar: str, text: str) -> Any:
    """A flag in the section of these."""
    return typer.Option(metavar=metavar, help=text, show_default=False, rich_help_panel="Computing")


Device = Annotated[str | None, computing("auto|cpu|cuda[:N]|mps", "where to compute")]
Threads = Annotated[str | None, computing("auto|1..1024", "CPU threads")]
