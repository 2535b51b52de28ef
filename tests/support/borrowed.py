"""A plugin for tests: an encoder trained for the generator of the sketch method, whose model it uses as its base."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sketch

import gansdk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

    from gansdk.models.loading import LoadedModel

FACTS = gansdk.Facts(
    generator=sketch.FACTS.generator,
    encoder=gansdk.EncoderFacts(data=sketch.IMAGE, variables=(sketch.NOISE, sketch.CLASS, sketch.STYLE)),
)


class NetworkOptions(gansdk.Options):
    pass


def networks(_options: NetworkOptions) -> Mapping[str, nn.Module]:
    from torch import nn

    return {"encoder": nn.Linear(80, 9)}


class Encoder:
    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self._network = network

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        found = self._network(data.flatten(1))
        return {"noise": found[:, :4], "class": found[:, 4:7].softmax(1), "style": found[:, 7:].tanh()}


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: gansdk.Facts, base: gansdk.Model) -> gansdk.Model:
    return gansdk.Model(facts, generator=base.generator, encoder=Encoder(call["encoder"]))


METHOD = gansdk.Method(
    name="borrowed",
    summary="an encoder for another method's generator",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk-plugin-borrowed>=0.1",
    network_options="borrowed:NetworkOptions",
    networks="borrowed:networks",
    assemble="borrowed:assemble",
)


@gansdk.hookimpl
def gansdk_methods() -> list[gansdk.Method]:
    return [METHOD]


def write(folder: Path, base: LoadedModel) -> None:
    """A model folder of it, with a base."""
    import torch

    from gansdk.model.config import Trained, TrainingData
    from gansdk.models.writing import write_model

    data = (TrainingData(name="nothing", licence="CC0-1.0", items=1),)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        export = gansdk.Export(FACTS, {}, networks(NetworkOptions()), base=base)
        trained = Trained(recipe="none", config="none", seed=0, steps=1, data=data)
        write_model(folder, METHOD, export, trained=trained, summary="random weights", licence="CC0-1.0")
