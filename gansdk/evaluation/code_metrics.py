"""How an encoder that finds categories by default is tried: on labelled images that it was not trained on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.stacked import labels_of, match_classes
from gansdk.errors import InputError
from gansdk.evaluation.codes import INK, PROPERTIES, read_codes, suiting_images, swept_codes
from gansdk.evaluation.protocol import MODEL, SEED, SampleSet, Unsuitable
from gansdk.evaluation.record import Estimate
from gansdk.evaluation.sample_metrics import CHUNK, encode, generate
from gansdk.evaluation.statistics import share
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.models.latents import draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Categorical


@dataclass(frozen=True)
class ClusteringExample:
    """One labelled image.

    Attributes:
        label: Its class.
        classes: What classes are called.
        read: By the model's name, the probabilities [k] of each categorical code.
    """

    label: int
    classes: tuple[str, ...]
    read: Mapping[str, Mapping[str, NDArray[np.float32]]]


class ClusteringProtocol:
    """Makes the cases.

    Args:
        models: By name; all take the same images.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: EvaluationSettings) -> None:
        self._models = models
        facts = models[MODEL].facts.encoder
        if facts is None:
            raise TypeError("a model that does not fit was tried")
        self._image, self._codes = facts.data, read_codes(setting.facts)

    def protocol(self, _data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        return {"images": f"{self._image.width}x{self._image.height}, as they are"}

    def examples(self, data: Dataset, /) -> Iterator[ClusteringExample]:
        """One case per image.

        Raises:
            Unsuitable: If the data are no labelled images of the model's size.
        """
        try:
            labels = labels_of(data)
        except InputError as error:
            raise Unsuitable(error.message) from None
        images = suiting_images(data, self._image).images
        for start in range(0, len(images), CHUNK):
            chunk = images[start : start + CHUNK]
            read = {way: encode(model, chunk) for way, model in self._models.items()}
            for at in range(len(chunk)):
                given = {way: {one.name: each[one.name][at] for one in self._codes} for way, each in read.items()}
                yield ClusteringExample(int(labels.indices[start + at]), labels.classes, given)


class ClusteringAccuracy:
    """How many images the category that the encoder finds likeliest tells right.

    Categories were found without labels and are in no order: each is matched with a class, no two with the same one,
    such that most images agree. Beside it: the same where each category means what the model's own word for it says.
    """

    def __init__(self, setting: EvaluationSettings) -> None:
        self._candidates = read_codes(setting.facts)
        self._code: Categorical | None = None
        self._classes: tuple[str, ...] = ()
        self._chosen: dict[str, list[int]] = defaultdict(list)
        self._true: list[int] = []

    def add(self, example: ClusteringExample, /) -> None:
        if self._code is None:
            self._classes = example.classes
            self._code = next((one for one in self._candidates if one.k == len(self._classes)), None)
            if self._code is None:
                raise Unsuitable(f"no code has {len(self._classes)} values, one for each class")
        self._true.append(example.label)
        for way, read in example.read.items():
            self._chosen[way].append(int(read[self._code.name].argmax()))

    def result(self) -> Mapping[str, Estimate]:
        if self._code is None:
            raise Unsuitable("there are not images")
        true = np.array(self._true)
        figures = {}
        for way, chosen in self._chosen.items():
            classes = np.array(match_classes(np.array(chosen), true, self._code.k))
            figures[way] = share(int((classes[chosen] == true).sum()), len(true))
        if set(self._code.labels) == set(self._classes):
            named = np.array([self._classes.index(word) for word in self._code.labels])
            figures["by its own words"] = Estimate(value=float((named[self._chosen[MODEL]] == true).mean()))
        return figures

    @property
    def count(self) -> int:
        return len(self._true)

    @property
    def protocol(self) -> Mapping[str, Any]:
        matched = "categories to classes one to one, on these images (Hungarian method)"
        return {"code": self._code.name if self._code is not None else "", "matched": matched}


STEPS = 21
"""Images of a sweep."""

_FEWEST = 5  # images of a sweep in which a property can be measured at all


@dataclass(frozen=True)
class TraversalExample:
    """One latent, of which each continuous number is swept by default.

    Attributes:
        correlations: By the model's name, then by number and property: Spearman's, 0 where there is none.
    """

    correlations: Mapping[str, Mapping[tuple[str, str], float]]


class TraversalProtocol:
    """Makes the cases.

    Args:
        models: By name; all start from the same parts.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: EvaluationSettings) -> None:
        self._models = models
        facts = models[MODEL].facts
        if not isinstance(facts.generator, LatentGeneratorFacts):
            raise TypeError("a model that does not fit was tried")
        self._source, self._swept = facts.generator.source, swept_codes(setting.facts)

    def protocol(self, _data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        return {
            "latents": "drawn by the distributions of the latent's parts",
            "seed": SEED,
            "sweeps": "; ".join("{} from {:g} to {:g}".format(one.name, *one.variable.swept) for one in self._swept),
            "steps": STEPS,
        }

    def examples(self, data: Dataset, /) -> Iterator[TraversalExample]:
        """One case per latent.

        Raises:
            Unsuitable: If the data are no samples to be drawn.
        """
        if not isinstance(data, SampleSet):
            raise Unsuitable("it is measured on samples, without data")
        for index in range(len(data)):
            yield TraversalExample({way: self._follow(model, index) for way, model in self._models.items()})

    def _follow(self, model: Model, index: int) -> dict[tuple[str, str], float]:
        found = {}
        for one in self._swept:
            latent = draw(self._source, SEED, [index] * STEPS)
            values = np.linspace(*one.variable.swept, STEPS, dtype=np.float32)
            latent[one.variable.name][:, one.at] = values
            images = generate(model, latent).mean(axis=3) / 255
            for name, measure in PROPERTIES.items():
                found[one.name, name] = _spearman(values, np.array([measure(each) for each in images]))
        return found


def _spearman(values: NDArray[np.float32], measured: NDArray[np.float64]) -> float:
    """The rank correlation, over the images that could be measured; 0 where nothing moves."""
    from scipy.stats import spearmanr

    usable = np.isfinite(measured)
    if usable.sum() < _FEWEST or np.ptp(measured[usable]) == 0:
        return 0.0
    return float(spearmanr(values[usable], measured[usable]).statistic)


class CodeEffect:
    """How surely each continuous number moves a property: the least of them, by the property that it moves most.

    What counts is the mean of the correlations over all sweeps with their signs, so a code that leans some images to
    the left and others to the right moves nothing.
    """

    def __init__(self, _setting: EvaluationSettings) -> None:
        self._found: dict[str, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, example: TraversalExample, /) -> None:
        for way, correlations in example.correlations.items():
            for pair, value in correlations.items():
                self._found[way][pair].append(value)

    def result(self) -> Mapping[str, Estimate]:
        return {way: Estimate(value=min(_most(means).values())) for way, means in self._means().items()}

    @property
    def count(self) -> int:
        return min((len(values) for values in self._found[MODEL].values()), default=0)

    @property
    def protocol(self) -> Mapping[str, Any]:
        said = {way: _said(means) for way, means in self._means().items()}
        return {"of": f"mean Spearman correlation within a sweep; strokes are {INK:g} of the brightest", **said}

    def _means(self) -> dict[str, dict[tuple[str, str], float]]:
        return {
            way: {pair: float(np.mean(values)) for pair, values in found.items()} for way, found in self._found.items()
        }


def _most(means: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """By number, the largest of its correlations, without the sign."""
    found: dict[str, float] = defaultdict(float)
    for (number, _), value in means.items():
        found[number] = max(found[number], abs(value))
    return found


def _said(means: Mapping[tuple[str, str], float]) -> str:
    """As in ``style.0: slant +0.95, stroke width -0.10; style.1: …``."""
    words = defaultdict(list)
    for (number, name), value in means.items():
        words[number].append(f"{name} {value:+.2f}")
    return "; ".join(f"{number}: {', '.join(each)}" for number, each in words.items())
