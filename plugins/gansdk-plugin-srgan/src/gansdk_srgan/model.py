"""From options to networks, and from loaded networks to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk import Facts, ImageGeneratorFacts, ImageOutput, ImageSource, Model, SizeRule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from gansdk_srgan.architectures import Architecture


def networks(options: Architecture) -> Mapping[str, nn.Module]:
    """The generator, built and not loaded."""
    return {"generator": options.build()}


def facts(options: Architecture) -> Facts:
    """What a model with these networks takes and gives."""
    return Facts(
        generator=ImageGeneratorFacts(
            source=ImageSource(channels=options.channels, size=SizeRule(multiple=options.multiple)),
            output=ImageOutput(channels=options.channels, scale=options.scale),
            receptive_field=options.receptive_field(),
        )
    )


def assemble(call: Mapping[str, Callable[..., Tensor]], facts: Facts) -> Model:
    """A model over a ready generator; its images are brought back into [0, 1]."""
    return Model(facts=facts, generator=_Upscaler(call["generator"]))


class _Upscaler:
    def __init__(self, generator: Callable[..., Tensor]) -> None:
        self._generator = generator

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        return self._generator(source["image"]).clamp(0, 1)
