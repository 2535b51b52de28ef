"""How a generator from a latent is tried by itself: it makes samples, and its encoder reads their codes back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.evaluation.draws import SEED, Draws
from gansdk.evaluation.intervals import mean_of_many, share
from gansdk.evaluation.latents.codes import told_codes
from gansdk.evaluation.meters import MODEL, Unsuitable
from gansdk.evaluation.record import Figure
from gansdk.inference.latents import draw
from gansdk.model.facts import LatentGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.meters import Setting
    from gansdk.inference.latents import Latent
    from gansdk.model.parts import Categorical
    from gansdk.model.protocols import Model

CHUNK = 500
"""Samples that are made at a time."""


def generate(model: Model, latent: Latent) -> NDArray[np.uint8]:
    """Samples as a user gets them, uint8 [N, H, W, C]."""
    import torch

    from gansdk.inference.context import Context
    from gansdk.inference.rendering import latent_generator, render

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
    """One latent, and what each model's encoder reads off the picture that its generator makes of it.

    Attributes:
        chosen: The categories that were asked for, by code.
        read: By the model's name and code, probabilities [k].
    """

    chosen: Mapping[str, int]
    read: Mapping[str, Mapping[str, NDArray[np.float32]]]


class Sampling:
    """Makes the cases.

    Args:
        models: By name; all start from the same parts.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: Setting) -> None:
        self._models = models
        facts = models[MODEL].facts.generator
        if not isinstance(facts, LatentGeneratorFacts):
            raise TypeError("a model that does not fit was tried")
        self._source = facts.source
        self._codes = told_codes(setting.facts)

    def protocol(self, _data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        return {"samples": "drawn by the laws of the latent's parts", "seed": SEED, "read": "off the 8-bit picture"}

    def cases(self, data: Dataset, /) -> Iterator[Sample]:
        """One case per sample.

        Raises:
            Unsuitable: If the data are no samples to be drawn.
        """
        if not isinstance(data, Draws):
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

    def __init__(self, setting: Setting) -> None:
        self._codes = told_codes(setting.facts)
        self._values: dict[str, list[float]] = defaultdict(list)

    def add(self, case: Sample, /) -> None:
        for way, read in case.read.items():
            told = sum(_log(read[code.name][case.chosen[code.name]]) + np.log(code.k) for code in self._codes)
            self._values[way].append(float(told))

    def result(self) -> Mapping[str, Figure]:
        entropy = float(sum(np.log(code.k) for code in self._codes))
        figures = {way: mean_of_many(np.array(values)) for way, values in self._values.items()}
        return {**figures, "at most": Figure(value=entropy)}

    @property
    def count(self) -> int:
        return len(self._values[MODEL])

    @property
    def protocol(self) -> Mapping[str, Any]:
        return {"codes": _names(self._codes), "Q": "the model's own encoder; a twin's own for the twin"}


class CodeRecovery:
    """How often the category that the encoder finds likeliest is the one that was asked for."""

    def __init__(self, setting: Setting) -> None:
        self._codes = told_codes(setting.facts)
        self._right: dict[str, int] = defaultdict(int)
        self._asked = 0

    def add(self, case: Sample, /) -> None:
        self._asked += len(self._codes)
        for way, read in case.read.items():
            self._right[way] += sum(int(read[name].argmax()) == asked for name, asked in case.chosen.items())

    def result(self) -> Mapping[str, Figure]:
        figures = {way: share(right, self._asked) for way, right in self._right.items()}
        return {**figures, "chance": Figure(value=float(np.mean([1 / code.k for code in self._codes])))}

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
