"""The metrics of samples: whether their codes can be read back from them, and how they compare with real images."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.stacked import stack_images
from gansdk.errors import InputError
from gansdk.evaluation.codes import named_code, recovered_codes
from gansdk.evaluation.evaluators import (
    FEATURES,
    MINIMUM_FEATURES,
    SHAPE,
    TRUTH,
    FrechetDistance,
    evaluator_for,
    pooled_features,
)
from gansdk.evaluation.protocol import MODEL, SEED, SampleSet, Unsuitable
from gansdk.evaluation.record import Estimate, normal_mean_estimate, proportion_estimate
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.models.latents import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.data.stacked import StackedImages
    from gansdk.evaluation.evaluators import EvaluatorNetwork
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.model.facts import ImageSpec
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Categorical
    from gansdk.models.latents import Latent

    Pixels = NDArray[np.uint8]
    Readings = Mapping[str, Mapping[str, NDArray[np.float32]]]


CHUNK = 500
"""Samples that are made at a time."""

_CHUNK_BYTES = 2**27
"""Of these samples; of large images there are fewer."""

LITE0_MINIMUM = MINIMUM_FEATURES

_TINY = float(np.finfo(np.float32).tiny)
DRAWN = "drawn from the distributions of the latent's variables"


def generate(model: Model, latent: Latent) -> Pixels:
    """Samples as a user gets them, uint8 [N, H, W, C]."""
    import torch

    from gansdk.models.context import Context
    from gansdk.models.directions import render

    generator, facts = model.require(LatentGeneratorFacts)
    with torch.inference_mode():
        return render(generator, facts, latent, Context())


def encode(model: Model, images: Pixels) -> dict[str, NDArray[np.float32]]:
    """What a model's encoder gives, by variable, [N, …], for uint8 [N, H, W, C] of the size that it takes."""
    import torch

    encoder = model.encoder
    if encoder is None:
        raise TypeError("the model has no encoder")
    with torch.inference_mode():
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255
        return {name: numbers.float().cpu().numpy() for name, numbers in encoder.encode(pixels).items()}


def require_samples(data: Dataset) -> None:
    """Refuses what a user gives where samples are drawn."""
    if not isinstance(data, SampleSet):
        raise Unsuitable("it is measured on samples, without data")


def images_like(image: ImageSpec, data: Dataset) -> StackedImages:
    """All images of a data set in one array; unsuitable if they are not images of this size."""
    if image.channels not in (1, 3):
        raise Unsuitable(f"no data set has images of {image.channels} channels")
    try:
        return stack_images(data, size=(image.height, image.width), channels=1 if image.channels == 1 else 3)
    except InputError as error:
        raise Unsuitable(error.message) from None


def readings(
    models: Mapping[str, Model], codes: Iterable[Categorical], images: Mapping[str, Pixels]
) -> Iterator[Readings]:
    """What each model's encoder reads from each of its images, uint8 [N, H, W, C]."""
    read = {name: encode(models[name], pixels) for name, pixels in images.items()}
    for at in range(len(images[MODEL])):
        yield {name: {code.name: numbers[code.name][at] for code in codes} for name, numbers in read.items()}


@dataclass(frozen=True)
class SamplingExample:
    """One latent, and what each model's encoder reads from the image that its generator makes of it.

    Attributes:
        chosen: The category of each code in the latent.
        read: By the model's name and code, probabilities [k].
    """

    chosen: Mapping[str, int]
    read: Readings


class LatentProtocol:
    """A protocol for models that all have the same latent."""

    def __init__(self, models: Mapping[str, Model], settings: EvaluationSettings) -> None:
        self._models, self._settings = models, settings
        self._facts = settings.facts.require(LatentGeneratorFacts)

    def _samples(self, indices: range) -> tuple[Latent, dict[str, Pixels]]:
        """The latents of these indices, and what each model makes of them."""
        latent = draw(self._facts.source, SEED, indices)
        return latent, {name: generate(model, latent) for name, model in self._models.items()}


class SamplingProtocol(LatentProtocol):
    """Makes one example of each sample."""

    def conditions(self, _data: Dataset, /) -> Mapping[str, Any]:
        return {"samples": DRAWN, "seed": SEED, "read": "off the 8-bit image"}

    def examples(self, data: Dataset, /) -> Iterator[SamplingExample]:
        require_samples(data)
        codes = recovered_codes(self._settings.facts)
        for start in range(0, len(data), CHUNK):
            latent, samples = self._samples(range(start, min(start + CHUNK, len(data))))
            for at, read in enumerate(readings(self._models, codes, samples)):
                yield SamplingExample({code.name: int(latent[code.name][at]) for code in codes}, read)


class CodeInformation:
    """E[log Q(c|x)] + H(c) of the categorical codes together: how much of them the samples tell, in nats.

    It is the bound on their mutual information of Chen et al. 2016, equation 5, and at most the sum of their ln k.
    """

    def __init__(self, settings: EvaluationSettings) -> None:
        self._codes = recovered_codes(settings.facts)
        self._values: dict[str, list[float]] = defaultdict(list)
        codes = ", ".join(code.name for code in self._codes)
        self.conditions = {"codes": codes, "Q": "the model's own encoder; a baseline's own for the baseline"}

    def update(self, example: SamplingExample, /) -> None:
        for name, read in example.read.items():
            # A float32 that has underflowed to 0 counts as the smallest normal number.
            chosen = [max(float(read[code.name][example.chosen[code.name]]), _TINY) for code in self._codes]
            terms = (np.log(value) + np.log(code.k) for value, code in zip(chosen, self._codes, strict=True))
            self._values[name].append(float(sum(terms)))

    def compute(self) -> Mapping[str, Estimate]:
        entropy = float(sum(np.log(code.k) for code in self._codes))
        estimates = {name: normal_mean_estimate(np.array(values)) for name, values in self._values.items()}
        return {**estimates, "at most": Estimate(value=entropy)}

    @property
    def count(self) -> int:
        return len(self._values[MODEL])


class CodeRecovery:
    """How often the category that the encoder finds likeliest is that of the latent."""

    def __init__(self, settings: EvaluationSettings) -> None:
        self._codes = recovered_codes(settings.facts)
        self.conditions = {"codes": ", ".join(code.name for code in self._codes)}
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


@dataclass(frozen=True)
class SampleFeaturesExample:
    """A real image and a sample of each model, by its name or ``truth``, in an evaluator's features, float [D]."""

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


class SampleFeaturesProtocol(LatentProtocol):
    """Makes one example of each real image, by EfficientNet-Lite0, for images of any size."""

    def conditions(self, data: Dataset, /) -> Mapping[str, Any]:
        samples = f"{len(data)}, {DRAWN}"
        return {"evaluator": "EfficientNet-Lite0", "resize": "none", "samples": samples, "seed": SEED}

    def examples(self, data: Dataset, /) -> Iterator[SampleFeaturesExample]:
        for real, _, samples in self._chunks(data):
            images = {TRUTH: real, **samples}
            features = {name: pooled_features(self._settings.lite0, pixels) for name, pixels in images.items()}
            for at in range(len(real)):
                yield SampleFeaturesExample({name: rows[at] for name, rows in features.items()})

    def _chunks(self, data: Dataset) -> Iterator[tuple[Pixels, Latent, Mapping[str, Pixels]]]:
        """Real images, as many latents, and each model's samples of them."""
        images = images_like(self._facts.output, data).images
        size = max(1, min(CHUNK, _CHUNK_BYTES // images[0].size))
        for start in range(0, len(images), size):
            real = images[start : start + size]
            yield real, *self._samples(range(start, start + len(real)))


class SampleQualityProtocol(SampleFeaturesProtocol):
    """Makes one example of each real image, by the classifier of the data set."""

    def conditions(self, data: Dataset, /) -> Mapping[str, Any]:
        text = ""
        if evaluator := evaluator_for(data, self._settings.device):
            text = f"that of {evaluator.name}, right on {evaluator.accuracy:.2%} of its {evaluator.count} test images"
        return {"evaluator": text, "samples": f"{len(data)}, {DRAWN}", "seed": SEED}

    def examples(self, data: Dataset, /) -> Iterator[SampleQualityExample]:
        evaluator = evaluator_for(data, self._settings.device)
        if evaluator is None:
            raise Unsuitable("there is no evaluator of such data")
        image = self._facts.output
        if (image.height, image.width, image.channels) != SHAPE:
            raise Unsuitable(f"its samples are not of the evaluator's {SHAPE[1]}x{SHAPE[0]} grey pixels")
        codes = {name: named_code(model.facts) for name, model in self._models.items()}
        for real, latent, samples in self._chunks(data):
            predictions = {name: evaluator.predict(pixels) for name, pixels in samples.items()}
            features = {TRUTH: evaluator.predict(real).features}
            features |= {name: found.features for name, found in predictions.items()}
            likeliest = {name: found.probabilities.argmax(axis=1) for name, found in predictions.items()}
            for at in range(len(real)):
                yield SampleQualityExample(
                    features={name: rows[at] for name, rows in features.items()},
                    evaluator=evaluator,
                    chosen={name: code.label(int(latent[code.name][at])) for name, code in codes.items() if code},
                    predicted={name: evaluator.classes[rows[at]] for name, rows in likeliest.items()},
                )


class SampleFrechetDistance(FrechetDistance):
    """The Fréchet distance of samples from real images in an evaluator's features, named for the record."""

    def __init__(self, minimum: int, features: str) -> None:
        def rows(example: SampleFeaturesExample) -> Mapping[str, NDArray[np.floating]]:
            return {name: row[None] for name, row in example.features.items()}

        super().__init__(rows, minimum, "images")
        self.conditions = {"features": features, "floor": "every other real image, the rest"}


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
        self.conditions = {"chance": 1 / max(1, len(self._labels))}
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
