"""Batches of random crops: what a super-resolution network sees, and what it should make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from gansdk.data.degradation import BLOCK, MARGIN, Pair, degrade, fit
from gansdk.data.stacked import labels_of
from gansdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.data.degradation import Degradation, Pixels
    from gansdk.data.folders import Images
    from gansdk.data.stacked import StackedImages


class AlignedCrops:
    """Pairs of a low-resolution patch and the same spot in high resolution, without end.

    Batch ``i`` depends on the images, the arguments and ``i`` alone. Every image is shrunk once, as a whole, so a
    patch has the neighbourhood that it has in an image. All of them are held in memory as 8-bit pixels.

    Args:
        images: Where the crops come from, in proportion to the square root of an image's area.
        scale: How many times the high resolution is the low one.
        patch: Height and width of a low-resolution patch.
        size: How many pairs a batch has.
        seed: Where the random numbers start.
        longest: Images are first shrunk to this many pixels on the longer side: what comes out of a large camera
            is often soft or noisy pixel by pixel.
        octaves: How many sizes of each image are used: its own, a half, a quarter and so on.
        candidates: How many spots are drawn for each patch; the one with the strongest texture is taken. 1 is a
            plain random crop; more spend fewer steps on sky and blurred background.
        degradation: Makes the low-resolution patch, anew for each crop; None takes it from the image as it was shrunk.

    Raises:
        InputError: If no image is large enough for a patch.
    """

    def __init__(
        self,
        images: Images,
        *,
        scale: int,
        patch: int,
        size: int,
        seed: int,
        longest: int | None = None,
        octaves: int = 1,
        candidates: int = 1,
        degradation: Degradation | None = None,
    ) -> None:
        self._scale, self._patch, self._size = scale, patch, size
        self._seed, self._candidates, self._degradation = seed, candidates, degradation
        self._pairs = list(_pairs(images, scale, patch, longest, octaves))
        if not self._pairs:
            side = scale * patch
            hint = f"use images of {side}x{side} pixels or more, or a smaller patch"
            raise InputError(f"no image of {images.name} is large enough for a crop", hint=hint)
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
        spot = max(drawn, key=self._texture) if len(drawn) > 1 else drawn[0]
        crop = self._cut(spot) if self._degradation is None else self._degraded(spot, self._degradation, random)
        turns, mirrored = int(random.integers(4)), bool(random.integers(2))
        return Pair(_turned(crop.high, turns, mirrored=mirrored), _turned(crop.low, turns, mirrored=mirrored))

    def _spot(self, random: np.random.Generator) -> _Spot:
        chosen = int(np.searchsorted(self._shares, random.random(), side="right"))
        pair = self._pairs[min(chosen, len(self._pairs) - 1)]
        top, left = (int(random.integers(side - self._patch + 1)) for side in pair.low.shape[:2])
        return _Spot(pair, top, left)

    def _cut(self, spot: _Spot) -> Pair:
        (high, low), top, left = spot
        bottom, right, scale = top + self._patch, left + self._patch, self._scale
        return Pair(
            high[top * scale : bottom * scale, left * scale : right * scale],
            low[top:bottom, left:right],
        )

    def _degraded(self, spot: _Spot, degradation: Degradation, random: np.random.Generator) -> Pair:
        """The crop with a low-resolution patch of its own, degraded together with its surroundings in the image."""
        # A random margin before the patch lets the blocks of JPEG begin anywhere in it.
        above, before = (min(start, MARGIN + int(random.integers(BLOCK))) for start in (spot.top, spot.left))
        bottom, right = spot.top + self._patch + MARGIN, spot.left + self._patch + MARGIN
        scale = self._scale
        rows = slice((spot.top - above) * scale, bottom * scale)
        columns = slice((spot.left - before) * scale, right * scale)
        low = degradation(spot.pair.high[rows, columns], random)
        return Pair(self._cut(spot).high, low[above : above + self._patch, before : before + self._patch])

    def _texture(self, spot: _Spot) -> float:
        """How much neighbouring pixels differ in green, the channel closest to lightness."""
        green = self._cut(spot).low[..., 1].astype(np.int16)
        return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


class _Spot(NamedTuple):
    """Where a crop is taken: top and left in low-resolution pixels."""

    pair: Pair
    top: int
    left: int


def _pairs(images: Images, scale: int, patch: int, longest: int | None, octaves: int) -> Iterator[Pair]:
    for index in range(len(images)):
        _, image = images[index]
        side = min(longest or max(image.shape), max(image.shape))
        for octave in range(octaves):
            resized = fit(image, side >> octave)
            if min(resized.shape[:2]) < scale * patch:
                break
            yield degrade(resized, scale)


def _turned(patch: Pixels, turns: int, *, mirrored: bool) -> Pixels:
    turned = np.rot90(patch, turns)
    return turned[:, ::-1] if mirrored else turned


def _to_tensor(patches: list[Pixels]) -> Tensor:
    stacked = torch.from_numpy(np.stack(patches))
    return stacked.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format) / 255


class ImageBatches:
    """Images in random order, without end; in each epoch every image comes once.

    Batch ``i`` depends on the images, the arguments and ``i`` alone. The epochs follow each other without a gap, so a
    batch may begin in one and end in the next, and all batches have the same size.

    Args:
        data: Where the images come from; :func:`gansdk.stack_images` makes it of images.
        size: How many images a batch has.
        seed: Where the random numbers start.
        labelled: Whether batches have labels too.

    Raises:
        InputError: If there shall be labels and the data has none.
    """

    def __init__(self, data: StackedImages, *, size: int, seed: int, labelled: bool = False) -> None:
        self._images = torch.from_numpy(np.ascontiguousarray(data.images.transpose(0, 3, 1, 2)))
        self._labels = torch.from_numpy(labels_of(data).indices) if labelled else None
        self._size, self._seed = size, seed
        self._latest: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def batch(self, index: int, /) -> Mapping[str, Tensor]:
        """The images of one step: ``images`` [N, C, H, W], float in [0, 1], and perhaps ``labels``, int64 [N]."""
        rows = torch.from_numpy(self._rows(index * self._size, (index + 1) * self._size))
        images = self._images[rows].float().div_(255)
        return {"images": images} if self._labels is None else {"images": images, "labels": self._labels[rows]}

    def _rows(self, start: int, stop: int) -> NDArray[np.int64]:
        """The images at these places of the endless sequence."""
        count = len(self._images)
        parts = []
        while start < stop:
            epoch, first = divmod(start, count)
            last = min(count, first + stop - start)
            parts.append(self._order(epoch)[first:last])
            start += last - first
        return np.concatenate(parts)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """The order of an epoch; the latest one is kept, because making it takes longer than a batch."""
        known, order = self._latest
        if known != epoch:
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self._images))
            self._latest = (epoch, order)
        return order
