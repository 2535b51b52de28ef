"""A plugin for tests: a discriminator that is given the class with the image, and a classifier, of random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gansdk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

IMAGE = gansdk.ImageSpec(channels=1, height=10, width=8)
FACTS = gansdk.Facts(
    discriminator=gansdk.DiscriminatorFacts(
        data=IMAGE, given=(gansdk.Categorical(name="class", k=3),), verdicts=("real", "reconstructed")
    ),
    classifier=gansdk.ClassifierFacts(data=IMAGE, labels=("zero", "one", "two")),
)


class NetworkOptions(gansdk.Options):
    pass


def networks(_options: NetworkOptions) -> Mapping[str, nn.Module]:
    from torch import nn

    return {"critic": nn.Linear(83, 2), "reader": nn.Linear(80, 3)}


class Critic:
    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self._network = network

    def discriminate(self, data: Tensor, /, given: Mapping[str, Tensor] | None = None) -> Tensor:
        import torch

        chosen = given["class"]
        weights = torch.nn.functional.one_hot(chosen, 3).float() if chosen.dim() == 1 else chosen
        pixels = data.flatten(1)
        return self._network(torch.cat([pixels, weights], 1))


class Reader:
    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self._network = network

    def classify(self, data: Tensor, /) -> Tensor:
        import torch  # noqa: F401 - the faults that tests plant use it

        flat = data.flatten(1)
        return self._network(flat)


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: gansdk.Facts) -> gansdk.Model:
    return gansdk.Model(facts, discriminator=Critic(call["critic"]), classifier=Reader(call["reader"]))


METHOD = gansdk.Method(
    name="appraiser",
    summary="random verdicts for tests",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk-plugin-appraiser>=0.1",
    network_options=f"{__name__}:NetworkOptions",
    networks=f"{__name__}:networks",
    assemble=f"{__name__}:assemble",
)


def write(folder: Path) -> None:
    """A model folder of it."""
    import torch

    from gansdk.model.config import Trained, TrainingData
    from gansdk.models.writing import Export, write_model

    data = (TrainingData(name="nothing", licence="CC0-1.0", items=1),)
    trained = Trained(recipe="none", config="none", seed=0, steps=1, data=data)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built = networks(NetworkOptions())
    export = Export(FACTS, {}, built)
    write_model(folder, METHOD, export, trained=trained, summary="random weights", licence="CC0-1.0")
