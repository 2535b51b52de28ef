"""Several images of one size that belong together: samples, or a code swept."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gansdk.errors import InputError, OutputError, as_typed
from gansdk.media.image import Image, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray
    from PIL import ImageFont

    Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


MOST_PIXELS = 2**26
"""Of a grid: more cannot be looked at, and each of the images can be had alone."""

_GAP = 2
_SMALL = 56
"""Pixels: images that are less wide are enlarged in a grid, each pixel a square, so that labels stand beside them."""

_WHITE = 255


@dataclass(frozen=True, eq=False, repr=False)
class Gallery:
    """Images in rows and columns, with the arrays that belong to them.

    Attributes:
        pixels: uint8 [N, H, W, C], row by row; C is 1 or 3.
        columns: How many stand in a row; the last row may be shorter.
        arrays: What else there is of each image, by name: its latent, say. The first axis counts images.
        row_labels: A text for each row, or none.
        column_labels: A text for each column, or none.
        corner: What the labels are values of.
        first: What the first image is numbered.
        notes: What an array file shall say of where they come from, by name.
    """

    pixels: NDArray[np.uint8]
    columns: int
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    row_labels: Sequence[str] = ()
    column_labels: Sequence[str] = ()
    corner: str = ""
    first: int = 0
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 4 or self.pixels.shape[3] not in {1, 3}:
            raise InputError(f"numbers of dtype {self.pixels.dtype} and shape {self.pixels.shape} are not images")
        if 0 in self.pixels.shape or self.columns < 1:
            raise InputError("a gallery of nothing was asked for")

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, at: int) -> Image:
        """One of them alone."""
        return self.images[at]

    def __iter__(self) -> Iterator[Image]:
        return iter(self.images)

    @property
    def rows(self) -> int:
        """How many rows there are, the last one perhaps shorter."""
        return -(-len(self) // self.columns)

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """Each alone."""
        return tuple(Image(one, name=f"number {self.first + at}") for at, one in enumerate(self.pixels))

    def grid(self) -> Image:
        """All of them in one image, with their labels.

        Raises:
            OutputError: If it would have more than ``MOST_PIXELS`` pixels.
        """
        texts = Texts(self.row_labels, self.column_labels, self.corner)
        zoom = _zoom_of(self.pixels.shape[2], texts)
        height, width = (side * zoom + _GAP for side in self.pixels.shape[1:3])
        if self.rows * height * self.columns * width > MOST_PIXELS:
            what = f"a grid of {self.columns} by {self.rows} images is too large to be looked at"
            into = as_typed("-o FOLDER/", 'save("FOLDER/")')
            raise OutputError(what, hint=f"write single files with {into}, or ask for fewer")
        grid = np.full((self.rows * height - _GAP, self.columns * width - _GAP, self.pixels.shape[3]), _WHITE, np.uint8)
        for at, image in enumerate(self.pixels):
            top, left = at // self.columns * height, at % self.columns * width
            enlarged = image.repeat(zoom, 0).repeat(zoom, 1)
            grid[top : top + height - _GAP, left : left + width - _GAP] = enlarged
        return Image(labelled(grid, (height, width), texts, gap=_GAP), name="grid")

    def frames(self) -> list[Image]:
        """One image for each column, for an animation: what stands in the rows, side by side."""
        return [self._frame(column) for column in range(min(self.columns, len(self)))]

    def _frame(self, column: int) -> Image:
        across, title = frame_layout(self.rows, self.column_labels[column : column + 1], self.corner)
        return Gallery(self.pixels[column :: self.columns], across, column_labels=title).grid()

    def named_arrays(self) -> dict[str, NDArray[Any]]:
        """All that an array file shall hold: ``pixels``, the arrays, the notes as texts."""
        return {"pixels": self.pixels, **self.arrays, **{name: np.array(text) for name, text in self.notes.items()}}

    def save(self, target: str | PathLike[str] | IO[bytes], **options: Any) -> Path | None:
        """Writes all of it, whole or not at all, as the path's ending says, or the option ``format``.

        Args:
            target: A path: an image's ending gives the grid, ``.gif`` or ``.webp`` an animation, ``.npz`` pixels and
                arrays; a folder, there or ending with a separator, gets each image alone, and is made if need be.
                Or a binary file object; the grid as a PNG where neither its name nor ``format`` says otherwise.
            options: Those of :class:`gansdk.options.AnimationWriting`. Others are refused.

        Returns:
            Where it stands; None for a file object.

        Raises:
            UsageError: If an option does not exist or has a wrong value, or the ending names no format.
            OutputError: If it cannot be written there.
        """
        from gansdk.media.formats import with_format_of
        from gansdk.media.medium import target_of, writing_of
        from gansdk.media.records import ARRAYS
        from gansdk.media.stills import ANY_WAY
        from gansdk.options import validate

        media = {"images": ANY_WAY, "arrays": ARRAYS}
        writing: Any = validate(writing_of(media), options)
        if not isinstance(target, str | os.PathLike):
            wanted = target_of(None, media, with_format_of(target, writing))
            return wanted.medium.write(self, target, wanted.writing, silent, kind=wanted.kind, provenance=None)
        path = os.fspath(target)  # as typed: a separator at its end says that it is a folder
        wanted = target_of(path, media, writing)
        place = Path(path)
        return wanted.medium.write(self, place, wanted.writing, silent, kind=wanted.kind, provenance=None) or place

    def to_bytes(self, format: str = "png", **options: Any) -> bytes:  # noqa: A002 - as the option is called
        """All of it as the bytes of a file.

        Args:
            format: Of the grid ``png``, ``jpg`` or ``tiff``; ``gif`` or ``webp`` of an animation; ``npz`` of arrays.
            options: As for :meth:`save`.

        Raises:
            UsageError: If an option does not exist or has a wrong value.
            OutputError: If the grid would be too large.
        """
        file = io.BytesIO()
        self.save(file, format=format, **options)
        return file.getvalue()

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the grid; of more than one can hold, as many rows as it can."""
        _, height, width, _ = self.pixels.shape
        most = max(1, most_in_grid(height, width) // 4)  # labels may make a grid twice as wide and high
        columns = min(self.columns, most, len(self))
        rows = min(self.rows, most // columns)
        shown = Gallery(
            self.pixels[: rows * columns],
            columns,
            row_labels=self.row_labels[:rows],
            column_labels=self.column_labels[:columns],
            corner=self.corner,
        )
        return shown.grid()._repr_png_()

    def __repr__(self) -> str:
        _, height, width, channels = self.pixels.shape
        return f"<Gallery of {len(self)} images {width}×{height} {'grey' if channels == 1 else 'RGB'}>"


def most_in_grid(height: int, width: int) -> int:
    """How many images of a size a labelled grid holds at most."""
    zoom = max(1, -(-_SMALL // width))
    return MOST_PIXELS // ((height * zoom + _GAP) * (width * zoom + _GAP))


def frame_layout(rows: int, labels: Sequence[str], corner: str) -> tuple[int, tuple[str, ...]]:
    """How many images of ``rows`` stand in a row of an animation's frame, and its title, a text per column."""
    across = int(np.ceil(np.sqrt(rows)))
    if not labels:
        return across, ()
    title = f"{corner} = {labels[0]}" if corner else labels[0]
    return across, (title, *[""] * (across - 1))


def grid_size(height: int, width: int, shape: tuple[int, int], texts: Texts) -> tuple[int, int]:
    """Width and height of a grid before there is any.

    Args:
        height: Of each image.
        width: Of each image.
        shape: Rows and columns.
        texts: What stands around it.
    """
    zoom = _zoom_of(width, texts)
    cell = width * zoom + _GAP
    wide, high = shape[1] * cell - _GAP, shape[0] * (height * zoom + _GAP) - _GAP
    left, top, right = margins(wide, cell, texts)
    return left + wide + right, top + high


def _zoom_of(width: int, texts: Texts) -> int:
    """How many times larger images stand in a grid."""
    is_labelled = bool(texts.rows or texts.columns)
    return zoom_for(texts.columns, width, max(1, -(-_SMALL // width)) if is_labelled else 1)


_MARGIN = 6
_TEXT = 12
_WHITE_LABELLING, _BLACK = 255, 0


class Texts(NamedTuple):
    """What stands around a grid: beside each row, above each column, and in the corner between."""

    rows: Sequence[str]
    columns: Sequence[str]
    corner: str


def zoom_for(columns: Sequence[str], width: int, least: int) -> int:
    """How many times larger images must be so that no text above a column touches the next one's.

    Args:
        columns: The texts; an empty one leaves its room to the one before.
        width: Of an image, in pixels.
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
        cell: Width from one image to the next.
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
        grid: Images [H, W, C], 1 or 3 channels, ``gap`` pixels between them.
        cell: Height and width from one image to the next.
        texts: What is written.
        gap: Pixels.
    """
    from PIL import Image as PILImage
    from PIL import ImageDraw

    rows, columns, corner = texts
    if not any(rows) and not any(columns):
        return grid
    font = _font()
    left, top, right = margins(grid.shape[1], cell[1], texts)
    shape = (grid.shape[0] + top, grid.shape[1] + left + right, grid.shape[2])
    sheet = np.full(shape, _WHITE_LABELLING, np.uint8)
    sheet[top:, left : left + grid.shape[1]] = grid
    image = PILImage.fromarray(sheet[:, :, 0] if sheet.shape[2] == 1 else sheet)
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
