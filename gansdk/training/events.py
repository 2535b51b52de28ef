"""The metric log and the sample sheets once more, as TensorBoard reads them, where TensorBoard is installed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


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
        """Ends the sitting's file."""
        if self._writer is not None:
            self._writer.close()
