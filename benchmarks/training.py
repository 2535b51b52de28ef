"""What the training loop costs, as a ratio from one run.

    python benchmarks/training.py [--steps 30] [--turns 5] [--features 32] [--threads N] [--device cpu] [--json]

The same small pair of networks on 28×28 images of noise, with the same losses, optimisers and batches: once by
``gansdk train``'s loop, with its log, its checks of routing and of finite values, once by a loop as one writes it by
hand. They run in turns; the median of the turns counts. A step should take 20 ms or more: of shorter ones Python is a
larger share.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import softplus

import gansdk
from gansdk import Export
from gansdk.training import AdversarialPair, Player, Recipe
from gansdk.training.trainer import train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gansdk.training import Train

LATENT, BATCH, WARM = 64, 64, 5
FACTS = gansdk.Facts(
    generator=gansdk.LatentGeneratorFacts(
        source=gansdk.LatentSource(variables=(gansdk.Noise(n=LATENT),)),
        output=gansdk.ImageSpec(channels=1, height=28, width=28),
    )
)
adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))


class Sizes(gansdk.Options):
    """How large the networks are."""

    features: Annotated[int, Field(ge=1, description="channels of the layer next to the image")] = 32


class PairOptions(Sizes):
    """What the recipe can be told."""

    steps: Annotated[int, Field(ge=1, description="how many batches to learn from")] = 30


class Generator(nn.Sequential):
    """Noise [N, 64] to images [N, 1, 28, 28]."""

    def __init__(self, features: int) -> None:
        super().__init__(
            nn.Linear(LATENT, 2 * features * 49),
            nn.Unflatten(1, (2 * features, 7, 7)),
            nn.BatchNorm2d(2 * features),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * features, features, 4, 2, 1),
            nn.BatchNorm2d(features),
            nn.ReLU(),
            nn.ConvTranspose2d(features, 1, 4, 2, 1),
            nn.Sigmoid(),
        )


class LatentGenerator:
    """Images of a latent, by a ready network."""

    def __init__(self, network: Callable[..., Tensor]) -> None:
        self._network = network

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        """Images [N, 1, 28, 28]."""
        return self._network(source["noise"])


def discriminator(features: int) -> nn.Module:
    """Images to logits of being real."""
    return nn.Sequential(
        nn.Conv2d(1, features, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(features, 2 * features, 4, 2, 1),
        nn.BatchNorm2d(2 * features),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(2 * features * 49, 1),
    )


class Noise:
    """Images of noise: the data set, and its stream."""

    name, licence, digest = "noise", "CC0-1.0", "sha256:" + 64 * "0"

    def __init__(self) -> None:
        self._images = torch.from_numpy(np.random.default_rng(0).random((1024, 1, 28, 28), np.float32))

    def __len__(self) -> int:
        return len(self._images)

    def batch(self, index: int) -> Mapping[str, Tensor]:
        """The images of one step."""
        drawn = np.random.default_rng((0, index)).integers(len(self), size=BATCH)
        return {"images": self._images[torch.from_numpy(drawn)]}


class Pair(Recipe):
    """The recipe."""

    sources = ("noise",)

    def __init__(self, options: PairOptions) -> None:
        super().__init__(options)
        self._features = options.features
        self._g, self._d = Generator(options.features), discriminator(options.features)
        self._generator, self._discriminator = Player("g", self._g, adam), Player("d", self._d, adam)
        self.players = (self._generator, self._discriminator)
        self.adversarial_pairs = (AdversarialPair("g", "d"),)

    def streams(self, data: Mapping[str, Noise], _seed: int) -> Mapping[str, Noise]:
        """The data set is its own stream."""
        return data

    def step(self, batch: Mapping[str, Mapping[str, Tensor]], train: Train) -> None:
        """The discriminator's turn, then the generator's."""
        images = batch["noise"]["images"]
        with train.turn(self._discriminator) as turn:
            fake = self._g(torch.randn(BATCH, LATENT, device=train.device)).detach()
            real, made = self._d(images), self._d(fake)
            terms = {"real": softplus(-real).mean(), "fake": softplus(made).mean()}
            turn.minimise(terms, logits={"real": real, "fake": made})
        with train.turn(self._generator) as turn:
            made = self._d(self._g(torch.randn(BATCH, LATENT, device=train.device)))
            turn.minimise({"gan": softplus(-made).mean()}, logits={"fake": made})

    def samples(self, _data: Mapping[str, Noise]) -> Mapping[str, Tensor]:
        """None."""
        return {}

    def show(self, _inputs: Mapping[str, Tensor], _networks: Mapping[str, nn.Module]) -> Tensor:
        """Is not asked for without samples."""
        return torch.zeros(1, 1, 28, 28)

    def export(self) -> Export:
        """The generator."""
        return Export(FACTS, {"features": self._features}, {"generator": self._g})


def networks(options: Sizes) -> Mapping[str, nn.Module]:
    """What a model of this method consists of."""
    return {"generator": Generator(options.features)}


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: gansdk.Facts) -> gansdk.Model:
    """A model of it, as one would use it."""
    return gansdk.Model(facts, generator=LatentGenerator(call["generator"]))


METHOD = gansdk.Method(
    name="pair",
    summary="a pair of networks for this benchmark",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk",
    network_options=f"{__name__}:Sizes",
    networks=f"{__name__}:networks",
    assemble=f"{__name__}:assemble",
    configs={"noise": gansdk.Config(recipe=f"{__name__}:Pair", options=f"{__name__}:PairOptions")},
)


def by_gansdk(steps: int, features: int, threads: int, device: str) -> float:
    """Seconds a step in gansdk's loop, after some to warm up."""
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        train(
            METHOD,
            "noise",
            f"{folder}/run",
            data={"": "noise"},
            options={"steps": steps + WARM, "features": features},
            progress=lambda _: times.append(time.perf_counter()),
            open_data=lambda text: (text, Noise()),
            metrics=(),
            device=device,
            precision="fp32",
            threads=threads,
        )
    return (times[-1] - times[WARM - 1]) / steps


def finish(device: str) -> None:
    """Waits for what a GPU was asked for."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def by_hand(steps: int, features: int, device: str) -> float:
    """Seconds a step in a plain loop."""
    g, d, noise = Generator(features).to(device), discriminator(features).to(device), Noise()
    g_optimiser, d_optimiser = adam(g.parameters()), adam(d.parameters())
    start = 0.0
    for index in range(steps + WARM):
        if index == WARM:
            finish(device)
            start = time.perf_counter()
        images = noise.batch(index)["images"].to(device)
        fake = g(torch.randn(BATCH, LATENT, device=device)).detach()
        d_optimiser.zero_grad()
        (softplus(-d(images)).mean() + softplus(d(fake)).mean()).backward()
        d_optimiser.step()
        g_optimiser.zero_grad()
        softplus(-d(g(torch.randn(BATCH, LATENT, device=device)))).mean().backward()
        g_optimiser.step()
    finish(device)
    return (time.perf_counter() - start) / steps


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, value in {"--steps": 30, "--turns": 5, "--features": 32, "--threads": torch.get_num_threads()}.items():
        parser.add_argument(flag, type=int, default=value)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    pairs = [
        (
            by_gansdk(given.steps, given.features, given.threads, given.device),
            by_hand(given.steps, given.features, given.device),
        )
        for _ in range(given.turns)
    ]
    ours, plain = (statistics.median(times) for times in zip(*pairs, strict=True))
    found = {"gansdk_ms": round(1000 * ours, 2), "by_hand_ms": round(1000 * plain, 2), "ratio": round(plain / ours, 3)}
    if given.json:
        print(json.dumps(found))
    else:
        print(
            f"a step takes {found['gansdk_ms']} ms in gansdk's loop and {found['by_hand_ms']} ms by hand; "
            f"steps per second: {found['ratio']} of it"
        )


if __name__ == "__main__":
    main()
