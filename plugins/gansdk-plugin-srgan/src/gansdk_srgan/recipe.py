"""The first stage of SRGAN: SRResNet learns from pixel differences (Ledig et al., section 3.2)."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from gansdk import AlignedCrops, Evaluation, InputError, Measurement, Pictures, degrade, luma, psnr, upscale
from gansdk.training import Player
from gansdk_srgan.losses import PIXEL_LOSSES
from gansdk_srgan.model import facts, networks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from gansdk import Dataset, Facts, Model
    from gansdk.training import Stream, Train
    from gansdk_srgan.options import Stage1Options

_PHOTOS = "photos"
_HIGHEST = 100.0  # what stands for a flawless picture's infinity, which neither a mean nor JSON can hold
_TWIN = "none: this stage has no term of the method's own; it is itself the twin of the adversarial stage"


class Stage1:
    """SRResNet trained on the pixel loss."""

    def __init__(self, options: Stage1Options) -> None:
        self.options = options
        self.networks = networks(options)
        self.networks["generator"].to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generator = Player(
            "generator",
            self.networks["generator"],
            optimiser=partial(torch.optim.Adam, lr=options.learning_rate, betas=(0.9, 0.999)),
            schedule=partial(step_size, options),
            ema=options.ema or None,
        )
        self.sources: Sequence[str] = (_PHOTOS,)
        self.players: Sequence[Player] = (self.generator,)
        self.fixed: Sequence[nn.Module] = ()
        self.routes: Mapping[str, set[str]] = {"pixel": {"generator"}}

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """Aligned crops of the photographs."""
        options = self.options
        crops = AlignedCrops(
            _pictures(data[_PHOTOS]),
            scale=options.scale,
            patch=options.patch,
            size=options.batch,
            seed=seed,
            longest=options.longest,
            octaves=options.octaves,
            candidates=options.candidates,
        )
        return {_PHOTOS: crops}

    def step(self, batch: Mapping[str, Mapping[str, Tensor]], train: Train) -> None:
        """The generator's turn: restore the low-resolution patches, minimise the differences."""
        low, high = batch[_PHOTOS]["low"], batch[_PHOTOS]["high"]
        with train.turn(self.generator) as turn:
            with train.autocast():
                restored = self.networks["generator"](low)
            turn.minimise({"pixel": self.options.pixel * PIXEL_LOSSES[self.options.loss](restored, high)})

    def samples(self, data: Mapping[str, Dataset]) -> Mapping[str, Tensor]:
        """A lively part of some photographs, small and large; those too small for it are passed over."""
        side, pictures = 48 * self.options.scale, _pictures(data[_PHOTOS])
        first = (pictures[index][1] for index in range(min(8, len(pictures))))
        large = [picture for picture in first if min(picture.shape[:2]) >= side][:4]
        if not large:
            return {}
        pairs = [degrade(_liveliest(picture, side), self.options.scale) for picture in large]
        return {
            "low": torch.cat([_to_tensor(pair.low) for pair in pairs]),
            "high": torch.cat([_to_tensor(pair.high) for pair in pairs]),
        }

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Side by side: enlarged bilinearly, restored, true."""
        low, high = inputs["low"], inputs["high"]
        plain = torch.nn.functional.interpolate(low, scale_factor=float(self.options.scale), mode="bilinear")
        return torch.cat([plain, networks["generator"](low).clamp(0, 1), high], dim=3)

    def export(self) -> tuple[Facts, Mapping[str, object], Mapping[str, nn.Module]]:
        """The generator with what it takes and gives."""
        return facts(self.options), self.options.network().model_dump(), self.networks

    def evaluate(self, model: Model, data: Mapping[str, Dataset]) -> Evaluation:
        """PSNR on the Y channel without the rim, as the literature measures, beside that of bicubic interpolation."""
        scale = self.options.scale
        return Evaluation(
            measurements=tuple(_measure(model, scale, name, _pictures(pictures)) for name, pictures in data.items()),
            twin=_TWIN,
        )


def step_size(options: Stage1Options, step: int) -> float:
    """Adam's step size at a step as a factor: up a ramp, along a plateau, down a cosine."""
    if step < options.warmup:
        return (step + 1) / options.warmup
    start = round(options.decay_from * options.steps)
    if step < start:
        return 1.0
    done = min(1.0, (step - start) / max(1, options.steps - start))
    return options.decay_to + (1 - options.decay_to) * (1 + math.cos(math.pi * done)) / 2


def _measure(model: Model, scale: int, name: str, pictures: Pictures) -> Measurement:
    ours: dict[str, float] = {}
    bicubic: dict[str, float] = {}
    for index in range(len(pictures)):
        picture, true = pictures[index]
        true, low = degrade(true, scale)
        ours[picture] = _decibels(_restore(model, low), true, border=scale)
        bicubic[picture] = _decibels(upscale(low, scale), true, border=scale)
    return Measurement(
        metric="psnr-y",
        data=name,
        protocol={
            "channel": "Y of ITU-R BT.601, 16 to 235",
            "scale": scale,
            "border": scale,
            "kernel": "bicubic, a = -0.5, antialiased",
            "input": "8 bits",
            "output": "rounded to 8 bits",
            "highest": _HIGHEST,
            "digest": pictures.digest,
        },
        value=float(np.mean(list(ours.values()))),
        values=ours,
        baselines={"bicubic": float(np.mean(list(bicubic.values())))},
    )


def _decibels(restored: NDArray[np.uint8], true: NDArray[np.uint8], *, border: int) -> float:
    return min(_HIGHEST, psnr(luma(restored), luma(true), peak=255, border=border))


@torch.inference_mode()
def _restore(model: Model, low: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if model.generator is None:
        raise InputError("this model has no generator to measure")
    restored = model.generator.generate({"image": _to_tensor(low)})[0].float()
    return (restored.permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()


def _to_tensor(picture: NDArray[np.uint8]) -> Tensor:
    """[H, W, 3] to float [1, 3, H, W] in [0, 1]."""
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].float() / 255


def _liveliest(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The one of the squares side by side with the strongest contrast."""
    tops, lefts = (range(0, length - side + 1, side) for length in picture.shape[:2])
    squares = [picture[top : top + side, left : left + side] for top in tops for left in lefts]
    return max(squares, key=lambda square: float(square.std()))


def _pictures(data: Dataset) -> Pictures:
    if not isinstance(data, Pictures):
        raise InputError(f"{data.name} is no set of pictures", hint="give a folder of pictures")
    return data
