"""Pictures made by a formula: small, the same everywhere, with edges, slopes and texture as photographs have."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from gansdk.data.pictures import Attribution, Pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEIGHT, WIDTH, COUNT = 96, 128, 4
"""Of the set that recipes are checked on."""


def picture(height: int, width: int, *, seed: int) -> NDArray[np.uint8]:
    """One picture: soft shapes with sharp rims before a slope, and a little noise.

    Args:
        height: In pixels.
        width: In pixels.
        seed: Another one for another picture.

    Returns:
        RGB, uint8 [height, width, 3].
    """
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    slope = (rows / height + columns / width)[..., None] * random.uniform(30, 100, 3)
    pixels = slope + random.uniform(0, 60, 3)
    for _ in range(8):
        top, left = random.uniform(0, height), random.uniform(0, width)
        radius = random.uniform(0.1, 0.4) * min(height, width)
        inside = np.hypot(rows - top, columns - left) < radius
        stripes = np.sin((rows * random.normal() + columns * random.normal()) / 2)[..., None]
        pixels[inside] = (random.uniform(0, 255, 3) + random.uniform(0, 30) * stripes)[inside]
    pixels += random.normal(0, 3, pixels.shape)
    return np.asarray(pixels.round().clip(0, 255), np.uint8)


class _Made:
    """Files that are nowhere: the pictures as PNG bytes, in two sub-folders, which are their labels."""

    others: tuple[str, ...] = ()

    def __init__(self) -> None:
        half = COUNT // 2
        names = (f"{'a' if seed < half else 'b'}/{seed}.png" for seed in range(COUNT))
        self._bytes = {name: _png(picture(HEIGHT, WIDTH, seed=seed)) for seed, name in enumerate(names)}
        self.names = tuple(self._bytes)

    def read(self, name: str, /) -> bytes:
        return self._bytes[name]


@cache
def pictures() -> Pictures:
    """The set of pictures that recipes are checked on, in memory, half of them of one class, half of another."""
    items = _Made()
    return Pictures("made pictures", items, [Attribution(name, "CC0-1.0") for name in items.names])


def _png(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()
