"""What every training takes, whatever its recipe: flags, Python keywords and documents are made from these classes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gansdk.options import Device, Options, Seed

Threads = Literal["auto"] | Annotated[int, Field(ge=1, le=1024)]
Steps = Annotated[int, Field(ge=1)]
WonSteps = Annotated[int, Field(ge=0)]

_WON_STEPS = "stop where a discriminator has been right by far in every verdict for so many steps on end; 0 never does"


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
        float, Field(gt=0, description="by far: how much its verdicts on real and made things differ, in logits")
    ] = 10.0
    device: Annotated[Device, Field(description="where to compute; auto takes cuda, then mps, then cpu")] = "auto"
    precision: Annotated[
        Literal["auto", "fp32", "bf16"],
        Field(description="numbers to train in; auto is bf16 where the hardware computes in it and that is faster"),
    ] = "auto"
    threads: Annotated[Threads, Field(description="CPU threads; auto leaves torch's choice")] = "auto"
    licence: Annotated[
        str, Field(description="licence of the trained weights", json_schema_extra={"metavar": "SPDX"})
    ] = ""
    summary: Annotated[str, Field(description="one line about the model, for listings")] = ""


class ResumeOptions(Options):
    """What may be changed of a run that goes on."""

    steps: Annotated[Steps | None, Field(description="train to this step instead of the planned one")] = None
    device: Annotated[Device | None, Field(description="another device than the run began on")] = None
    threads: Annotated[Threads | None, Field(description="another number of CPU threads than it began with")] = None
    won_steps: Annotated[WonSteps | None, Field(description=_WON_STEPS)] = None
