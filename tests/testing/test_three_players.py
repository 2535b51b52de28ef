"""Routes and signs of three players in one turn, and the faults of published code that they exist for."""

from __future__ import annotations

import sys
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import gansdk
from gansdk import Export
from gansdk.testing import all_checks
from gansdk.testing.kit import Kit
from gansdk.testing.targets import RecipeUnderTest
from gansdk.training import AdversarialPair, Player, Recipe

HERE = "three_players_for_tests"
CHECKS = {check.id: check for check in all_checks()}


class Options(gansdk.Options):
    steps: int = 1
    prior: float = 1.0
    likeness: float = 1.0
    gan: float = 1.0


class Stream:
    def batch(self, index):
        generator = torch.Generator().manual_seed(index)
        return {"x": torch.rand(4, 6, generator=generator)}


class VAEGAN(Recipe):
    """Larsen et al. 2016, on vectors: one forward, all three players at once."""

    decoders_sign = -1.0
    reaches_encoder = False
    sources = ("vectors",)
    fixed = ()
    dependencies = {}
    adversarial_pairs = (AdversarialPair(generator="decoder", discriminator="discriminator"),)

    def __init__(self, options):
        self.options = options
        self.networks = {
            "encoder": nn.Linear(6, 3),
            "decoder": nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 6)),
            "discriminator": nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1)),
        }
        adam = partial(torch.optim.Adam, lr=1e-3)
        self.players = tuple(Player(name, network, adam) for name, network in self.networks.items())
        self.routes = {
            "prior": {"encoder"},
            "likeness": {"encoder", "decoder"},
            "gan": {"decoder", "discriminator"},
        }

    def streams(self, data, seed):
        return {"vectors": Stream()}

    def step(self, batch, train):
        options, x = self.options, batch["vectors"]["x"]
        encoder, decoder, discriminator = self.players
        encode, decode, criticise = self.networks.values()
        with train.turn(*self.players) as turn:
            mean = encode(x)
            restored, drawn = decode(mean + torch.randn_like(mean)), decode(torch.randn_like(mean))
            likeness = options.likeness * (criticise[:2](restored) - criticise[:2](x)).square().mean()
            real, fake = criticise(x), (criticise(restored), criticise(drawn))
            gan = softplus(-real).mean() + sum(softplus(logit).mean() for logit in fake)
            encoders = {"prior": options.prior * mean.square().mean(), "likeness": likeness}
            if self.reaches_encoder:
                encoders["gan"] = options.gan * -gan
            turn.minimise(
                {
                    encoder: encoders,
                    decoder: {"likeness": likeness, "gan": options.gan * self.decoders_sign * gan},
                    discriminator: {"gan": options.gan * gan},
                },
                logits={"real": real, "fake": fake},
            )

    def export(self):
        return Export(gansdk.Facts(), {}, self.networks)


class Pythae(VAEGAN):
    """The decoder's gradient is plus a half of the discriminator's where minus a half was meant."""

    decoders_sign = 0.5


class Leaking(VAEGAN):
    """The encoder is trained by the GAN loss too."""

    reaches_encoder = True


@pytest.fixture
def failed(monkeypatch):
    """Which checks of a recipe of this file fail, resuming apart: its data are not images."""
    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])

    def run(recipe):
        config = gansdk.Config(recipe=f"{HERE}:{recipe}", options=f"{HERE}:Options")
        method = gansdk.Method("vectors", "s", "p", "l", "r", "n", "n", "a", configs={"usual": config})
        target = RecipeUnderTest(method, "usual")
        kit = Kit([target])
        results = [
            kit.run(check, target)
            for id_, check in CHECKS.items()
            if check.kind == "recipe" and id_ != "resume-is-exact"
        ]
        return {result.check.id: result.message for result in results if result.outcome == "failed"}

    return run


def test_one_turn_of_three_players_passes(failed):
    assert failed("VAEGAN") == {}


def test_a_decoder_that_helps_the_discriminator_is_caught(failed):
    assert failed("Pythae") == {
        "signs-are-right": "the turn of decoder lowers the logit of discriminator on what is fake"
    }


def test_an_encoder_that_the_gan_loss_reaches_is_caught(failed):
    assert failed("Leaking") == {"routes-are-real": "'gan' reaches encoder, which its route does not name"}
