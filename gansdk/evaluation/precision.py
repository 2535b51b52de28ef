"""The gate for reduced precision: how much a network may lose before its facts call a precision safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gansdk.errors import NotApplicableError
from gansdk.evaluation.restoration_metrics import psnr
from gansdk.model.facts import ImageGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.model.facts import ImageSource
    from gansdk.models.loading import LoadedModel
    from gansdk.models.resolved import ResolvedModel

    Pixels = NDArray[np.uint8]


MINIMUM_PSNR = 50.0
"""Decibels against fp32."""

MAXIMUM_STEPS = 1.5
"""Of 8 bits: the 99.9th percentile of the differences from fp32."""

PHOTOGRAPHS = {"astronaut": (10, 70), "coffee": (40, 90), "chelsea": (30, 60)}
"""Of scikit-image, all free of rights; and where the part of each begins, in pixels from top and left."""

_SIDE = 96


@dataclass(frozen=True)
class PrecisionLoss:
    """What reduced precision costs on one photograph: decibels against fp32, and the largest differences in steps."""

    photograph: str
    psnr: float
    steps: float

    @property
    def passes(self) -> bool:
        return self.psnr >= MINIMUM_PSNR and self.steps <= MAXIMUM_STEPS


def compare(photograph: str, full: NDArray[np.float32], reduced: NDArray[np.float32]) -> PrecisionLoss:
    """Compares two outputs in [0, 1]."""
    difference = np.abs(full.astype(np.float64) - reduced)
    return PrecisionLoss(photograph, psnr(full, reduced, peak=1), float(np.percentile(difference, 99.9)) * 255)


def halved(name: str) -> Pixels:
    """One of the photographs at half its size, uint8 [H, W, 3], where a camera's soft pixels are sharp."""
    from skimage import data, transform

    whole = getattr(data, name)()
    return np.asarray((transform.rescale(whole, 0.5, channel_axis=2, anti_aliasing=True) * 255).astype(np.uint8))


def photographs() -> dict[str, Pixels]:
    """A detailed part of each of the three, by name, small enough for any network: uint8 [96, 96, 3]."""
    return {name: halved(name)[top : top + _SIDE, left : left + _SIDE] for name, (top, left) in PHOTOGRAPHS.items()}


def measure(
    resolved: ResolvedModel, precision: Literal["bf16", "fp16"], photographs: Mapping[str, Pixels]
) -> list[PrecisionLoss]:
    """Runs a generator from an image in fp32 and in a reduced precision, on the CPU.

    The precision is safe if all of the photographs, uint8 [H, W, 3] by name, pass.

    Raises:
        NotApplicableError: If the model has no generator from an image.
    """
    from gansdk.models.loading import load_model

    return measure_loaded(load_model(resolved), precision, photographs)


def measure_loaded(
    loaded: LoadedModel, precision: Literal["bf16", "fp16"], photographs: Mapping[str, Pixels]
) -> list[PrecisionLoss]:
    """The same for networks that are in memory, filled and in eval mode."""
    import torch

    from gansdk.models.runtime import Placement, assemble

    declared = loaded.facts.generator
    if not isinstance(declared, ImageGeneratorFacts):
        raise NotApplicableError("a model without a generator from an image cannot be measured")
    images = [_to_tensor(pixels, declared.source) for pixels in photographs.values()]
    outputs: dict[str, list[NDArray[np.float32]]] = {}
    choices: tuple[Literal["fp32", "bf16", "fp16"], ...] = ("fp32", precision)
    for chosen in choices:
        generator, _ = assemble(loaded, Placement(torch.device("cpu"), chosen)).require(ImageGeneratorFacts)
        with torch.inference_mode():
            outputs[chosen] = [generator.generate({"image": image}).clamp(0, 1).numpy() for image in images]
    return [compare(name, *pair) for name, *pair in zip(photographs, outputs["fp32"], outputs[precision], strict=True)]


def _to_tensor(pixels: Pixels, source: ImageSource) -> Tensor:
    """[H, W, 3] as float [1, C, H, W] in [0, 1], cut to a size that the network takes."""
    import torch

    height, width = (length // source.size.multiple * source.size.multiple for length in pixels.shape[:2])
    image = torch.from_numpy(pixels[:height, :width].copy()).permute(2, 0, 1)[None].float() / 255
    return image if source.channels == 3 else image.mean(1, keepdim=True)
