"""The two stages of SRGAN (Ledig et al., CVPR 2017).

First SRResNet learns from pixel differences (section 3.2). From there the generator goes on with a content loss and a
discriminator that tells its images from real ones (sections 2.1 and 2.2).
"""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import TYPE_CHECKING

import torch

from gansdk import AlignedCrops, Degradation, Export, ImageGeneratorFacts, Images, InputError, UsageError, degrade
from gansdk.training import AdversarialPair, Player, load_initial_model
from gansdk_srgan import METHOD
from gansdk_srgan.contents import content
from gansdk_srgan.freezing import freeze_batch_norm
from gansdk_srgan.losses import PIXEL_LOSSES, adversarial, fake_as_fake, real_as_real
from gansdk_srgan.model import facts, networks
from gansdk_srgan.networks import SRGANDiscriminator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from gansdk import Dataset, Facts
    from gansdk.training import InitialModel, Stream, Train
    from gansdk_srgan.options import PatchOptions, Stage1Options, Stage2Options

_PHOTOS = "photos"
_CALIBRATION = 8  # batches of true patches that set the content loss's scale


class _Stage:
    """What both stages do alike: patches of photographs come in, images of progress go out."""

    scale: int
    options: Stage1Options | Stage2Options
    sources: Sequence[str] = (_PHOTOS,)

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """Aligned crops of the photographs."""
        options = self.options
        crops = AlignedCrops(
            _images(data[_PHOTOS]),
            scale=self.scale,
            patch=options.patch,
            size=options.batch,
            seed=seed,
            longest=options.longest,
            octaves=options.octaves,
            candidates=options.candidates,
            degradation=None if options.degradation == "bicubic" else Degradation(options, self.scale),
        )
        return {_PHOTOS: crops}

    def samples(self, data: Mapping[str, Dataset]) -> Mapping[str, Tensor]:
        """A lively part of some photographs, small and large; those too small for it are passed over."""
        side, images = 48 * self.scale, _images(data[_PHOTOS])
        first = (images[index][1] for index in range(min(8, len(images))))
        large = [image for image in first if min(image.shape[:2]) >= side][:4]
        if not large:
            return {}
        pairs = [degrade(_liveliest(image, side), self.scale) for image in large]
        return {
            "low": torch.cat([_to_tensor(pair.low) for pair in pairs]),
            "high": torch.cat([_to_tensor(pair.high) for pair in pairs]),
        }

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Side by side: enlarged bilinearly, restored, true."""
        low, high = inputs["low"], inputs["high"]
        plain = torch.nn.functional.interpolate(low, scale_factor=float(self.scale), mode="bilinear")
        return torch.cat([plain, networks["generator"](low).clamp(0, 1), high], dim=3)

    def _player(self, name: str, network: nn.Module, ema: float | None = None) -> Player:
        options = self.options
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        adam = partial(torch.optim.Adam, lr=options.learning_rate, betas=(0.9, 0.999))
        return Player(name, network, optimiser=adam, schedule=partial(step_size, options), ema=ema)


class Stage1(_Stage):
    """SRResNet trained on the pixel loss."""

    def __init__(self, options: Stage1Options) -> None:
        self.options: Stage1Options = options
        self.scale = options.scale
        self.dependencies: Mapping[str, str] = {}
        self.networks = networks(options)
        if options.init_from:
            initial = load_initial_model(options.init_from, METHOD)
            _check_sizes(options, initial)
            self.networks["generator"].load_state_dict(initial.networks["generator"].state_dict())
            self.dependencies = {"init_from": initial.digest}
        self.generator = self._player("generator", self.networks["generator"], options.ema or None)
        self.players: Sequence[Player] = (self.generator,)
        self.fixed: Sequence[nn.Module] = ()
        self.routes: Mapping[str, set[str]] = {"pixel": {"generator"}}
        self.adversarial_pairs: Sequence[AdversarialPair] = ()

    def step(self, batch: Mapping[str, Mapping[str, Tensor]], train: Train) -> None:
        """The generator's turn: restore the low-resolution patches, minimise the differences."""
        low, high = batch[_PHOTOS]["low"], batch[_PHOTOS]["high"]
        with train.turn(self.generator) as turn:
            with train.autocast():
                restored = self.networks["generator"](low)
            turn.minimise({"pixel": self.options.pixel * PIXEL_LOSSES[self.options.loss](restored, high)})

    def export(self) -> Export:
        """The generator with what it takes and gives."""
        return Export(facts(self.options), self.options.network().model_dump(), self.networks)


class Stage2(_Stage):
    """SRGAN: the generator of a first stage against a discriminator; the model carries both ends."""

    def __init__(self, options: Stage2Options) -> None:
        self.options: Stage2Options = options
        self._initial = load_initial_model(options.init_from, METHOD)
        self.networks = copy.deepcopy(self._initial.networks)
        for network in self.networks.values():
            freeze_batch_norm(network)
            network.requires_grad_(True)
        self.scale = _scale(self._initial.config.facts)
        self._discriminator = SRGANDiscriminator(
            features=options.discriminator_features, hidden=options.discriminator_hidden
        )
        self.content = content(options, self._discriminator)
        self.generator = self._player("generator", self.networks["generator"], options.ema or None)
        self.discriminator = self._player("discriminator", self._discriminator)
        self.players: Sequence[Player] = (self.generator, self.discriminator)
        self.fixed = self.content.fixed
        self.dependencies: Mapping[str, str] = {"init_from": self._initial.digest, **self.content.dependencies}
        self.routes: Mapping[str, set[str]] = {
            "content": {"generator"},
            "adversarial": {"generator"},
            "discrimination": {"discriminator"},
        }
        self.adversarial_pairs: Sequence[AdversarialPair] = (
            AdversarialPair(generator="generator", discriminator="discriminator"),
        )

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """Aligned crops of the photographs; the first of them set the content loss's scale."""
        streams = super().streams(data, seed)
        self.content.calibrate(streams[_PHOTOS].batch(index)["high"] for index in range(_CALIBRATION))
        return streams

    def step(self, batch: Mapping[str, Mapping[str, Tensor]], train: Train) -> None:
        """The discriminator's turn, then the generator's, on the same restored patches."""
        options = self.options
        low, high = batch[_PHOTOS]["low"], batch[_PHOTOS]["high"]
        with train.autocast():
            restored = self.networks["generator"](low)
        with train.turn(self.discriminator) as turn:
            with train.autocast():
                real, fake = self._discriminator(high), self._discriminator(restored.detach())
            turn.minimise(
                {
                    "real": options.discrimination * real_as_real(real),
                    "fake": options.discrimination * fake_as_fake(fake),
                },
                logits={"real": real, "fake": fake},
            )
        with train.turn(self.generator) as turn:
            with train.autocast():
                distance, fake = self.content(restored, high), self._discriminator(restored)
            turn.minimise(
                {
                    "content": options.content * distance,
                    "adversarial": options.adversarial * adversarial(fake),
                },
                logits={"fake": fake},
            )

    def export(self) -> Export:
        """The generator, and the one that it started from."""
        declared = self._initial.config.facts.model_copy(update={"safe_precisions": ()})  # those of other weights
        return Export(declared, self._initial.config.network, self.networks, self._initial.networks)


def step_size(options: PatchOptions, step: int) -> float:
    """Adam's step size at a step as a factor: up a ramp, along a plateau, down a cosine."""
    if step < options.warmup:
        return (step + 1) / options.warmup
    start = round(options.decay_from * options.steps)
    if step < start:
        return 1.0
    done = min(1.0, (step - start) / max(1, options.steps - start))
    return options.decay_to + (1 - options.decay_to) * (1 + math.cos(math.pi * done)) / 2


def _check_sizes(options: Stage1Options, initial: InitialModel) -> None:
    own, theirs = options.network().model_dump(), initial.config.network
    differing = [f"--set {name}={theirs[name]}" for name in theirs if theirs[name] != own.get(name)]
    if differing:
        what = f"the network of {options.init_from} is not that of this training"
        raise UsageError(what, hint=f"add {' '.join(differing)}")


def _scale(declared: Facts) -> int:
    if not isinstance(declared.generator, ImageGeneratorFacts):
        raise InputError("the model to start from enlarges no images", hint="name one of the first stage")
    return declared.generator.output.scale


def _to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """[H, W, 3] to float [1, 3, H, W] in [0, 1]."""
    return torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255


def _liveliest(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The one of the squares side by side with the strongest contrast."""
    tops, lefts = (range(0, length - side + 1, side) for length in image.shape[:2])
    squares = [image[top : top + side, left : left + side] for top in tops for left in lefts]
    return max(squares, key=lambda square: float(square.std()))


def _images(data: Dataset) -> Images:
    if not isinstance(data, Images):
        raise InputError(f"{data.name} is no set of images", hint="give a folder of images")
    return data
