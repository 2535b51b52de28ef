"""How a model is loaded to be measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gansdk.options import LoadOptions


class MeasuringOptions(LoadOptions):
    """As a model is loaded for any task, but in fp32 where nothing else is asked for."""

    precision: Annotated[Literal["auto", "fp32", "bf16", "fp16"], Field(description="numbers to compute with")] = "fp32"
    blend: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Field(description="measure a model with two ends somewhere between them; kept with -o only"),
    ] = None
