"""What can be chosen: the options of every training, and groups of options that recipes share.

A recipe's options derive from those that it needs, and give a field another default by declaring it again::

    class MyOptions(OptimiserOptions, ScheduleOptions):
        steps: Steps = 5_000

Importing them imports no torch.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gansdk.options import Device, Options, Seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn
    from torch.optim import Optimizer

Steps = Annotated[int, Field(ge=1, le=10_000_000, description="how many batches to learn from")]
LearningRate = Annotated[float, Field(gt=0, le=1, description="learning rate after the warm-up")]
EMA = Annotated[
    float, Field(ge=0, lt=1, description="decay of the averaged weights that are exported; 0 exports the last")
]
Weight = Annotated[float, Field(ge=0, le=1e6)]


class OptimiserOptions(Options):
    """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019)."""

    optimiser: Annotated[
        Literal["adam", "adamw"], Field(description="adamw keeps the weight decay out of the gradient")
    ] = "adam"
    learning_rate: LearningRate = 1e-4
    discriminator_rate: Annotated[
        LearningRate | None, Field(description="the discriminator's learning rate; learning_rate if not given")
    ] = None
    beta1: Annotated[float, Field(ge=0, lt=1, description="decay of Adam's mean of gradients")] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1, description="decay of Adam's mean of their squares")] = 0.999
    weight_decay: Annotated[float, Field(ge=0, le=1, description="pull of weights towards 0")] = 0.0

    def new_optimiser(self, rate: float | None = None) -> Callable[[Iterable[nn.Parameter]], Optimizer]:
        """What a :class:`~gansdk.training.Player` makes its optimiser with.

        Args:
            rate: The learning rate; ``learning_rate`` if None, as ``discriminator_rate`` may be.
        """
        from torch import optim

        kind: type[optim.Adam | optim.AdamW] = optim.AdamW if self.optimiser == "adamw" else optim.Adam
        betas = (self.beta1, self.beta2)
        return partial(kind, lr=rate or self.learning_rate, betas=betas, weight_decay=self.weight_decay)


class ScheduleOptions(Options):
    """How long a recipe trains. Its learning rates go up a ramp, along a plateau, and down to a share of themselves."""

    steps: Steps = 100_000
    warmup: Annotated[int, Field(ge=0, le=1_000_000, description="steps in which the learning rate rises from 0")] = 0
    schedule: Annotated[
        Literal["constant", "cosine", "step"],
        Field(description="how the learning rate falls: not at all, along a cosine, or at once"),
    ] = "constant"
    decay_from: Annotated[
        float, Field(ge=0, le=1, description="share of the steps after which the learning rate begins to fall")
    ] = 0.5
    decay_to: Annotated[float, Field(ge=0, le=1, description="what it falls to, as a share of itself")] = 0.01
    decay_drops: Annotated[
        int, Field(ge=1, le=1000, description="of schedule=step: in how many drops, evenly spaced, by equal factors")
    ] = 1

    def learning_rate_factor(self, step: int) -> float:
        """The factor on learning rates at a step: the ``schedule`` of a :class:`~gansdk.training.Player`."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        start = round(self.decay_from * self.steps)
        if self.schedule == "constant" or step < start:
            return 1.0
        done = min(1.0, (step - start) / max(1, self.steps - start))
        if self.schedule == "cosine":
            return self.decay_to + (1 - self.decay_to) * (1 + math.cos(math.pi * done)) / 2
        drops = min(self.decay_drops, 1 + math.floor(done * self.decay_drops))
        return float(self.decay_to ** (drops / self.decay_drops))


class AdversarialOptions(Options):
    """The weights of an adversarial pair's terms."""

    adversarial: Annotated[Weight, Field(description="weight of the generator's adversarial loss")] = 1.0
    discrimination: Annotated[Weight, Field(description="weight of the discriminator's loss")] = 1.0


Threads = Literal["auto"] | Annotated[int, Field(ge=1, le=1024)]
WonSteps = Annotated[int, Field(ge=0)]

_SPDX = {"metavar": "SPDX"}
_WON_STEPS = "stop where a discriminator has been right by far in every logit for so many steps on end; 0 never does"


class TrainingOptions(Options):
    """How any method is trained: its start, what is written down on the way, where it is computed."""

    seed: Annotated[Seed, Field(description="where random numbers start")] = 0
    log_every: Annotated[int, Field(ge=1, description="steps that a line of the metric log averages")] = 50
    samples_every: Annotated[int, Field(ge=0, description="steps between sheets of samples; 0 for none")] = 500
    checkpoint_every: Annotated[int, Field(ge=1, description="steps between checkpoints")] = 500
    checkpoint_minutes: Annotated[float, Field(gt=0, description="the longest time between two checkpoints")] = 10.0
    evaluate_every: Annotated[
        int, Field(ge=0, description="steps between measurements on the test sets; 0 measures at the end alone")
    ] = 0
    won_steps: Annotated[WonSteps, Field(description=_WON_STEPS)] = 2000
    won_margin: Annotated[
        float, Field(gt=0, description="by far: how much its logits on real and fake data differ, in logits")
    ] = 10.0
    device: Annotated[Device, Field(description="where to compute; auto takes cuda, then mps, then cpu")] = "auto"
    precision: Annotated[
        Literal["auto", "fp32", "bf16"],
        Field(description="numbers to train in; auto is bf16 where the hardware computes in it and that is faster"),
    ] = "auto"
    threads: Annotated[Threads, Field(description="CPU threads; auto leaves torch's choice")] = "auto"
    licence: Annotated[
        str,
        Field(
            description="licence of the trained weights; that of the model it starts from if not given",
            json_schema_extra=_SPDX,
        ),
    ] = ""
    summary: Annotated[str, Field(description="one line about the model, for listings")] = ""


class ResumeOptions(Options):
    """What may be changed of a run that continues."""

    steps: Annotated[
        Annotated[int, Field(ge=1)] | None, Field(description="train to this step instead of the planned one")
    ] = None
    device: Annotated[Device | None, Field(description="another device than the run began on")] = None
    threads: Annotated[Threads | None, Field(description="another number of CPU threads than it began with")] = None
    won_steps: Annotated[WonSteps | None, Field(description=_WON_STEPS)] = None
    licence: Annotated[
        str | None,
        Field(description="licence of the trained weights, if the run has another or none", json_schema_extra=_SPDX),
    ] = None
