"""The metrics of restored images: how near they are to the true ones, to the input, and to what images are like."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.crops import degrade
from gansdk.evaluation import evaluators
from gansdk.evaluation.protocol import Unsuitable
from gansdk.evaluation.record import mean_estimate
from gansdk.model.facts import ImageGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gansdk.evaluation.evaluators import PatchFeatures
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.evaluation.record import Estimate
    from gansdk.evaluation.restoration import RestorationExample

    Floats = NDArray[np.float64]
    Pixels = NDArray[np.uint8]


MAXIMUM_DECIBELS = 100.0
"""In place of a flawless image's infinite decibels, which neither a mean nor JSON can hold."""

MINIMUM_PATCHES = evaluators.MINIMUM_FEATURES

MINIMUM_IMAGES = 20
"""For the classifier two-sample test: half of them are trained on, half are tested on."""

SSIM_WINDOW = 11
"""Pixels a side."""

MAXIMUM_FREQUENCY = 0.5
"""Cycles per pixel: the most that a row of pixels can hold."""

MINIMUM_SIDE = 32
"""Pixels: in a smaller image, too few frequencies remain to fit a line."""

_LUMA = np.array([65.481, 128.553, 24.966]) / 255
_EVALUATOR = "EfficientNet-Lite0"
_PATCHES = {"patch": evaluators.SIDE, "stride": evaluators.STRIDE, "resize": "none"}


def luma(rgb: Pixels) -> Floats:
    """The Y channel in which the super-resolution literature measures: ITU-R BT.601, studio swing.

    Args:
        rgb: uint8 [H, W, 3].

    Returns:
        float [H, W] in 16 … 235, not rounded.
    """
    return np.asarray(16 + rgb.astype(np.float64) @ _LUMA)


def psnr(first: NDArray[np.generic], second: NDArray[np.generic], *, peak: float, border: int = 0) -> float:
    """Peak signal-to-noise ratio in decibels: 10 · log₁₀(peak² / mean squared error); infinity for equal images.

    Args:
        first: Any shape [H, W, …].
        second: The same shape.
        peak: The largest possible value, as 255 for 8 bits.
        border: So many pixels on each side are left out, as is usual for a super-resolution of that scale.
    """
    inside = _inside(first, second, border)
    error = float(np.mean((first[inside].astype(np.float64) - second[inside].astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)


def ssim(first: NDArray[np.generic], second: NDArray[np.generic], *, peak: float, border: int = 0) -> float:
    """Structural similarity (Wang et al. 2004) as published: an 11×11 Gaussian window, σ 1.5, biased covariances.

    The mean over all positions where the window fits; 1 for equal images. The arguments are those of :func:`psnr`.
    """
    from skimage.metrics import structural_similarity

    inside = _inside(first, second, border)
    planes = [plane[inside].astype(np.float64) for plane in (first, second)]
    if min(planes[0].shape) < SSIM_WINDOW:
        raise ValueError(f"a border of {border} leaves no window of {SSIM_WINDOW} of {first.shape}")
    found = structural_similarity(  # type: ignore[no-untyped-call] # scikit-image has no types
        *planes, data_range=peak, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    return float(found)


def _inside(first: NDArray[np.generic], second: NDArray[np.generic], border: int) -> tuple[slice, slice]:
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {first.shape} and {second.shape}")
    if min(first.shape[:2]) <= 2 * border:
        raise ValueError(f"a border of {border} leaves nothing of {first.shape}")
    return slice(border, first.shape[0] - border), slice(border, first.shape[1] - border)


def radial_power(plane: Floats) -> tuple[Floats, Floats]:
    """A plane's power at each frequency, averaged over all directions.

    The mean is subtracted and a Hann window applied, so that opposite edges, which the transform joins, make no
    structure of their own.

    Returns:
        Frequencies in cycles per pixel, from 1/S up to 0.5 in steps of 1/S with S the shorter side; their powers.
    """
    height, width = plane.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.fft2((plane - plane.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    side = min(height, width)
    rings = np.rint(radius * side).astype(int).ravel()
    count = side // 2 + 1
    total = np.bincount(rings, power.ravel())[1:count]
    return np.arange(1, count) / side, total / np.bincount(rings)[1:count]


def slope(plane: Floats, low: float, high: float = MAXIMUM_FREQUENCY) -> float:
    """The slope of the radially averaged power over a band of frequencies, both as logarithms: α of power ∝ fᵅ.

    Natural images have about −2 to −3; a blurred one falls faster, noise has 0.

    Args:
        plane: float [H, W], no side shorter than ``MINIMUM_SIDE``.
        low: Where the band begins, in cycles per pixel.
        high: Where it ends.
    """
    if min(plane.shape) < MINIMUM_SIDE:
        raise ValueError(f"a side is shorter than {MINIMUM_SIDE} pixels")
    frequencies, power = radial_power(plane)
    inside = (frequencies >= low) & (frequencies <= high)
    if not power[inside].all():
        raise ValueError("it is flat")
    return float(np.polyfit(np.log(frequencies[inside]), np.log(power[inside]), 1)[0])


class MeanOverImages:
    """The mean of one number per image, with an interval; ``measure`` gives none to leave an image out."""

    def __init__(
        self, measure: Callable[[RestorationExample], Mapping[str, float]], conditions: Mapping[str, Any]
    ) -> None:
        self._measure = measure
        self._values: dict[str, dict[str, float]] = defaultdict(dict)
        self.conditions = conditions

    def update(self, example: RestorationExample, /) -> None:
        try:
            for name, value in self._measure(example).items():
                self._values[name][example.name] = value
        except ValueError as error:
            raise Unsuitable(f"{example.name}: {error}") from None

    def compute(self) -> Mapping[str, Estimate]:
        if not self.count:
            raise Unsuitable("no image is large enough")
        return {name: mean_estimate(values) for name, values in self._values.items()}

    @property
    def count(self) -> int:
        return min((len(values) for values in self._values.values()), default=0)


def _over_luma(measure: Callable[[Floats, Floats], float], conditions: Mapping[str, Any]) -> MeanOverImages:
    """A measure of the Y channels of a result and of the truth."""

    def read(example: RestorationExample) -> Mapping[str, float]:
        truth = luma(example.high)
        return {name: measure(luma(image), truth) for name, image in example.results.items()}

    return MeanOverImages(read, {"channel": "Y of ITU-R BT.601, 16 to 235", **conditions})


def psnr_y(settings: EvaluationSettings) -> MeanOverImages:
    """PSNR as the literature gives it: on the Y channel, a border as wide as the scale left out."""
    border = _scale(settings)

    def measure(image: Floats, truth: Floats) -> float:
        return min(MAXIMUM_DECIBELS, psnr(image, truth, peak=255, border=border))

    return _over_luma(measure, {"border": border, "highest": MAXIMUM_DECIBELS})


def ssim_y(settings: EvaluationSettings) -> MeanOverImages:
    """SSIM on the Y channel, a border as wide as the scale left out."""
    border = _scale(settings)
    conditions = {"border": border, "window": "Gaussian, 11 pixels, sigma 1.5"}
    return _over_luma(partial(ssim, peak=255, border=border), conditions)


def consistency(settings: EvaluationSettings) -> MeanOverImages:
    """PSNR of the result, shrunk again, against the input: does it show what was given?"""
    scale = _scale(settings)

    def measure(example: RestorationExample) -> Mapping[str, float]:
        shrunk = {name: degrade(image, scale).low for name, image in example.results.items()}
        return {name: min(MAXIMUM_DECIBELS, psnr(image, example.low, peak=255)) for name, image in shrunk.items()}

    conditions = {"channel": "RGB", "against": "the input, by the same kernel", "highest": MAXIMUM_DECIBELS}
    return MeanOverImages(measure, conditions)


def spectrum_slope(settings: EvaluationSettings) -> MeanOverImages:
    """How far the slope of the power spectrum is from that of the truth, where the input holds nothing."""
    low = 0.5 / _scale(settings)

    def measure(image: Floats, truth: Floats) -> float:
        return abs(slope(image, low) - slope(truth, low))

    band = f"{low:g} to {MAXIMUM_FREQUENCY:g} cycles per pixel"
    return _over_luma(measure, {"band": band, "window": "Hann", "of": "absolute differences of slopes"})


def pd_lite0(settings: EvaluationSettings) -> MeanOverImages:
    """PD-Lite0: of each image the mean over its patches; images smaller than a patch are left out."""

    def measure(example: RestorationExample) -> Mapping[str, float]:
        features = dict(_features(example, settings))
        truth = features.pop(evaluators.TRUTH, None)
        if truth is None:
            return {}
        return {name: float(evaluators.perceptual_distance(seen, truth).mean()) for name, seen in features.items()}

    of = "strides 4, 8, 16: sum over channels, then mean"
    return MeanOverImages(measure, {"evaluator": _EVALUATOR, **_PATCHES, "of": of})


class PatchFrechetDistance(evaluators.FrechetDistance):
    """FD-Lite0 over all patches of the set, and the floor: the distance between two halves of the real patches."""

    def __init__(self, settings: EvaluationSettings) -> None:
        def pooled(example: RestorationExample) -> Mapping[str, NDArray[np.floating]]:
            return {name: features.pooled for name, features in _features(example, settings).items()}

        super().__init__(pooled, MINIMUM_PATCHES, "patches")

    @property
    def conditions(self) -> Mapping[str, Any]:
        half = self.count // 2
        floor = f"every other real patch against the rest, {self.count - half} against {half}"
        return {"evaluator": _EVALUATOR, **_PATCHES, "count": self.count, "floor": floor}


class ClassifierTwoSampleTest:
    """How well a trained network tells patches from real ones, on images that it was not trained on."""

    def __init__(self, settings: EvaluationSettings) -> None:
        self._settings = settings
        self._patches: dict[str, dict[str, Pixels]] = defaultdict(dict)
        steps, batch = evaluators.C2ST_STEPS, evaluators.C2ST_BATCH
        self.conditions = {
            "patch": evaluators.C2ST_SIDE,
            "stride": evaluators.C2ST_SIDE,
            "taught": f"{steps} steps of {batch} patches of every other image, asked about the rest",
            "seed": settings.seed,
            "chance": 0.5,
        }

    def update(self, example: RestorationExample, /) -> None:
        for name, image in {evaluators.TRUTH: example.high, **example.results}.items():
            patches = evaluators.patches(image, evaluators.C2ST_SIDE, evaluators.C2ST_SIDE)
            if len(patches):
                self._patches[name][example.name] = patches

    def compute(self) -> Mapping[str, Estimate]:
        real = self._patches.pop(evaluators.TRUTH, {})
        if len(real) < MINIMUM_IMAGES:
            raise Unsuitable(f"it needs {MINIMUM_IMAGES} images or more")
        seed, device = self._settings.seed, self._settings.device
        return {
            name: mean_estimate(evaluators.held_out_accuracy(real, fake, seed=seed, device=device))
            for name, fake in self._patches.items()
        }

    @property
    def count(self) -> int:
        return max((len(images) // 2 for images in self._patches.values()), default=0)


def _features(example: RestorationExample, settings: EvaluationSettings) -> Mapping[str, PatchFeatures]:
    """The features of an example's patches, once for all metrics; none if the image is smaller than a patch."""
    if "features" not in example.shared:
        images = {evaluators.TRUTH: example.high, **example.results}
        cut = {name: evaluators.patches(image) for name, image in images.items()}
        if not len(cut[evaluators.TRUTH]):
            cut = {}
        found = {name: evaluators.patch_features(settings.lite0, patches) for name, patches in cut.items()}
        example.shared["features"] = found
    features: Mapping[str, PatchFeatures] = example.shared["features"]
    return features


def _scale(settings: EvaluationSettings) -> int:
    return settings.facts.require(ImageGeneratorFacts).output.scale
