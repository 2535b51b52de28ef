"""An image as a value: its pixels, and the metadata that belongs to them."""

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

    import torch
    from numpy.typing import NDArray
    from PIL import Image as PILImage
    from torch import Tensor

    Pixels = NDArray[np.uint8] | NDArray[np.uint16]


_HINT = "give H×W, H×W×1, H×W×2, H×W×3 or H×W×4 numbers: uint8, uint16, or floats from 0 to 1"

_LARGEST_SHOWN = 1024
"""Pixels a side of what a notebook shows at most: a cell holds it as text."""

_TOLERANCE = 1 / 512
"""How far floats may lie beyond 0 and 1: arithmetic may leave them there, and rounding to 8 bits removes it."""


def silent(_text: str, /) -> None:
    """Takes a note and drops it."""


@dataclass(frozen=True, eq=False, repr=False)
class Image:
    r"""A still image, the right way up, grey or RGB, of 8 or 16 bits, with alpha or without.

    Attributes:
        pixels: Colours [H, W, C], C is 1 or 3, uint8 or uint16, not multiplied by alpha.
        alpha: Opacity [H, W] in the dtype of ``pixels``; None if everything is opaque.
        exif: EXIF data, beginning with ``Exif\0\0``; its orientation is 1, and it holds no thumbnail and no sizes.
        icc: The ICC profile of ``pixels``; None means sRGB.
        xmp: An XMP packet without sizes and orientation.
        iptc: IPTC data (IIM).
        text: Texts by key, as in PNG files: ``Copyright``, ``parameters``.
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
            raise InputError(f"{self.name}: pixels of dtype {pixels.dtype} are not an image", hint=_HINT)
        if pixels.ndim != 3 or pixels.shape[2] not in {1, 3}:
            raise InputError(f"{self.name}: numbers of shape {pixels.shape} are not an image", hint=_HINT)
        if 0 in pixels.shape:
            raise InputError(f"{self.name} has no pixels ({pixels.shape[1]}×{pixels.shape[0]})")
        if alpha is not None and (alpha.dtype != pixels.dtype or alpha.shape != pixels.shape[:2]):
            what = f"{self.name}: alpha of {alpha.dtype} {alpha.shape} does not fit {pixels.dtype} {pixels.shape}"
            raise InputError(what, hint="give both the same size and dtype")

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def bits(self) -> int:
        """Bits per channel: 8 or 16."""
        return self.pixels.dtype.itemsize * 8

    @property
    def is_opaque(self) -> bool:
        """Whether no pixel is transparent."""
        return self.alpha is None or bool(self.alpha.min() == np.iinfo(self.alpha.dtype).max)

    def replace(self, **changes: Any) -> Image:
        """The same image with other attributes; an unknown name raises TypeError."""
        return dataclasses.replace(self, **changes)

    @classmethod
    def from_array(cls, array: NDArray[Any], *, name: str = "array") -> Image:
        """An image from numbers.

        Args:
            array: uint8, uint16 or floats from 0 to 1, [H, W], or [H, W, 1 to 4]: grey, grey and alpha, RGB, RGB and
                alpha. Floats are rounded to 8 bits.
            name: What messages call it.

        Raises:
            InputError: If it has another shape or dtype, or floats outside of 0 to 1.
        """
        if array.ndim == 2:
            array = array[:, :, None]
        if array.ndim != 3 or array.shape[2] not in {1, 2, 3, 4}:
            raise InputError(f"{name}: numbers of shape {array.shape} are not an image", hint=_HINT)
        if array.dtype.kind == "f":
            low, high = (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)
            if not (low >= -_TOLERANCE and high <= 1 + _TOLERANCE):  # also if one of them is NaN
                hint = "give floats from 0 to 1: divide by 255, or clip them"
                raise InputError(f"{name}: floats from {low:g} to {high:g} are not an image", hint=hint)
            array = (array * 255.0).round().clip(0, 255).astype(np.uint8)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        channels = 1 if array.shape[2] < 3 else 3
        has_alpha = array.shape[2] in {2, 4}
        alpha = np.ascontiguousarray(array[:, :, -1]) if has_alpha else None
        return cls(np.ascontiguousarray(array[:, :, :channels]), alpha, name=name)

    @classmethod
    def from_tensor(cls, tensor: Tensor, *, name: str = "tensor") -> Image:
        """An image from a tensor with the channels first, such as :meth:`to_tensor` and generators give.

        Args:
            tensor: [1, C, H, W], [C, H, W] or [H, W] on any device, with or without a gradient, of the numbers that
                :meth:`from_array` takes: floats from 0 to 1, which are rounded to 8 bits, or integers.
            name: What messages call it.

        Raises:
            InputError: If it has another shape or dtype, or floats outside of 0 to 1.
        """
        if tensor.ndim == 4 and len(tensor) == 1:
            tensor = tensor[0]
        elif tensor.ndim == 4:
            what = f"{name}: a tensor of shape {tuple(tensor.shape)} is a batch, not an image"
            raise InputError(what, hint="give one of its items")
        if tensor.ndim == 3 and tensor.shape[0] > 4 >= tensor.shape[2]:
            what = f"{name}: a tensor of shape {tuple(tensor.shape)} is not an image"
            raise InputError(what, hint="channels come first in a tensor; give it permute(2, 0, 1)")
        numbers = tensor.detach().cpu()
        array = (numbers.float() if numbers.is_floating_point() else numbers).numpy()
        return cls.from_array(array.transpose(1, 2, 0) if array.ndim == 3 else array, name=name)

    def to_tensor(self, device: torch.device | str = "cpu") -> Tensor:
        """The image as a batch of one: float32 [1, C, H, W] from 0 to 1, as generators and encoders take it.

        C is 1 of grey and 3 of RGB, and one more if there is alpha, which comes last. :meth:`from_tensor` gives an
        8-bit image back exactly; metadata is not part of a tensor.

        Args:
            device: Where the tensor lives. The tensors of a loaded model live on ``pipeline.placement.device``.
        """
        import torch

        numbers = np.ascontiguousarray(np.asarray(self).transpose(2, 0, 1)[None], np.float32)
        return torch.from_numpy(numbers / np.float32(np.iinfo(self.pixels.dtype).max)).to(device)

    @classmethod
    def from_pil(
        cls, image: PILImage.Image, *, name: str = "image", note: Callable[[str], None] = silent, strict: bool = False
    ) -> Image:
        """An image from a Pillow image, read as a file would be: upright, without palette, in RGB or grey.

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

    def to_pil(self) -> PILImage.Image:
        """A Pillow image: ``L``, ``LA``, ``RGB`` or ``RGBA``; ``I;16`` for 16-bit grey.

        Pillow has no other 16-bit modes, so 16-bit colours and 16-bit grey with alpha become 8-bit.
        """
        from PIL import Image as PILImage

        if self.bits == 16 and self.pixels.shape[2] == 1 and self.alpha is None:
            image = PILImage.fromarray(self.pixels[:, :, 0])
        else:
            numbers = to_8_bits(np.asarray(self))
            image = PILImage.fromarray(numbers[:, :, 0] if numbers.shape[2] == 1 else numbers)
        said = {"icc_profile": self.icc, "exif": self.exif, "xmp": self.xmp, "dpi": self.dpi}
        image.info.update({key: value for key, value in said.items() if value})
        return image

    def save(self, target: str | PathLike[str] | IO[bytes], **options: Any) -> Path | None:
        """Writes the image, whole or not at all.

        Args:
            target: A path, or a binary file object. The ending of its name decides the format if ``format`` is not
                given; a file object without a name gets a PNG.
            options: Those of :class:`gansdk.options.ImageWriting`: ``format``, ``quality``, ``on_exists``,
                ``metadata``, ``background``. Others are refused.

        Returns:
            Where it is: another name than the path only with ``on_exists="rename"``. None for a file object.

        Raises:
            UsageError: If an option does not exist or has a wrong value, or the ending names no format.
            OutputError: If it cannot be written there or in that format.
        """
        from gansdk.media.formats import with_format_of
        from gansdk.media.writing import write_image
        from gansdk.options import ImageWriting, validate

        path = write_image(self, target, with_format_of(target, validate(ImageWriting, options)), silent)
        return path or (Path(target) if isinstance(target, str | os.PathLike) else None)

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
        """What a notebook shows: the image, reduced if it is large."""
        alpha = None if self.alpha is None else to_8_bits(self.alpha)
        shown = self.replace(pixels=to_8_bits(self.pixels), alpha=alpha).to_pil()
        shown.thumbnail((_LARGEST_SHOWN, _LARGEST_SHOWN))
        file = io.BytesIO()
        shown.save(file, "PNG")
        return file.getvalue()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The numbers [H, W, C], with alpha as the last channel if there is any."""
        numbers = self.pixels if self.alpha is None else np.dstack([self.pixels, self.alpha])
        return np.array(numbers, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        kind = "grey" if self.pixels.shape[2] == 1 else "RGB"
        alpha = " with alpha" if self.alpha is not None else ""
        return f"<Image {self.name!r} {self.width}×{self.height} {self.bits}-bit {kind}{alpha}>"


def to_8_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """16-bit numbers rounded to the nearest 8-bit ones (65535 is 255 × 257); 8-bit ones as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    reduced = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), 256):  # in bands: the sums need twice the bits
        reduced[top : top + 256] = (pixels[top : top + 256].astype(np.uint32) + 128) // 257
    return reduced
