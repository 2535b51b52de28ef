"""Curves of a run's metric log as one picture.

Drawn with Pillow, which is here anyway: matplotlib would be the largest dependency after torch, for a few lines.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gansdk.files import whole_file
from gansdk.training.metrics import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Line = tuple[list[float], list[float]]
    Panel = dict[str, Line]

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 28, 24
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's, which colour-blind people tell apart."""

_LARGEST = float(np.finfo(np.float32).max)
"""Training computes in no wider range, and axes of a wider one overflow."""

_DECADES = 1.5
"""Positive values that span more powers of ten than this are drawn on a logarithmic axis."""


def draw_curves(log: Path, picture: Path) -> None:
    """Draws what the metric log holds: a panel for each player's terms, and one for each figure of an evaluation.

    Values are pale, their moving average is bold. Nothing is written where the log has fewer than two lines.

    Args:
        log: ``metrics.jsonl``.
        picture: The PNG.

    Raises:
        OutputError: If it cannot be written.
    """
    panels = read_panels(log)
    if not panels:
        return
    image = Image.new("RGB", (_WIDTH, _HEIGHT * len(panels)), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=12)
    last = max(max(steps) for panel in panels.values() for steps, _ in panel.values())
    for i, (title, panel) in enumerate(panels.items()):
        _Plot(draw, font, _HEIGHT * i, last, panel).draw(title)
    with whole_file(picture) as file:
        image.save(file, format="PNG")


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
            pale = tuple((channel + 3 * 255) // 4 for channel in Image.new("RGB", (1, 1), colour).tobytes())
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
