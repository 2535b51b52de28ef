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

    def show(self, label: str, done: float, total: float) -> None:
        """Shows that ``done`` of ``total`` steps are done; the first call draws the bar."""
        if not self._is_watched:
            return
        if self._progress is None or self._task is None:
            self._progress = _draw()
            self._task = self._progress.add_task("")
            self._progress.start()
        self._progress.update(self._task, description=label, completed=done, total=total)

    def clear(self) -> None:
        """Takes the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None


def _draw() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
