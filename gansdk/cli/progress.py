"""How far something is, on stderr: a bar on a terminal, elsewhere a line a minute."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from gansdk.cli.output import seconds_text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from gansdk.cli.output import Output


LINE_SECONDS = 60.0
"""The shortest time between two lines where stderr is no terminal; what takes less says nothing."""


class Bar:
    """One bar at a time. Lines that are printed meanwhile appear above it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._said = time.monotonic()
        self._begun = (self._said, 0.0, 0.0)

    def show(self, label: str, done: float, total: float, *, unit: str = "") -> None:
        """Shows how far something is; the first call draws the bar.

        Args:
            label: What.
            done: How much of it.
            total: How much it is altogether.
            unit: What is counted, as in ``files``; where none is given, a percentage says it.
        """
        if self._output.flags.quiet:
            return
        share = f"{100 * done / total:.0f} %" if total else ""
        count = f"{int(done)} of {total:.0f} {unit}" if unit else share
        if not self._is_terminal:
            self._say(f"{label}: {count}", done, total)
            return
        with suppress(OSError):  # the terminal was closed: what is shown does not end what is done
            if self._progress is None or self._task is None:
                self._progress = _draw()
                self._task = self._progress.add_task("", count="")
                self._progress.start()
            self._progress.update(self._task, description=label, completed=done, total=total, count=count)

    def _say(self, text: str, done: float, total: float) -> None:
        now = time.monotonic()
        begun, first, of = self._begun
        if total != of or done < first:  # something else
            self._begun = (now, done, total)
        elif now - self._said >= LINE_SECONDS:
            self._said = now
            left = (total - done) * (now - begun) / (done - first) if done > first else None
            with suppress(OSError):
                self._output.note(text if left is None else f"{text}, about {seconds_text(left)} left")

    def clear(self) -> None:
        """Takes the bar away."""
        if self._progress is not None:
            with suppress(OSError):
                self._progress.stop()
        self._progress = self._task = None


def _draw() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    label, count = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[count]}", markup=False)
    columns = (label, BarColumn(), count, TimeRemainingColumn(), TextColumn("left"))
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
