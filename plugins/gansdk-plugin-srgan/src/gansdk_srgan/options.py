"""What can be chosen about a training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gansdk_srgan.architectures import NetworkOptions


class Stage1Options(NetworkOptions):
    """The first stage, SRResNet: the network's sizes, and how it learns from pixel differences."""

    steps: Annotated[int, Field(ge=1, le=10_000_000, description="how many batches to learn from")] = 1_000_000
    batch: Annotated[int, Field(ge=1, le=1024, description="patches per step")] = 16
    patch: Annotated[int, Field(ge=4, le=512, description="side of a low-resolution patch, in pixels")] = 24
    loss: Annotated[Literal["mse", "l1"], Field(description="squared (the paper's) or absolute differences")] = "mse"
    pixel: Annotated[float, Field(ge=0, le=1e6, description="weight of the pixel loss")] = 1.0
    learning_rate: Annotated[float, Field(gt=0, le=1, description="Adam's step size after warming up")] = 1e-4
    warmup: Annotated[int, Field(ge=0, le=1_000_000, description="steps in which the step size rises from 0")] = 0
    decay_from: Annotated[
        float, Field(ge=0, le=1, description="share of the steps after which the step size falls along a cosine")
    ] = 1.0
    decay_to: Annotated[float, Field(ge=0, le=1, description="what it falls to, as a share of learning_rate")] = 0.01
    ema: Annotated[
        float, Field(ge=0, lt=1, description="decay of the averaged weights that are exported; 0 exports the last")
    ] = 0.999
    longest: Annotated[
        int, Field(ge=32, le=65536, description="pictures are first shrunk to this longer side, antialiased")
    ] = 65536
    octaves: Annotated[int, Field(ge=1, le=6, description="sizes of each picture: its own, a half, a quarter …")] = 1
    candidates: Annotated[
        int, Field(ge=1, le=16, description="spots drawn per patch, of which the most textured is taken")
    ] = 1
