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


def write_sheet(path: Path, rows: Tensor) -> None:
    """Writes pictures below each other as one PNG.

    Args:
        path: Where it shall stand.
        rows: Float [N, 3, H, W] in [0, 1]; values outside are clipped.

    Raises:
        PluginError: If the tensor has another shape.
        OutputError: If the file cannot be written.
    """
    from PIL import Image

    if rows.dim() != 4 or rows.shape[1] != 3 or 0 in rows.shape:
        raise PluginError(f"show() gave a tensor of shape {tuple(rows.shape)}", hint="it gives [N, 3, H, W]")
    padded = torch.nn.functional.pad(rows.detach().float().cpu(), (0, 0, 0, _GAP), value=1.0)
    sheet = torch.cat(list(padded), dim=1)[:, :-_GAP].nan_to_num().clamp(0, 1)
    pixels = (sheet * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    with whole_file(path) as file:
        Image.fromarray(pixels).save(file, format="PNG")
