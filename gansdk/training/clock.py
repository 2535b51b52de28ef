"""Training time."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: Steps taken, those before a resume included.
        steps: Steps planned.
        rate: Steps per second in this sitting.
        left: Seconds left at that rate.
    """

    step: int
    steps: int
    rate: float
    left: float


class Clock:
    """Training time: over all sittings, in this one, and since the last checkpoint."""

    def __init__(self, before: float, step: int) -> None:
        self._before = before
        self._first_step = step
        self._start = self._save = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training, sittings before this one included."""
        return self._before + time.monotonic() - self._start

    @property
    def since_save(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self._save

    def saved(self) -> None:
        """Is told of a checkpoint."""
        self._save = time.monotonic()

    def progress(self, step: int, steps: int) -> Progress:
        """How far the run is after ``step`` of ``steps``."""
        rate = (step - self._first_step) / max(time.monotonic() - self._start, 1e-9)
        return Progress(step, steps, rate, (steps - step) / max(rate, 1e-9))
