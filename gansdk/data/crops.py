"""Batches of random crops: what a super-resolution network sees, and what it should make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gansdk.data.resizing import Pair, degrade, fit
from gansdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from gansdk.data.pictures import Pictures
    from gansdk.data.resizing import Pixels


class AlignedCrops:
    """Pairs of a low-resolution patch and the same spot in high resolution, without end.

    Batch ``i`` depends on the pictures, the arguments and ``i`` alone. Every picture is shrunk once, as a whole, so a
    patch has the neighbourhood that it has in a picture. All of them are held in memory as 8-bit pixels.

    Args:
        pictures: Where the crops come from, in proportion to the square root of a picture's area.
        scale: How many times the high resolution is the low one.
        patch: Height and width of a low-resolution patch.
        size: How many pairs a batch has.
        seed: Where the random numbers start.
        longest: Pictures are first shrunk to this many pixels on the longer side: what comes out of a large camera
            is often soft or noisy pixel by pixel.
        octaves: How many sizes of each picture are used: its own, a half, a quarter and so on.
        candidates: How many spots are drawn for each patch; the one with the strongest texture is taken. 1 is a
            plain random crop; more spend fewer steps on sky and blurred background.

    Raises:
        InputError: If no picture is large enough for a patch.
    """

    def __init__(
        self,
        pictures: Pictures,
        *,
        scale: int,
        patch: int,
        size: int,
        seed: int,
        longest: int | None = None,
        octaves: int = 1,
        candidates: int = 1,
    ) -> None:
        self._scale, self._patch, self._size = scale, patch, size
        self._seed, self._candidates = seed, candidates
        self._pairs = list(_pairs(pictures, scale, patch, longest, octaves))
        if not self._pairs:
            side = scale * patch
            hint = f"use pictures of {side}x{side} pixels or more, or a smaller patch"
            raise InputError(f"no picture of {pictures.name} is large enough for a crop", hint=hint)
        roots = np.sqrt([pair.low.shape[0] * pair.low.shape[1] for pair in self._pairs])
        self._shares = np.cumsum(roots / roots.sum())

    def batch(self, index: int, /) -> Mapping[str, Tensor]:
        """The pairs of one step: ``low`` [N, 3, p, p] and ``high`` [N, 3, p·scale, p·scale], float in [0, 1]."""
        random = np.random.default_rng((self._seed, index))
        crops = [self._crop(random) for _ in range(self._size)]
        return {
            "low": _to_tensor([crop.low for crop in crops]),
            "high": _to_tensor([crop.high for crop in crops]),
        }

    def _crop(self, random: np.random.Generator) -> Pair:
        drawn = [self._spot(random) for _ in range(self._candidates)]
        crop = max(drawn, key=_texture) if len(drawn) > 1 else drawn[0]
        turns, mirrored = int(random.integers(4)), bool(random.integers(2))
        return Pair(_turned(crop.high, turns, mirrored=mirrored), _turned(crop.low, turns, mirrored=mirrored))

    def _spot(self, random: np.random.Generator) -> Pair:
        chosen = int(np.searchsorted(self._shares, random.random(), side="right"))
        high, low = self._pairs[min(chosen, len(self._pairs) - 1)]
        patch, scale = self._patch, self._scale
        top, left = (int(random.integers(side - patch + 1)) for side in low.shape[:2])
        bottom, right = top + patch, left + patch
        return Pair(
            high[top * scale : bottom * scale, left * scale : right * scale],
            low[top:bottom, left:right],
        )


def _pairs(pictures: Pictures, scale: int, patch: int, longest: int | None, octaves: int) -> Iterator[Pair]:
    for index in range(len(pictures)):
        _, picture = pictures[index]
        side = min(longest or max(picture.shape), max(picture.shape))
        for octave in range(octaves):
            resized = fit(picture, side >> octave)
            if min(resized.shape[:2]) < scale * patch:
                break
            yield degrade(resized, scale)


def _texture(crop: Pair) -> float:
    """How much neighbouring pixels differ in green, the channel closest to lightness."""
    green = crop.low[..., 1].astype(np.int16)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


def _turned(patch: Pixels, turns: int, *, mirrored: bool) -> Pixels:
    turned = np.rot90(patch, turns)
    return turned[:, ::-1] if mirrored else turned


def _to_tensor(patches: list[Pixels]) -> Tensor:
    stacked = torch.from_numpy(np.stack(patches))
    return stacked.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format) / 255
