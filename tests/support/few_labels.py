"""A method that learns from few labels: two data sets, three streams, a player and a term that begin later on.

A generator is trained by the relativistic loss against a discriminator that also tells classes apart, of which it is
given one labelled image each. The colours of a second data set pull at the generator once it has begun.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

import gansdk
from gansdk.training import (
    ADVERSARIAL_LOSSES,
    AdversarialOptions,
    AdversarialPair,
    OptimiserOptions,
    Player,
    Recipe,
    ScheduleOptions,
    Steps,
    Weight,
    phase_weight,
)

LATENT = 4


class Sizes(gansdk.Options):
    height: Annotated[int, Field(ge=4)] = 8
    width: Annotated[int, Field(ge=4)] = 8


class RecipeOptions(Sizes, OptimiserOptions, ScheduleOptions, AdversarialOptions):
    steps: Steps = 6
    batch: Annotated[int, Field(ge=1)] = 2
    per_class: Annotated[int, Field(ge=1)] = 1
    classification: Weight = 1.0
    gamma: Weight = 0.1
    colours: Weight = 1.0
    generator_from: Annotated[int, Field(ge=0)] = 2
    colours_from: Annotated[int, Field(ge=0)] = 3


class Painter(nn.Module):
    def __init__(self, options: Sizes) -> None:
        super().__init__()
        self.shape = (3, options.height, options.width)
        self.linear = nn.Linear(LATENT, 3 * options.height * options.width)

    def forward(self, latent):
        return self.linear(latent).sigmoid().unflatten(1, self.shape)


class LatentPainter:
    def __init__(self, network) -> None:
        self._network = network

    def generate(self, source, /):
        return self._network(source["noise"])


def networks(options):
    return {"generator": Painter(options)}


def facts(options):
    image = gansdk.ImageSpec(channels=3, height=options.height, width=options.width)
    source = gansdk.LatentSource(variables=(gansdk.Noise(n=LATENT),))
    return gansdk.Facts(generator=gansdk.LatentGeneratorFacts(source=source, output=image))


def assemble(call, declared):
    return gansdk.Model(declared, generator=LatentPainter(call["generator"]))


class FewLabels(Recipe):
    sources = ("images", "colours")

    def __init__(self, options: RecipeOptions) -> None:
        super().__init__(options)
        self.networks = networks(options)
        self.features = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 8), nn.LeakyReLU(0.2))
        self.logit, self.classes = nn.Linear(8, 1), nn.Linear(8, 2)
        factor = options.learning_rate_factor
        self.generator = Player(
            "generator", self.networks["generator"], options.new_optimiser(), factor, begins=options.generator_from
        )
        discriminating = [self.features, self.logit, self.classes]
        self.discriminator = Player("discriminator", discriminating, options.new_optimiser(), factor)
        self.players = (self.generator, self.discriminator)
        self.routes = {
            "adversarial": {"generator"},
            "colours": {"generator"},
            "discrimination": {"discriminator"},
            "classification": {"discriminator"},
            "gamma": {"discriminator"},
        }
        self.adversarial_pairs = (AdversarialPair("generator", "discriminator", "scores"),)

    def streams(self, data, seed):
        size = (self.options.height, self.options.width)
        images, colours = (gansdk.stack_images(data[name], size=size, channels=3) for name in self.sources)
        few = gansdk.labelled_subset(images, per_class=self.options.per_class, seed=seed)
        batches = {"size": self.options.batch, "seed": seed}
        return {
            "labelled": gansdk.ImageBatches(few.labelled, labelled=True, **batches),
            "unlabelled": gansdk.ImageBatches(few.unlabelled, **batches),
            "colours": gansdk.ImageBatches(colours, **batches),
        }

    def discriminate(self, x):
        return self.logit(self.features(x))

    def generate(self, count, device):
        return self.networks["generator"](torch.randn(count, LATENT, device=device))

    def step(self, batch, train):
        options, loss = self.options, ADVERSARIAL_LOSSES["rpgan-r1r2"]
        x, (images, labels) = batch["unlabelled"]["images"], batch["labelled"].values()
        assert batch["unlabelled"].keys() == {"images"}
        with train.turn(self.discriminator) as turn:
            x_real, x_fake = x.requires_grad_(), self.generate(len(x), train.device).detach().requires_grad_()
            real, fake = self.discriminate(x_real), self.discriminate(x_fake)
            told = F.cross_entropy(self.classes(self.features(images)), labels)
            penalties = loss.penalties(real, x_real, fake, x_fake)
            turn.minimise(
                {
                    "relativistic": options.discrimination * loss.discriminator(real, fake)["relativistic"],
                    **{name: options.gamma * penalty for name, penalty in penalties.items()},
                    "classification": options.classification * told,
                },
                logits={"real": real, "fake": fake},
            )
        if not train.has_begun(self.generator):
            return
        with train.turn(self.generator) as turn:
            generated = self.generate(len(x), train.device)
            real, fake = self.discriminate(x.detach()), self.discriminate(generated)
            wanted = batch["colours"]["images"].mean((0, 2, 3))
            colours = (generated.mean((0, 2, 3)) - wanted).square().sum()
            weight = options.colours * phase_weight(train.step, options.colours_from)
            terms = {"adversarial": options.adversarial * loss.generator(fake, real), "colours": weight * colours}
            turn.minimise(terms, logits={"fake": fake})

    def export(self):
        sizes = self.options.model_dump(include=set(Sizes.model_fields))
        return gansdk.Export(facts(self.options), sizes, self.networks)


METHOD = gansdk.Method(
    name="few-labels",
    summary="images in given colours, learnt with few labels",
    paper="none; for tests",
    licence="Apache-2.0",
    requires="gansdk-plugin-few-labels>=1.0",
    network_options=f"{__name__}:Sizes",
    networks=f"{__name__}:networks",
    assemble=f"{__name__}:assemble",
    configs={
        "usual": gansdk.Config(
            recipe=f"{__name__}:FewLabels",
            options=f"{__name__}:RecipeOptions",
            tiny_model={"height": 96, "width": 128, "generator_from": 1, "colours_from": 1},
            ablated_terms=(("generator", "colours"),),
        )
    },
)
