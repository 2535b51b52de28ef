"""Images of any size and kind, brought to the one that a network takes: one rule, said when it is used.

What is transparent is put on white. RGB becomes grey by the luma of ITU-R 601, grey becomes RGB by three equal
channels. Where all that the network knows stands on a dark ground and the image on a light one, or the other way
round, it is inverted: ink on grey paper becomes light on black. The image is resized, antialiased, so that it just
fits inside; what is left beside it repeats its edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import InputError, option
from gansdk.media.resizing import flatten, resize

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gansdk.media.image import Image
    from gansdk.model.facts import Background, ImageSpec


_LUMA = np.array([0.299, 0.587, 0.114])


def fit(image: Image, spec: ImageSpec, note: Callable[[str], None], *, strict: bool = False) -> Image:
    """Brings an image to what a network takes.

    Args:
        image: Of any kind.
        spec: What is taken; of 1 or 3 channels.
        note: Takes what was done, in one line, and that an image shows nothing, in another; nothing where neither is.
        strict: Whether to refuse what would have to be changed.

    Returns:
        An opaque image of that size, in the bits of the given one.

    Raises:
        InputError: If it would have to be changed, and ``strict``.
    """
    flat = flatten(image, "white")
    if _is_empty(flat):
        note(f"{image.name}: all of one colour, so what is read off it means nothing")
    inverted = spec.background is not None and _background(flat) != spec.background
    changes = _changes(image, spec)
    if inverted:
        changes.append(f"inverted, to stand on a {spec.background} ground")
    if not changes:
        return image.replace(alpha=None)
    if strict:
        what = f"{image.name}: the model takes {_taken(spec)}; it is {_kind(image)}"
        what += f", on a {_background(flat)} ground" if inverted else ""
        raise InputError(what, hint=f"bring it to that, or leave out {option('strict')}")
    note(f"{image.name}: {', '.join(changes)}")
    if flat.pixels.shape[2] != spec.channels:
        flat = flat.replace(pixels=_in_channels(flat, spec.channels), icc=None)
    if inverted:
        flat = flat.replace(pixels=_inverted(flat))
    return _padded(_inside(flat, spec.width, spec.height), spec.width, spec.height)


def _is_empty(image: Image) -> bool:
    """Whether no pixel differs from another."""
    return bool((image.pixels == image.pixels[0, 0]).all())


def _changes(image: Image, spec: ImageSpec) -> list[str]:
    changes = [] if image.is_opaque else ["put on white"]
    if image.pixels.shape[2] != spec.channels:
        changes.append(f"made {_word(spec.channels)}")
    if (image.width, image.height) != (spec.width, spec.height):
        changes.append(f"fitted from {image.width}×{image.height} into {spec.width}×{spec.height}")
        if image.width * spec.height != image.height * spec.width:
            changes.append("its edges repeated beside it")
    return changes


def _background(image: Image) -> Background:
    """What its shapes stand on: light where most of its outermost pixels are."""
    return "light" if _rim(image) > np.iinfo(image.pixels.dtype).max / 2 else "dark"


def _rim(image: Image) -> float:
    """The median of its outermost pixels."""
    grey = image.pixels.mean(axis=2)
    return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def _inverted(image: Image) -> NDArray[Any]:
    """Light for dark, stretched so that paper which is not quite white, or not quite black, is no shape of its own."""
    kind, rim = image.pixels.dtype, _rim(image)
    top = float(np.iinfo(kind).max)
    paper_is_light = rim > top / 2
    turned = 1 - image.pixels / rim if paper_is_light else (top - image.pixels) / (top - rim)
    stretched: NDArray[Any] = np.rint(turned.clip(0, 1) * top).astype(kind)
    return stretched


def _taken(image: ImageSpec) -> str:
    background = f", on a {image.background} ground" if image.background is not None else ""
    return f"{image.width}×{image.height} pixels, {_word(image.channels)}{background}"


def _word(channels: int) -> str:
    return "grey" if channels == 1 else "RGB"


def _kind(image: Image) -> str:
    transparent = "" if image.is_opaque else ", transparent"
    return f"{image.width}×{image.height}, {_word(image.pixels.shape[2])}{transparent}"


def _in_channels(image: Image, channels: int) -> NDArray[Any]:
    if channels == 3:
        return np.repeat(image.pixels, 3, axis=2)
    grey: NDArray[np.float64] = np.rint(image.pixels @ _LUMA)
    return grey[:, :, None].astype(image.pixels.dtype)


def _inside(image: Image, width: int, height: int) -> Image:
    scale = min(width / image.width, height / image.height)
    return resize(image, *(max(1, round(side * scale)) for side in (image.width, image.height)))


def _padded(image: Image, width: int, height: int) -> Image:
    left, top = (width - image.width) // 2, (height - image.height) // 2
    around = ((top, height - image.height - top), (left, width - image.width - left), (0, 0))
    return image.replace(pixels=np.pad(image.pixels, around, mode="edge"))
