"""What can be chosen about a network; a model's ``config.json`` keeps it. One class for each architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from gansdk import Options

if TYPE_CHECKING:
    from torch import nn

Features = Annotated[int, Field(ge=4, le=512, description="channels inside the residual blocks")]
Blocks = Annotated[int, Field(ge=1, le=64, description="residual blocks")]


class Architecture(Options):
    """The sizes of a network that enlarges images, and the network itself."""

    channels: Annotated[Literal[1, 3], Field(description="3 is RGB, 1 is grey")] = 3
    scale: int = 4

    @property
    def multiple(self) -> int:
        """What an input's height and width must be multiples of."""
        return 1

    def build(self) -> nn.Module:
        """The network, not loaded."""
        raise NotImplementedError

    def receptive_field(self) -> int:
        """How far an input pixel can act, in input pixels."""
        raise NotImplementedError

    def _sizes(self) -> dict[str, Any]:
        return self.model_dump(exclude={"architecture"})


class SRResNetSizes(Architecture):
    """The sizes of SRGAN's generator, which a training chooses. The defaults are the paper's."""

    scale: Annotated[Literal[2, 4, 8], Field(description="how many times as wide and high the output is")] = 4
    features: Features = 64
    blocks: Blocks = 16
    up_features: Annotated[int, Field(ge=4, le=512, description="channels after each doubling of the size")] = 64
    head_kernel: Annotated[Literal[1, 3, 5, 7, 9], Field(description="size of the first convolution")] = 9
    tail_kernel: Annotated[Literal[1, 3, 5, 7, 9], Field(description="size of the last convolution")] = 9
    batch_norm: Annotated[bool, Field(description="batch normalisation in the residual blocks, as in the paper")] = True
    base: Annotated[
        Literal["none", "bilinear"],
        Field(description="an image that the network's output is added to, so that it has only details to learn"),
    ] = "none"

    def network(self) -> SRResNetOptions:
        """The part that a model's ``config.json`` keeps."""
        return SRResNetOptions(**{name: getattr(self, name) for name in SRResNetSizes.model_fields})

    def build(self) -> nn.Module:
        """SRResNet."""
        from gansdk_srgan.networks import SRResNet

        return SRResNet(self)

    def receptive_field(self) -> int:
        """Counted by the network's module."""
        from gansdk_srgan.networks import srresnet

        return srresnet.receptive_field(self)


class SRResNetOptions(SRResNetSizes):
    """SRGAN's generator."""

    architecture: Literal["srresnet"] = "srresnet"


class MSRResNetOptions(Architecture):
    """BasicSR's SRResNet. The defaults are its models'."""

    architecture: Literal["msrresnet"] = "msrresnet"
    scale: Annotated[Literal[2, 3, 4], Field(description="how many times as wide and high the output is")] = 4
    features: Features = 64
    blocks: Blocks = 16

    def build(self) -> nn.Module:
        """MSRResNet."""
        from gansdk_srgan.networks import MSRResNet

        return MSRResNet(**self._sizes())

    def receptive_field(self) -> int:
        """Counted by the network's module."""
        from gansdk_srgan.networks import msrresnet

        return msrresnet.receptive_field(scale=self.scale, blocks=self.blocks)


class RRDBOptions(Architecture):
    """ESRGAN's generator. The defaults are the paper's."""

    architecture: Literal["rrdb"] = "rrdb"
    scale: Annotated[Literal[1, 2, 4, 8], Field(description="how many times as wide and high the output is")] = 4
    unshuffle: Annotated[
        Literal[1, 2, 4], Field(description="side of the squares of pixels that become channels before the backbone")
    ] = 1
    features: Features = 64
    growth: Annotated[int, Field(ge=1, le=512, description="channels that each convolution of a dense block adds")] = 32
    blocks: Blocks = 23

    @model_validator(mode="after")
    def _up_to_three_doublings(self) -> Self:
        if self.scale * self.unshuffle > 8:
            raise ValueError("scale times unshuffle is at most 8")
        return self

    @property
    def multiple(self) -> int:
        """The side of an unshuffled square."""
        return self.unshuffle

    def build(self) -> nn.Module:
        """RRDBNet."""
        from gansdk_srgan.networks import RRDBNet

        return RRDBNet(**self._sizes())

    def receptive_field(self) -> int:
        """Counted by the network's module."""
        from gansdk_srgan.networks import rrdbnet

        return rrdbnet.receptive_field(scale=self.scale, unshuffle=self.unshuffle, blocks=self.blocks)


class CompactOptions(Architecture):
    """Real-ESRGAN's small generator."""

    architecture: Literal["compact"] = "compact"
    scale: Annotated[int, Field(ge=1, le=8, description="how many times as wide and high the output is")] = 4
    features: Features = 64
    convolutions: Annotated[int, Field(ge=0, le=128, description="between the first and the last one")] = 16

    def build(self) -> nn.Module:
        """SRVGGNetCompact."""
        from gansdk_srgan.networks import SRVGGNetCompact

        return SRVGGNetCompact(**self._sizes())

    def receptive_field(self) -> int:
        """Counted by the network's module."""
        from gansdk_srgan.networks import compact

        return compact.receptive_field(convolutions=self.convolutions)


def _architecture(values: Any) -> str:
    """Models from before there was a choice name no architecture."""
    if isinstance(values, Options):
        return str(getattr(values, "architecture", ""))
    return str(values.get("architecture", "srresnet")) if isinstance(values, dict) else ""


NetworkOptions = Annotated[
    Annotated[SRResNetOptions, Tag("srresnet")]
    | Annotated[MSRResNetOptions, Tag("msrresnet")]
    | Annotated[RRDBOptions, Tag("rrdb")]
    | Annotated[CompactOptions, Tag("compact")],
    Discriminator(_architecture),
]
"""What ``network`` in ``config.json`` is validated by."""
