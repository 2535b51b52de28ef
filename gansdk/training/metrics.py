"""The metric log: named terms, averaged over an interval, one line of JSON each."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from gansdk.files import cannot_write, whole_file, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Line = tuple[list[float], list[float]]
    Panel = dict[str, Line]


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


_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 28, 24
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, which colour-blind people tell apart."""

_LARGEST = float(np.finfo(np.float32).max)
"""Training computes in no wider range, and axes of a wider one overflow."""

_DECADES = 1.5
"""Positive values that span more powers of ten than this are drawn on a logarithmic axis."""


def draw_curves(log: Path, image: Path) -> None:
    """Draws what the metric log holds: a panel for each player's terms, and one for each figure of an evaluation.

    Values are pale, their moving average is bold. Nothing is written where the log has fewer than two lines.

    Args:
        log: ``metrics.jsonl``.
        image: The PNG.

    Raises:
        OutputError: If it cannot be written.
    """
    panels = read_panels(log)
    if not panels:
        return
    pil_image = PILImage.new("RGB", (_WIDTH, _HEIGHT * len(panels)), "white")
    draw, font = ImageDraw.Draw(pil_image), ImageFont.load_default(size=12)
    last = max(max(steps) for panel in panels.values() for steps, _ in panel.values())
    for i, (title, panel) in enumerate(panels.items()):
        _Plot(draw, font, _HEIGHT * i, last, panel).draw(title)
    with whole_file(image) as file:
        pil_image.save(file, format="PNG")


def read_panels(log: Path) -> dict[str, Panel]:
    """The log's numbers by panel and curve, as steps and values; what has no two finite values is left out."""
    panels: dict[str, Panel] = {}
    for entry in read_lines(log)[0]:
        step = entry.pop("step")
        del entry["seconds"]
        for name, value in entry.items():
            if abs(value) <= _LARGEST:  # false of NaN too
                owner, _, term = name.partition("/")
                title = term if owner == "evaluation" else owner
                steps, values = panels.setdefault(title, {}).setdefault(term, ([], []))
                steps.append(step)
                values.append(value)
    drawn = {title: {name: one for name, one in panel.items() if len(one[0]) > 1} for title, panel in panels.items()}
    return {title: panel for title, panel in drawn.items() if panel}


def smoothed(values: Sequence[float]) -> list[float]:
    """The exponential moving average over about a twentieth of the values, without the bias of its start."""
    decay = 1 - 1 / max(1.0, len(values) / 20)
    total = weight = 0.0
    result = []
    for value in values:
        total, weight = decay * total + (1 - decay) * value, decay * weight + (1 - decay)
        result.append(total / weight)
    return result


def is_logarithmic(values: Sequence[float]) -> bool:
    """Whether values are positive and span so much that a linear axis would show the largest alone."""
    return min(values) > 0 and math.log10(max(values) / min(values)) > _DECADES


class _Plot:
    """One panel: axes and curves."""

    def __init__(self, draw: ImageDraw.ImageDraw, font: Any, top: int, last: float, panel: Panel) -> None:
        self._draw, self._font, self._panel, self._last = draw, font, panel, max(last, 1)
        self._top, self._bottom = top + _TOP, top + _HEIGHT - _BOTTOM
        values = [value for _, curve in panel.values() for value in curve]
        self._log = is_logarithmic(values)
        # a few values far off, as of the first steps, must not press all others onto one line
        low, high = (float(one) for one in np.percentile([self._scaled(value) for value in values], (0.5, 99.5)))
        margin = 0.05 * (high - low) or 0.5 * abs(high) or 1.0
        self._low, self._high = low - margin, high + margin

    def draw(self, title: str) -> None:
        self._axes()
        x = _LEFT
        self._text(x, self._top - 14, title + (" (logarithmic)" if self._log else ""), "black", "lm")
        x += int(self._font.getlength(title)) + (90 if self._log else 0) + 24
        for i, (name, (steps, values)) in enumerate(self._panel.items()):
            colour = _COLOURS[i % len(_COLOURS)]
            pale = tuple((channel + 3 * 255) // 4 for channel in PILImage.new("RGB", (1, 1), colour).tobytes())
            self._curve(steps, values, pale, 1)
            self._curve(steps, smoothed(values), colour, 2)
            self._text(x, self._top - 14, name, colour, "lm")
            x += int(self._font.getlength(name)) + 16

    def _axes(self) -> None:
        for tick in self._ticks():
            y = self._y(tick)
            self._draw.line([(_LEFT, y), (_WIDTH - _RIGHT, y)], fill="#e4e4e4")
            self._text(_LEFT - 6, y, f"{tick:.4g}", "#606060", "rm")
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            self._text(
                self._x(share * self._last),
                self._bottom + 12,
                f"{share * self._last:,.0f}",
                "#606060",
                "mm" if share < 1 else "rm",
            )
        self._draw.rectangle([(_LEFT, self._top), (_WIDTH - _RIGHT, self._bottom)], outline="#a0a0a0")

    def _ticks(self) -> list[float]:
        if self._log:
            first, last = math.ceil(self._low), math.floor(self._high)
            return [10.0**power for power in range(first, last + 1)]
        rough = (self._high - self._low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        return [step * i for i in range(math.ceil(self._low / step), math.floor(self._high / step) + 1)]

    def _curve(self, steps: Sequence[float], values: Sequence[float], colour: Any, width: int) -> None:
        points = [(self._x(step), self._y(value)) for step, value in zip(steps, values, strict=True)]
        self._draw.line(points, fill=colour, width=width, joint="curve")

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def _x(self, step: float) -> float:
        return _LEFT + step / self._last * (_WIDTH - _RIGHT - _LEFT)

    def _y(self, value: float) -> float:
        share = (self._scaled(value) - self._low) / (self._high - self._low)
        return self._bottom - min(max(share, 0.0), 1.0) * (self._bottom - self._top)

    def _text(self, x: float, y: float, text: str, colour: str, anchor: str) -> None:
        self._draw.text((x, y), text, fill=colour, font=self._font, anchor=anchor)
