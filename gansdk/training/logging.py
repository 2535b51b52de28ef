"""What a run tells of itself on the way: the metric log, its curves, sample sheets, TensorBoard's events.

None of it is needed to continue, so none of it ends a run: what is damaged or gone is made anew or left out.
"""

from __future__ import annotations

import importlib.util
import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from gansdk.errors import OutputError, PluginError
from gansdk.files import cannot_write, whole_file, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.evaluation.record import Evaluation
    from gansdk.training.options import TrainingOptions
    from gansdk.training.runs import RunFolder

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

_GAP = 4
"""Pixels between the images of a sheet."""


class MetricsLogger:
    """The side files of a session that begins after ``step``; what an earlier one wrote of later steps is removed."""

    def __init__(self, folder: RunFolder, options: TrainingOptions, step: int, note: Callable[[str], None]) -> None:
        self._folder, self._note = folder, note
        self._events = Events(folder.events, step)
        self._left_out: set[Path] = set()
        for path, is_right in ((folder.metrics, folder.metrics.is_file), (folder.samples, folder.samples.is_dir)):
            due = options.log_every if path == folder.metrics else options.samples_every
            if path.exists() and not is_right():
                self._set_aside(path)
            elif due and step >= due and not path.exists():
                self._note(f"{path} is gone; it is begun anew at step {step}")
        if folder.events.exists() and not folder.events.is_dir():
            self._set_aside(folder.events)
        with self._kept_going(folder.metrics):
            damaged = cut_after(folder.metrics, step)
            if damaged:
                self._note(f"{folder.metrics}: {damaged} damaged line{'s' if damaged > 1 else ''} left out")
        with self._kept_going(folder.samples):
            folder.samples.mkdir(exist_ok=True)
            for path in folder.samples.glob("*.png"):
                if path.stem.isdecimal() and int(path.stem) > step and path.is_file():
                    path.unlink()

    def evaluation(self, step: int, seconds: float, evaluation: Evaluation) -> None:
        """Adds a line of figures, named ``evaluation/<test set>/<metric>``."""
        figures = {f"evaluation/{found.data}/{found.metric}": found.value for found in evaluation.measurements}
        self.add(step, seconds, figures)

    def add(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Adds a line of numbers."""
        with self._kept_going(self._folder.metrics):
            append_line(self._folder.metrics, step, seconds, values)
        with self._kept_going(self._folder.events):
            self._events.add(step, values)

    def sheet(self, step: int, rows: Tensor) -> None:
        """Writes a sheet of sample images, as a recipe's ``show`` gives them."""
        pixels = draw_sheet(rows)
        with self._kept_going(self._folder.samples):
            self._folder.samples.mkdir(exist_ok=True)
            write_sheet(self._folder.samples / f"{step:09d}.png", pixels)
        with self._kept_going(self._folder.events):
            self._events.add_sheet(step, pixels)

    def draw(self) -> None:
        """Renews the image of the curves."""
        with self._kept_going(self._folder.curves):
            draw_curves(self._folder.metrics, self._folder.curves)

    def close(self) -> None:
        """Ends the session's events."""
        with self._kept_going(self._folder.events):
            self._events.close()

    @contextmanager
    def _kept_going(self, path: Path) -> Iterator[None]:
        """A block that writes a side file; where it cannot, that is said once. A full disk ends the next checkpoint."""
        try:
            yield
        except (OSError, OutputError) as error:
            if path not in self._left_out:
                self._left_out.add(path)
                self._note(f"{path} is left out: {error}")

    def _set_aside(self, path: Path) -> None:
        taken = len(list(path.parent.glob(f"{path.name}.damaged*")))
        other = path.with_name(f"{path.name}.damaged{taken or ''}")
        with self._kept_going(path):
            path.rename(other)
            self._note(f"{path} is not what a run writes; it is {other.name} now, and begun anew")


def append_line(path: Path, step: int, seconds: float, values: Mapping[str, float]) -> None:
    """Adds one line to the log: the step it ends with, the run's age in seconds, and the numbers."""
    line = json.dumps({"step": step, "seconds": round(seconds, 3), **values})
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def read_lines(path: Path) -> tuple[list[dict[str, float]], int]:
    """The whole lines of a log, and how many others it has: whoever can write to a run folder may have damaged it.

    A last line that a crash left unfinished counts as neither.
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
    """
    lines, damaged = read_lines(path)
    kept = "".join(json.dumps(line) + "\n" for line in lines if line["step"] <= step)
    if path.exists() and path.read_bytes() != kept.encode():
        write_whole(path, kept)
    return damaged


def draw_sheet(rows: Tensor) -> NDArray[np.uint8]:
    """Sample images as one: below each other, or as a grid.

    Args:
        rows: Float [N, 3, H, W], or [N, M, 3, H, W] for N rows of M images, in [0, 1]; grey ones may have one
            channel. Values outside are clipped.

    Returns:
        uint8 [H, W, 3].

    Raises:
        PluginError: If the tensor has another shape.
    """
    if rows.dim() not in {4, 5} or rows.shape[-3] not in {1, 3} or 0 in rows.shape:
        hint = "it gives [N, 3, H, W], or [N, M, 3, H, W] for a grid"
        raise PluginError(f"show() gave a tensor of shape {tuple(rows.shape)}", hint=hint)
    grid = rows.detach().float().cpu()
    grid = grid if rows.dim() == 5 else grid[:, None]
    padded = torch.nn.functional.pad(grid, (0, _GAP, 0, _GAP), value=1.0)
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in padded], dim=1)[:, :-_GAP, :-_GAP]
    colours = sheet.nan_to_num().clamp(0, 1).expand(3, -1, -1)
    return (colours * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def write_sheet(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Writes a sheet as PNG."""
    with whole_file(path) as file:
        PILImage.fromarray(pixels).save(file, format="PNG")


def draw_curves(log: Path, image: Path) -> None:
    """Draws what the metric log holds: a panel for each player's terms, and one for each figure of an evaluation.

    Values are pale, their moving average is bold. Nothing is written where the log has fewer than two lines.
    """
    panels = read_panels(log)
    if not panels:
        return
    canvas = PILImage.new("RGB", (_WIDTH, _HEIGHT * len(panels)), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=12)
    last = max(max(steps) for panel in panels.values() for steps, _ in panel.values())
    for i, (title, panel) in enumerate(panels.items()):
        _Plot(draw, font, _HEIGHT * i, last, panel).draw(title)
    with whole_file(image) as file:
        canvas.save(file, format="PNG")


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
    drawn = {
        title: {name: curve for name, curve in panel.items() if len(curve[0]) > 1} for title, panel in panels.items()
    }
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
        low, high = (float(bound) for bound in np.percentile([self._scaled(value) for value in values], (0.5, 99.5)))
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
            for line, fill, width in ((values, pale, 1), (smoothed(values), colour, 2)):
                points = [(self._x(step), self._y(value)) for step, value in zip(steps, line, strict=True)]
                self._draw.line(points, fill=fill, width=width, joint="curve")
            self._text(x, self._top - 14, name, colour, "lm")
            x += int(self._font.getlength(name)) + 16

    def _axes(self) -> None:
        for tick in self._ticks():
            y = self._y(tick)
            self._draw.line([(_LEFT, y), (_WIDTH - _RIGHT, y)], fill="#e4e4e4")
            self._text(_LEFT - 6, y, f"{tick:.4g}", "#606060", "rm")
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            step = share * self._last
            self._text(self._x(step), self._bottom + 12, f"{step:,.0f}", "#606060", "mm" if share < 1 else "rm")
        self._draw.rectangle([(_LEFT, self._top), (_WIDTH - _RIGHT, self._bottom)], outline="#a0a0a0")

    def _ticks(self) -> list[float]:
        if self._log:
            first, last = math.ceil(self._low), math.floor(self._high)
            return [10.0**power for power in range(first, last + 1)]
        rough = (self._high - self._low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        return [step * i for i in range(math.ceil(self._low / step), math.floor(self._high / step) + 1)]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def _x(self, step: float) -> float:
        return _LEFT + step / self._last * (_WIDTH - _RIGHT - _LEFT)

    def _y(self, value: float) -> float:
        share = (self._scaled(value) - self._low) / (self._high - self._low)
        return self._bottom - min(max(share, 0.0), 1.0) * (self._bottom - self._top)

    def _text(self, x: float, y: float, text: str, colour: str, anchor: str) -> None:
        self._draw.text((x, y), text, fill=colour, font=self._font, anchor=anchor)


def is_installed() -> bool:
    """Whether events can be written."""
    return importlib.util.find_spec("tensorboard") is not None


class Events:
    """Event files of a run, opened with the first number.

    Args:
        folder: Where they go.
        step: The step at which this session begins; TensorBoard forgets what an earlier one wrote after it.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._folder, self._step = folder, step
        self._writer: Any = None
        self._installed = is_installed()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Writes numbers by name; nothing where TensorBoard is not installed."""
        if self._installed:
            for name, value in values.items():
                self._open().add_scalar(name, value, step)

    def add_sheet(self, step: int, pixels: NDArray[np.uint8]) -> None:
        """Writes a sheet of sample images, uint8 [H, W, 3]; nothing where TensorBoard is not installed."""
        if self._installed:
            self._open().add_image("samples", pixels, step, dataformats="HWC")

    def _open(self) -> Any:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder), purge_step=self._step + 1)
        return self._writer

    def close(self) -> None:
        """Ends the session's file."""
        if self._writer is not None:
            self._writer.close()
