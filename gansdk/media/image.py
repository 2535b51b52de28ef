"""The value that travels: an image as numbers, with what has to reach the output beside it."""

from __future__ import annotations

import dataclasses
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from numpy.typing import NDArray
    from PIL import Image as PILImage
    from torch import Tensor

    Pixels = NDArray[np.uint8] | NDArray[np.uint16]


_HINT = "give H×W, H×W×1, H×W×2, H×W×3 or H×W×4 numbers: uint8, uint16, or floats from 0 to 1"

_SHOWN = 1024
"""Pixels a side of what a notebook shows at most: a cell holds it as text."""

_ROUNDED = 1 / 512
"""How far floats may lie beyond 0 and 1: what arithmetic leaves there, and rounding to 8 bits takes away."""


def silent(_text: str, /) -> None:
    """Nobody listens."""


@dataclass(frozen=True, eq=False, repr=False)
class Image:
    r"""A still image, the right way up, grey or RGB, of 8 or 16 bits, with alpha or without.

    Attributes:
        pixels: Colours [H, W, C], C is 1 or 3, uint8 or uint16, not multiplied by alpha.
        alpha: Opacity [H, W] in the dtype of ``pixels``; None where everything is opaque.
        exif: EXIF data, beginning with ``Exif\0\0``; its orientation is 1, and it holds no thumbnail and no sizes.
        icc: The ICC profile that ``pixels`` are to be seen through; None stands for sRGB.
        xmp: An XMP packet that says nothing about sizes and orientation.
        iptc: IPTC data (IIM).
        text: Texts by key, as PNG has them: ``Copyright``, ``parameters``.
        dpi: Pixels per inch in print, across and down.
        name: What messages call it.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    name: str = "image"

    def __post_init__(self) -> None:
        pixels, alpha = self.pixels, self.alpha
        if pixels.dtype not in (np.uint8, np.uint16):
            raise InputError(f"{self.name}: pixels of dtype {pixels.dtype} are no image", hint=_HINT)
        if pixels.ndim != 3 or pixels.shape[2] not in {1, 3}:
            raise InputError(f"{self.name}: numbers of shape {pixels.shape} are no image", hint=_HINT)
        if 0 in pixels.shape:
            raise InputError(f"{self.name} has no pixels ({pixels.shape[1]}×{pixels.shape[0]})")
        if alpha is not None and (alpha.dtype != pixels.dtype or alpha.shape != pixels.shape[:2]):
            what = f"{self.name}: alpha of {alpha.dtype} {alpha.shape} does not fit {pixels.dtype} {pixels.shape}"
            raise InputError(what)

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.pixels.shape[0])

    @property
    def bits(self) -> int:
        """Per channel: 8 or 16."""
        return self.pixels.dtype.itemsize * 8

    @property
    def is_opaque(self) -> bool:
        """Whether nothing shows through."""
        return self.alpha is None or bool(self.alpha.min() == np.iinfo(self.alpha.dtype).max)

    def replace(self, **changes: Any) -> Image:
        """The same image with other attributes; a name that is none raises TypeError."""
        return dataclasses.replace(self, **changes)

    @classmethod
    def from_array(cls, array: NDArray[Any], *, name: str = "array") -> Image:
        """An image from numbers.

        Args:
            array: uint8, uint16 or floats from 0 to 1, [H, W], or [H, W, 1 to 4]: grey, grey and alpha, RGB, RGB and
                alpha. Floats are rounded to 8 bits.
            name: What messages call it.

        Raises:
            InputError: If it has another shape or dtype, or floats that are no colours.
        """
        if array.ndim == 2:
            array = array[:, :, None]
        if array.ndim != 3 or array.shape[2] not in {1, 2, 3, 4}:
            raise InputError(f"{name}: numbers of shape {array.shape} are no image", hint=_HINT)
        if array.dtype.kind == "f":
            array = _as_8_bits(array, name)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        channels = 1 if array.shape[2] < 3 else 3
        has_alpha = array.shape[2] in {2, 4}
        alpha = np.ascontiguousarray(array[:, :, -1]) if has_alpha else None
        return cls(np.ascontiguousarray(array[:, :, :channels]), alpha, name=name)

    @classmethod
    def from_tensor(cls, tensor: Tensor, *, name: str = "tensor") -> Image:
        """An image from a tensor, as torch's programs hold them.

        Args:
            tensor: On any device, of the numbers that :meth:`from_array` takes, with the channels first: [C, H, W] or
                [H, W].
            name: What messages call it.

        Raises:
            InputError: If it has another shape or dtype, or floats that are no colours.
        """
        if tensor.ndim == 3 and tensor.shape[0] > 4 >= tensor.shape[2]:
            what = f"{name}: a tensor of shape {tuple(tensor.shape)} is not an image"
            raise InputError(what, hint="channels come first in a tensor; give it permute(2, 0, 1)")
        numbers = tensor.detach().cpu()
        array = (numbers.float() if numbers.is_floating_point() else numbers).numpy()
        return cls.from_array(array.transpose(1, 2, 0) if array.ndim == 3 else array, name=name)

    @classmethod
    def from_image(
        cls, image: PILImage.Image, *, name: str = "image", note: Callable[[str], None] = silent, strict: bool = False
    ) -> Image:
        """An image from a Pillow image, taken as a file would be: upright, without palette, in RGB or grey.

        Args:
            image: Of any mode but ``F`` and ``I``; its current frame is taken.
            name: What messages call it.
            note: Takes what was lost or guessed, a line each.
            strict: Whether a loss or a guess is an error instead.

        Raises:
            InputError: If it cannot be read, or only with a loss and ``strict``.
        """
        from gansdk.media.reading import read_image
        from gansdk.options import ImageReading

        options = ImageReading(strict=strict, max_pixels=2**33)
        return read_image(image, options, note).replace(name=name)

    def to_image(self) -> PILImage.Image:
        """As a Pillow image: ``L``, ``LA``, ``RGB`` or ``RGBA``; ``I;16`` for 16-bit grey.

        Pillow has no other 16-bit modes, so 16-bit colours and 16-bit grey with alpha come in 8 bits.
        """
        from PIL import Image as PILImage

        if self.bits == 16 and self.pixels.shape[2] == 1 and self.alpha is None:
            image = PILImage.fromarray(self.pixels[:, :, 0])
        else:
            numbers = np.asarray(self) if self.bits == 8 else to_8_bits(np.asarray(self))
            image = PILImage.fromarray(numbers[:, :, 0] if numbers.shape[2] == 1 else numbers)
        said = {"icc_profile": self.icc, "exif": self.exif, "xmp": self.xmp, "dpi": self.dpi}
        image.info.update({key: value for key, value in said.items() if value})
        return image

    def save(self, target: str | PathLike[str] | IO[bytes], **options: Any) -> Path | None:
        """Writes the image, whole or not at all.

        Args:
            target: A path, or a binary file object; its name's ending picks the format if ``format`` does not, and one
                without a name gets a PNG.
            options: Those of :class:`gansdk.options.ImageWriting`: ``format``, ``quality``, ``on_exists``,
                ``metadata``, ``background``. Others are refused.

        Returns:
            Where it stands: another name than the path only with ``on_exists="rename"``. None for a file object.

        Raises:
            UsageError: If an option does not exist or has a wrong value, or the ending names no format.
            OutputError: If it cannot be written there or in that format.
        """
        from gansdk.media.formats import with_format_of
        from gansdk.media.writing import write_image
        from gansdk.options import ImageWriting, validate

        writing = validate(ImageWriting, options)
        if not isinstance(target, str | os.PathLike):
            return write_image(self, target, with_format_of(target, writing), silent)
        return write_image(self, target, writing, silent) or Path(target)

    def to_bytes(self, format: str = "png", **options: Any) -> bytes:  # noqa: A002 - as the option is called
        """The image as the bytes of a file.

        Args:
            format: ``png``, ``jpg``, ``webp`` or ``tiff``.
            options: As for :meth:`save`.

        Raises:
            UsageError: If an option does not exist or has a wrong value.
            GansdkError: If the format cannot hold it.
        """
        file = io.BytesIO()
        self.save(file, format=format, **options)
        return file.getvalue()

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the image, made smaller where it is large."""
        image = self.replace(pixels=to_8_bits(self.pixels), alpha=None if self.alpha is None else to_8_bits(self.alpha))
        shown = image.to_image()
        shown.thumbnail((_SHOWN, _SHOWN))
        file = io.BytesIO()
        shown.save(file, "PNG")
        return file.getvalue()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The numbers [H, W, C], alpha as the last channel where there is one."""
        numbers = self.pixels if self.alpha is None else np.dstack([self.pixels, self.alpha])
        return np.array(numbers, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        kind = "grey" if self.pixels.shape[2] == 1 else "RGB"
        alpha = " with alpha" if self.alpha is not None else ""
        return f"<Image {self.name!r} {self.width}×{self.height} {self.bits}-bit {kind}{alpha}>"


def _as_8_bits(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Floats from 0 to 1 as the nearest 8-bit numbers."""
    low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
    if not (low >= -_ROUNDED and high <= 1 + _ROUNDED):  # also where one of them is NaN
        hint = "give floats from 0 to 1: divide by 255, or clip what lies beyond"
        raise InputError(f"{name}: floats from {low:g} to {high:g} are no image", hint=hint)
    return (array * 255.0).round().clip(0, 255).astype(np.uint8)


def to_8_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """16-bit numbers, rounded to the nearest 8-bit ones (65535 is 255 × 257); 8-bit ones as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    reduced = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), 256):  # in bands: the sums need twice the bits
        reduced[top : top + 256] = (pixels[top : top + 256].astype(np.uint32) + 128) // 257
    return reduced
