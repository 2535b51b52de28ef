"""The metrics of codes that were found without labels: clustering accuracy, and traversals of continuous codes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.stacked import labels_of, match_classes
from gansdk.errors import InputError
from gansdk.evaluation.codes import read_codes, swept_codes
from gansdk.evaluation.protocol import MODEL, SEED, Unsuitable
from gansdk.evaluation.record import Estimate, proportion_estimate
from gansdk.evaluation.sample_metrics import (
    CHUNK,
    DRAWN,
    LatentProtocol,
    generate,
    images_like,
    readings,
    require_samples,
)
from gansdk.model.facts import EncoderFacts
from gansdk.models.latents import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.evaluation.sample_metrics import Readings
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Categorical

    Grey = NDArray[np.float64]
    Correlations = Mapping[tuple[str, str], float]
    TraversalExample = Mapping[str, Correlations]


@dataclass(frozen=True)
class ClusteringExample:
    """One labelled image.

    Attributes:
        label: Its class.
        classes: The names of all classes.
        read: By the model's name and code, probabilities [k].
    """

    label: int
    classes: tuple[str, ...]
    read: Readings


class ClusteringProtocol:
    """Makes one example of each image, for models that all take the same images."""

    def __init__(self, models: Mapping[str, Model], settings: EvaluationSettings) -> None:
        self._models = models
        self._image, self._codes = models[MODEL].facts.require(EncoderFacts).data, read_codes(settings.facts)

    def conditions(self, _data: Dataset, /) -> Mapping[str, Any]:
        return {"images": f"{self._image.width}x{self._image.height}, as they are"}

    def examples(self, data: Dataset, /) -> Iterator[ClusteringExample]:
        try:
            labels = labels_of(data)
        except InputError as error:
            raise Unsuitable(error.message) from None
        images = images_like(self._image, data).images
        for start in range(0, len(images), CHUNK):
            chunk = dict.fromkeys(self._models, images[start : start + CHUNK])
            for at, read in enumerate(readings(self._models, self._codes, chunk), start):
                yield ClusteringExample(int(labels.indices[at]), labels.classes, read)


class ClusteringAccuracy:
    """How many images fall into the category that is matched with their class.

    Categories were found without labels and are in no order: each is matched with a class, no two with the same one,
    such that most images agree. The reference is the same where each category means what the model's own label for it
    says.
    """

    def __init__(self, settings: EvaluationSettings) -> None:
        self._candidates = read_codes(settings.facts)
        self._code: Categorical | None = None
        self._classes: tuple[str, ...] = ()
        self._chosen: dict[str, list[int]] = defaultdict(list)
        self._true: list[int] = []

    def update(self, example: ClusteringExample, /) -> None:
        if self._code is None:
            self._classes = example.classes
            self._code = next((code for code in self._candidates if code.k == len(self._classes)), None)
            if self._code is None:
                raise Unsuitable(f"no code has {len(self._classes)} values, one for each class")
        self._true.append(example.label)
        for name, read in example.read.items():
            self._chosen[name].append(int(read[self._code.name].argmax()))

    def compute(self) -> Mapping[str, Estimate]:
        if self._code is None:
            raise Unsuitable("there are no images")
        true = np.array(self._true)
        estimates = {}
        for name, chosen in self._chosen.items():
            classes = np.array(match_classes(np.array(chosen), true, self._code.k))
            estimates[name] = proportion_estimate(int((classes[chosen] == true).sum()), len(true))
        if set(self._code.labels) == set(self._classes):
            named = np.array([self._classes.index(label) for label in self._code.labels])
            estimates["by its own words"] = Estimate(value=float((named[self._chosen[MODEL]] == true).mean()))
        return estimates

    @property
    def count(self) -> int:
        return len(self._true)

    @property
    def conditions(self) -> Mapping[str, Any]:
        matched = "categories to classes one to one, on these images (Hungarian method)"
        return {"code": self._code.name if self._code is not None else "", "matched": matched}


INK = 0.5
"""A pixel belongs to a stroke from this share of the brightest pixel's brightness on."""

STEPS = 21
"""Images of a traversal."""

_FAINTEST = 0.05  # brightness of the brightest pixel; in a darker image there is no shape to measure
_FEWEST = 5  # images of a traversal in which a property can be measured at all


def slant(image: Grey) -> float:
    """How far [H, W], 0 dark, leans to the right: pixels to the side for each up, by the moments of brightness."""
    moments = _moments(image)
    return float("nan") if moments is None or moments[1] <= 0 else -moments[2] / moments[1]


def breadth(image: Grey) -> float:
    """The standard deviation of its brightness along the rows, in pixels."""
    moments = _moments(image)
    return float("nan") if moments is None else float(np.sqrt(moments[0]))


def brightness(image: Grey) -> float:
    """The mean over all pixels."""
    return float(image.mean())


def stroke_width(image: Grey) -> float:
    """The area of its strokes for each pixel of their skeleton (Zhang & Suen 1984), in pixels."""
    from skimage.morphology import skeletonize

    if image.max() < _FAINTEST:
        return float("nan")
    ink = image >= INK * image.max()
    skeleton = skeletonize(ink)  # type: ignore[no-untyped-call] # scikit-image types only some of its functions
    return float(ink.sum() / np.sum(skeleton))


PROPERTIES: Mapping[str, Callable[[Grey], float]] = {
    "slant": slant,
    "stroke width": stroke_width,
    "breadth": breadth,
    "brightness": brightness,
}


def _moments(image: Grey) -> tuple[float, float, float] | None:
    """Variances along the rows and the columns, and their covariance, weighted by brightness."""
    total = image.sum()
    if image.max() < _FAINTEST:
        return None
    down, along = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float64)
    down -= (down * image).sum() / total
    along -= (along * image).sum() / total
    products = (along * along, down * down, along * down)
    sideways, upright, both = (float((product * image).sum() / total) for product in products)
    return sideways, upright, both


class TraversalProtocol(LatentProtocol):
    """Makes one example of each latent, of which each continuous number is swept in turn.

    An example holds, by the model's name, then by number and property, Spearman's correlation: 0 where there is none.
    """

    def conditions(self, _data: Dataset, /) -> Mapping[str, Any]:
        codes = swept_codes(self._settings.facts)
        return {
            "latents": DRAWN,
            "seed": SEED,
            "sweeps": "; ".join("{} from {:g} to {:g}".format(code.name, *code.variable.swept) for code in codes),
            "steps": STEPS,
        }

    def examples(self, data: Dataset, /) -> Iterator[TraversalExample]:
        require_samples(data)
        for index in range(len(data)):
            yield {name: self._correlations(model, index) for name, model in self._models.items()}

    def _correlations(self, model: Model, index: int) -> Correlations:
        found = {}
        for code in swept_codes(self._settings.facts):
            latent = draw(self._facts.source, SEED, [index] * STEPS)
            values = np.linspace(*code.variable.swept, STEPS, dtype=np.float32)
            latent[code.variable.name][:, code.at] = values
            images = generate(model, latent).mean(axis=3) / 255
            for name, measure in PROPERTIES.items():
                found[code.name, name] = _spearman(values, np.array([measure(image) for image in images]))
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

    What counts is the mean of the signed correlations over all traversals, so a code that leans some images to the
    left and others to the right moves nothing.
    """

    def __init__(self, _settings: EvaluationSettings) -> None:
        self._found: dict[str, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))

    def update(self, example: TraversalExample, /) -> None:
        for name, correlations in example.items():
            for pair, value in correlations.items():
                self._found[name][pair].append(value)

    def compute(self) -> Mapping[str, Estimate]:
        estimates = {}
        for name, means in self._means().items():
            largest: dict[str, float] = defaultdict(float)
            for (code, _), value in means.items():
                largest[code] = max(largest[code], abs(value))
            estimates[name] = Estimate(value=min(largest.values()))
        return estimates

    @property
    def count(self) -> int:
        return min((len(values) for values in self._found[MODEL].values()), default=0)

    @property
    def conditions(self) -> Mapping[str, Any]:
        """Among them the mean correlations, as ``style.0: slant +0.95, stroke width -0.10; style.1: …``."""
        texts = {}
        for name, means in self._means().items():
            by_code = defaultdict(list)
            for (code, measured), value in means.items():
                by_code[code].append(f"{measured} {value:+.2f}")
            texts[name] = "; ".join(f"{code}: {', '.join(parts)}" for code, parts in by_code.items())
        return {"of": f"mean Spearman correlation within a sweep; strokes are {INK:g} of the brightest", **texts}

    def _means(self) -> dict[str, dict[tuple[str, str], float]]:
        return {
            name: {pair: float(np.mean(values)) for pair, values in found.items()}
            for name, found in self._found.items()
        }
