"""What a model takes and gives, as data that anyone can read without torch, weights or plugin.

Tasks are predicates over these facts, so listing, cards and command lines never build a network to know what it can
do. A later kind of source or output is a new class with its own ``kind`` in the unions below.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["fp32", "bf16", "fp16"]


class Frozen(BaseModel):
    """Base of all data in ``config.json``: cannot be changed, and refuses fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SizeRule(Frozen):
    """Heights and widths, in pixels, that a network takes."""

    minimum: Annotated[int, Field(ge=1, description="smallest height and width")] = 1
    multiple: Annotated[int, Field(ge=1, description="heights and widths are multiples of this")] = 1


class ImageSource(Frozen):
    """The input named ``image``: float NCHW in [0, 1]."""

    kind: Literal["image"] = "image"
    channels: Annotated[int, Field(ge=1, le=4, description="3 is RGB, 1 is grey")] = 3
    size: SizeRule = SizeRule()


class ImageOutput(Frozen):
    """A picture: float NCHW in [0, 1], ``scale`` times as high and wide as the source."""

    kind: Literal["image"] = "image"
    channels: Annotated[int, Field(ge=1, le=4)] = 3
    scale: Annotated[int, Field(ge=1, le=16)] = 1


class GeneratorFacts(Frozen):
    """What ``generate`` takes and gives."""

    source: ImageSource
    output: ImageOutput
    receptive_field: Annotated[
        int | Literal["global"],
        Field(description="radius in input pixels: how far an input pixel can act; 'global' where there is no bound"),
    ]


class Facts(Frozen):
    """Everything that a model declares of itself; a facet that it lacks is None."""

    generator: GeneratorFacts | None = None
    safe_precisions: Annotated[
        tuple[Literal["bf16", "fp16"], ...],
        Field(description="reduced precisions that were measured to pass the gate against fp32"),
    ] = ()
