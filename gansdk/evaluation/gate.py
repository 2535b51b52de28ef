"""The one gate for reduced precision: what a network may lose before its facts call a precision safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gansdk.errors import NotApplicableError
from gansdk.evaluation.fidelity import psnr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gansdk.inference.catalog import Located
    from gansdk.plugins.declarations import Method

MINIMUM_PSNR = 50.0
"""Decibels against fp32."""

MAXIMUM_STEPS = 1.5
"""Of 8 bits: the 99.9th percentile of the differences from fp32."""


@dataclass(frozen=True)
class Loss:
    """What reduced precision costs on one photograph.

    Attributes:
        photograph: Its name.
        psnr: Against fp32, in decibels.
        steps: 99.9th percentile of the absolute differences, in 8-bit steps.
    """

    photograph: str
    psnr: float
    steps: float

    @property
    def passes(self) -> bool:
        return self.psnr >= MINIMUM_PSNR and self.steps <= MAXIMUM_STEPS


def compare(photograph: str, full: NDArray[np.float32], reduced: NDArray[np.float32]) -> Loss:
    """Holds two outputs in [0, 1] against each other."""
    difference = np.abs(full.astype(np.float64) - reduced)
    return Loss(photograph, psnr(full, reduced, peak=1), float(np.percentile(difference, 99.9)) * 255)


def measure(
    located: Located, method: Method, precision: Literal["bf16", "fp16"], photographs: Mapping[str, NDArray[np.uint8]]
) -> list[Loss]:
    """Runs a generator from an image in fp32 and in a reduced precision, on the CPU.

    Args:
        located: The model.
        method: Its method.
        precision: What to try.
        photographs: By name, uint8 [H, W, 3].

    Returns:
        One row per photograph. The precision is safe if all of them pass.

    Raises:
        NotApplicableError: If the model has no generator from an image.
    """
    import torch

    from gansdk.inference.loading import load_networks
    from gansdk.inference.runtime import Placement, prepare
    from gansdk.plugins.declarations import resolve

    networks = load_networks(located.folder, located.config, method)

    def output(image: torch.Tensor, chosen: Literal["fp32", "bf16", "fp16"]) -> NDArray[np.float32]:
        placement = Placement(torch.device("cpu"), chosen)
        calls = {name: prepare(network, placement) for name, network in networks.items()}
        generator = resolve(method.assemble)(calls, located.config.facts).generator
        if generator is None:
            raise NotApplicableError(f"{located.ref} has no generator from an image to measure")
        with torch.inference_mode():
            result: NDArray[np.float32] = generator.generate({"image": image}).clamp(0, 1).numpy()
        return result

    losses = []
    for name, pixels in photographs.items():
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        losses.append(compare(name, output(image, "fp32"), output(image, precision)))
    return losses
