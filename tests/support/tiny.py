"""A method small enough for tests and real in every other way: a ×2 network with batch-norm and random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

import gansdk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

FACTS = gansdk.Facts(
    generator=gansdk.ImageGeneratorFacts(
        source=gansdk.ImageSource(), output=gansdk.ImageOutput(scale=2), receptive_field=4
    )
)


class NetworkOptions(gansdk.Options):
    width: Annotated[int, Field(ge=1, le=64)] = 8


def networks(options: NetworkOptions) -> Mapping[str, nn.Module]:
    from torch import nn

    width = options.width
    return {
        "generator": nn.Sequential(
            nn.Conv2d(3, width, 5, padding=2),
            nn.BatchNorm2d(width),
            nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )
    }


class Upscaler:
    def __init__(self, network: Callable[[Tensor], Tensor]) -> None:
        self._network = network

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        return self._network(source["image"])


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: gansdk.Facts) -> gansdk.Model:
    return gansdk.Model(facts, generator=Upscaler(call["generator"]))


METHOD = gansdk.Method(
    name="tiny",
    summary="a tiny method for tests",
    paper="none",
    licence="Apache-2.0",
    requires="gansdk-plugin-tiny>=0.1",
    network_options="tiny:NetworkOptions",
    networks="tiny:networks",
    assemble="tiny:assemble",
)


class NoOptions(gansdk.Options):
    pass


def measure(model, inputs, options, context, /):
    """A task's function that gives a record."""
    return {"width": inputs["photo"].width}


def saliency(model, inputs, options, context, /):
    """A task's function that differentiates: how much the output's sum depends on the pixels."""
    import torch

    image = torch.from_numpy(inputs["photo"].pixels).permute(2, 0, 1)[None].float() / 255
    image.requires_grad_()
    (gradient,) = torch.autograd.grad(model.generator.generate({"image": image}).sum(), image)
    return {"total": float(gradient.abs().sum())}


def trained_networks(width: int = 8, seed: int = 0) -> Mapping[str, nn.Module]:
    """Networks whose batch-norm has seen data, so that folding it changes every weight."""
    import torch

    torch.manual_seed(seed)
    built = networks(NetworkOptions(width=width))
    network = built["generator"].train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 3, 16, 16) * 2 + 1)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 2)
                module.bias.uniform_(-1, 1)
    return {"generator": network.eval()}


def write(folder, *, width: int = 8, seed: int = 0, facts: gansdk.Facts = FACTS, start=None, **fields):
    """A model folder of this method."""
    from gansdk.models.writing import Export, write_model

    built = trained_networks(width, seed)
    return write_model(folder, METHOD, Export(facts, {"width": width}, built, start), **fields)
