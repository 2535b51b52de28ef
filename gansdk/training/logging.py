"""What a run tells of itself on the way: the metric log, its curves, sample sheets, TensorBoard's events.

None of it is needed to continue, so none of it ends a run: what is damaged or gone is made anew or left out.
"""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from gansdk.errors import OutputError, PluginError
from gansdk.files import whole_file
from gansdk.training.metrics import append_line, cut_after, draw_curves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.evaluation.record import Evaluation
    from gansdk.training.options import TrainingOptions
    from gansdk.training.runs import RunFolder


class MetricsLogger:
    """The side files of one session; made by :func:`open_metrics_logger`."""

    def __init__(self, folder: RunFolder, step: int, note: Callable[[str], None]) -> None:
        self._folder, self._note = folder, note
        self._events = Events(folder.events, step)
        self._left_out: set[Path] = set()

    def renew(self, options: TrainingOptions, step: int) -> None:
        """Continues what earlier sessions wrote: what they wrote of steps after ``step`` is removed."""
        folder = self._folder
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
            cut_sheets_after(folder.samples, step)

    def terms(self, step: int, seconds: float, means: Mapping[str, float]) -> None:
        """Adds the means of the terms since the line before."""
        self._add(step, seconds, means)

    def evaluation(self, step: int, seconds: float, evaluation: Evaluation) -> None:
        """Adds a line of figures, named ``evaluation/<test set>/<metric>``."""
        self._add(step, seconds, {f"evaluation/{one.data}/{one.metric}": one.value for one in evaluation.measurements})

    def _add(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        with self._kept_going(self._folder.metrics):
            append_line(self._folder.metrics, step, seconds, values)
        with self._kept_going(self._folder.events):
            self._events.add(step, values)

    def sheet(self, step: int, rows: Tensor) -> None:
        """Writes a sheet of sample images, as a recipe's ``show`` gives them.

        Raises:
            PluginError: If they are not images.
        """
        pixels = draw_sheet(rows)
        with self._kept_going(self._folder.samples):
            self._folder.samples.mkdir(exist_ok=True)
            write_sheet(sheet(self._folder.samples, step), pixels)
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


@contextmanager
def open_metrics_logger(
    folder: RunFolder, options: TrainingOptions, step: int, note: Callable[[str], None]
) -> Iterator[MetricsLogger]:
    """The logger of a session that begins after ``step``; what an earlier one wrote of later steps is removed."""
    metrics_logger = MetricsLogger(folder, step, note)
    metrics_logger.renew(options, step)
    try:
        yield metrics_logger
    finally:
        metrics_logger.close()


_GAP = 4


def sheet(folder: Path, step: int) -> Path:
    """Where the sheet of a step is."""
    return folder / f"{step:09d}.png"


def cut_sheets_after(folder: Path, step: int) -> None:
    """Removes the sheets of later steps, which a run that was cut off has behind its last checkpoint."""
    for path in folder.glob("*.png"):
        if path.stem.isdecimal() and int(path.stem) > step and path.is_file():
            path.unlink()


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
    grid = rows.detach().float().cpu() if rows.dim() == 5 else rows.detach().float().cpu()[:, None]
    padded = torch.nn.functional.pad(grid, (0, _GAP, 0, _GAP), value=1.0)
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in padded], dim=1)[:, :-_GAP, :-_GAP]
    colours = sheet.nan_to_num().clamp(0, 1).expand(3, -1, -1)
    return (colours * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def write_sheet(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Writes a sheet as PNG.

    Raises:
        OutputError: If the file cannot be written.
    """
    from PIL import Image as PILImage

    with whole_file(path) as file:
        PILImage.fromarray(pixels).save(file, format="PNG")


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
