"""Pairs of low and high resolution: images shrunk, degraded at random, and cut into crops to train on.

The degradations leave low-resolution images as cameras, resizers and JPEG encoders do, after Wang et al., *Real-ESRGAN:
Training Real-World Blind Super-Resolution with Pure Synthetic Data*, ICCV Workshops 2021, arXiv:2107.10833, section 3.
First order is blur, resize, noise, JPEG. Second order is that twice. They differ from the paper's, because the aim is
photographs of people's own and not the restoration of damaged ones:

- A share of the patches is only shrunk (``clean``), so that clean inputs stay clean.
- Each step has a probability, and the ranges are milder by default.
- Generalised Gaussian and plateau kernels, and the sinc filter, are left out.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from gansdk.errors import InputError
from gansdk.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.data.folders import Images

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float32]


MARGIN = 4
"""Low-resolution pixels around a patch that are degraded with it, so that its border has true neighbours."""

BLOCK = 8
"""Side of JPEG's blocks in pixels."""

Share = Annotated[float, Field(ge=0, le=1)]


class DegradationOptions(Options):
    """How low-resolution patches are made of high-resolution ones. A recipe's options inherit these fields."""

    degradation: Annotated[
        Literal["bicubic", "first-order", "second-order"],
        Field(description="bicubic only shrinks; the others blur, resize, add noise and compress, once or twice"),
    ] = "bicubic"
    clean: Annotated[Share, Field(description="share of patches that are only shrunk all the same")] = 0.1
    blur: Annotated[Share, Field(description="probability of a Gaussian blur, of equal or unequal widths")] = 0.3
    blur_sigma: Annotated[
        float, Field(gt=0, le=16, description="greatest standard deviation of the blur, in high-resolution pixels")
    ] = 2.0
    noise: Annotated[Share, Field(description="probability of noise, Gaussian or Poisson")] = 0.3
    noise_sigma: Annotated[
        float, Field(gt=0, le=128, description="greatest standard deviation of the noise, of 255 levels")
    ] = 8.0
    jpeg: Annotated[Share, Field(description="probability of JPEG compression, 4:2:0 or 4:4:4")] = 0.9
    jpeg_quality: Annotated[int, Field(ge=1, le=95, description="lowest quality of JPEG; the highest is 95")] = 30


class Degradation:
    """Makes a low-resolution image of a high-resolution one, smaller by a whole ``scale``."""

    def __init__(self, options: DegradationOptions, scale: int) -> None:
        self._options = options
        self._scale = scale

    def __call__(self, high: Pixels, random: np.random.Generator) -> Pixels:
        """One draw of uint8 [h, w, 3] from uint8 [scale·h, scale·w, 3]; the same state gives the same pixels."""
        height, width = (side // self._scale for side in high.shape[:2])
        if self._options.degradation == "bicubic" or random.random() < self._options.clean:
            return _resized(high, width, height)
        image = high
        if self._options.degradation == "second-order":
            # The size in between is drawn so that neither stage enlarges much: from the output's size to the input's.
            factor = math.exp(random.uniform(0, math.log(self._scale)))
            image = self._stage(image, round(height * factor), round(width * factor), random)
        return self._stage(image, height, width, random)

    def _stage(self, image: Pixels, height: int, width: int, random: np.random.Generator) -> Pixels:
        """Blur, resize, noise, JPEG: figure 2 of the paper."""
        options = self._options
        if random.random() < options.blur:
            widest = options.blur_sigma
            along = random.uniform(0.2, widest)
            across = along if random.random() < 0.5 else random.uniform(0.2, widest)
            image = blur(image, gaussian_kernel(along, across, random.uniform(0, math.pi)))
        image = _resized(image, width, height, random.choice(("bicubic", "bilinear", "box"), p=(0.6, 0.2, 0.2)))
        if random.random() < options.noise:
            sigma = random.uniform(0, options.noise_sigma)
            add = gaussian_noise if random.random() < 0.5 else poisson_noise
            image = add(image, sigma, random, grey=bool(random.random() < 0.4))
        if random.random() < options.jpeg:
            quality = int(random.integers(options.jpeg_quality, 96))
            image = jpeg(image, quality, "4:2:0" if random.random() < 0.7 else "4:4:4")
        return image


def gaussian_kernel(along: float, across: float, angle: float) -> Floats:
    """A Gaussian blur kernel, float32 [k, k], that adds up to 1.

    ``along`` and ``across`` are standard deviations in pixels, in the direction of ``angle`` (radians, from the x axis
    towards the y axis) and at right angles to it.
    """
    radius = math.ceil(3 * max(along, across))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    kernel = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
    return np.asarray(kernel / kernel.sum(), np.float32)


def blur(image: Pixels, kernel: Floats) -> Pixels:
    """Convolves uint8 [H, W, 3] with a symmetric kernel; the border is repeated outwards."""
    import torch

    channels = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[:, None]
    padded = torch.nn.functional.pad(channels, (len(kernel) // 2,) * 4, mode="replicate")
    blurred = torch.nn.functional.conv2d(padded, torch.from_numpy(kernel)[None, None])
    return _rounded(blurred[:, 0].numpy().transpose(1, 2, 0))


def gaussian_noise(image: Pixels, sigma: float, random: np.random.Generator, *, grey: bool) -> Pixels:
    """Adds noise of standard deviation ``sigma``, of 255 levels; ``grey`` adds the same to all channels."""
    return _rounded(image + random.normal(0, sigma, (*image.shape[:2], 1 if grey else 3)))


def poisson_noise(image: Pixels, sigma: float, random: np.random.Generator, *, grey: bool) -> Pixels:
    """Adds the noise of counted photons: its variance is proportional to the value, and ``sigma``² at white."""
    if sigma == 0:
        return image
    values = image.astype(np.float64)
    mean = values.mean(axis=2, keepdims=True) if grey else values
    photons = 255 / sigma**2  # per level, so that white has 255² / sigma² of them
    return _rounded(values + (random.poisson(mean * photons) / photons - mean))


def jpeg(image: Pixels, quality: int, subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0") -> Pixels:
    """What a JPEG file gives back: uint8 [H, W, 3], through libjpeg-turbo's encoder and decoder."""
    from PIL import Image as PILImage

    file = io.BytesIO()
    PILImage.fromarray(image).save(file, "JPEG", quality=quality, subsampling=subsampling)
    with PILImage.open(file) as decoded:
        return np.array(decoded)


def _resized(image: Pixels, width: int, height: int, kernel: str = "bicubic") -> Pixels:
    from PIL import Image as PILImage

    resampling = PILImage.Resampling[kernel.upper()]
    return np.array(PILImage.fromarray(np.ascontiguousarray(image)).resize((width, height), resampling))


def _rounded(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


class Pair(NamedTuple):
    """An image, uint8 [scale·h, scale·w, 3], and the small one, [h, w, 3], that it is to be recovered from."""

    high: Pixels
    low: Pixels


def degrade(image: Pixels, scale: int) -> Pair:
    """Cuts right and bottom rims off until height and width are multiples of ``scale``, then shrinks by that.

    Raises:
        InputError: If the image, uint8 [H, W, 3], is smaller than ``scale``.
    """
    height, width = (side // scale for side in image.shape[:2])
    if not height or not width:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise InputError(f"an image of {size} pixels is too small", hint=f"use images of {scale} pixels or more")
    high = np.ascontiguousarray(image[: height * scale, : width * scale])
    return Pair(high, _resized(high, width, height))


def upscale(image: Pixels, scale: int) -> Pixels:
    """The image ``scale`` times as wide and high by bicubic interpolation: the reference of super-resolution."""
    return _resized(image, image.shape[1] * scale, image.shape[0] * scale)


def fit(image: Pixels, longest: int) -> Pixels:
    """Shrinks an image whose longer side exceeds ``longest`` pixels; leaves others alone."""
    factor = longest / max(image.shape[:2])
    if factor >= 1:
        return image
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    return _resized(image, width, height)


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
        highs, lows = zip(*(self._crop(random) for _ in range(self._size)), strict=True)
        return {"low": _to_tensor(lows), "high": _to_tensor(highs)}

    def _crop(self, random: np.random.Generator) -> Pair:
        drawn = [self._spot(random) for _ in range(self._candidates)]
        spot = max(drawn, key=self._texture) if len(drawn) > 1 else drawn[0]
        crop = self._cut(spot) if self._degradation is None else self._degraded(spot, self._degradation, random)
        turns, mirror = int(random.integers(4)), -1 if random.integers(2) else 1
        return Pair(*(np.rot90(patch, turns)[:, ::mirror] for patch in crop))

    def _spot(self, random: np.random.Generator) -> _Spot:
        chosen = int(np.searchsorted(self._shares, random.random(), side="right"))
        pair = self._pairs[min(chosen, len(self._pairs) - 1)]
        top, left = (int(random.integers(side - self._patch + 1)) for side in pair.low.shape[:2])
        return _Spot(pair, top, left)

    def _cut(self, spot: _Spot) -> Pair:
        (high, low), top, left = spot
        bottom, right, scale = top + self._patch, left + self._patch, self._scale
        return Pair(high[top * scale : bottom * scale, left * scale : right * scale], low[top:bottom, left:right])

    def _degraded(self, spot: _Spot, degradation: Degradation, random: np.random.Generator) -> Pair:
        """The crop with a low-resolution patch of its own, degraded together with its surroundings in the image."""
        # A random margin before the patch lets the blocks of JPEG begin anywhere in it.
        above, before = (min(start, MARGIN + int(random.integers(BLOCK))) for start in (spot.top, spot.left))
        bottom, right = spot.top + self._patch + MARGIN, spot.left + self._patch + MARGIN
        top, left, scale = spot.top - above, spot.left - before, self._scale
        low = degradation(spot.pair.high[top * scale : bottom * scale, left * scale : right * scale], random)
        return Pair(self._cut(spot).high, low[above : above + self._patch, before : before + self._patch])

    def _texture(self, spot: _Spot) -> float:
        """How much neighbouring pixels differ in green, the channel closest to lightness."""
        green = self._cut(spot).low[..., 1].astype(np.int16)
        return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())


class _Spot(NamedTuple):
    """Where a crop is taken, in low-resolution pixels."""

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


def _to_tensor(patches: Sequence[Pixels]) -> Tensor:
    import torch

    stacked = torch.from_numpy(np.stack(patches))
    return stacked.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format) / 255
