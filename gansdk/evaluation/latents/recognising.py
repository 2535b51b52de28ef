"""How an encoder that finds categories by itself is tried: on labelled images that it was not trained on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.matching import match_classes
from gansdk.data.stacked import labels_of
from gansdk.errors import InputError
from gansdk.evaluation.intervals import share
from gansdk.evaluation.latents.codes import read_codes
from gansdk.evaluation.latents.sampling import CHUNK, encode
from gansdk.evaluation.latents.suiting import suiting_images
from gansdk.evaluation.meters import MODEL, Unsuitable
from gansdk.evaluation.record import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.meters import Setting
    from gansdk.model.parts import Categorical
    from gansdk.model.protocols import Model


@dataclass(frozen=True)
class Recognition:
    """One labelled image.

    Attributes:
        label: Its class.
        classes: What classes are called.
        read: By the model's name, the probabilities [k] of each categorical code.
    """

    label: int
    classes: tuple[str, ...]
    read: Mapping[str, Mapping[str, NDArray[np.float32]]]


class Recognising:
    """Makes the cases.

    Args:
        models: By name; all take the same images.
        setting: Where and with what it is measured.
    """

    def __init__(self, models: Mapping[str, Model], setting: Setting) -> None:
        self._models = models
        facts = models[MODEL].facts.encoder
        if facts is None:
            raise TypeError("a model that does not fit was tried")
        self._image, self._codes = facts.data, read_codes(setting.facts)

    def protocol(self, _data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        return {"images": f"{self._image.width}x{self._image.height}, as they are"}

    def cases(self, data: Dataset, /) -> Iterator[Recognition]:
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
                yield Recognition(int(labels.indices[start + at]), labels.classes, given)


class CodeAccuracy:
    """How many images the category that the encoder finds likeliest tells right.

    Categories were found without labels and are in no order: each is matched with a class, no two with the same one,
    such that most images agree. Beside it: the same where each category means what the model's own word for it says.
    """

    def __init__(self, setting: Setting) -> None:
        self._candidates = read_codes(setting.facts)
        self._code: Categorical | None = None
        self._classes: tuple[str, ...] = ()
        self._chosen: dict[str, list[int]] = defaultdict(list)
        self._true: list[int] = []

    def add(self, case: Recognition, /) -> None:
        if self._code is None:
            self._classes = case.classes
            self._code = next((one for one in self._candidates if one.k == len(self._classes)), None)
            if self._code is None:
                raise Unsuitable(f"no code has {len(self._classes)} values, one for each class")
        self._true.append(case.label)
        for way, read in case.read.items():
            self._chosen[way].append(int(read[self._code.name].argmax()))

    def result(self) -> Mapping[str, Figure]:
        if self._code is None:
            raise Unsuitable("there are no images")
        true = np.array(self._true)
        figures = {}
        for way, chosen in self._chosen.items():
            classes = np.array(match_classes(np.array(chosen), true, self._code.k))
            figures[way] = share(int((classes[chosen] == true).sum()), len(true))
        if set(self._code.labels) == set(self._classes):
            named = np.array([self._classes.index(word) for word in self._code.labels])
            figures["by its own words"] = Figure(value=float((named[self._chosen[MODEL]] == true).mean()))
        return figures

    @property
    def count(self) -> int:
        return len(self._true)

    @property
    def protocol(self) -> Mapping[str, Any]:
        matched = "categories to classes one to one, on these images (Hungarian method)"
        return {"code": self._code.name if self._code is not None else "", "matched": matched}
