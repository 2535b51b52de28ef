"""The metric log: named terms, averaged over an interval, one line of JSON each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gansdk.files import cannot_write, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Averages:
    """Running means of named numbers since the last line of the log."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Counts one more value of each name."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """The mean of each name, in the order in which the names first came."""
        return {name: total / self._counts[name] for name, total in self._sums.items()}

    def clear(self) -> None:
        """Begins the next interval."""
        self._sums.clear()
        self._counts.clear()

    def as_state(self) -> dict[str, list[float]]:
        """Sum and count of each name, for a checkpoint between two lines."""
        return {name: [total, self._counts[name]] for name, total in self._sums.items()}

    def restore(self, state: Mapping[str, list[float]]) -> None:
        """Takes up the interval of a checkpoint."""
        self._sums = {name: total for name, (total, _) in state.items()}
        self._counts = {name: int(count) for name, (_, count) in state.items()}


def append_line(path: Path, step: int, seconds: float, values: Mapping[str, float]) -> None:
    """Adds one line to the log: the step it ends with, the run's age in seconds, and the numbers.

    Raises:
        OutputError: If it cannot be written.
    """
    line = json.dumps({"step": step, "seconds": round(seconds, 3), **values})
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def cut_after(path: Path, step: int) -> None:
    """Removes the lines after ``step``, and a last line that a crash left unfinished."""
    if not path.exists():
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
    if kept != lines:
        write_whole(path, "".join(kept))
