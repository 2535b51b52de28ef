"""The medium of masks: which pixels of an image are a hole, to be filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gansdk.errors import InputError, option
from gansdk.media.medium import Medium
from gansdk.media.stills import IMAGE
from gansdk.options import ImageReading, ImageWriting

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.media.image import Image
    from gansdk.media.medium import Note

_COLOURED = 64
"""How far the channels of a pixel of a grey mask may lie apart, of 255: what JPEG leaves, and no more."""


class MaskReading(ImageReading):
    """How a file becomes a mask."""

    mask_from: Annotated[
        Literal["auto", "grey", "alpha"],
        Field(
            description="what marks the hole: grey, where white is the hole; alpha, where the transparent is; "
            "auto takes alpha where anything is transparent"
        ),
    ] = "auto"
    mask_invert: Annotated[bool, Field(description="black, or the opaque, is the hole instead")] = False
    mask_threshold: Annotated[
        float, Field(gt=0, le=1, description="how white, or how transparent, a pixel of the hole is at least")
    ] = 0.5
    mask_resize: Annotated[bool, Field(description="bring a mask of another size to the size of its image")] = False


@dataclass(frozen=True, eq=False, repr=False)
class Mask:
    """Which pixels of an image are a hole.

    Attributes:
        holes: bool [H, W]; true is a hole.
        name: What messages call it.
    """

    holes: NDArray[np.bool_]
    name: str = "mask"

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.holes.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.holes.shape[0])

    def to_tensor(self) -> Tensor:
        """As networks take it: float32 [1, 1, H, W], 1 is a hole."""
        import torch

        return torch.from_numpy(self.holes).float()[None, None]

    def to_image(self) -> Image:
        """As a grey image; white is the hole."""
        import numpy as np

        from gansdk.media.image import Image

        return Image((self.holes[:, :, None] * np.uint8(255)).astype(np.uint8), name=self.name)

    def resized(self, width: int, height: int) -> Mask:
        """In another size; what holds any of a hole is one, so that a thin scratch does not get lost."""
        import numpy as np
        from PIL import Image as PILImage

        if (width, height) == (self.width, self.height):
            return self
        box = PILImage.Resampling.BOX  # the mean of all pixels that a pixel stands for
        numbers = PILImage.fromarray(self.holes.astype(np.float32)).resize((width, height), box)
        return Mask(np.asarray(numbers) > 0, self.name)

    def save(self, target: str | os.PathLike[str] | IO[bytes], **options: Any) -> Path | None:
        """Writes it as a grey image; see :meth:`gansdk.Image.save`."""
        return self.to_image().save(target, **options)

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return self.to_image()._repr_png_()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        import numpy as np

        return np.array(self.holes, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        return f"<Mask {self.name!r} {self.width}×{self.height}, {self.holes.mean():.0%} hole>"


class _Mask(Medium):
    name = "a mask"
    plural = "masks"
    reading = MaskReading
    writing = ImageWriting
    endings = IMAGE.endings
    widget = "mask"

    def holds(self, value: object) -> bool:
        """Whether it is a :class:`Mask`."""
        return isinstance(value, Mask)

    def identify(self, head: bytes) -> bool:
        """Whether a file that begins so is an image that is read."""
        return IMAGE.identify(head)

    def read(self, source: object, options: MaskReading, note: Note, *, name: str = "") -> Mask:
        """Reads a mask from whatever an image is read from, or from an array of holes.

        An array or a tensor of nothing but 0 and 1, or of booleans, says itself what the holes are: 1 is a hole. It
        may be [H, W], or have axes of length 1 before these.

        Raises:
            InputError: If it is not an image, has colours, or is a hole everywhere or nowhere.
        """
        mask = source if isinstance(source, Mask) else _of_array(source, options, name or "the given mask")
        if mask is None:
            mask = _of_image(IMAGE.read(source, options, note, name=name or "the given mask"), options)
        if mask.holes.all() or not mask.holes.any():
            what = "is a hole everywhere" if mask.holes.all() else "has no hole"
            hint = f"white is the hole, or the transparent; {option('mask_invert', True)} says the opposite"
            raise InputError(f"{mask.name} is of one value and {what}", hint=hint)
        return mask

    def match(self, value: Mask, inputs: Mapping[str, Any], options: MaskReading, note: Note) -> Mask:
        """The mask in the size of the first image among the inputs.

        Raises:
            InputError: If it has another size, and the options do not ask to resize it.
        """
        image = next((other for other in inputs.values() if IMAGE.holds(other)), None)
        if image is None or (image.width, image.height) == (value.width, value.height):
            return value
        sizes = f"{value.name} has {value.width}×{value.height} pixels, {image.name} {image.width}×{image.height}"
        if not options.mask_resize:
            hint = f"give a mask of the image's size, or {option('mask_resize', True)}"
            raise InputError(sizes, hint=hint)
        note(f"{sizes}; the mask is resized")
        return value.resized(image.width, image.height)

    def fit(self, value: Mask, spec: Any, options: MaskReading, note: Note) -> Mask:
        """The mask where an image that goes into a network of a fixed size is put: see :mod:`gansdk.media.resizing`."""
        import numpy as np

        from gansdk.model.facts import ImageSpec

        if not isinstance(spec, ImageSpec):
            return value
        scale = min(spec.width / value.width, spec.height / value.height)
        inside = value.resized(*(max(1, round(side * scale)) for side in (value.width, value.height)))
        left, top = (spec.width - inside.width) // 2, (spec.height - inside.height) // 2
        around = ((top, spec.height - inside.height - top), (left, spec.width - inside.width - left))
        return Mask(np.pad(inside.holes, around, mode="edge"), value.name)

    def write(
        self, value: Mask, target: Path | IO[bytes], options: Any, note: Note, *, kind: str, provenance: str | None
    ) -> Path | None:
        """Writes a grey image; white is the hole."""
        return IMAGE.write(value.to_image(), target, options, note, kind=kind, provenance=provenance)

    def size_of(self, source: object) -> tuple[int, int] | None:
        """Of a file whose header says so, or of a mask."""
        return (source.width, source.height) if isinstance(source, Mask) else IMAGE.size_of(source)

    def sample(self, height: int, width: int, seed: int) -> Mask:
        """A hole of half the width and height at a place that the seed chooses."""
        import numpy as np

        holes = np.zeros((height, width), bool)
        top, left = np.random.default_rng(seed).integers(0, (height // 2, width // 2), endpoint=True)
        holes[top : top + height // 2, left : left + width // 2] = True
        return Mask(holes)

    def nbytes(self, value: Mask) -> int:
        """Of its pixels."""
        return value.holes.nbytes

    def thumbnail(self, value: Mask) -> Image:
        """The grey image, made smaller."""
        return IMAGE.thumbnail(value.to_image())


def _of_array(source: object, options: MaskReading, name: str) -> Mask | None:
    """A mask of numbers that are all 0 or 1; None for everything else."""
    import numpy as np

    array: Any = source
    if hasattr(array, "detach"):  # a tensor, perhaps on a GPU
        array = array.detach().cpu().numpy()
    if not isinstance(array, np.ndarray):
        return None
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2 or not np.isin(array, (0, 1)).all():
        return None
    holes = array.astype(bool)
    return Mask(~holes if options.mask_invert else holes, name)


def _of_image(image: Image, options: MaskReading) -> Mask:
    import numpy as np

    most = np.iinfo(image.pixels.dtype).max
    if options.mask_from == "alpha" or (options.mask_from == "auto" and not image.is_opaque):
        if image.alpha is None:
            hint = f"{option('mask_from', 'grey')} takes what is white as the hole"
            raise InputError(f"{image.name} has no alpha, so nothing of it is transparent", hint=hint)
        share = 1 - image.alpha / most
    else:
        spread = image.pixels.max(axis=2) - image.pixels.min(axis=2)
        if spread.max() / most > _COLOURED / 255:
            hint = "give a grey image in which the hole is white, or one that is transparent there"
            raise InputError(f"{image.name} has colours, which a mask has not", hint=hint)
        share = image.pixels.mean(axis=2) / most
    return Mask((1 - share if options.mask_invert else share) >= options.mask_threshold, image.name)


MASK = _Mask()
