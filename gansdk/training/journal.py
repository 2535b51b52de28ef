"""What a run tells of its numbers: the metric log, its curves, TensorBoard's events."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gansdk.training.curves import draw_curves
from gansdk.training.events import Events
from gansdk.training.metrics import append_line, cut_after
from gansdk.training.sheets import cut_after as cut_sheets_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gansdk.evaluation.record import Evaluation
    from gansdk.training.runs import RunFolder


class Journal:
    """The numbers of one sitting, written down where a run keeps them; made by :func:`open_journal`."""

    def __init__(self, folder: RunFolder, events: Events) -> None:
        self._folder, self._events = folder, events

    def terms(self, step: int, seconds: float, means: Mapping[str, float]) -> None:
        """Adds the means of the terms since the line before."""
        append_line(self._folder.metrics, step, seconds, means)
        self._events.add(step, means)

    def evaluation(self, step: int, seconds: float, evaluation: Evaluation) -> None:
        """Adds a line of figures, named ``evaluation/<test set>/<metric>``."""
        values = {f"evaluation/{one.data}/{one.metric}": one.value for one in evaluation.measurements}
        append_line(self._folder.metrics, step, seconds, values)
        self._events.add(step, values)

    def draw(self) -> None:
        """Renews the picture of the curves."""
        draw_curves(self._folder.metrics, self._folder.curves)


@contextmanager
def open_journal(folder: RunFolder, step: int) -> Iterator[Journal]:
    """The journal of a sitting that begins after ``step``; what an earlier one wrote of later steps is removed."""
    cut_after(folder.metrics, step)
    cut_sheets_after(folder.samples, step)
    events = Events(folder.events, step)
    try:
        yield Journal(folder, events)
    finally:
        events.close()
