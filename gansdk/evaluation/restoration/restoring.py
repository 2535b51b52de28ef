"""The trial of a generator that gives larger pictures: shrink a true one, let it be restored, compare.

The picture is cut to a multiple of the scale and shrunk by antialiased bicubic interpolation, to 8 bits. What comes
out is rounded to 8 bits too, as a file would be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gansdk.data.degradation import jpeg
from gansdk.data.pictures import Pictures
from gansdk.data.resizing import degrade
from gansdk.data.resizing import upscale as enlarge
from gansdk.errors import InputError
from gansdk.evaluation.meters import MODEL, Unsuitable
from gansdk.evaluation.restoration.trials import CompressedInputs
from gansdk.model.facts import ImageGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.meters import Setting
    from gansdk.inference.context import Context
    from gansdk.model.protocols import Model

    Pixels = NDArray[np.uint8]

BICUBIC = "bicubic"


@dataclass(frozen=True)
class Case:
    """One picture, restored in every way that is compared.

    Attributes:
        name: The picture's.
        low: What was given, uint8 [h, w, 3].
        high: The truth, uint8 [scale·h, scale·w, 3].
        results: By the way's name, of the truth's shape: by each of the models, and bicubic.
        shared: What one meter has computed of this case and another may need, by name.
    """

    name: str
    low: Pixels
    high: Pixels
    results: Mapping[str, Pixels]
    shared: dict[str, Any] = field(default_factory=dict)


class Restoring:
    """Makes the cases.

    Args:
        models: By name; all have the same scale.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: Setting) -> None:
        from gansdk.inference.context import Context

        self._models = models
        self._contexts = {name: Context(note=setting.note) for name in models}
        facts = models[MODEL].facts.generator
        if not isinstance(facts, ImageGeneratorFacts):
            raise TypeError("a model that does not fit was tried")
        self._scale = facts.output.scale

    def protocol(self, data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        return {
            "scale": self._scale,
            "kernel": "bicubic, a = -0.5, antialiased",
            "input": data.given if isinstance(data, CompressedInputs) else "8 bits",
            "output": "rounded to 8 bits",
        }

    def cases(self, data: Dataset, /) -> Iterator[Case]:
        """One case per picture, in their order.

        Raises:
            Unsuitable: If the data are no pictures.
            InputError: If a picture is damaged or smaller than the scale.
        """
        if not isinstance(data, Pictures):
            raise Unsuitable("they are no pictures")
        for index in range(len(data)):
            name, picture = data[index]
            try:
                high, low = degrade(picture, self._scale)
            except InputError as error:
                raise InputError(f"{data.name}/{name}: {error.message}", hint=error.hint) from None
            if isinstance(data, CompressedInputs):
                low = jpeg(low, data.quality)
            results = {way: restore(model, low, self._contexts[way]) for way, model in self._models.items()}
            yield Case(name, low, high, {**results, BICUBIC: enlarge(low, self._scale)})


def restore(model: Model, low: Pixels, context: Context) -> Pixels:
    """A small picture through a model's generator, tiled where memory asks for it, as a user would get it."""
    import torch

    from gansdk.inference.tiling import upscale

    facts = model.facts.generator
    if model.generator is None or not isinstance(facts, ImageGeneratorFacts):
        raise TypeError("a model that does not fit was tried")
    with torch.inference_mode():
        restored: Pixels = upscale(model.generator, facts, low, context, "auto")
    return restored
