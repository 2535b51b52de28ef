"""The two stages of SRGAN (Ledig et al., CVPR 2017).

First SRResNet learns from pixel differences (section 3.2). From there the generator continues with a content loss and a
discriminator that tells its images from real ones (sections 2.1 and 2.2).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import torch

from gansdk import AlignedCrops, Degradation, Export, ImageGeneratorFacts, Images, InputError, UsageError, degrade
from gansdk.training import ADVERSARIAL_LOSSES, AdversarialPair, Player, Recipe, load_initial_model
from gansdk_srgan import METHOD
from gansdk_srgan.losses import PIXEL_LOSSES, content_loss
from gansdk_srgan.model import facts, networks
from gansdk_srgan.networks.srresnet import SRGANDiscriminator, freeze_batch_norm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from gansdk import Dataset
    from gansdk.training import Batch, InitialModel, Stream, Train
    from gansdk_srgan.options import Stage1Options, Stage2Options

_PHOTOS = "photos"
_GAN = ADVERSARIAL_LOSSES["non-saturating"]
_CALIBRATION = 8  # batches of true patches that set the content loss's scale


class _SrganStage(Recipe):
    """What both stages do alike: patches of photographs come in, images of progress go out."""

    options: Stage1Options | Stage2Options
    scale: int
    sources = (_PHOTOS,)

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """Aligned crops of the photographs."""
        options = self.options
        crops = AlignedCrops(
            _images(data[_PHOTOS]),
            scale=self.scale,
            size=options.batch,
            seed=seed,
            degradation=None if options.degradation == "bicubic" else Degradation(options, self.scale),
            **options.model_dump(include={"patch", "longest", "octaves", "candidates"}),
        )
        return {_PHOTOS: crops}

    def samples(self, data: Mapping[str, Dataset]) -> Mapping[str, Tensor]:
        """A lively part of some photographs, small and large; those too small for it are passed over."""
        side, photos = 48 * self.scale, _images(data[_PHOTOS])
        first = (photos[index][1] for index in range(min(8, len(photos))))
        large = [image for image in first if min(image.shape[:2]) >= side][:4]
        if not large:
            return {}
        pairs = [degrade(_liveliest(image, side), self.scale) for image in large]
        low, high = np.stack([pair.low for pair in pairs]), np.stack([pair.high for pair in pairs])
        images = {"low": low, "high": high}
        return {name: torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).float() / 255 for name, x in images.items()}

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Side by side: enlarged bilinearly, restored, true."""
        low, high = inputs["low"], inputs["high"]
        plain = torch.nn.functional.interpolate(low, scale_factor=float(self.scale), mode="bilinear")
        return torch.cat([plain, networks["generator"](low).clamp(0, 1), high], dim=3)

    def _player(self, name: str, network: nn.Module, rate: float | None = None, ema: float = 0.0) -> Player:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        options = self.options
        return Player(name, network, options.new_optimiser(rate), options.learning_rate_factor, ema or None)


class Stage1(_SrganStage):
    """SRResNet trained on the pixel loss."""

    options: Stage1Options

    def __init__(self, options: Stage1Options) -> None:
        super().__init__(options)
        self.scale = options.scale
        self.networks = networks(options)
        if options.init_from:
            self.initial = load_initial_model(options.init_from, METHOD)
            own, theirs = options.network().model_dump(), self.initial.config.network
            differing = [f"--set {name}={theirs[name]}" for name in theirs if theirs[name] != own.get(name)]
            if differing:
                what = f"the network of {options.init_from} is not that of this training"
                raise UsageError(what, hint=f"add {' '.join(differing)}")
            self.networks["generator"].load_state_dict(self.initial.networks["generator"].state_dict())
            self.dependencies = {"init_from": self.initial.digest}
        self.generator = self._player("generator", self.networks["generator"], ema=options.ema)
        self.players = (self.generator,)
        self.routes = {"pixel": {"generator"}}

    def step(self, batch: Mapping[str, Batch], train: Train) -> None:
        """The generator's turn: restore the low-resolution patches, minimise the differences."""
        low, high = batch[_PHOTOS]["low"], batch[_PHOTOS]["high"]
        with train.turn(self.generator) as turn:
            with train.autocast():
                restored = self.networks["generator"](low)
            turn.minimise({"pixel": self.options.pixel * PIXEL_LOSSES[self.options.loss](restored, high)})

    def export(self) -> Export:
        """The generator with what it takes and gives."""
        return Export(facts(self.options), self.options.network().model_dump(), self.networks)


class Stage2(_SrganStage):
    """SRGAN: the generator of a first stage against a discriminator; the model carries the checkpoints of both."""

    options: Stage2Options
    initial: InitialModel

    def __init__(self, options: Stage2Options) -> None:
        super().__init__(options)
        self.initial = load_initial_model(options.init_from, METHOD)
        self.networks = copy.deepcopy(self.initial.networks)
        for network in self.networks.values():
            freeze_batch_norm(network)
            network.requires_grad_(True)
        generator = self.initial.config.facts.generator
        if not isinstance(generator, ImageGeneratorFacts):
            raise InputError("the model to start from enlarges no images", hint="name one of the first stage")
        self.scale = generator.output.scale
        self._discriminator = SRGANDiscriminator(3, options.discriminator_features, options.discriminator_hidden)
        self.content = content_loss(options, self._discriminator)
        self.generator = self._player("generator", self.networks["generator"], ema=options.ema)
        self.discriminator = self._player("discriminator", self._discriminator, options.discriminator_rate)
        self.players = (self.generator, self.discriminator)
        self.fixed = self.content.fixed
        self.dependencies = {"init_from": self.initial.digest, **self.content.dependencies}
        self.routes = {"content": {"generator"}, "adversarial": {"generator"}, "discrimination": {"discriminator"}}
        self.adversarial_pairs = (AdversarialPair(generator="generator", discriminator="discriminator"),)

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """Aligned crops of the photographs; the first of them set the content loss's scale."""
        streams = super().streams(data, seed)
        self.content.calibrate(streams[_PHOTOS].batch(index)["high"] for index in range(_CALIBRATION))
        return streams

    def step(self, batch: Mapping[str, Batch], train: Train) -> None:
        """The discriminator's turn, then the generator's, on the same restored patches."""
        options = self.options
        low, high = batch[_PHOTOS]["low"], batch[_PHOTOS]["high"]
        with train.autocast():
            restored = self.networks["generator"](low)
        with train.turn(self.discriminator) as turn:
            with train.autocast():
                real, fake = self._discriminator(high), self._discriminator(restored.detach())
            terms = {name: options.discrimination * term for name, term in _GAN.discriminator(real, fake).items()}
            turn.minimise(terms, logits={"real": real, "fake": fake})
        with train.turn(self.generator) as turn:
            with train.autocast():
                distance, fake = self.content(restored, high), self._discriminator(restored)
            terms = {"content": options.content * distance, "adversarial": options.adversarial * _GAN.generator(fake)}
            turn.minimise(terms, logits={"fake": fake})

    def export(self) -> Export:
        """The generator, and the one that it started from."""
        declared = self.initial.config.facts.model_copy(update={"safe_precisions": ()})  # those of other weights
        return Export(declared, self.initial.config.network, self.networks, self.initial.networks)


def _liveliest(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The one of the squares side by side with the strongest contrast."""
    tops, lefts = (range(0, length - side + 1, side) for length in image.shape[:2])
    squares = [image[top : top + side, left : left + side] for top in tops for left in lefts]
    return max(squares, key=lambda square: float(square.std()))


def _images(data: Dataset) -> Images:
    if not isinstance(data, Images):
        raise InputError(f"{data.name} is not a set of images", hint="give a folder of images")
    return data
