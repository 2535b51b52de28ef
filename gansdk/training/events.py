"""The metric log once more, as TensorBoard reads it, where TensorBoard is installed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def is_installed() -> bool:
    """Whether events can be written."""
    return importlib.util.find_spec("tensorboard") is not None


class Events:
    """Event files of a run, opened with the first number.

    Args:
        folder: Where they go.
        step: The step at which this sitting begins; TensorBoard forgets what an earlier one wrote after it.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._folder, self._step = folder, step
        self._writer: Any = None
        self._installed = is_installed()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Writes numbers by name; nothing where TensorBoard is not installed."""
        if not self._installed:
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder), purge_step=self._step + 1)
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Ends the sitting's file."""
        if self._writer is not None:
            self._writer.close()
