"""How InfoGAN is trained: algorithm and rates of the authors' code."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from gansdk import Categorical, Export, ImageBatches, Labels, background_of, labels_of, stack_images
from gansdk.training import AdversarialPair, Player
from gansdk_infogan.losses import (
    adversarial,
    fake_as_fake,
    information_categorical,
    information_continuous,
    real_as_real,
)
from gansdk_infogan.model import HIGH, LOW, codes, facts, latent, networks, noise, read
from gansdk_infogan.naming import name_categories
from gansdk_infogan.networks import Verdict, initialise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from gansdk import Background, Dataset
    from gansdk.training import Batch, Stream, Train
    from gansdk_infogan.options import InfoGANOptions

_IMAGES = "images"
_NAMED_BY = 2_000  # labelled images, the first of the training set, that name the categories
_SHOWN = 8


class InfoGAN:
    """A generator whose codes can be read off its images, against a discriminator that shares its trunk with Q."""

    sources: Sequence[str] = (_IMAGES,)

    def __init__(self, options: InfoGANOptions) -> None:
        self.options = options
        self.networks = dict(networks(options))
        self._logit = Verdict(options.hidden)
        self._codes = codes(options)
        self._examples: tuple[Tensor, Labels] | None = None
        self._background: Background | None = None
        self._variables = (noise(options), *self._codes)
        if options.initial_deviation:
            for network in (*self.networks.values(), self._logit):
                initialise(network, options.initial_deviation)
        adam = partial(torch.optim.Adam, betas=(0.5, 0.999))
        self.generator = Player(
            "generator", self.networks["generator"], partial(adam, lr=options.generator_rate), ema=options.ema or None
        )
        judging = nn.ModuleList([self.networks["recogniser"], self._logit])
        self.discriminator = Player("discriminator", judging, partial(adam, lr=options.discriminator_rate))
        self.players: Sequence[Player] = (self.generator, self.discriminator)
        self.fixed: Sequence[nn.Module] = ()
        self.dependencies: Mapping[str, str] = {}
        self.routes: Mapping[str, set[str]] = {
            "adversarial": {"generator"},
            "discrimination": {"discriminator"},
            **({"information_categorical": {"generator", "discriminator"}} if options.category_sizes else {}),
            **({"information_continuous": {"generator", "discriminator"}} if options.continuous else {}),
        }
        self.adversarial_pairs: Sequence[AdversarialPair] = (
            AdversarialPair(generator="generator", discriminator="discriminator"),
        )

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """Images without labels; those that have labels name the categories afterwards."""
        options = self.options
        size = (options.height, options.width)
        images = stack_images(data[_IMAGES], size=size, channels=options.channels, options=options)
        self._background = background_of(images.images)
        if images.labels is not None and options.category_sizes == (len(images.classes),):
            pixels = torch.from_numpy(images.images[:_NAMED_BY].transpose(0, 3, 1, 2).copy()).float() / 255
            self._examples = (pixels, labels_of(images))
        return {_IMAGES: ImageBatches(images, size=options.batch, seed=seed)}

    def step(self, batch: Mapping[str, Batch], train: Train) -> None:
        """The turn of D and Q, then G's, each on images of its own."""
        options, images = self.options, batch[_IMAGES]["images"]
        with train.turn(self.discriminator) as turn:
            with train.autocast():
                fake, drawn = self._make(len(images), train.device)
                real, _ = self._look(images)
                made, said = self._look(fake.detach())
            turn.minimise(
                {
                    "real": options.discrimination * real_as_real(real),
                    "fake": options.discrimination * fake_as_fake(made),
                    **self._information(said, drawn),
                },
                logits={"real": real, "fake": made},
            )
        with train.turn(self.generator) as turn:
            with train.autocast():
                fake, drawn = self._make(len(images), train.device)
                made, said = self._look(fake)
            turn.minimise(
                {"adversarial": options.adversarial * adversarial(made), **self._information(said, drawn)},
                logits={"fake": made},
            )

    def _make(self, count: int, device: torch.device) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Images of fresh latents, and these."""
        drawn = self._draw(count, device)
        return self.networks["generator"](latent(drawn, self._variables)).sigmoid(), drawn

    def _draw(self, count: int, device: torch.device | str = "cpu") -> dict[str, Tensor]:
        return {
            variable.name: torch.randint(variable.k, (count,), device=device)
            if isinstance(variable, Categorical)
            else torch.empty(count, variable.n, device=device).uniform_(LOW, HIGH)
            for variable in self._variables
        }

    def _look(self, images: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """D's logit, and what Q says of the codes."""
        features, said = self.networks["recogniser"](images)
        return self._logit(features), read(said, self._codes)

    def _information(self, said: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """−λ·L_I, by kind of code."""
        options, terms = self.options, {}
        told = [
            information_categorical(said[variable.name], drawn[variable.name])
            for variable in self._codes
            if isinstance(variable, Categorical)
        ]
        if told:
            terms["categorical"] = -options.information_categorical * torch.stack(told).sum()
        if options.continuous:
            log = said.get("style.log", said["style"].new_zeros(()))
            told_style = information_continuous(said["style"], log, drawn["style"], low=LOW, high=HIGH)
            terms["continuous"] = -options.information_continuous * told_style
        return terms

    def samples(self, _data: Mapping[str, Dataset]) -> Mapping[str, Tensor]:
        """Latents that stay: a row of each for every category, all else alike in a column."""
        rows = self.options.category_sizes[0] if self.options.category_sizes else _SHOWN
        shared = self._draw(_SHOWN)
        found = {name: tensor.repeat(rows, *[1] * (tensor.dim() - 1)) for name, tensor in shared.items()}
        if self.options.category_sizes:
            found[self._codes[0].name] = torch.arange(rows).repeat_interleave(_SHOWN)
        return found

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Their images, a row for each category."""
        images: Tensor = networks["generator"](latent(inputs, self._variables)).sigmoid()
        _, channels, height, width = images.shape
        rows = images.reshape(-1, _SHOWN, channels, height, width).permute(0, 2, 3, 1, 4).flatten(3)
        return rows.expand(-1, 3, -1, -1)

    def export(self) -> Export:
        """The model, its categories in words where labelled images told them."""
        network = self.options.network()
        return Export(facts(network, self._labels(), self._background), network.model_dump(), self.networks)

    def _labels(self) -> Sequence[str]:
        if self._examples is None:
            return ()
        images, labels = self._examples
        recogniser, name = self.networks["recogniser"], self._codes[0].name
        device, was_training = next(recogniser.parameters()).device, recogniser.training
        recogniser.eval()
        try:
            return name_categories(lambda some: read(recogniser(some.to(device))[1], self._codes)[name], images, labels)
        finally:
            recogniser.train(was_training)
