"""A progress bar on stderr, where somebody watches; nothing at all where nobody does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from gansdk.cli.output import Output


class Bar:
    """One bar at a time. Lines that are printed meanwhile appear above it."""

    def __init__(self, output: Output) -> None:
        self._is_watched = sys.stderr.isatty() and not output.flags.quiet
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def show(self, label: str, done: float, total: float, *, unit: str = "") -> None:
        """Shows how far something is; the first call draws the bar.

        Args:
            label: What.
            done: How much of it.
            total: How much it is altogether.
            unit: What is counted, as in ``files``; where none is given, a percentage says it.
        """
        if not self._is_watched:
            return
        if self._progress is None or self._task is None:
            self._progress = _draw()
            self._task = self._progress.add_task("", count="")
            self._progress.start()
        share = f"{100 * done / total:.0f} %" if total else ""
        count = f"{int(done)} of {total:.0f} {unit}" if unit else share
        self._progress.update(self._task, description=label, completed=done, total=total, count=count)

    def clear(self) -> None:
        """Takes the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None


def _draw() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    label, count = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[count]}", markup=False)
    columns = (label, BarColumn(), count, TimeRemainingColumn(), TextColumn("left"))
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
