"""From options to networks, and from loaded networks to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk import Facts, GeneratorFacts, ImageOutput, ImageSource, Model
from gansdk_srgan.networks import SRResNet, receptive_field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from gansdk_srgan.architectures import NetworkOptions


def networks(options: NetworkOptions) -> Mapping[str, nn.Module]:
    """The generator, built and not loaded."""
    return {"generator": SRResNet(**options.network().model_dump())}


def facts(options: NetworkOptions) -> Facts:
    """What a model with these networks takes and gives."""
    return Facts(
        generator=GeneratorFacts(
            source=ImageSource(channels=options.channels),
            output=ImageOutput(channels=options.channels, scale=options.scale),
            receptive_field=receptive_field(
                scale=options.scale,
                blocks=options.blocks,
                head_kernel=options.head_kernel,
                tail_kernel=options.tail_kernel,
            ),
        )
    )


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: Facts) -> Model:
    """A model over a ready generator; its pictures are brought back into [0, 1]."""
    return Model(facts=facts, generator=_Upscaler(call["generator"]))


class _Upscaler:
    def __init__(self, generator: Callable[..., Tensor]) -> None:
        self._generator = generator

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        return self._generator(source["image"]).clamp(0, 1)
