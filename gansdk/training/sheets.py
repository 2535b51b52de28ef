"""Sample pictures of a run's progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gansdk.errors import PluginError
from gansdk.files import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_GAP = 4


def sheet(folder: Path, step: int) -> Path:
    """Where the sheet of a step stands."""
    return folder / f"{step:09d}.png"


def cut_after(folder: Path, step: int) -> None:
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
    from PIL import Image

    with whole_file(path) as file:
        Image.fromarray(pixels).save(file, format="PNG")
