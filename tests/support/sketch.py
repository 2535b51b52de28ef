"""A plugin for tests: a decoder with named codes and an encoder, of random weights. All that it has is networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gansdk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

NOISE = gansdk.Noise(n=4)
CLASS = gansdk.Categorical(name="class", k=3, labels=("zero", "one", "two"))
STYLE = gansdk.Continuous(name="style", n=2, sweep=(-2, 2))
IMAGE = gansdk.ImageSpec(channels=1, height=10, width=8)
FACTS = gansdk.Facts(
    generator=gansdk.LatentGeneratorFacts(source=gansdk.LatentSource(variables=(NOISE, CLASS, STYLE)), output=IMAGE),
    encoder=gansdk.EncoderFacts(data=IMAGE, variables=(CLASS, STYLE, gansdk.Features(n=5))),
)


class NetworkOptions(gansdk.Options):
    pass


def networks(_options: NetworkOptions) -> Mapping[str, nn.Module]:
    from torch import nn

    return {"generator": nn.Linear(9, 80), "recogniser": nn.Linear(80, 10)}


class Decoder:
    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self._network = network

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        import torch

        chosen = source["class"]
        weights = torch.nn.functional.one_hot(chosen, 3).float() if chosen.dim() == 1 else chosen
        latent = torch.cat([source["noise"], weights, source["style"]], 1)
        return self._network(latent).sigmoid().reshape(-1, 1, 10, 8)


class Recogniser:
    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self._network = network

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        said = self._network(data.flatten(1))
        return {"class": said[:, :3].softmax(1), "style": said[:, 3:5].tanh(), "features": said[:, 5:]}


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: gansdk.Facts) -> gansdk.Model:
    return gansdk.Model(facts, generator=Decoder(call["generator"]), encoder=Recogniser(call["recogniser"]))


METHOD = gansdk.Method(
    name="sketch",
    summary="random images for tests",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk-plugin-sketch>=0.1",
    network_options=f"{__name__}:NetworkOptions",
    networks=f"{__name__}:networks",
    assemble=f"{__name__}:assemble",
)


@gansdk.hookimpl
def gansdk_methods() -> list[gansdk.Method]:
    return [METHOD]


def write(folder: Path, *, seed: int = 0) -> None:
    """A model folder of it."""
    import torch

    from gansdk.model.config import Trained, TrainingData
    from gansdk.models.writing import Export, write_model

    data = (TrainingData(name="nothing", licence="CC0-1.0", items=1),)
    trained = Trained(recipe="none", config="none", seed=seed, steps=1, data=data)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        write_model(
            folder,
            METHOD,
            Export(FACTS, {}, networks(NetworkOptions())),
            trained=trained,
            summary="random weights",
            licence="CC0-1.0",
        )
