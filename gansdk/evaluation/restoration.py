"""The protocol for a generator that gives larger images: shrink a true image, restore it, compare.

The image is cut to a multiple of the scale and shrunk by antialiased bicubic interpolation, to 8 bits. The result is
rounded to 8 bits too, as in a file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.data.crops import degrade, jpeg
from gansdk.data.crops import upscale as enlarge
from gansdk.data.folders import Attribution, Images
from gansdk.errors import InputError
from gansdk.evaluation.protocol import MODEL, Unsuitable
from gansdk.model.facts import ImageGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.protocol import EvaluationSettings
    from gansdk.model.protocols import Model

    Pixels = NDArray[np.uint8]


BICUBIC = "bicubic"


@dataclass(frozen=True)
class RestorationExample:
    """One image, restored in every way that is compared.

    Attributes:
        low: The input, uint8 [h, w, 3].
        high: The truth, uint8 [scale·h, scale·w, 3].
        results: Of the truth's shape: of each model by its name, and ``bicubic``.
        shared: What one metric has computed of this example and another may need, by name.
    """

    name: str
    low: Pixels
    high: Pixels
    results: Mapping[str, Pixels]
    shared: dict[str, Any] = field(default_factory=dict)


class RestorationProtocol:
    """Makes one example of each image, for models that all have the same scale."""

    def __init__(self, models: Mapping[str, Model], settings: EvaluationSettings) -> None:
        from gansdk.models.context import Context

        self._models = models
        self._contexts = {name: Context(note=settings.note) for name in models}
        self._facts = models[MODEL].facts.require(ImageGeneratorFacts)

    def conditions(self, data: Dataset, /) -> Mapping[str, Any]:
        return {
            "scale": self._facts.output.scale,
            "kernel": "bicubic, a = -0.5, antialiased",
            "input": data.given if isinstance(data, CompressedInputs) else "8 bits",
            "output": "rounded to 8 bits",
        }

    def examples(self, data: Dataset, /) -> Iterator[RestorationExample]:
        if not isinstance(data, Images):
            raise Unsuitable("they are not images")
        scale = self._facts.output.scale
        for index in range(len(data)):
            name, image = data[index]
            try:
                high, low = degrade(image, scale)
            except InputError as error:
                raise InputError(f"{data.name}/{name}: {error.message}", hint=error.hint) from None
            if isinstance(data, CompressedInputs):
                low = jpeg(low, data.quality)
            results = {model: self._restore(model, low) for model in self._models}
            yield RestorationExample(name, low, high, {**results, BICUBIC: enlarge(low, scale)})

    def _restore(self, model: str, low: Pixels) -> Pixels:
        """A small image through a model's generator, tiled if memory requires it, as a user would get it."""
        import torch

        from gansdk.models.tiling import upscale

        generator, _ = self._models[model].require(ImageGeneratorFacts)
        with torch.inference_mode():
            restored: Pixels = upscale(generator, self._facts, low, self._contexts[model], "auto")
        return restored


PREFIX = "trial/"
"""Begins the names of the trial sets, which come with gansdk. A user's own set cannot have such a name."""

PHOTOGRAPHS, FACES, TEXT, JPEG = (PREFIX + name for name in ("photographs", "faces", "text", "jpeg"))

JPEG_QUALITY = 40

FACE = (160, 0, 352, 192)
"""Left, top, right and bottom of the astronaut's head."""

_SIZES = (16, 24, 32, 48)
_WORDS = ("Restoring", "small letters", "Quick zephyrs blow,", "vexing daft Jim. 0123456789")
_PUBLIC = {
    "astronaut": Attribution("astronaut", "public domain", "NASA", "scikit-image"),
    "chelsea": Attribution("chelsea", "CC0-1.0", "Stéfan van der Walt", "scikit-image"),
    "coffee": Attribution("coffee", "CC0-1.0", "Rachel Michetti", "scikit-image"),
    "rocket": Attribution("rocket", "CC0-1.0", "SpaceX", "scikit-image"),
}


class CompressedInputs(Images):
    """A set of true images whose low-resolution versions go through JPEG (4:2:0) before a model gets them."""

    def __init__(self, true: Images, quality: int, name: str) -> None:
        super().__init__(name, true.items, true.attributions)
        self.quality = quality
        self.given = f"JPEG of quality {quality}, 4:2:0"


class _InMemory:
    """Images, uint8 [H, W, 3] by name, that are made in memory when they are first asked for."""

    others: tuple[str, ...] = ()

    def __init__(self, names: tuple[str, ...], make: Callable[[], Mapping[str, Pixels]]) -> None:
        self.names = names
        self._make = make

    def read(self, name: str, /) -> bytes:
        return self._files[name]

    @cached_property
    def _files(self) -> dict[str, bytes]:
        from PIL import Image as PILImage

        files = {}
        for name, pixels in self._make().items():
            buffer = io.BytesIO()
            PILImage.fromarray(pixels).save(buffer, "PNG")
            files[name] = buffer.getvalue()
        return files


def trial_images() -> dict[str, Images]:
    """The trial images by set: photographs, faces, text, and the photographs again with inputs from JPEG files."""
    faces = [Attribution(name, "public domain", "NASA", "scikit-image") for name in ("face, near", "face, far")]
    text = [Attribution(f"text, {size} pixels", "CC0-1.0", "made by gansdk") for size in _SIZES]
    photographs = _made(PHOTOGRAPHS, list(_PUBLIC.values()), _photographs)
    return {
        PHOTOGRAPHS: photographs,
        FACES: _made(FACES, faces, _faces),
        TEXT: _made(TEXT, text, _text),
        JPEG: CompressedInputs(photographs, JPEG_QUALITY, JPEG),
    }


def _made(name: str, attributions: Sequence[Attribution], make: Callable[[], Mapping[str, Pixels]]) -> Images:
    return Images(name, _InMemory(tuple(attribution.image for attribution in attributions), make), attributions)


def _photographs() -> dict[str, Pixels]:
    from skimage import data

    return {name: np.asarray(getattr(data, name)()) for name in _PUBLIC}


def _faces() -> dict[str, Pixels]:
    """The head as it is, and at half its size: about 80 and 40 pixels from ear to ear."""
    from PIL import Image as PILImage

    near = PILImage.fromarray(_photographs()["astronaut"]).crop(FACE)
    far = near.resize((near.width // 2, near.height // 2), PILImage.Resampling.LANCZOS)
    return {"face, near": np.asarray(near), "face, far": np.asarray(far)}


def _text() -> dict[str, Pixels]:
    """Dark words on white in Pillow's own typeface, at several heights."""
    from PIL import Image as PILImage
    from PIL import ImageDraw, ImageFont

    found = {}
    for size in _SIZES:
        sheet = PILImage.new("RGB", (384, 192), "white")
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size)
        for index in range(int(176 / (1.5 * size))):
            draw.text((8, 8 + round(1.5 * size * index)), _WORDS[index % len(_WORDS)], "#202020", font)
        found[f"text, {size} pixels"] = np.asarray(sheet)
    return found
