"""Pictures of any size and kind, brought to the one that a network takes: one rule, said when it is used.

What is transparent is put on white. RGB becomes grey by the luma of ITU-R 601, grey becomes RGB by three equal
channels. Where all that the network knows stands on a dark ground and the picture on a light one, or the other way
round, it is inverted: ink on grey paper becomes light on black. The picture is resized, antialiased, so that it just
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

    from gansdk.media.image import Picture
    from gansdk.model.facts import Ground, Image


_LUMA = np.array([0.299, 0.587, 0.114])


def fit(picture: Picture, image: Image, note: Callable[[str], None], *, strict: bool = False) -> Picture:
    """Brings a picture to what a network takes.

    Args:
        picture: Of any kind.
        image: What is taken; of 1 or 3 channels.
        note: Takes what was done, in one line, and that a picture shows nothing, in another; nothing where neither is.
        strict: Whether to refuse what would have to be changed.

    Returns:
        An opaque picture of that size, in the bits of the given one.

    Raises:
        InputError: If it would have to be changed, and ``strict``.
    """
    flat = flatten(picture, "white")
    if _is_empty(flat):
        note(f"{picture.name}: all of one colour, so what is read off it means nothing")
    inverted = image.ground is not None and _ground(flat) != image.ground
    changes = _changes(picture, image)
    if inverted:
        changes.append(f"inverted, to stand on a {image.ground} ground")
    if not changes:
        return picture.replace(alpha=None)
    if strict:
        what = f"{picture.name}: the model takes {_taken(image)}; it is {_kind(picture)}"
        what += f", on a {_ground(flat)} ground" if inverted else ""
        raise InputError(what, hint=f"bring it to that, or leave out {option('strict')}")
    note(f"{picture.name}: {', '.join(changes)}")
    if flat.pixels.shape[2] != image.channels:
        flat = flat.replace(pixels=_in_channels(flat, image.channels), icc=None)
    if inverted:
        flat = flat.replace(pixels=_inverted(flat))
    return _padded(_inside(flat, image.width, image.height), image.width, image.height)


def _is_empty(picture: Picture) -> bool:
    """Whether no pixel differs from another."""
    return bool((picture.pixels == picture.pixels[0, 0]).all())


def _changes(picture: Picture, image: Image) -> list[str]:
    changes = [] if picture.is_opaque else ["put on white"]
    if picture.pixels.shape[2] != image.channels:
        changes.append(f"made {_word(image.channels)}")
    if (picture.width, picture.height) != (image.width, image.height):
        changes.append(f"fitted from {picture.width}×{picture.height} into {image.width}×{image.height}")
        if picture.width * image.height != picture.height * image.width:
            changes.append("its edges repeated beside it")
    return changes


def _ground(picture: Picture) -> Ground:
    """What its shapes stand on: light where most of its outermost pixels are."""
    return "light" if _rim(picture) > np.iinfo(picture.pixels.dtype).max / 2 else "dark"


def _rim(picture: Picture) -> float:
    """The median of its outermost pixels."""
    grey = picture.pixels.mean(axis=2)
    return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def _inverted(picture: Picture) -> NDArray[Any]:
    """Light for dark, stretched so that paper which is not quite white, or not quite black, is no shape of its own."""
    kind, rim = picture.pixels.dtype, _rim(picture)
    top = float(np.iinfo(kind).max)
    paper_is_light = rim > top / 2
    turned = 1 - picture.pixels / rim if paper_is_light else (top - picture.pixels) / (top - rim)
    stretched: NDArray[Any] = np.rint(turned.clip(0, 1) * top).astype(kind)
    return stretched


def _taken(image: Image) -> str:
    ground = f", on a {image.ground} ground" if image.ground is not None else ""
    return f"{image.width}×{image.height} pixels, {_word(image.channels)}{ground}"


def _word(channels: int) -> str:
    return "grey" if channels == 1 else "RGB"


def _kind(picture: Picture) -> str:
    transparent = "" if picture.is_opaque else ", transparent"
    return f"{picture.width}×{picture.height}, {_word(picture.pixels.shape[2])}{transparent}"


def _in_channels(picture: Picture, channels: int) -> NDArray[Any]:
    if channels == 3:
        return np.repeat(picture.pixels, 3, axis=2)
    grey: NDArray[np.float64] = np.rint(picture.pixels @ _LUMA)
    return grey[:, :, None].astype(picture.pixels.dtype)


def _inside(picture: Picture, width: int, height: int) -> Picture:
    scale = min(width / picture.width, height / picture.height)
    return resize(picture, *(max(1, round(side * scale)) for side in (picture.width, picture.height)))


def _padded(picture: Picture, width: int, height: int) -> Picture:
    left, top = (width - picture.width) // 2, (height - picture.height) // 2
    around = ((top, height - picture.height - top), (left, width - picture.width - left), (0, 0))
    return picture.replace(pixels=np.pad(picture.pixels, around, mode="edge"))
