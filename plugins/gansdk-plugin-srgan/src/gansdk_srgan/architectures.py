"""What can be chosen about a network; a model's ``config.json`` keeps it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gansdk import Options


class NetworkOptions(Options):
    """The generator's sizes. The defaults are the paper's."""

    channels: Annotated[Literal[1, 3], Field(description="3 is RGB, 1 is grey")] = 3
    scale: Annotated[Literal[2, 4, 8], Field(description="how many times as wide and high the output is")] = 4
    features: Annotated[int, Field(ge=4, le=512, description="channels inside the residual blocks")] = 64
    blocks: Annotated[int, Field(ge=1, le=64, description="residual blocks")] = 16
    up_features: Annotated[int, Field(ge=4, le=512, description="channels after each doubling of the size")] = 64
    head_kernel: Annotated[Literal[1, 3, 5, 7, 9], Field(description="size of the first convolution")] = 9
    tail_kernel: Annotated[Literal[1, 3, 5, 7, 9], Field(description="size of the last convolution")] = 9
    batch_norm: Annotated[bool, Field(description="batch normalisation in the residual blocks, as in the paper")] = True
    base: Annotated[
        Literal["none", "bilinear"],
        Field(description="a picture that the network's output is added to, so that it has only details to learn"),
    ] = "none"

    def network(self) -> NetworkOptions:
        """The part that a model's ``config.json`` keeps."""
        return NetworkOptions(**{name: getattr(self, name) for name in NetworkOptions.model_fields})
