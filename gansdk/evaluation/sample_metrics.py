"""How a generator from a latent is tried by default: it makes samples, and its encoder reads their codes back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.evaluation.classifiers import SHAPE, evaluator_for
from gansdk.evaluation.codes import named_code, recovered_codes, suiting_images
from gansdk.evaluation.protocol import MODEL, SEED, SampleSet, Unsuitable
from gansdk.evaluation.record import Estimate
from gansdk.evaluation.statistics import frechet_distance, mean_of_many, share
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.models.latents import draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.classifiers import EvaluatorNetwork, Look
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Categorical
    from gansdk.models.latents import Latent


CHUNK = 500
"""Samples that are made at a time."""


def generate(model: Model, latent: Latent) -> NDArray[np.uint8]:
    """Samples as a user gets them, uint8 [N, H, W, C]."""
    import torch

    from gansdk.models.context import Context
    from gansdk.models.directions import latent_generator, render

    generator, facts = latent_generator(model)
    with torch.inference_mode():
        return render(generator, facts, latent, Context())


def encode(model: Model, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """What a model's encoder gives for images, by part, [N, …].

    Args:
        model: One with an encoder.
        images: uint8 [N, H, W, C], of the size and channels that it takes.
    """
    import torch

    if model.encoder is None:
        raise TypeError("a model that does not fit was tried")
    with torch.inference_mode():
        pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255
        return {name: numbers.float().cpu().numpy() for name, numbers in model.encoder.encode(pixels).items()}


@dataclass(frozen=True)
class Sample:
    """One latent, and what each model's encoder reads off the image that its generator makes of it.

    Attributes:
        chosen: The categories that were asked for, by code.
        read: By the model's name and code, probabilities [k].
    """

    chosen: Mapping[str, int]
    read: Mapping[str, Mapping[str, NDArray[np.float32]]]


class SamplingProtocol:
    """Makes the cases.

    Args:
        models: By name; all start from the same parts.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: EvaluationSettings) -> None:
        self._models = models
        facts = models[MODEL].facts.generator
        if not isinstance(facts, LatentGeneratorFacts):
            raise TypeError("a model that does not fit was tried")
        self._source = facts.source
        self._codes = recovered_codes(setting.facts)

    def protocol(self, _data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        return {
            "samples": "drawn by the distributions of the latent's parts",
            "seed": SEED,
            "read": "off the 8-bit image",
        }

    def examples(self, data: Dataset, /) -> Iterator[Sample]:
        """One case per sample.

        Raises:
            Unsuitable: If the data are no samples to be drawn.
        """
        if not isinstance(data, SampleSet):
            raise Unsuitable("it is measured on samples, without data")
        for start in range(0, len(data), CHUNK):
            yield from self._chunk(range(start, min(start + CHUNK, len(data))))

    def _chunk(self, indices: range) -> Iterator[Sample]:
        latent = draw(self._source, SEED, indices)
        read = {way: encode(model, generate(model, latent)) for way, model in self._models.items()}
        for at in range(len(indices)):
            chosen = {code.name: int(latent[code.name][at]) for code in self._codes}
            yield Sample(chosen, {way: {name: given[name][at] for name in chosen} for way, given in read.items()})


class CodeInformation:
    """E[log Q(c|x)] + H(c) of the categorical codes together: how much of them the samples tell, in nats.

    It is the bound on their mutual information of Chen et al. 2016, equation 5, and at most the sum of their ln k.
    """

    def __init__(self, setting: EvaluationSettings) -> None:
        self._codes = recovered_codes(setting.facts)
        self._values: dict[str, list[float]] = defaultdict(list)

    def add(self, example: Sample, /) -> None:
        for way, read in example.read.items():
            told = sum(_log(read[code.name][example.chosen[code.name]]) + np.log(code.k) for code in self._codes)
            self._values[way].append(float(told))

    def result(self) -> Mapping[str, Estimate]:
        entropy = float(sum(np.log(code.k) for code in self._codes))
        figures = {way: mean_of_many(np.array(values)) for way, values in self._values.items()}
        return {**figures, "at most": Estimate(value=entropy)}

    @property
    def count(self) -> int:
        return len(self._values[MODEL])

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {"codes": _names(self._codes), "Q": "the model's own encoder; a baseline's own for the baseline"}


class CodeRecovery:
    """How often the category that the encoder finds likeliest is the one that was asked for."""

    def __init__(self, setting: EvaluationSettings) -> None:
        self._codes = recovered_codes(setting.facts)
        self._right: dict[str, int] = defaultdict(int)
        self._asked = 0

    def add(self, example: Sample, /) -> None:
        self._asked += len(self._codes)
        for way, read in example.read.items():
            self._right[way] += sum(int(read[name].argmax()) == asked for name, asked in example.chosen.items())

    def result(self) -> Mapping[str, Estimate]:
        figures = {way: share(right, self._asked) for way, right in self._right.items()}
        return {**figures, "chance": Estimate(value=float(np.mean([1 / code.k for code in self._codes])))}

    @property
    def count(self) -> int:
        return self._asked // max(1, len(self._codes))

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {"codes": _names(self._codes)}


def _log(probability: np.floating[Any]) -> float:
    """Of a float32 that may have gone down to 0, which stands for the smallest one that there is."""
    return float(np.log(max(float(probability), float(np.finfo(np.float32).tiny))))


def _names(codes: Sequence[Categorical]) -> str:
    return ", ".join(code.name for code in codes)


REAL = "real"


@dataclass(frozen=True)
class SampleQualityExample:
    """A real image and, of each model, a sample, as the evaluator sees them; they have nothing else in common.

    Attributes:
        evaluator: Who looked.
        features: By the model's name, or ``real``, float [D].
        asked: By the model's name, the word for what its sample was asked to be; none where it has none.
        seen: By the model's name, the class that the evaluator takes it for.
    """

    evaluator: EvaluatorNetwork
    features: Mapping[str, NDArray[np.float32]]
    asked: Mapping[str, str]
    seen: Mapping[str, str]


class SampleQualityProtocol:
    """Makes the cases.

    Args:
        models: By name; all start from the same parts.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: EvaluationSettings) -> None:
        self._models, self._device = models, setting.device
        facts = models[MODEL].facts.generator
        if not isinstance(facts, LatentGeneratorFacts):
            raise TypeError("a model that does not fit was tried")
        self._source, self._image = facts.source, facts.output

    def protocol(self, data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        evaluator = evaluator_for(data, self._device)
        said = (
            f"that of {evaluator.name}, right on {evaluator.accuracy:.2%} of its {evaluator.count} test images"
            if evaluator
            else ""
        )
        return {
            "evaluator": said,
            "samples": f"{len(data)}, drawn by the distributions of the latent's parts",
            "seed": SEED,
        }

    def examples(self, data: Dataset, /) -> Iterator[SampleQualityExample]:
        """One case per real image.

        Raises:
            Unsuitable: If there is no evaluator of such data, or the model's samples have another size.
        """
        evaluator = evaluator_for(data, self._device)
        if evaluator is None:
            raise Unsuitable("there is no evaluator of such data")
        if (self._image.height, self._image.width, self._image.channels) != SHAPE:
            raise Unsuitable(f"its samples are not of the evaluator's {SHAPE[1]}x{SHAPE[0]} grey pixels")
        images = suiting_images(data, self._image).images
        for start in range(0, len(images), CHUNK):
            real = images[start : start + CHUNK]
            latent = draw(self._source, SEED, range(start, start + len(real)))
            looks = {way: evaluator.look(generate(model, latent)) for way, model in self._models.items()}
            yield from self._each(evaluator, evaluator.look(real), looks, latent)

    def _each(
        self, evaluator: EvaluatorNetwork, real: Look, looks: Mapping[str, Look], latent: Latent
    ) -> Iterator[SampleQualityExample]:
        codes = {way: named_code(model.facts) for way, model in self._models.items()}
        for at in range(len(real.features)):
            features = {way: look.features[at] for way, look in looks.items()}
            yield SampleQualityExample(
                evaluator=evaluator,
                features={REAL: real.features[at], **features},
                asked={way: code.label(int(latent[code.name][at])) for way, code in codes.items() if code},
                seen={way: evaluator.classes[int(look.probabilities[at].argmax())] for way, look in looks.items()},
            )


class FrechetDistance:
    """The distance of samples from real images in an evaluator's features, and that between halves of the real ones."""

    def __init__(self, _setting: EvaluationSettings) -> None:
        self._features: dict[str, list[NDArray[np.float32]]] = defaultdict(list)

    def add(self, example: SampleQualityExample, /) -> None:
        for way, features in example.features.items():
            self._features[way].append(features)

    def result(self) -> Mapping[str, Estimate]:
        features = {way: np.stack(each) for way, each in self._features.items()}
        real = features.pop(REAL, np.empty((0, 0), np.float32))
        if len(real) < 4 * real.shape[1]:
            raise Unsuitable(f"it needs {4 * real.shape[1]} images or more")
        figures = {way: Estimate(value=frechet_distance(each, real)) for way, each in features.items()}
        return {**figures, "floor": Estimate(value=frechet_distance(real[0::2], real[1::2]))}

    @property
    def count(self) -> int:
        return len(self._features[REAL])

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {"features": "the evaluator's last layer before its logits", "floor": "every other real image, the rest"}


class CodeFidelity:
    """How often the evaluator takes a sample for what its category is called."""

    def __init__(self, setting: EvaluationSettings) -> None:
        code = named_code(setting.facts)
        self._labels = code.labels if code is not None else ()
        self._right: dict[str, int] = defaultdict(int)
        self._count = 0

    def add(self, example: SampleQualityExample, /) -> None:
        if not set(self._labels) <= set(example.evaluator.classes):
            raise Unsuitable("its categories are called otherwise than the evaluator's classes")
        self._count += 1
        for way, asked in example.asked.items():
            self._right[way] += example.seen[way] == asked

    def result(self) -> Mapping[str, Estimate]:
        if not self._count:
            raise Unsuitable("there are not images")
        return {way: share(right, self._count) for way, right in self._right.items()}

    @property
    def count(self) -> int:
        return self._count

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {"chance": 1 / len(self._labels)}
