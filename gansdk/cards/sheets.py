"""Pictures in rows with a caption above each, for cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import ImageFont

    Pixels = NDArray[np.uint8]

_GAP, _HEADER = 6, 26
_LARGEST, _SMALLEST = 15, 9


class Row(NamedTuple):
    """Pictures side by side.

    Attributes:
        panels: uint8 [H, W, C], all of a sheet of one size; C is 1 or 3.
        captions: One above each, or none at all.
    """

    panels: Sequence[Pixels]
    captions: Sequence[str] = ()


def sheet(rows: Sequence[Row]) -> Pixels:
    """Rows below each other on white, uint8 [H, W, 3]."""
    from PIL import Image, ImageDraw

    height, width = rows[0].panels[0].shape[:2]
    step, columns = width + _GAP, max(len(row.panels) for row in rows)
    headers = sum(_HEADER for row in rows if row.captions)
    image = Image.new("RGB", (step * columns - _GAP, headers + (height + _GAP) * len(rows) - _GAP), "white")
    draw, font = ImageDraw.Draw(image), _font([text for row in rows for text in row.captions], width)
    top = 0
    for row in rows:
        for column, caption in enumerate(row.captions):
            draw.text((column * step + width / 2, top + _HEADER / 2), caption, "black", font, "mm")
        top += _HEADER if row.captions else 0
        for column, panel in enumerate(row.panels):
            image.paste(Image.fromarray(_coloured(panel)), (column * step, top))
        top += height + _GAP
    return np.asarray(image)


def enlarged(pixels: Pixels, times: int) -> Pixels:
    """Pictures, uint8 [N, H, W, C], each pixel a square."""
    return pixels.repeat(times, axis=1).repeat(times, axis=2)


def _coloured(panel: Pixels) -> Pixels:
    return np.ascontiguousarray(np.broadcast_to(panel, (*panel.shape[:2], 3)))


def _font(captions: Sequence[str], width: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The largest that keeps captions apart, or the smallest that can be read."""
    from PIL import ImageFont

    sizes = range(_LARGEST, _SMALLEST, -1)
    fonts = (ImageFont.load_default(size) for size in sizes)
    fitting = (font for font in fonts if all(font.getlength(text) <= width for text in captions))
    return next(fitting, ImageFont.load_default(_SMALLEST))
