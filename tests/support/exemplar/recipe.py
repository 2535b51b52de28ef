from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, softplus

from gansdk import Export, training
from gansdk.training import AdversarialPair, Player

from .model import FACTS, Network


class Pairs:
    """Batch i depends on the images, the seed and i alone."""

    def __init__(self, images, size: int, seed: int) -> None:
        self._images, self._size, self._seed = [pixels for _, pixels in images], size, seed

    def batch(self, index: int, /):
        random = np.random.default_rng((self._seed, index))
        high = torch.stack([self._crop(random) for _ in range(self._size)])
        return {"high": high, "low": avg_pool2d(high, 2)}

    def _crop(self, random):
        pixels = self._images[random.integers(len(self._images))]
        top, left = random.integers(pixels.shape[0] - 16), random.integers(pixels.shape[1] - 16)
        return torch.from_numpy(pixels[top : top + 16, left : left + 16].copy()).permute(2, 0, 1) / 255


class Recipe(training.Recipe):
    sources = ("photos",)

    def __init__(self, options) -> None:
        super().__init__(options)
        self.networks = {"generator": Network(options.width)}
        self.critic = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.LeakyReLU(), nn.Dropout(0.1), nn.Conv2d(8, 1, 3)
        )
        self.perceptual = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))
        self.colours = nn.Conv2d(3, 3, 1)
        adam = partial(torch.optim.Adam, lr=1e-3)
        self.generator = Player("generator", self.networks["generator"], adam, ema=0.9)
        self.discriminator = Player("discriminator", self.critic, adam)
        self.players = (self.generator, self.discriminator)
        self.fixed = (self.perceptual,)
        self.routes = {"content": {"generator"}, "adversarial": {"generator"}, "discrimination": {"discriminator"}}
        self.adversarial_pairs = (AdversarialPair(generator="generator", discriminator="discriminator"),)

    def streams(self, data, seed):
        return {"photos": Pairs(data["photos"], self.options.batch, seed)}

    def restore(self, low):
        noise = torch.rand_like(low)
        return self.networks["generator"](low + 0.01 * noise)

    def step(self, batch, train):
        options, low, high = self.options, batch["photos"]["low"], batch["photos"]["high"]
        with train.turn(self.discriminator) as turn:
            fake = self.restore(low).detach()
            real_logit, fake_logit = self.critic(high), self.critic(fake)
            turn.minimise(
                {
                    "real": options.discrimination * softplus(-real_logit).mean(),
                    "fake": options.discrimination * softplus(fake_logit).mean(),
                },
                logits={"real": real_logit, "fake": fake_logit},
            )
        with train.turn(self.generator) as turn:
            fake = self.restore(low)
            distance = (self.perceptual(fake) - self.perceptual(high)).square().mean()
            logit = self.critic(fake)
            turn.minimise(
                {
                    "content": options.content * distance,
                    "adversarial": options.adversarial * softplus(-logit).mean(),
                },
                logits={"fake": logit},
            )

    def samples(self, data):
        return {"low": self.streams(data, 0)["photos"].batch(0)["low"]}

    def show(self, inputs, networks):
        low = inputs["low"]
        return torch.cat([interpolate(low, scale_factor=2.0), networks["generator"](low).clamp(0, 1)], dim=3)

    def export(self):
        return Export(FACTS, {"width": self.options.width}, self.networks)
