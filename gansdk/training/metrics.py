"""The metric log: named terms, averaged over an interval, one line of JSON each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gansdk.files import cannot_write, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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

    def restore(self, state: Mapping[str, Sequence[float]]) -> None:
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


def read_lines(path: Path) -> tuple[list[dict[str, float]], int]:
    """The whole lines of a log, and how many others it has: whoever can write to a run folder may have damaged it.

    A last line that a crash left unfinished counts as neither.

    Raises:
        OSError: If it cannot be read.
    """
    if not path.exists():
        return [], 0
    lines = path.read_text("utf-8", errors="replace").split("\n")[:-1]
    entries = [_entry(line) for line in lines]
    found = [entry for entry in entries if entry is not None]
    return found, len(entries) - len(found)


def _entry(line: str) -> dict[str, float] | None:
    """The numbers of a line; None where it is not one that :func:`append_line` wrote."""
    try:
        entry = json.loads(line)
        numbers = {name: float(value) for name, value in entry.items()}
        return {**numbers, "step": int(entry["step"])} if "seconds" in numbers else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def cut_after(path: Path, step: int) -> int:
    """Removes the lines after ``step``, a last one that a crash left unfinished, and damaged ones.

    Returns:
        How many were damaged.

    Raises:
        OSError: If it cannot be read.
        OutputError: If it cannot be written.
    """
    lines, damaged = read_lines(path)
    kept = "".join(json.dumps(line) + "\n" for line in lines if line["step"] <= step)
    if path.exists() and path.read_bytes() != kept.encode():
        write_whole(path, kept)
    return damaged
