"""What can be chosen about a training."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gansdk import DegradationOptions
from gansdk.training import EMA, AdversarialOptions, OptimiserOptions, ScheduleOptions, Steps, Weight
from gansdk_srgan.architectures import SRResNetSizes

Ref = Annotated[str, Field(json_schema_extra={"metavar": "REF"})]


class PatchOptions(DegradationOptions, OptimiserOptions, ScheduleOptions):
    """What both stages have in common: patches of photographs, Adam, its schedule, an average of the weights."""

    steps: Steps = 1_000_000
    batch: Annotated[int, Field(ge=1, le=1024, description="patches per step")] = 16
    patch: Annotated[int, Field(ge=4, le=512, description="side of a low-resolution patch, in pixels")] = 24
    ema: EMA = 0.999
    longest: Annotated[int, Field(ge=32, le=65536, description="images are shrunk to this longer side first")] = 65536
    octaves: Annotated[int, Field(ge=1, le=6, description="sizes of each image: its own, a half, a quarter …")] = 1
    candidates: Annotated[int, Field(ge=1, le=16, description="spots drawn per patch; the most textured is taken")] = 1


class Stage1Options(SRResNetSizes, PatchOptions):
    """The first stage, SRResNet: the network's sizes, and how it learns from pixel differences."""

    loss: Annotated[Literal["mse", "l1"], Field(description="squared (the paper's) or absolute differences")] = "mse"
    pixel: Annotated[Weight, Field(description="weight of the pixel loss")] = 1.0
    init_from: Annotated[Ref, Field(description="a model of these sizes to start from; random weights if none")] = ""


def _layers(text: str) -> str:
    if not re.fullmatch(r"[1-5],[1-4](\+[1-5],[1-4])*", text):
        raise ValueError("no layers; give i,j of φᵢ,ⱼ, joined by +, as 5,4 or 2,2+3,3")
    return text


class Stage2Options(PatchOptions, AdversarialOptions):
    """The second stage, SRGAN: what the generator is measured by, and the discriminator that it plays against."""

    init_from: Annotated[Ref, Field(description="the first stage's model (required)")]
    steps: Steps = 200_000
    content: Annotated[Weight, Field(description="weight of the content loss, a share of its features' power")] = 0.01
    content_of: Annotated[
        Literal["vgg", "discriminator-features", "pixel"],
        Field(description="what the content loss compares: features of VGG or of the discriminator, or pixels"),
    ] = "vgg"
    layers: Annotated[
        str,
        AfterValidator(_layers),
        Field(description="which features of VGG: after the j-th convolution before the i-th pool, joined by +"),
    ] = "5,4"
    backbone: Annotated[
        str, Field(description="VGG's weights: a safetensors file, or the name of one in $GANSDK_DATA/trunks")
    ] = "vgg19"
    backbone_input: Annotated[
        Literal["mean-subtracted", "standardised"],
        Field(description="what VGG was trained on: 0 … 255 minus the mean (VGG16-HED), or standardised (torchvision)"),
    ] = "standardised"
    adversarial: Annotated[Weight, Field(description="weight of the generator's adversarial loss")] = 1e-3
    discriminator_features: Annotated[
        int, Field(ge=4, le=512, description="channels of the discriminator's first layer; they double three times")
    ] = 64
    discriminator_hidden: Annotated[int, Field(ge=4, le=4096, description="width of its dense layer")] = 1024

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The layers as (i, j)."""
        return tuple((int(layer[0]), int(layer[2])) for layer in self.layers.split("+"))
