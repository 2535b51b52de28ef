"""Pixels to pixels: antialiased resizing, transparency, and fitting to what a network takes.

All of it works in bands of rows, so that intermediate numbers stay small. The resizing kernel is bicubic (a = −0.5),
widened by the factor of reduction, which is Pillow's ``BICUBIC``. It was chosen over Lanczos because its step response
overshoots once and then is exact: an image that is opaque up to an edge is exactly opaque beyond the kernel's reach,
and colours have no second ripple.

Resizing computes in floats: Pillow clips 8-bit numbers between the two directions, and picks the first direction by the
shape, so that bands would differ from the whole by up to 20 of 255.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PILImage
from PIL import ImageColor

from gansdk.errors import InputError, option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from gansdk.media.image import Image, Pixels
    from gansdk.model.facts import ImageSpec

    Box = tuple[float, float, float, float]


_NUMBERS = 2**23
"""How many source numbers a band of resizing takes: 32 MiB as floats."""

_BLUR, _STEEPNESS, _MARGIN = 0.7, 2.0, 8
"""Of hard edges: pixels of the source, a factor, and rows that a band needs around it to equal the whole."""


def resize(image: Image, width: int, height: int) -> Image:
    """An image in another size; what is fully opaque stays exactly so.

    Colours are multiplied by alpha while resizing, so that hidden ones do not count.
    """
    if (width, height) == (image.width, image.height):
        return image
    if image.alpha is not None and not image.is_opaque:
        return _resize_transparent(image, image.alpha, width, height)
    alpha = None if image.alpha is None else resize_alpha(image.alpha, width, height)
    return image.replace(pixels=_resize(image.pixels, width, height), alpha=alpha)


def resize_alpha(alpha: Pixels, width: int, height: int) -> Pixels:
    """Opacity [H, W] in another size; one value everywhere stays that value.

    Hard edges between opaque and absent become smooth when enlarged: a kernel alone would show pixels as stairs.
    """
    if (width, height) == (alpha.shape[1], alpha.shape[0]):
        return alpha
    if alpha.min() == alpha.max():
        return np.full((height, width), alpha.flat[0], alpha.dtype)
    if width > alpha.shape[1] and height > alpha.shape[0]:
        top = np.iinfo(alpha.dtype).max
        bands = np.array_split(alpha, 1 + alpha.size // _NUMBERS)
        if not any(((rows != 0) & (rows != top)).any() for rows in bands):
            return _enlarge_hard(alpha, width, height)
    return _resize(alpha[:, :, None], width, height)[:, :, 0]


def _enlarge_hard(alpha: Pixels, width: int, height: int) -> Pixels:
    """Blurs a mask by less than a pixel, enlarges it and steepens its edge.

    Enlarged by 4, discs, slanted edges and letters come 0.4 to 1.4 dB nearer to the original than by the kernel alone.
    Lines of one pixel would fade, so the kernel alone is used around them.
    """
    from scipy import ndimage  # takes half a second to import, which images without alpha need not spend

    result = np.empty((height, width), alpha.dtype)
    top = np.iinfo(alpha.dtype).max
    for rows, source, box in _bands(alpha.shape, width, height):
        first, last = max(0, source.start - _MARGIN), min(len(alpha), source.stop + _MARGIN)
        inner = slice(source.start - first, source.stop - first)
        mask = alpha[first:last] > 0
        blurred = ndimage.gaussian_filter(mask.astype(np.float32), _BLUR, mode="nearest")[inner]
        smooth = ((_plane(blurred, width, rows, box) - 0.5) * _STEEPNESS + 0.5).clip(0, 1)
        thin = _about_thin(mask)[inner]
        if thin.any():
            weight = _plane(thin.astype(np.float32), width, rows, box).clip(0, 1)
            smooth += weight * (_plane(mask[inner].astype(np.float32), width, rows, box).clip(0, 1) - smooth)
        result[rows] = np.rint(smooth * top)
    return result


def _about_thin(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a shape or a gap is one pixel wide, and two pixels around that."""
    from scipy import ndimage

    padded = np.pad(mask, 2, mode="edge")
    square = np.ones((2, 2), bool)
    thick = ndimage.binary_opening(padded, square) | ndimage.binary_opening(~padded, square)
    about: NDArray[np.bool_] = ndimage.binary_dilation(~thick, np.ones((5, 5), bool))[2:-2, 2:-2]
    return about


def _resize(pixels: Pixels, width: int, height: int) -> Pixels:
    result = np.empty((height, width, pixels.shape[2]), pixels.dtype)
    for rows, source, box in _bands(pixels.shape, width, height):
        for channel in range(pixels.shape[2]):
            plane = pixels[source, :, channel].astype(np.float32)
            result[rows, :, channel] = _rounded(_plane(plane, width, rows, box), pixels.dtype)
    return result


def _resize_transparent(image: Image, alpha: Pixels, width: int, height: int) -> Image:
    pixels = image.pixels
    result = np.empty((height, width, pixels.shape[2]), pixels.dtype)
    opacity = np.empty((height, width), alpha.dtype)
    for rows, source, box in _bands(pixels.shape, width, height):
        weight = alpha[source].astype(np.float32)
        total = _plane(weight, width, rows, box)
        opacity[rows] = _rounded(total, alpha.dtype)
        hidden = opacity[rows] == 0
        divisor = np.maximum(total, 1, where=hidden, out=total.copy())
        for channel in range(pixels.shape[2]):
            plane = pixels[source, :, channel].astype(np.float32)
            colours = np.divide(_plane(plane * weight, width, rows, box), divisor, dtype=np.float32)
            if hidden.any():
                np.copyto(colours, _plane(plane, width, rows, box), where=hidden)
            result[rows, :, channel] = _rounded(colours, pixels.dtype)
    return image.replace(pixels=result, alpha=opacity)


def _plane(plane: NDArray[np.float32], width: int, rows: slice, box: Box) -> NDArray[np.float32]:
    image = PILImage.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((width, rows.stop - rows.start), PILImage.Resampling.BICUBIC, box))


def _rounded(numbers: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.rint(np.clip(numbers, 0, np.iinfo(dtype).max)).astype(dtype)


def _bands(shape: tuple[int, ...], width: int, height: int) -> Iterator[tuple[slice, slice, Box]]:
    """Rows of the result, the source rows that the kernel reaches from them, and the box that they come from."""
    scale = shape[0] / height
    reach = math.ceil(2 * max(1.0, scale)) + 1
    step = max(1, int(_NUMBERS / max(shape[1] * scale, width)))
    for top in range(0, height, step):
        bottom = min(top + step, height)
        low, high = top * scale, min(bottom * scale, float(shape[0]))
        first, last = max(0, math.floor(low) - reach), min(shape[0], math.ceil(high) + reach)
        box = (0.0, low - first, float(shape[1]), min(high - first, float(last - first)))
        yield slice(top, bottom), slice(first, last), box


_BAND = 512
"""Rows at a time."""


def bleed(image: Image) -> Image:
    """Gives fully transparent pixels the colours of their nearest visible neighbours.

    These pixels are invisible, but a network and a resize see them: what an editor left there rings into the visible
    rim. Visible colours and alpha stay exactly as they are. Colours are averaged, weighted by alpha, over blocks of
    2×2, 4×4, 8×8 … pixels; each hidden pixel takes the smallest block that holds anything visible.
    """
    if image.alpha is None or image.alpha.min() > 0:
        return image
    sums, totals = [], []
    for top in range(0, image.height, _BAND):
        weights = image.alpha[top : top + _BAND, :, None].astype(np.float32)
        sums.append(_halve(np.multiply(image.pixels[top : top + _BAND], weights, dtype=np.float32)))
        totals.append(_halve(weights))
    colours = _spread(np.concatenate(sums), np.concatenate(totals))
    filled = image.pixels.copy()
    for top in range(0, image.height, _BAND):
        rows = slice(top, top + _BAND)
        hidden = np.nonzero(image.alpha[rows] == 0)
        found = colours[(hidden[0] + top) // 2, hidden[1] // 2]
        filled[rows][hidden] = np.rint(found).astype(filled.dtype)
    return image.replace(pixels=filled)


def _spread(sums: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours everywhere, from weighted sums that are empty in places."""
    known = np.divide(sums, np.maximum(weights, 1e-6, dtype=np.float32), dtype=np.float32)
    empty = weights[:, :, 0] == 0
    if not empty.any() or empty.size == 1:
        return known
    coarse = _spread(_halve(sums), _halve(weights))
    rows, columns = np.nonzero(empty)
    known[rows, columns] = coarse[rows // 2, columns // 2]
    return known


def _halve(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over blocks of 2×2, zeros beyond the edge."""
    height, width = numbers.shape[:2]
    if height % 2 or width % 2:
        numbers = np.pad(numbers, ((0, height % 2), (0, width % 2), (0, 0)))
    rows = numbers[0::2] + numbers[1::2]
    return rows[:, 0::2] + rows[:, 1::2]


def flatten(image: Image, colour: str) -> Image:
    """Puts an image on a background and returns it without alpha.

    Args:
        image: With alpha or without.
        colour: A name or ``#rrggbb``, in the image's own colour space. A grey image stays grey on a grey colour
            and becomes RGB on another.
    """
    if image.alpha is None:
        return image
    if image.is_opaque:
        return image.replace(alpha=None)
    behind = np.array(ImageColor.getrgb(colour)[:3], np.uint32)
    if image.pixels.shape[2] == 1 and len(set(behind.tolist())) == 1:
        behind = behind[:1]
    behind *= 257 if image.bits == 16 else 1
    peak = np.uint32(np.iinfo(image.pixels.dtype).max)
    result = np.empty((image.height, image.width, len(behind)), image.pixels.dtype)
    for top in range(0, image.height, _BAND):
        rows = slice(top, top + _BAND)
        alpha = image.alpha[rows, :, None].astype(np.uint32)
        result[rows] = (image.pixels[rows] * alpha + behind * (peak - alpha) + peak // 2) // peak
    is_same_model = len(behind) == image.pixels.shape[2]
    return image.replace(pixels=result, alpha=None, icc=image.icc if is_same_model else None)


_LUMA = np.array([0.299, 0.587, 0.114])
"""Of ITU-R 601."""


def fit(image: Image, spec: ImageSpec, note: Callable[[str], None], *, strict: bool = False) -> Image:
    """Brings an image of any size and kind to what a network takes.

    What is transparent is put on white. RGB becomes grey by its luma, and grey becomes RGB by three equal channels.
    If the network knows shapes on a dark background and the image has a light one, or the other way round, it is
    inverted: ink on grey paper becomes light on black. The image is resized so that it just fits inside, and its edges
    are repeated to fill what is left.

    Args:
        image: Of any kind.
        spec: What is taken; of 1 or 3 channels.
        note: Called with what was done, in one line, and if the image is all of one colour, in another.
        strict: Whether to refuse what would have to be changed.

    Returns:
        An opaque image of that size, in the bits of the given one.

    Raises:
        InputError: If it would have to be changed, and ``strict``.
    """
    flat = flatten(image, "white")
    if (flat.pixels == flat.pixels[0, 0]).all():
        note(f"{image.name}: all of one colour, so what is read off it means nothing")
    top = float(np.iinfo(flat.pixels.dtype).max)
    background = "light" if _rim(flat.pixels) > top / 2 else "dark"
    is_inverted = spec.background is not None and background != spec.background
    changes = _changes(image, spec)
    if is_inverted:
        changes.append(f"inverted, to be on a {spec.background} background")
    if not changes:
        return image.replace(alpha=None)
    if strict:
        wanted = f", on a {spec.background} background" if spec.background is not None else ""
        taken = f"{spec.width}×{spec.height} pixels, {_colours(spec.channels)}{wanted}"
        given = f"{image.width}×{image.height}, {_colours(image.pixels.shape[2])}"
        given += "" if image.is_opaque else ", transparent"
        given += f", on a {background} background" if is_inverted else ""
        what = f"{image.name}: the model takes {taken}; it is {given}"
        raise InputError(what, hint=f"bring it to that, or leave out {option('strict')}")
    note(f"{image.name}: {', '.join(changes)}")
    pixels: NDArray[Any] = flat.pixels
    if pixels.shape[2] != spec.channels:
        is_rgb = spec.channels == 3
        pixels = pixels.repeat(3, axis=2) if is_rgb else np.rint(pixels @ _LUMA)[:, :, None].astype(pixels.dtype)
        flat = flat.replace(pixels=pixels, icc=None)
    if is_inverted:  # and stretched, so that paper that is not quite white, or not quite black, is not a shape
        rim = _rim(pixels)
        turned = 1 - pixels / rim if rim > top / 2 else (top - pixels) / (top - rim)
        flat = flat.replace(pixels=np.rint(turned.clip(0, 1) * top).astype(pixels.dtype))
    scale = min(spec.width / flat.width, spec.height / flat.height)
    inside = resize(flat, *(max(1, round(side * scale)) for side in (flat.width, flat.height)))
    left, above = (spec.width - inside.width) // 2, (spec.height - inside.height) // 2
    around = ((above, spec.height - inside.height - above), (left, spec.width - inside.width - left), (0, 0))
    return inside.replace(pixels=np.pad(inside.pixels, around, mode="edge"))


def _rim(pixels: NDArray[Any]) -> float:
    """The median of the outermost pixels, which are taken for the background."""
    grey = pixels.mean(axis=2)
    return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def _changes(image: Image, spec: ImageSpec) -> list[str]:
    changes = [] if image.is_opaque else ["put on white"]
    if image.pixels.shape[2] != spec.channels:
        changes.append(f"made {_colours(spec.channels)}")
    if (image.width, image.height) != (spec.width, spec.height):
        changes.append(f"fitted from {image.width}×{image.height} into {spec.width}×{spec.height}")
        if image.width * spec.height != image.height * spec.width:
            changes.append("its edges repeated around it")
    return changes


def _colours(channels: int) -> str:
    return "grey" if channels == 1 else "RGB"
