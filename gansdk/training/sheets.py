"""Sample pictures of a run's progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gansdk.errors import PluginError
from gansdk.files import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_GAP = 4


def sheet(folder: Path, step: int) -> Path:
    """Where the sheet of a step stands."""
    return folder / f"{step:09d}.png"


def cut_after(folder: Path, step: int) -> None:
    """Removes the sheets of later steps, which a run that was cut off has behind its last checkpoint."""
    for path in folder.glob("*.png"):
        if path.stem.isdigit() and int(path.stem) > step:
            path.unlink()


def write_sheet(path: Path, rows: Tensor) -> None:
    """Writes pictures as one PNG: below each other, or as a grid.

    Args:
        path: Where it shall stand.
        rows: Float [N, 3, H, W], or [N, M, 3, H, W] for N rows of M pictures, in [0, 1]; grey ones may have one
            channel. Values outside are clipped.

    Raises:
        PluginError: If the tensor has another shape.
        OutputError: If the file cannot be written.
    """
    from PIL import Image

    if rows.dim() not in {4, 5} or rows.shape[-3] not in {1, 3} or 0 in rows.shape:
        hint = "it gives [N, 3, H, W], or [N, M, 3, H, W] for a grid"
        raise PluginError(f"show() gave a tensor of shape {tuple(rows.shape)}", hint=hint)
    grid = rows.detach().float().cpu() if rows.dim() == 5 else rows.detach().float().cpu()[:, None]
    padded = torch.nn.functional.pad(grid, (0, _GAP, 0, _GAP), value=1.0)
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in padded], dim=1)[:, :-_GAP, :-_GAP]
    colours = sheet.nan_to_num().clamp(0, 1).expand(3, -1, -1)
    pixels = (colours * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    with whole_file(path) as file:
        Image.fromarray(pixels).save(file, format="PNG")
