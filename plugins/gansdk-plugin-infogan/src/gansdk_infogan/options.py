"""What can be chosen about InfoGAN's codes, networks and training. The defaults are those of the authors' code."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gansdk import Options
from gansdk.training import EMA, AdversarialOptions, LearningRate, OptimiserOptions, ScheduleOptions, Steps, Weight


def _categories(text: str) -> str:
    sizes = [int(size) for size in text.split(",")] if re.fullmatch(r"\d{1,4}(,\d{1,4})*", text) else []
    if text and (not sizes or not all(2 <= size <= 1000 for size in sizes) or len(sizes) > 20):
        raise ValueError("no categories; give how many values each categorical code has, as 10 or 10,10,10; or nothing")
    return text


Side = Annotated[int, Field(ge=4, le=256, multiple_of=4, description="pixels, a multiple of 4")]


class NetworkOptions(Options):
    """The codes, and the sizes of the networks."""

    noise: Annotated[int, Field(ge=1, le=4096, description="numbers without a meaning")] = 62
    categories: Annotated[
        str, AfterValidator(_categories), Field(description="values of each categorical code, as 10 or 10,10")
    ] = "10"
    continuous: Annotated[int, Field(ge=0, le=100, description="numbers of the continuous code")] = 2
    deviation: Annotated[Literal["fixed", "learnt"], Field(description="of Q's Gaussian: 1, or given by Q")] = "fixed"
    channels: Annotated[Literal[1, 3], Field(description="3 is RGB, 1 is grey")] = 1
    height: Side = 28
    width: Side = 28
    hidden: Annotated[int, Field(ge=4, le=4096, description="width of the dense layers")] = 1024
    features: Annotated[int, Field(ge=2, le=512, description="channels at half the size; twice at a quarter")] = 64
    slope: Annotated[float, Field(ge=0, lt=1, description="of the leaky ReLUs; the paper's table has 0.1")] = 0.01
    code_hidden: Annotated[int, Field(ge=4, le=4096, description="width of the layer that only Q has")] = 128

    @property
    def category_sizes(self) -> tuple[int, ...]:
        """How many values each categorical code has."""
        return tuple(int(size) for size in self.categories.split(",")) if self.categories else ()

    def network(self) -> NetworkOptions:
        """The part that a model's ``config.json`` keeps."""
        return NetworkOptions(**{name: getattr(self, name) for name in NetworkOptions.model_fields})


class InfoGANOptions(NetworkOptions, OptimiserOptions, ScheduleOptions, AdversarialOptions):
    """How InfoGAN is trained."""

    steps: Steps = 5_000
    batch: Annotated[int, Field(ge=2, le=4096, description="images a step")] = 128
    learning_rate: LearningRate = 1e-3
    discriminator_rate: Annotated[LearningRate, Field(description="learning rate of D and Q")] = 2e-4
    beta1: Annotated[float, Field(ge=0, lt=1, description="decay of Adam's mean of gradients")] = 0.5
    information_categorical: Annotated[Weight, Field(description="lambda of the bound for categorical codes")] = 1.0
    information_continuous: Annotated[Weight, Field(description="lambda of the bound for the continuous code")] = 1.0
    initial_deviation: Annotated[float, Field(ge=0, le=1, description="of the first weights; 0 is torch's own")] = 0.02
    ema: EMA = 0.0
