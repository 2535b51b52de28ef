"""How samples are tried beside real images: a judge of such images looks at both."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.evaluation.draws import SEED
from gansdk.evaluation.frechet import frechet_distance
from gansdk.evaluation.intervals import share
from gansdk.evaluation.latents.codes import named_code
from gansdk.evaluation.latents.judges import SHAPE, judge_of
from gansdk.evaluation.latents.sampling import CHUNK, generate
from gansdk.evaluation.latents.suiting import suiting_images
from gansdk.evaluation.meters import MODEL, Unsuitable
from gansdk.evaluation.record import Figure
from gansdk.inference.latents import draw
from gansdk.model.facts import LatentGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.latents.judges import Judge, Look
    from gansdk.evaluation.meters import Setting
    from gansdk.inference.latents import Latent
    from gansdk.model.protocols import Model

REAL = "real"


@dataclass(frozen=True)
class Resemblance:
    """A real image and, of each model, a sample, as the judge sees them; they have nothing else in common.

    Attributes:
        judge: Who looked.
        features: By the model's name, or ``real``, float [D].
        asked: By the model's name, the word for what its sample was asked to be; none where it has none.
        seen: By the model's name, the class that the judge takes it for.
    """

    judge: Judge
    features: Mapping[str, NDArray[np.float32]]
    asked: Mapping[str, str]
    seen: Mapping[str, str]


class Resembling:
    """Makes the cases.

    Args:
        models: By name; all start from the same parts.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: Setting) -> None:
        self._models, self._device = models, setting.device
        facts = models[MODEL].facts.generator
        if not isinstance(facts, LatentGeneratorFacts):
            raise TypeError("a model that does not fit was tried")
        self._source, self._image = facts.source, facts.output

    def protocol(self, data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        judge = judge_of(data, self._device)
        said = f"that of {judge.name}, right on {judge.accuracy:.2%} of its {judge.count} test images" if judge else ""
        return {"judge": said, "samples": f"{len(data)}, drawn by the laws of the latent's parts", "seed": SEED}

    def cases(self, data: Dataset, /) -> Iterator[Resemblance]:
        """One case per real image.

        Raises:
            Unsuitable: If there is no judge of such data, or the model's samples have another size.
        """
        judge = judge_of(data, self._device)
        if judge is None:
            raise Unsuitable("there is no judge of such data")
        if (self._image.height, self._image.width, self._image.channels) != SHAPE:
            raise Unsuitable(f"its samples are not of the judge's {SHAPE[1]}x{SHAPE[0]} grey pixels")
        images = suiting_images(data, self._image).images
        for start in range(0, len(images), CHUNK):
            real = images[start : start + CHUNK]
            latent = draw(self._source, SEED, range(start, start + len(real)))
            looks = {way: judge.look(generate(model, latent)) for way, model in self._models.items()}
            yield from self._each(judge, judge.look(real), looks, latent)

    def _each(self, judge: Judge, real: Look, looks: Mapping[str, Look], latent: Latent) -> Iterator[Resemblance]:
        codes = {way: named_code(model.facts) for way, model in self._models.items()}
        for at in range(len(real.features)):
            features = {way: look.features[at] for way, look in looks.items()}
            yield Resemblance(
                judge=judge,
                features={REAL: real.features[at], **features},
                asked={way: code.label(int(latent[code.name][at])) for way, code in codes.items() if code},
                seen={way: judge.classes[int(look.probabilities[at].argmax())] for way, look in looks.items()},
            )


class FrechetDistance:
    """How far samples and real images are apart in the judge's features, with the floor of two halves of real ones."""

    def __init__(self, _setting: Setting) -> None:
        self._features: dict[str, list[NDArray[np.float32]]] = defaultdict(list)

    def add(self, case: Resemblance, /) -> None:
        for way, features in case.features.items():
            self._features[way].append(features)

    def result(self) -> Mapping[str, Figure]:
        features = {way: np.stack(each) for way, each in self._features.items()}
        real = features.pop(REAL, np.empty((0, 0), np.float32))
        if len(real) < 4 * real.shape[1]:
            raise Unsuitable(f"it needs {4 * real.shape[1]} images or more")
        figures = {way: Figure(value=frechet_distance(each, real)) for way, each in features.items()}
        return {**figures, "floor": Figure(value=frechet_distance(real[0::2], real[1::2]))}

    @property
    def count(self) -> int:
        return len(self._features[REAL])

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {"features": "the judge's last layer before its logits", "floor": "every other real image, the rest"}


class CodeFidelity:
    """How often the judge takes a sample for what its category is called."""

    def __init__(self, setting: Setting) -> None:
        code = named_code(setting.facts)
        self._labels = code.labels if code is not None else ()
        self._right: dict[str, int] = defaultdict(int)
        self._count = 0

    def add(self, case: Resemblance, /) -> None:
        if not set(self._labels) <= set(case.judge.classes):
            raise Unsuitable("its categories are called otherwise than the judge's classes")
        self._count += 1
        for way, asked in case.asked.items():
            self._right[way] += case.seen[way] == asked

    def result(self) -> Mapping[str, Figure]:
        if not self._count:
            raise Unsuitable("there are no images")
        return {way: share(right, self._count) for way, right in self._right.items()}

    @property
    def count(self) -> int:
        return self._count

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {"chance": 1 / len(self._labels)}
