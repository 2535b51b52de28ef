"""The meters of restored images: how near they are to the true ones, to the input, and to what images are like."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.degradation import degrade
from gansdk.evaluation import image_metrics, perceptual
from gansdk.evaluation.image_metrics import luma, psnr, ssim
from gansdk.evaluation.protocol import Unsuitable
from gansdk.evaluation.record import Estimate
from gansdk.evaluation.statistics import figure, frechet_distance
from gansdk.model.facts import ImageGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gansdk.evaluation.perceptual import Seen
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.evaluation.restoration import Example

    Pixels = NDArray[np.uint8]


HIGHEST = 100.0
"""What stands for a flawless image's infinite decibels, which neither a mean nor JSON can hold."""

MINIMUM_PATCHES = 2 * 1280
"""Twice as many as the evaluator has features, so that both halves of the floor can fill a covariance."""

MINIMUM_IMAGES = 20
"""To be told apart: half of them teach, half are asked about."""

_Y = "Y of ITU-R BT.601, 16 to 235"


class PerImage:
    """One number per image: its mean, its interval."""

    def __init__(self, measure: Callable[[Pixels, Example], float], protocol: Mapping[str, Any]) -> None:
        self._measure = measure
        self._values: dict[str, dict[str, float]] = defaultdict(dict)
        self.protocol = protocol

    def add(self, example: Example, /) -> None:
        for way, result in example.results.items():
            try:
                self._values[way][example.name] = self._measure(result, example)
            except ValueError as error:
                raise Unsuitable(f"{example.name}: {error}") from None

    def result(self) -> Mapping[str, Estimate]:
        if not self.count:
            raise Unsuitable("there is not an image large enough")
        return {way: figure(values) for way, values in self._values.items()}

    @property
    def count(self) -> int:
        return min((len(values) for values in self._values.values()), default=0)


def psnr_y(setting: EvaluationSettings) -> PerImage:
    """PSNR as the literature gives it: on the Y channel, a rim as wide as the scale left out."""
    border = _scale(setting)

    def measure(result: Pixels, example: Example) -> float:
        return min(HIGHEST, psnr(luma(result), luma(example.high), peak=255, border=border))

    return PerImage(measure, {"channel": _Y, "border": border, "highest": HIGHEST})


def ssim_y(setting: EvaluationSettings) -> PerImage:
    """SSIM on the Y channel, a rim as wide as the scale left out."""
    border = _scale(setting)

    def measure(result: Pixels, example: Example) -> float:
        return ssim(luma(result), luma(example.high), peak=255, border=border)

    return PerImage(measure, {"channel": _Y, "border": border, "window": "Gaussian, 11 pixels, sigma 1.5"})


def consistency(setting: EvaluationSettings) -> PerImage:
    """PSNR of the result, shrunk again, against the input: does it show what was given?"""
    scale = _scale(setting)

    def measure(result: Pixels, example: Example) -> float:
        return min(HIGHEST, psnr(degrade(result, scale).low, example.low, peak=255))

    return PerImage(measure, {"channel": "RGB", "against": "the input, by the same kernel", "highest": HIGHEST})


def spectrum_slope(setting: EvaluationSettings) -> PerImage:
    """How far the slope of the power spectrum is from that of the truth, where the input holds nothing."""
    low = 0.5 / _scale(setting)

    def measure(result: Pixels, example: Example) -> float:
        if "slope" not in example.shared:
            example.shared["slope"] = image_metrics.slope(luma(example.high), low)
        return abs(image_metrics.slope(luma(result), low) - float(example.shared["slope"]))

    band = f"{low:g} to {image_metrics.HIGHEST:g} cycles per pixel"
    return PerImage(measure, {"channel": _Y, "band": band, "window": "Hann", "of": "absolute differences of slopes"})


class FeatureDistance(PerImage):
    """PD-Lite0: an image's is the mean over its patches; images smaller than a patch are passed over."""

    def __init__(self, setting: EvaluationSettings) -> None:
        super().__init__(
            _unused, {"evaluator": _EVALUATOR, **_PATCHES, "of": "strides 4, 8, 16: sum over channels, then mean"}
        )
        self._setting = setting

    def add(self, example: Example, /) -> None:
        looks = _looks(example, self._setting)
        if looks is None:
            return
        for way in example.results:
            distances = perceptual.feature_distance(looks[way], looks[_TRUTH])
            self._values[way][example.name] = float(np.mean(distances))


class PatchFrechetDistance:
    """FD-Lite0 over all patches of the set, with the floor that as many real patches have in two halves."""

    def __init__(self, setting: EvaluationSettings) -> None:
        self._setting = setting
        self._features: dict[str, list[NDArray[np.floating]]] = defaultdict(list)

    def add(self, example: Example, /) -> None:
        for way, seen in (_looks(example, self._setting) or {}).items():
            self._features[way].append(seen.pooled)

    def result(self) -> Mapping[str, Estimate]:
        if self.count < MINIMUM_PATCHES:
            raise Unsuitable(f"it needs {MINIMUM_PATCHES} patches or more")
        features = {way: np.concatenate(parts) for way, parts in self._features.items()}
        real = features.pop(_TRUTH)
        figures = {way: Estimate(value=frechet_distance(each, real)) for way, each in features.items()}
        return {**figures, "floor": Estimate(value=frechet_distance(real[0::2], real[1::2]))}

    @property
    def count(self) -> int:
        return sum(len(part) for part in self._features[_TRUTH])

    @property
    def protocol(self) -> Mapping[str, Any]:
        half = self.count // 2
        floor = f"every other real patch against the rest, {self.count - half} against {half}"
        return {"evaluator": _EVALUATOR, **_PATCHES, "count": self.count, "floor": floor}


class ClassifierTwoSampleTest:
    """How well a network that was taught to tells patches from real ones, on images that it was not taught with."""

    def __init__(self, setting: EvaluationSettings) -> None:
        self._setting = setting
        self._patches: dict[str, dict[str, Pixels]] = defaultdict(dict)

    def add(self, example: Example, /) -> None:
        for way, image in {_TRUTH: example.high, **example.results}.items():
            found = perceptual.patches(image, perceptual.CLASSIFIER_SIDE, perceptual.CLASSIFIER_SIDE)
            if len(found):
                self._patches[way][example.name] = found

    def result(self) -> Mapping[str, Estimate]:
        real = self._patches.pop(_TRUTH, {})
        if len(real) < MINIMUM_IMAGES:
            raise Unsuitable(f"it needs {MINIMUM_IMAGES} images or more")
        seed, device = self._setting.seed, self._setting.device
        each = {
            way: perceptual.held_out_accuracy(real, made, seed=seed, device=device)
            for way, made in self._patches.items()
        }
        return {way: figure(values) for way, values in each.items()}

    @property
    def count(self) -> int:
        return max((len(images) // 2 for images in self._patches.values()), default=0)

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {
            "patch": perceptual.CLASSIFIER_SIDE,
            "stride": perceptual.CLASSIFIER_SIDE,
            "taught": f"{perceptual.STEPS} steps of {perceptual.BATCH} patches of every other image, "
            "asked about the rest",
            "seed": self._setting.seed,
            "chance": 0.5,
        }


_TRUTH = "truth"
_EVALUATOR = "EfficientNet-Lite0"
_PATCHES = {"patch": perceptual.SIDE, "stride": perceptual.STRIDE, "resize": "none"}


def _looks(example: Example, setting: EvaluationSettings) -> Mapping[str, Seen] | None:
    """What the evaluator sees in a case, once for all meters; None where the image is smaller than a patch."""
    if "looks" not in example.shared:
        images = {_TRUTH: example.high, **example.results}
        cut = {way: perceptual.patches(image) for way, image in images.items()}
        large = len(cut[_TRUTH]) > 0
        example.shared["looks"] = (
            {way: perceptual.see(setting.evaluator, one) for way, one in cut.items()} if large else None
        )
    looks: Mapping[str, Seen] | None = example.shared["looks"]
    return looks


def _unused(_result: Pixels, _example: Example) -> float:
    raise TypeError("distances of features are taken for all ways together")


def _scale(setting: EvaluationSettings) -> int:
    generator = setting.facts.generator
    if not isinstance(generator, ImageGeneratorFacts):
        raise TypeError("a model that does not fit was measured")
    return generator.output.scale
