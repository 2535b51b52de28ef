"""Pictures of any size and kind, brought to the one that a network takes: one rule, said when it is used.

What is transparent is put on white. RGB becomes grey by the luma of ITU-R 601, grey becomes RGB by three equal
channels. The picture is resized, antialiased, so that it just fits inside; what is left beside it repeats its edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import InputError
from gansdk.media.alpha import flatten
from gansdk.media.resizing import resize

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gansdk.media.picture import Picture

_LUMA = np.array([0.299, 0.587, 0.114])


def fit(
    picture: Picture, width: int, height: int, channels: int, note: Callable[[str], None], *, strict: bool = False
) -> Picture:
    """Brings a picture to a size and a number of channels.

    Args:
        picture: Of any kind.
        width: Pixels that are taken.
        height: Likewise.
        channels: 1 or 3.
        note: Takes what was done, in one line; nothing where nothing was.
        strict: Whether to refuse what would have to be changed.

    Returns:
        An opaque picture of that size, in the bits of the given one.

    Raises:
        InputError: If it would have to be changed, and ``strict``.
    """
    changes = _changes(picture, width, height, channels)
    if not changes:
        return picture.replace(alpha=None)
    if strict:
        what = f"{picture.name}: the model takes {width}×{height} pixels, {_word(channels)}; it is {_kind(picture)}"
        raise InputError(what, hint="bring it to that, or leave --strict out")
    note(f"{picture.name}: {', '.join(changes)}")
    picture = flatten(picture, "white")
    if picture.pixels.shape[2] != channels:
        picture = picture.replace(pixels=_in_channels(picture, channels), icc=None)
    return _padded(_inside(picture, width, height), width, height)


def _changes(picture: Picture, width: int, height: int, channels: int) -> list[str]:
    changes = [] if picture.is_opaque else ["put on white"]
    if picture.pixels.shape[2] != channels:
        changes.append(f"made {_word(channels)}")
    if (picture.width, picture.height) != (width, height):
        changes.append(f"fitted from {picture.width}×{picture.height} into {width}×{height}")
        if picture.width * height != picture.height * width:
            changes.append("its edges repeated beside it")
    return changes


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
