"""Several images of one size that belong together, such as samples or a traversal, and their labelled grid."""

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
"""Of a grid: more cannot be viewed, and the images can be saved one by one."""

_GAP, _MARGIN, _TEXT_HEIGHT = 2, 6, 12

_SMALL = 56
"""Pixels: narrower images are enlarged in a grid, each pixel a square, so that labels fit beside them."""

_WHITE, _BLACK = 255, 0


@dataclass(frozen=True, eq=False, repr=False)
class Gallery:
    """Images in rows and columns, with the arrays that belong to them.

    Attributes:
        pixels: uint8 [N, H, W, C], row by row; C is 1 or 3.
        columns: How many images are in a row; the last row may be shorter.
        arrays: What else belongs to each image, such as its latent, by name. The first axis counts images.
        row_labels: A text for each row, or none.
        column_labels: A text for each column, or none.
        corner: What the labels are values of.
        first: The number of the first image.
        notes: What an array file says about the origin of the images, by name.
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
            what = f"numbers of dtype {self.pixels.dtype} and shape {self.pixels.shape} are not images"
            raise InputError(what, hint="give uint8 numbers N×H×W×1 or N×H×W×3")
        if 0 in self.pixels.shape or self.columns < 1:
            raise InputError("a gallery has no images, pixels or columns", hint="give at least one of each")

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, at: int) -> Image:
        return self.images[at]

    def __iter__(self) -> Iterator[Image]:
        return iter(self.images)

    @property
    def rows(self) -> int:
        return -(-len(self) // self.columns)

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """Each as an image of its own."""
        return tuple(Image(pixels, name=f"number {number}") for number, pixels in enumerate(self.pixels, self.first))

    def grid(self) -> Image:
        """All of them in one image, with their labels.

        Raises:
            OutputError: If it would have more than ``MOST_PIXELS`` pixels.
        """
        texts = Texts(self.row_labels, self.column_labels, self.corner)
        zoom = _zoom_of(self.pixels.shape[2], texts)
        height, width = (side * zoom + _GAP for side in self.pixels.shape[1:3])
        if self.rows * height * self.columns * width > MOST_PIXELS:
            what = f"a grid of {self.columns} by {self.rows} images is too large to view"
            into = as_typed("-o FOLDER/", 'save("FOLDER/")')
            raise OutputError(what, hint=f"write single files with {into}, or ask for fewer")
        grid = np.full((self.rows * height - _GAP, self.columns * width - _GAP, self.pixels.shape[3]), _WHITE, np.uint8)
        for at, image in enumerate(self.pixels):
            top, left = at // self.columns * height, at % self.columns * width
            enlarged = image.repeat(zoom, 0).repeat(zoom, 1)
            grid[top : top + height - _GAP, left : left + width - _GAP] = enlarged
        return Image(_labelled(grid, (height, width), texts), name="grid")

    def frames(self) -> list[Image]:
        """One image for each column, for an animation: the images of its rows side by side."""
        frames = []
        for column in range(min(self.columns, len(self))):
            across, title = frame_layout(self.rows, self.column_labels[column : column + 1], self.corner)
            frames.append(Gallery(self.pixels[column :: self.columns], across, column_labels=title).grid())
        return frames

    def named_arrays(self) -> dict[str, NDArray[Any]]:
        """The content of an array file: ``pixels``, the arrays, and the notes as texts."""
        return {"pixels": self.pixels, **self.arrays, **{name: np.array(text) for name, text in self.notes.items()}}

    def save(self, target: str | PathLike[str] | IO[bytes], **options: Any) -> Path | None:
        """Writes all images, whole or not at all, as the ending of the path or the option ``format`` says.

        Args:
            target: A path: the ending of an image gives the grid, ``.gif`` or ``.webp`` an animation, ``.npz`` pixels
                and arrays. A folder, existing or ending with a separator, gets each image alone, and is made if
                needed. Or a binary file object, which gets the grid as a PNG if neither its name nor ``format`` says
                otherwise.
            options: Those of :class:`gansdk.options.AnimationWriting`. Others are refused.

        Returns:
            Where it is; None for a file object.

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
        path = os.fspath(target)  # as typed: a separator at its end means a folder
        wanted = target_of(path, media, writing)
        place = Path(path)
        return wanted.medium.write(self, place, wanted.writing, silent, kind=wanted.kind, provenance=None) or place

    def to_bytes(self, format: str = "png", **options: Any) -> bytes:  # noqa: A002 - as the option is called
        """All images as the bytes of a file.

        Args:
            format: ``png``, ``jpg`` or ``tiff`` of the grid; ``gif`` or ``webp`` of an animation; ``npz`` of arrays.
            options: As for :meth:`save`.

        Raises:
            UsageError: If an option does not exist or has a wrong value.
            OutputError: If the grid would be too large.
        """
        file = io.BytesIO()
        self.save(file, format=format, **options)
        return file.getvalue()

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the grid, with as many rows as fit into one."""
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


class Texts(NamedTuple):
    """The labels of a grid: beside each row, above each column, and in the corner between."""

    rows: Sequence[str]
    columns: Sequence[str]
    corner: str


def most_in_grid(height: int, width: int) -> int:
    """How many images of a size a labelled grid holds at most."""
    zoom = max(1, -(-_SMALL // width))
    return MOST_PIXELS // ((height * zoom + _GAP) * (width * zoom + _GAP))


def frame_layout(rows: int, labels: Sequence[str], corner: str) -> tuple[int, tuple[str, ...]]:
    """How many of ``rows`` images are in a row of an animation's frame, and its title, a text per column."""
    across = int(np.ceil(np.sqrt(rows)))
    if not labels:
        return across, ()
    title = f"{corner} = {labels[0]}" if corner else labels[0]
    return across, (title, *[""] * (across - 1))


def grid_size(height: int, width: int, shape: tuple[int, int], texts: Texts) -> tuple[int, int]:
    """Width and height of a grid before it is made.

    Args:
        height: Of each image.
        width: Of each image.
        shape: Rows and columns.
        texts: Its labels.
    """
    zoom = _zoom_of(width, texts)
    cell = width * zoom + _GAP
    grid = shape[1] * cell - _GAP
    left, top, right = _margins(grid, cell, texts)
    return left + grid + right, top + shape[0] * (height * zoom + _GAP) - _GAP


def zoom_for(columns: Sequence[str], width: int, least: int) -> int:
    """How much images must be enlarged so that no label above a column touches the next one.

    Args:
        columns: The labels; an empty one leaves its space to the one before.
        width: Of an image, in pixels.
        least: How much they are enlarged anyway. Twice that is the most, and a longer label is cut.
    """
    spans = _spans(columns)
    if not spans:
        return least
    font = _font()
    needed = max(-(-(_width(font, columns[at]) + _MARGIN) // (span * width)) for at, span in spans.items())
    return max(least, min(needed, 2 * least))


def _zoom_of(width: int, texts: Texts) -> int:
    is_labelled = bool(texts.rows or texts.columns)
    return zoom_for(texts.columns, width, max(1, -(-_SMALL // width)) if is_labelled else 1)


def _margins(grid: int, cell: int, texts: Texts) -> tuple[int, int, int]:
    """Pixels that the labels take to the left of a grid of a width, above it and to its right."""
    rows, columns, corner = texts
    if not any(rows) and not any(columns):
        return 0, 0, 0
    font = _font()
    beside = [*rows, corner] if any(rows) else []
    left = max((_width(font, text) for text in beside), default=-_MARGIN) + _MARGIN
    top = _TEXT_HEIGHT + _MARGIN if any(columns) or corner else 0
    ends = [at * cell + _width(font, text) for at, text in enumerate(_cut(font, columns, cell))]
    return left, top, max(0, max(ends, default=0) - grid)


def _labelled(grid: NDArray[np.uint8], cell: tuple[int, int], texts: Texts) -> NDArray[np.uint8]:
    """A grid [H, W, 1 or 3] with labels; ``cell`` is the height and width from one image to the next."""
    from PIL import Image as PILImage
    from PIL import ImageDraw

    rows, columns, corner = texts
    if not any(rows) and not any(columns):
        return grid
    font = _font()
    left, top, right = _margins(grid.shape[1], cell[1], texts)
    shape = (grid.shape[0] + top, grid.shape[1] + left + right, grid.shape[2])
    sheet = np.full(shape, _WHITE, np.uint8)
    sheet[top:, left : left + grid.shape[1]] = grid
    image = PILImage.fromarray(sheet[:, :, 0] if sheet.shape[2] == 1 else sheet)
    draw, black = ImageDraw.Draw(image), _BLACK if sheet.shape[2] == 1 else (_BLACK,) * 3
    if any(rows):
        draw.text((left - _MARGIN, top - _MARGIN // 2), corner, black, font, anchor="rs")
    for at, text in enumerate(_cut(font, columns, cell[1])):
        draw.text((left + at * cell[1], top - _MARGIN // 2), text, black, font, anchor="ls")
    for at, text in enumerate(rows):
        draw.text((left - _MARGIN, top + at * cell[0] + (cell[0] - _GAP) // 2), text, black, font, anchor="rm")
    return np.asarray(image).reshape(shape)


def _spans(columns: Sequence[str]) -> dict[int, int]:
    """How many columns each label has up to the next one; the last label is not limited."""
    return {at: following - at for at, following in pairwise([at for at, text in enumerate(columns) if text])}


def _cut(font: Font, columns: Sequence[str], cell: int) -> list[str]:
    """The labels, shortened if they would touch the next one."""
    texts = list(columns)
    for at, span in _spans(columns).items():
        while _width(font, texts[at]) + _MARGIN > span * cell and len(texts[at]) > 1:
            texts[at] = texts[at].rstrip("…")[:-1] + "…"
    return texts


def _width(font: Font, text: str) -> int:
    return int(np.ceil(font.getlength(text)))


def _font() -> Font:
    from PIL import ImageFont

    return ImageFont.load_default(_TEXT_HEIGHT)
