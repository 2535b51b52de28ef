"""How InfoGAN is trained: algorithm and rates of the authors' code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from gansdk import Categorical, Export, ImageBatches, background_of, labels_of, match_classes, stack_images
from gansdk.training import ADVERSARIAL_LOSSES, AdversarialPair, Player, Recipe
from gansdk_infogan.losses import information_categorical, information_continuous
from gansdk_infogan.model import HIGH, LOW, codes, facts, latent, networks, noise, read
from gansdk_infogan.networks import initialise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from gansdk import Background, Dataset, Labels
    from gansdk.training import Batch, Stream, Train
    from gansdk_infogan.options import InfoGANOptions

_NAMED_BY = 2_000  # labelled images, the first of the training set, that name the categories
_BATCH = 500
_LEVEL = 0.99
_SHOWN = 8
_V = ADVERSARIAL_LOSSES["non-saturating"]


class InfoGAN(Recipe):
    """A generator whose codes can be read off its images, against a discriminator that shares its layers with Q."""

    options: InfoGANOptions

    def __init__(self, options: InfoGANOptions) -> None:
        super().__init__(options)
        self.networks = networks(options)
        self._logit = nn.Linear(options.hidden, 1)  # D's last layer: features to a logit, high for real
        self._codes = codes(options)
        self._variables = (noise(options), *self._codes)
        self._examples: tuple[Tensor, Labels] | None = None
        self._background: Background | None = None
        if options.initial_deviation:
            for network in (*self.networks.values(), self._logit):
                initialise(network, options.initial_deviation)
        adam, factor = options.new_optimiser, options.learning_rate_factor
        d_and_q = nn.ModuleList([self.networks["recogniser"], self._logit])
        self.generator = Player("generator", self.networks["generator"], adam(), factor, options.ema or None)
        self.discriminator = Player("discriminator", d_and_q, adam(options.discriminator_rate), factor)
        self.players = (self.generator, self.discriminator)
        both = {"generator", "discriminator"}
        self.routes = {
            "adversarial": {"generator"},
            "discrimination": {"discriminator"},
            **({"information_categorical": both} if options.category_sizes else {}),
            **({"information_continuous": both} if options.continuous else {}),
        }
        self.adversarial_pairs = (AdversarialPair(generator="generator", discriminator="discriminator"),)

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """Images without labels; those that have labels name the categories afterwards."""
        options = self.options
        size = (options.height, options.width)
        images = stack_images(data["images"], size=size, channels=options.channels, options=options)
        self._background = background_of(images.images)
        if images.labels is not None and options.category_sizes == (len(images.classes),):
            pixels = torch.from_numpy(images.images[:_NAMED_BY].transpose(0, 3, 1, 2).copy()).float() / 255
            self._examples = (pixels, labels_of(images))
        return {"images": ImageBatches(images, size=options.batch, seed=seed)}

    def step(self, batch: Mapping[str, Batch], train: Train) -> None:
        """The turn of D and Q, then G's, each on images of its own."""
        options, x = self.options, batch["images"]["images"]
        with train.turn(self.discriminator) as turn:
            with train.autocast():
                generated, c = self._generate(len(x), train.device)
                real, _ = self._look(x)
                fake, q = self._look(generated.detach())
            v = {name: options.discrimination * term for name, term in _V.discriminator(real, fake).items()}
            turn.minimise({**v, **self._information(q, c)}, logits={"real": real, "fake": fake})
        with train.turn(self.generator) as turn:
            with train.autocast():
                generated, c = self._generate(len(x), train.device)
                fake, q = self._look(generated)
            adversarial = options.adversarial * _V.generator(fake)
            turn.minimise({"adversarial": adversarial, **self._information(q, c)}, logits={"fake": fake})

    def _generate(self, count: int, device: torch.device) -> tuple[Tensor, Mapping[str, Tensor]]:
        """G(z, c) of fresh latents, and these."""
        drawn = self._draw(count, device)
        return self.networks["generator"](latent(drawn, self._variables)).sigmoid(), drawn

    def _draw(self, count: int, device: torch.device | str = "cpu") -> dict[str, Tensor]:
        return {
            variable.name: torch.randint(variable.k, (count,), device=device)
            if isinstance(variable, Categorical)
            else torch.empty(count, variable.n, device=device).uniform_(LOW, HIGH)
            for variable in self._variables
        }

    def _look(self, x: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """D(x) as a logit, and Q(c|x) by code."""
        features, output = self.networks["recogniser"](x)
        return self._logit(features), read(output, self._codes)

    def _information(self, q: Mapping[str, Tensor], c: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """−λ·L_I of equation 6, by kind of code."""
        options, terms = self.options, {}
        names = [code.name for code in self._codes if isinstance(code, Categorical)]
        if names:
            bounds = torch.stack([information_categorical(q[name], c[name]) for name in names])
            terms["categorical"] = -options.information_categorical * bounds.sum()
        if options.continuous:
            log_deviation = q.get("style.log", q["style"].new_zeros(()))
            bound = information_continuous(q["style"], log_deviation, c["style"], low=LOW, high=HIGH)
            terms["continuous"] = -options.information_continuous * bound
        return terms

    def samples(self, _data: Mapping[str, Dataset]) -> Mapping[str, Tensor]:
        """Latents that stay: a row of each for every category, all else alike in a column."""
        rows = self.options.category_sizes[0] if self.options.category_sizes else _SHOWN
        found = {name: tensor.repeat(rows, *[1] * (tensor.dim() - 1)) for name, tensor in self._draw(_SHOWN).items()}
        if self.options.category_sizes:
            found[self._codes[0].name] = torch.arange(rows).repeat_interleave(_SHOWN)
        return found

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Their images, a row for each category."""
        images: Tensor = networks["generator"](latent(inputs, self._variables)).sigmoid()
        return images.reshape(-1, _SHOWN, *images.shape[1:])

    def export(self) -> Export:
        """The model, its categories in words where labelled images told them."""
        labels: Sequence[str] = ()
        if self._examples is not None:
            recogniser, name = self.networks["recogniser"], self._codes[0].name
            device, was_training = next(recogniser.parameters()).device, recogniser.training
            recogniser.eval()
            labels = name_categories(lambda x: read(recogniser(x.to(device))[1], self._codes)[name], *self._examples)
            recogniser.train(was_training)
        network = self.options.network()
        return Export(facts(network, labels, self._background), network.model_dump(), self.networks)


def name_categories(recognise: Callable[[Tensor], Tensor], images: Tensor, labels: Labels) -> Sequence[str]:
    """A word for each category: the class that it shares most images with, no two the same one.

    A matching can always be made, of an untrained network too. So there are words only where every category is right
    clearly more often than chance: of the images read as it, those of its class are a share whose 99 % interval
    (Wilson 1927) lies wholly above that class's share of all images. Otherwise all categories keep their numbers,
    since numbers among words would be taken for words where classes are called by numbers.

    Args:
        recognise: Images [N, C, H, W] to logits of the category [N, k].
        images: Labelled ones, float in [0, 1].
        labels: Of these images; as many classes as there are categories.
    """
    from scipy.stats import binomtest

    with torch.no_grad():
        logits = torch.cat([recognise(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)])
    chosen, true = logits.argmax(1).cpu().numpy(), labels.indices[: len(images)]
    classes = match_classes(chosen, true, logits.shape[1])
    for category, label in enumerate(classes):
        read, belongs = chosen == category, true == label
        if not read.any():
            return []
        interval = binomtest(int((read & belongs).sum()), int(read.sum())).proportion_ci(_LEVEL, method="wilson")
        if interval.low <= belongs.mean():
            return []
    return [labels.classes[label] for label in classes]
