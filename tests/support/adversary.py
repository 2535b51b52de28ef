"""A recipe small enough for tests that has everything a resume can lose: batch-norm, dropout, noise, averages, Adam,
a schedule, a kept tensor, two players, a fixed network."""

from __future__ import annotations

import dataclasses
import signal
from functools import partial
from typing import Annotated

import numpy as np
import tiny
import torch
from PIL import Image as PILImage
from pydantic import Field
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, softplus

import gansdk
import gansdk.training
from gansdk import Export
from gansdk.training import AdversarialPair, Player, load_initial_model

SIDE = 8


class RecipeOptions(gansdk.Options):
    steps: Annotated[int, Field(ge=1)] = 6
    width: Annotated[int, Field(ge=1)] = 4
    gan: Annotated[float, Field(ge=0)] = 0.1
    noise: float = 0.1


class Pairs:
    def __init__(self, images, seed: int) -> None:
        self._high = torch.stack([torch.from_numpy(pixels).permute(2, 0, 1) / 255 for _, pixels in images])
        self._seed = seed

    def batch(self, index: int):
        drawn = np.random.default_rng((self._seed, index)).integers(len(self._high), size=4)
        high = self._high[torch.from_numpy(drawn)]
        return {"high": high, "low": avg_pool2d(high, 2)}


class Recipe(gansdk.training.Recipe):
    advantage = 0.0

    sources = ("photos",)

    def __init__(self, options: RecipeOptions) -> None:
        super().__init__(options)
        self.networks = tiny.networks(tiny.NetworkOptions(width=options.width))
        self.critic = nn.Sequential(
            nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), nn.LeakyReLU(), nn.Dropout(0.3), nn.Conv2d(4, 1, 3)
        )
        self.look = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))
        self.generator = Player(
            "generator",
            self.networks["generator"],
            partial(torch.optim.Adam, lr=1e-2),
            schedule=lambda step: 1 / (1 + step),
            ema=0.8,
        )
        self.discriminator = Player("discriminator", [self.critic], partial(torch.optim.RMSprop, lr=1e-3))
        self.players = (self.generator, self.discriminator)
        self.fixed = (self.look,)
        self.routes = {"gan": {"generator"}}
        self.adversarial_pairs = (AdversarialPair("generator", "discriminator"),)

    def streams(self, data, seed):
        return {"photos": Pairs(data["photos"], seed)}

    def step(self, batch, train):
        low, high = batch["photos"]["low"], batch["photos"]["high"]
        noisy = low + self.options.noise * torch.randn_like(low)
        with train.turn(self.discriminator) as turn:
            fake = self.networks["generator"](noisy).detach()
            real, logit = self.critic(high) + self.advantage, self.critic(fake) - self.advantage
            terms = {"real": softplus(-real).mean(), "fake": softplus(logit).mean()}
            turn.minimise(terms, logits={"real": real, "fake": logit})
        with train.turn(self.generator) as turn:
            fake = self.networks["generator"](noisy)
            look = (self.look(fake) - self.look(high)).square().mean()
            gan = softplus(-self.critic(fake)).mean()
            turn.minimise({"look": look, "gan": self.options.gan * gan})
        before = train.kept("mean")
        now = fake.detach().mean(dim=(0, 2, 3))
        train.keep("mean", now if before is None else 0.5 * (before + now))

    def samples(self, data):
        return {"low": Pairs(data["photos"], 0).batch(0)["low"][:2]}

    def show(self, inputs, networks):
        low = inputs["low"]
        noise = torch.rand(len(low), 3, SIDE, SIDE).to(low.device)  # what it draws must not disturb the training
        return torch.cat([noise, interpolate(low, scale_factor=2.0), networks["generator"](low).clamp(0, 1)], dim=3)

    def export(self):
        return Export(tiny.FACTS, {"width": self.options.width}, self.networks)


class FromImages(Recipe):
    """Learns from images in one array, epoch by epoch."""

    labelled = False

    def streams(self, data, seed):
        images = gansdk.stack_images(data["photos"], size=(SIDE, SIDE), channels=3)
        return {"photos": Halved(gansdk.ImageBatches(images, size=4, seed=seed, labelled=self.labelled))}

    def samples(self, data):
        return {"low": self.streams(data, 0)["photos"].batch(0)["low"][:2]}


class FromLabelled(FromImages):
    """Cannot do without labels."""

    labelled = True


class Halved:
    def __init__(self, stream) -> None:
        self._stream = stream

    def batch(self, index: int):
        high = self._stream.batch(index)["images"]
        return {"high": high, "low": avg_pool2d(high, 2)}


class GoingOnOptions(RecipeOptions):
    start: str = ""


class GoingOn(Recipe):
    """Goes on from another model, and keeps what it was."""

    def __init__(self, options: GoingOnOptions) -> None:
        super().__init__(options)
        self.initial = load_initial_model(options.start, METHOD)
        self.networks["generator"].load_state_dict(self.initial.networks["generator"].state_dict())
        self.dependencies = {"start": self.initial.digest}

    def export(self):
        return Export(tiny.FACTS, {"width": self.options.width}, self.networks, self.initial.networks)


class Interrupted(Recipe):
    """Is sent Ctrl-C in the middle of its third step."""

    number = signal.SIGINT

    def step(self, batch, train):
        if train.step == 2:
            signal.raise_signal(self.number)
        super().step(batch, train)


class Terminated(Interrupted):
    """Is sent SIGTERM in the middle of its third step."""

    number = signal.SIGTERM


class Exploding(Recipe):
    """Its fifth step divides by zero."""

    def step(self, batch, train):
        if train.step == 4:
            batch = {"photos": {name: tensor / 0 for name, tensor in batch["photos"].items()}}
        super().step(batch, train)


class Lopsided(Recipe):
    """Its critic tells everything apart."""

    advantage = 100.0


class Meddling(Recipe):
    """Changes what it calls fixed."""

    def step(self, batch, train):
        super().step(batch, train)
        with torch.no_grad():
            self.look[0].bias += 1


class EndlessOptions(gansdk.Options):
    pass


def method(recipe: str = "Recipe", options: str = "RecipeOptions", **values) -> gansdk.Method:
    """The tiny method, trained by one of the recipes above."""
    config = gansdk.Config(recipe=f"adversary:{recipe}", options=f"adversary:{options}", values=values)
    return dataclasses.replace(tiny.METHOD, configs={"small": config})


METHOD = method()


def write_images(folder, seed: int = 0):
    """Three images of noise, as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(3):
        pixels = np.random.default_rng((seed, i)).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        PILImage.fromarray(pixels).save(folder / f"{i}.png")
    return folder
