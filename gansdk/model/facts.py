"""What a model takes and gives, as data that anyone can read without torch, weights or plugin.

Tasks are predicates over these facts, so listing, cards and command lines never build a network to know what it can
do. A generator's facts are one class for each pair of what it starts from and what it gives; a later pair is a new
class in the union.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from gansdk.model.variables import Code, EncodedVariable, Frozen, LatentVariable, VariableName, check_variables

Precision = Literal["fp32", "bf16", "fp16"]

Channels = Annotated[int, Field(ge=1, le=4, description="3 is RGB, 1 is grey")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=2**14, description="pixels")]
Radius = Annotated[int, Field(ge=0, le=2**14)]

_MOST_PIXELS = 2**24
"""Of an image of fixed size; batches of them are held in memory."""


class SizeRule(Frozen):
    """Heights and widths, in pixels, that a network takes.

    Any image is padded to them, so they are bounded: a stranger's rule may not make a large image of a small one.
    """

    minimum: Annotated[int, Field(ge=1, le=512, description="smallest height and width")] = 1
    multiple: Annotated[int, Field(ge=1, le=256, description="heights and widths are multiples of this")] = 1


class ImageSource(Frozen):
    """The input named ``image``: float NCHW in [0, 1], of any size that the rule allows."""

    kind: Literal["image"] = "image"
    channels: Channels = 3
    size: SizeRule = SizeRule()


class LatentSource(Frozen):
    """Inputs named as the parts are; see :mod:`gansdk.model.variables` for their tensors."""

    kind: Literal["latent"] = "latent"
    variables: Annotated[tuple[LatentVariable, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        check_variables(self.variables)
        return self

    @property
    def is_sampleable(self) -> bool:
        """Whether every part has a distribution to draw it from."""
        return not any(isinstance(variable, Code) for variable in self.variables)


class ImageOutput(Frozen):
    """An image: float NCHW in [0, 1], ``scale`` times as high and wide as the source."""

    kind: Literal["image"] = "image"
    channels: Channels = 3
    scale: Annotated[int, Field(ge=1, le=16)] = 1


Background = Literal["dark", "light"]


class ImageSpec(Frozen):
    """Images of one size: float NCHW in [0, 1]."""

    kind: Literal["image"] = "image"
    channels: Channels = 3
    height: Side
    width: Side
    background: Annotated[
        Background | None,
        Field(description="what their shapes stand on, where it is the same in all; null where it is not"),
    ] = None

    @model_validator(mode="after")
    def _can_be_held(self) -> Self:
        if self.height * self.width > _MOST_PIXELS:
            raise ValueError(f"{self.width}×{self.height} are more than {_MOST_PIXELS} pixels")
        return self


class ImageGeneratorFacts(Frozen):
    """What ``generate`` takes and gives that starts from an image."""

    source: ImageSource
    output: ImageOutput
    receptive_field: Annotated[
        Radius | Literal["global"],
        Field(description="radius in input pixels: how far an input pixel can act; 'global' where there is no bound"),
    ]


class Direction(Frozen):
    """A way to go in a latent, with a name. Its vector lies beside the weights: :mod:`gansdk.models.directions`.

    ``sweep`` is from where to where a traversal goes by default, in multiples of the vector.
    """

    name: VariableName
    unit: Annotated[
        str, Field(min_length=1, max_length=80, description="what a step of 1 is, as 'of a standard deviation'")
    ]
    sweep: tuple[Finite, Finite] = (-3.0, 3.0)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.sweep[0] >= self.sweep[1]:
            raise ValueError(f"the sweep of {self.name} goes from {self.sweep[0]:g} to {self.sweep[1]:g}, not up")
        return self


class LatentGeneratorFacts(Frozen):
    """What ``generate`` takes and gives that starts from a latent."""

    source: LatentSource
    output: ImageSpec
    directions: Annotated[
        tuple[Direction, ...], Field(max_length=1000, description="whose vectors directions.safetensors holds")
    ] = ()

    @model_validator(mode="after")
    def _directions_have_names_of_their_own(self) -> Self:
        names = [one.name for one in (*self.source.variables, *self.directions)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} names a direction and something else, too")
        return self


def _kind_of_source(value: Any) -> str:
    """What tells the pairs apart; an image is what a source is by default."""
    source = value.get("source") if isinstance(value, dict) else getattr(value, "source", None)
    kind = source.get("kind") if isinstance(source, dict) else getattr(source, "kind", None)
    return str(kind or "image")


GeneratorFacts = Annotated[
    Annotated[ImageGeneratorFacts, Tag("image")] | Annotated[LatentGeneratorFacts, Tag("latent")],
    Discriminator(_kind_of_source),
]


class EncoderFacts(Frozen):
    """What ``encode`` takes and gives."""

    data: ImageSpec
    variables: Annotated[tuple[EncodedVariable, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        check_variables(self.variables)
        return self

    def covers(self, latent: LatentSource) -> bool:
        """Whether it gives every part of a latent, so that a generator can start from what it gives."""
        return set(latent.variables) <= set(self.variables)


class Facts(Frozen):
    """Everything that a model declares of itself; a facet that it lacks is None."""

    generator: GeneratorFacts | None = None
    encoder: EncoderFacts | None = None
    safe_precisions: Annotated[
        tuple[Literal["bf16", "fp16"], ...],
        Field(description="reduced precisions that were measured to pass the gate against fp32"),
    ] = ()
