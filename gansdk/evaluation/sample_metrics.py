"""The metrics of samples: whether their codes can be read back from them, and how they compare with real images."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.stacked import stack_images
from gansdk.errors import InputError
from gansdk.evaluation.codes import named_code, recovered_codes
from gansdk.evaluation.evaluators import FEATURES, SHAPE, evaluator_for, frechet_distance, pooled_features
from gansdk.evaluation.protocol import MODEL, SEED, SampleSet, Unsuitable
from gansdk.evaluation.record import Estimate, normal_mean_estimate, proportion_estimate
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.models.latents import draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.data.stacked import StackedImages
    from gansdk.evaluation.evaluators import EvaluatorNetwork, Predictions
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.model.facts import ImageSpec
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Categorical
    from gansdk.models.latents import Latent

    Pixels = NDArray[np.uint8]


CHUNK = 500
"""Samples that are made at a time."""

_CHUNK_BYTES = 2**27
"""Of these samples; of large images there are fewer."""

LITE0_MINIMUM = 2 * 1280
"""Images: twice as many as EfficientNet-Lite0 has features, so that both halves of the floor can fill a covariance."""

REAL = "real"
_DRAWN = "drawn from the distributions of the latent's variables"


def generate(model: Model, latent: Latent) -> Pixels:
    """Samples as a user gets them, uint8 [N, H, W, C]."""
    import torch

    from gansdk.models.context import Context
    from gansdk.models.directions import render

    generator, facts = model.require(LatentGeneratorFacts)
    with torch.inference_mode():
        return render(generator, facts, latent, Context())


def encode(model: Model, images: Pixels) -> dict[str, NDArray[np.float32]]:
    """What a model's encoder gives for images, by variable, [N, …].

    Args:
        model: One with an encoder.
        images: uint8 [N, H, W, C], of the size and channels that it takes.
    """
    import torch

    if model.encoder is None:
        raise TypeError("the model has no encoder")
    with torch.inference_mode():
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255
        return {name: numbers.float().cpu().numpy() for name, numbers in model.encoder.encode(pixels).items()}


def require_samples(data: Dataset) -> None:
    """Refuses what a user gives where samples are drawn.

    Raises:
        Unsuitable: If the data are not samples to draw.
    """
    if not isinstance(data, SampleSet):
        raise Unsuitable("it is measured on samples, without data")


def images_like(image: ImageSpec, data: Dataset) -> StackedImages:
    """All images of a data set in one array.

    Raises:
        Unsuitable: If they are not images, or not of this size.
    """
    if image.channels not in (1, 3):
        raise Unsuitable(f"no data set has images of {image.channels} channels")
    try:
        return stack_images(data, size=(image.height, image.width), channels=1 if image.channels == 1 else 3)
    except InputError as error:
        raise Unsuitable(error.message) from None


@dataclass(frozen=True)
class SamplingExample:
    """One latent, and what each model's encoder reads from the image that its generator makes of it.

    Attributes:
        chosen: The category of each code in the latent.
        read: By the model's name and code, probabilities [k].
    """

    chosen: Mapping[str, int]
    read: Mapping[str, Mapping[str, NDArray[np.float32]]]


class SamplingProtocol:
    """Makes one example of each sample.

    Args:
        models: By name; all have the same latent.
        settings: What the model declares, and where it computes.
    """

    def __init__(self, models: Mapping[str, Model], settings: EvaluationSettings) -> None:
        self._models = models
        self._source = settings.facts.require(LatentGeneratorFacts).source
        self._codes = recovered_codes(settings.facts)

    def conditions(self, _data: Dataset, /) -> Mapping[str, Any]:
        return {"samples": _DRAWN, "seed": SEED, "read": "off the 8-bit image"}

    def examples(self, data: Dataset, /) -> Iterator[SamplingExample]:
        require_samples(data)
        for start in range(0, len(data), CHUNK):
            indices = range(start, min(start + CHUNK, len(data)))
            latent = draw(self._source, SEED, indices)
            read = {name: encode(model, generate(model, latent)) for name, model in self._models.items()}
            for at in range(len(indices)):
                chosen = {code.name: int(latent[code.name][at]) for code in self._codes}
                found = {name: {code: numbers[code][at] for code in chosen} for name, numbers in read.items()}
                yield SamplingExample(chosen, found)


class CodeInformation:
    """E[log Q(c|x)] + H(c) of the categorical codes together: how much of them the samples tell, in nats.

    It is the bound on their mutual information of Chen et al. 2016, equation 5, and at most the sum of their ln k.
    """

    def __init__(self, settings: EvaluationSettings) -> None:
        self._codes = recovered_codes(settings.facts)
        self._values: dict[str, list[float]] = defaultdict(list)

    def update(self, example: SamplingExample, /) -> None:
        for name, read in example.read.items():
            terms = (_log(read[code.name][example.chosen[code.name]]) + np.log(code.k) for code in self._codes)
            self._values[name].append(float(sum(terms)))

    def compute(self) -> Mapping[str, Estimate]:
        entropy = float(sum(np.log(code.k) for code in self._codes))
        estimates = {name: normal_mean_estimate(np.array(values)) for name, values in self._values.items()}
        return {**estimates, "at most": Estimate(value=entropy)}

    @property
    def count(self) -> int:
        return len(self._values[MODEL])

    @property
    def conditions(self) -> Mapping[str, Any]:
        return {"codes": _names(self._codes), "Q": "the model's own encoder; a baseline's own for the baseline"}


class CodeRecovery:
    """How often the category that the encoder finds likeliest is that of the latent."""

    def __init__(self, settings: EvaluationSettings) -> None:
        self._codes = recovered_codes(settings.facts)
        self._correct: dict[str, int] = defaultdict(int)
        self._total = 0

    def update(self, example: SamplingExample, /) -> None:
        self._total += len(self._codes)
        for name, read in example.read.items():
            self._correct[name] += sum(int(read[code].argmax()) == chosen for code, chosen in example.chosen.items())

    def compute(self) -> Mapping[str, Estimate]:
        estimates = {name: proportion_estimate(correct, self._total) for name, correct in self._correct.items()}
        return {**estimates, "chance": Estimate(value=float(np.mean([1 / code.k for code in self._codes])))}

    @property
    def count(self) -> int:
        return self._total // max(1, len(self._codes))

    @property
    def conditions(self) -> Mapping[str, Any]:
        return {"codes": _names(self._codes)}


def _log(probability: np.floating[Any]) -> float:
    """Of a float32 that may have underflowed to 0, which counts as the smallest normal number."""
    return float(np.log(max(float(probability), float(np.finfo(np.float32).tiny))))


def _names(codes: Sequence[Categorical]) -> str:
    return ", ".join(code.name for code in codes)


@dataclass(frozen=True)
class SampleFeaturesExample:
    """A real image and, of each model, a sample, in an evaluator's features; they have nothing else in common.

    Attributes:
        features: By the model's name, or ``real``, float [D].
    """

    features: Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True)
class SampleQualityExample(SampleFeaturesExample):
    """The same in the eyes of a classifier.

    Attributes:
        evaluator: The classifier.
        chosen: By the model's name, the label of its sample's category; none where it has none.
        predicted: By the model's name, the class that the classifier finds likeliest.
    """

    evaluator: EvaluatorNetwork
    chosen: Mapping[str, str]
    predicted: Mapping[str, str]


class SampleFeaturesProtocol:
    """Makes one example of each real image, by EfficientNet-Lite0, for images of any size.

    Args:
        models: By name; all have the same latent.
        settings: What the model declares, and where it computes.
    """

    def __init__(self, models: Mapping[str, Model], settings: EvaluationSettings) -> None:
        self._models, self._settings = models, settings
        self._facts = settings.facts.require(LatentGeneratorFacts)

    def conditions(self, data: Dataset, /) -> Mapping[str, Any]:
        return {
            "evaluator": "EfficientNet-Lite0",
            "resize": "none",
            "samples": f"{len(data)}, {_DRAWN}",
            "seed": SEED,
        }

    def examples(self, data: Dataset, /) -> Iterator[SampleFeaturesExample]:
        for real, _, samples in self._chunks(data):
            images = {REAL: real, **samples}
            features = {name: pooled_features(self._settings.lite0, pixels) for name, pixels in images.items()}
            for at in range(len(real)):
                yield SampleFeaturesExample({name: rows[at] for name, rows in features.items()})

    def _chunks(self, data: Dataset) -> Iterator[tuple[Pixels, Latent, Mapping[str, Pixels]]]:
        """Real images, as many latents, and each model's samples of them."""
        images = images_like(self._facts.output, data).images
        size = max(1, min(CHUNK, _CHUNK_BYTES // images[0].size))
        for start in range(0, len(images), size):
            real = images[start : start + size]
            latent = draw(self._facts.source, SEED, range(start, start + len(real)))
            yield real, latent, {name: generate(model, latent) for name, model in self._models.items()}


class SampleQualityProtocol(SampleFeaturesProtocol):
    """Makes one example of each real image, by the classifier of the data set."""

    def conditions(self, data: Dataset, /) -> Mapping[str, Any]:
        evaluator = evaluator_for(data, self._settings.device)
        accuracy = (
            f"that of {evaluator.name}, right on {evaluator.accuracy:.2%} of its {evaluator.count} test images"
            if evaluator
            else ""
        )
        return {"evaluator": accuracy, "samples": f"{len(data)}, {_DRAWN}", "seed": SEED}

    def examples(self, data: Dataset, /) -> Iterator[SampleQualityExample]:
        evaluator = evaluator_for(data, self._settings.device)
        if evaluator is None:
            raise Unsuitable("there is no evaluator of such data")
        image = self._facts.output
        if (image.height, image.width, image.channels) != SHAPE:
            raise Unsuitable(f"its samples are not of the evaluator's {SHAPE[1]}x{SHAPE[0]} grey pixels")
        codes = {name: named_code(model.facts) for name, model in self._models.items()}
        for real, latent, samples in self._chunks(data):
            real_features = evaluator.predict(real).features
            predictions = {name: evaluator.predict(pixels) for name, pixels in samples.items()}
            for at in range(len(real)):
                yield SampleQualityExample(
                    features={REAL: real_features[at], **{name: p.features[at] for name, p in predictions.items()}},
                    evaluator=evaluator,
                    chosen={name: code.label(int(latent[code.name][at])) for name, code in codes.items() if code},
                    predicted={name: _label(evaluator, found, at) for name, found in predictions.items()},
                )


def _label(evaluator: EvaluatorNetwork, predictions: Predictions, at: int) -> str:
    return evaluator.classes[int(predictions.probabilities[at].argmax())]


class SampleFrechetDistance:
    """The distance of samples from real images in an evaluator's features, and that between halves of the real ones.

    Args:
        minimum: How many images it needs.
        features: Which features, for the record.
    """

    def __init__(self, minimum: int, features: str) -> None:
        self._minimum = minimum
        self.conditions = {"features": features, "floor": "every other real image, the rest"}
        self._features: dict[str, list[NDArray[np.floating]]] = defaultdict(list)

    def update(self, example: SampleFeaturesExample, /) -> None:
        for name, features in example.features.items():
            self._features[name].append(features)

    def compute(self) -> Mapping[str, Estimate]:
        if self.count < self._minimum:
            raise Unsuitable(f"it needs {self._minimum} images or more")
        features = {name: np.stack(rows) for name, rows in self._features.items()}
        real = features.pop(REAL)
        distances = {name: frechet_distance(fake, real) for name, fake in features.items()}
        distances["floor"] = frechet_distance(real[0::2], real[1::2])
        return {name: Estimate(value=distance) for name, distance in distances.items()}

    @property
    def count(self) -> int:
        return len(self._features[REAL])


def fd_classifier(_settings: EvaluationSettings) -> SampleFrechetDistance:
    """In the features of the data set's classifier."""
    return SampleFrechetDistance(4 * FEATURES, "the evaluator's last layer before its logits")


def fd_lite0_samples(_settings: EvaluationSettings) -> SampleFrechetDistance:
    """In the features of EfficientNet-Lite0."""
    return SampleFrechetDistance(LITE0_MINIMUM, "the evaluator's last layer before its logits, averaged over positions")


class CodeFidelity:
    """How often the classifier takes a sample for what its category's label says."""

    def __init__(self, settings: EvaluationSettings) -> None:
        code = named_code(settings.facts)
        self._labels = code.labels if code is not None else ()
        self._correct: dict[str, int] = defaultdict(int)
        self.count = 0

    def update(self, example: SampleQualityExample, /) -> None:
        if not set(self._labels) <= set(example.evaluator.classes):
            raise Unsuitable("its categories are called otherwise than the evaluator's classes")
        self.count += 1
        for name, label in example.chosen.items():
            self._correct[name] += example.predicted[name] == label

    def compute(self) -> Mapping[str, Estimate]:
        if not self.count:
            raise Unsuitable("there are no images")
        return {name: proportion_estimate(correct, self.count) for name, correct in self._correct.items()}

    @property
    def conditions(self) -> Mapping[str, Any]:
        return {"chance": 1 / len(self._labels)}
