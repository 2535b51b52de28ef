"""Texts beside and above a grid of pictures."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import ImageFont

    Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

_MARGIN = 6
_TEXT = 12
_WHITE, _BLACK = 255, 0


class Texts(NamedTuple):
    """What stands around a grid: beside each row, above each column, and in the corner between."""

    rows: Sequence[str]
    columns: Sequence[str]
    corner: str


def zoom_for(columns: Sequence[str], width: int, least: int) -> int:
    """How many times larger pictures must be so that no text above a column touches the next one's.

    Args:
        columns: The texts; an empty one leaves its room to the one before.
        width: Of a picture, in pixels.
        least: How many times larger they are anyway; twice that is the most, and a text that is longer still is cut.
    """
    rooms = _rooms(columns)
    if not rooms:
        return least
    font = _font()
    needed = max(-(-(_width(font, columns[at]) + _MARGIN) // (room * width)) for at, room in rooms.items())
    return max(least, min(needed, 2 * least))


def margins(grid: int, cell: int, texts: Texts) -> tuple[int, int, int]:
    """Pixels that the texts take to the left of a grid, above it and to its right.

    Args:
        grid: Width of the grid.
        cell: Width from one picture to the next.
        texts: What is written.
    """
    rows, columns, corner = texts
    if not any(rows) and not any(columns):
        return 0, 0, 0
    font = _font()
    beside = [*rows, corner] if any(rows) else []
    left = max((_width(font, text) for text in beside), default=-_MARGIN) + _MARGIN
    top = _TEXT + _MARGIN if any(columns) or corner else 0
    return left, top, _overhang(font, _cut(font, columns, cell), cell, grid)


def labelled(grid: NDArray[np.uint8], cell: tuple[int, int], texts: Texts, *, gap: int) -> NDArray[np.uint8]:
    """A grid with texts to its left and above.

    Args:
        grid: Pictures [H, W, C], 1 or 3 channels, ``gap`` pixels between them.
        cell: Height and width from one picture to the next.
        texts: What is written.
        gap: Pixels.
    """
    from PIL import Image, ImageDraw

    rows, columns, corner = texts
    if not any(rows) and not any(columns):
        return grid
    font = _font()
    left, top, right = margins(grid.shape[1], cell[1], texts)
    shape = (grid.shape[0] + top, grid.shape[1] + left + right, grid.shape[2])
    sheet = np.full(shape, _WHITE, np.uint8)
    sheet[top:, left : left + grid.shape[1]] = grid
    image = Image.fromarray(sheet[:, :, 0] if sheet.shape[2] == 1 else sheet)
    draw, black = ImageDraw.Draw(image), _BLACK if sheet.shape[2] == 1 else (_BLACK,) * 3
    if any(rows):
        draw.text((left - _MARGIN, top - _MARGIN // 2), corner, black, font, anchor="rs")
    for at, text in enumerate(_cut(font, columns, cell[1])):
        draw.text((left + at * cell[1], top - _MARGIN // 2), text, black, font, anchor="ls")
    for at, text in enumerate(rows):
        draw.text((left - _MARGIN, top + at * cell[0] + (cell[0] - gap) // 2), text, black, font, anchor="rm")
    return np.asarray(image).reshape(shape)


def _rooms(columns: Sequence[str]) -> dict[int, int]:
    """Of each text that another follows, how many columns lie up to that."""
    at = [index for index, text in enumerate(columns) if text]
    return {index: following - index for index, following in pairwise(at)}


def _cut(font: Font, columns: Sequence[str], cell: int) -> list[str]:
    """The texts; those that would touch the next one lose their ends."""
    rooms, texts = _rooms(columns), list(columns)
    for index, room in rooms.items():
        while _width(font, texts[index]) + _MARGIN > room * cell and len(texts[index]) > 1:
            texts[index] = texts[index].rstrip("…")[:-1] + "…"
    return texts


def _overhang(font: Font, texts: Sequence[str], cell: int, width: int) -> int:
    """How far the texts above columns reach beyond the last one."""
    ends = [at * cell + _width(font, text) for at, text in enumerate(texts)]
    return max(0, max(ends, default=0) - width)


def _width(font: Font, text: str) -> int:
    return int(np.ceil(font.getlength(text)))


def _font() -> Font:
    from PIL import ImageFont

    return ImageFont.load_default(_TEXT)
