"""What a run tells of itself on the way: the metric log, its curves, sample sheets, TensorBoard's events.

None of it is needed to continue, so none of it ends a run: what is damaged or gone is made anew or left out.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gansdk.errors import OutputError
from gansdk.training.curves import draw_curves
from gansdk.training.events import Events
from gansdk.training.metrics import append_line, cut_after
from gansdk.training.sheets import cut_after as cut_sheets_after
from gansdk.training.sheets import draw_sheet, sheet, write_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import Tensor

    from gansdk.evaluation.record import Evaluation
    from gansdk.training.runs import Pace, RunFolder


class Journal:
    """The side files of one sitting, written where a run keeps them; made by :func:`open_journal`."""

    def __init__(self, folder: RunFolder, step: int, note: Callable[[str], None]) -> None:
        self._folder, self._note = folder, note
        self._events = Events(folder.events, step)
        self._left_out: set[Path] = set()

    def renew(self, pace: Pace, step: int) -> None:
        """Takes up what earlier sittings wrote: what they wrote of steps after ``step`` is removed."""
        folder = self._folder
        for path, is_right in ((folder.metrics, folder.metrics.is_file), (folder.samples, folder.samples.is_dir)):
            due = pace.log if path == folder.metrics else pace.samples
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
            PluginError: If they are no images.
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
        """Ends the sitting's events."""
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
def open_journal(folder: RunFolder, pace: Pace, step: int, note: Callable[[str], None]) -> Iterator[Journal]:
    """The journal of a sitting that begins after ``step``; what an earlier one wrote of later steps is removed."""
    journal = Journal(folder, step, note)
    journal.renew(pace, step)
    try:
        yield journal
    finally:
        journal.close()
