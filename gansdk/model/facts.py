"""What a model takes and gives, as data that is read without torch, without weights and without its plugin.

Tasks are predicates over these facts, so a listing, a card or a command line never builds a network.

A generator's facts are one class for each pair of source and output. To add a pair, say latent to audio: write the
output (``AudioSpec`` with ``kind: Literal["audio"]``), the class of the pair with ``source`` and ``output``, its tag
``"latent to audio"`` in :data:`GeneratorFacts`, and the shape of what it gives in :mod:`gansdk.models.facets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from gansdk.model.variables import Code, EncodedVariable, Frozen, LatentVariable, VariableName, check_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

Precision = Literal["fp32", "bf16", "fp16"]

Channels = Annotated[int, Field(ge=1, le=4, description="3 is RGB, 1 is grey")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=2**14, description="pixels")]
Radius = Annotated[int, Field(ge=0, le=2**14)]
Label = Annotated[str, Field(min_length=1, max_length=80)]

_MOST_PIXELS = 2**24
"""Of an image of fixed size; batches of them are held in memory."""


class SizeRule(Frozen):
    """Heights and widths, in pixels, that a network takes.

    Images are padded to them, so they are bounded: a stranger's rule may not make a large image of a small one.
    """

    minimum: Annotated[int, Field(ge=1, le=512, description="smallest height and width")] = 1
    multiple: Annotated[int, Field(ge=1, le=256, description="heights and widths are multiples of this")] = 1


class ImageSource(Frozen):
    """The input named ``image``: float NCHW in [0, 1], of any size that the rule allows."""

    kind: Literal["image"] = "image"
    channels: Channels = 3
    size: SizeRule = SizeRule()


class MaskedImageSource(Frozen):
    """Two inputs: ``image``, float NCHW in [0, 1], and ``mask``, float N1HW of the same size, where 1 is the hole.

    Pixels of the image inside the hole are 0, so that what the file had there cannot leak.
    """

    kind: Literal["masked-image"] = "masked-image"
    channels: Channels = 3
    size: SizeRule = SizeRule()


class LatentSource(Frozen):
    """Inputs named as the variables are; see :mod:`gansdk.model.variables` for their tensors."""

    kind: Literal["latent"] = "latent"
    variables: Annotated[tuple[LatentVariable, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        check_variables(self.variables)
        return self

    @property
    def is_sampleable(self) -> bool:
        """Whether every variable has a distribution to draw it from."""
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
        Field(description="what is behind their shapes, where it is the same in all; null where it is not"),
    ] = None

    @model_validator(mode="after")
    def _can_be_held(self) -> Self:
        if self.height * self.width > _MOST_PIXELS:
            raise ValueError(f"{self.width}×{self.height} are more than {_MOST_PIXELS} pixels")
        return self


ReceptiveField = Annotated[
    Radius | Literal["global"],
    Field(description="radius in input pixels: how far an input pixel can act; 'global' where there is no bound"),
]


class ImageGeneratorFacts(Frozen):
    """A generator from an image to an image."""

    source: ImageSource
    output: ImageOutput
    receptive_field: ReceptiveField


class MaskedImageGeneratorFacts(Frozen):
    """A generator that completes an image: from an image with a hole to an image of the same size."""

    source: MaskedImageSource
    output: ImageOutput
    receptive_field: ReceptiveField
    outside: Annotated[
        Literal["kept", "redrawn"],
        Field(description="pixels outside the hole: 'kept' as they came, or 'redrawn' with the rest of the image"),
    ]

    @model_validator(mode="after")
    def _same_image(self) -> Self:
        if self.output.scale != 1 or self.output.channels != self.source.channels:
            raise ValueError("a completed image has the size and the channels of its source")
        return self


class Direction(Frozen):
    """A named direction of a latent. Its vector is in the model folder: :mod:`gansdk.models.directions`.

    ``sweep`` is the range of a traversal by default, in multiples of the vector.
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
    """A generator from a latent to an image."""

    source: LatentSource
    output: ImageSpec
    directions: Annotated[
        tuple[Direction, ...], Field(max_length=1000, description="whose vectors directions.safetensors holds")
    ] = ()

    @model_validator(mode="after")
    def _directions_have_names_of_their_own(self) -> Self:
        names = [named.name for named in (*self.source.variables, *self.directions)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} names a direction and something else, too")
        return self


def _pair(value: Any) -> str:
    """The kinds of source and output, as ``latent to image``; image is the default of both."""

    def kind(end: str) -> str:
        found = value.get(end) if isinstance(value, dict) else getattr(value, end, None)
        return str((found.get("kind") if isinstance(found, dict) else getattr(found, "kind", None)) or "image")

    return f"{kind('source')} to {kind('output')}"


GeneratorFacts = Annotated[
    Annotated[ImageGeneratorFacts, Tag("image to image")]
    | Annotated[MaskedImageGeneratorFacts, Tag("masked-image to image")]
    | Annotated[LatentGeneratorFacts, Tag("latent to image")],
    Discriminator(_pair),
]


class EncoderFacts(Frozen):
    """An encoder, from data to named variables."""

    data: ImageSpec
    variables: Annotated[tuple[EncodedVariable, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        check_variables(self.variables)
        return self

    def covers(self, latent: LatentSource) -> bool:
        """Whether it gives every variable of a latent, so that a generator can start from what it gives."""
        return set(latent.variables) <= set(self.variables)


class DiscriminatorFacts(Frozen):
    """A discriminator, from data and what goes with it to one number per verdict: float [N, verdicts].

    A GAN has the verdict ``real``; VAE-GAN has ``real``, ``reconstructed`` and ``sampled``; BiGAN is given the latent
    with the image, Triple-GAN the label.
    """

    data: ImageSpec
    given: Annotated[
        tuple[EncodedVariable, ...], Field(max_length=100, description="variables that go with the data")
    ] = ()
    verdicts: Annotated[tuple[Label, ...], Field(min_length=1, max_length=100)] = ("real",)
    gives: Annotated[
        Literal["logits", "scores"],
        Field(description="logits become probabilities by a sigmoid, or by a softmax over several; scores do not"),
    ] = "logits"

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        check_variables(self.given)
        _check_labels("verdicts", self.verdicts)
        return self


class ClassifierFacts(Frozen):
    """A classifier, from data to one logit per label: float [N, labels]."""

    data: ImageSpec
    labels: Annotated[tuple[Label, ...], Field(min_length=2, max_length=10_000)]

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        _check_labels("labels", self.labels)
        return self


def _check_labels(what: str, labels: tuple[str, ...]) -> None:
    if len(set(labels)) != len(labels):
        raise ValueError(f"two {what} are the same")


FacetFacts = (
    ImageGeneratorFacts
    | MaskedImageGeneratorFacts
    | LatentGeneratorFacts
    | EncoderFacts
    | DiscriminatorFacts
    | ClassifierFacts
)
_Facet = TypeVar("_Facet", bound=FacetFacts)

FACETS = ("generator", "encoder", "discriminator", "classifier")


class Facts(Frozen):
    """Everything that a model declares of itself; a facet that it lacks is None."""

    generator: GeneratorFacts | None = None
    encoder: EncoderFacts | None = None
    discriminator: DiscriminatorFacts | None = None
    classifier: ClassifierFacts | None = None
    safe_precisions: Annotated[
        tuple[Literal["bf16", "fp16"], ...],
        Field(description="reduced precisions that were measured to pass the gate against fp32"),
    ] = ()

    def require(self, kind: type[_Facet]) -> _Facet:
        """The facts of a facet; raises a ``TypeError`` if there are none: ask ``unsupported_reason`` first."""
        for name in FACETS:
            facet = getattr(self, name)
            if isinstance(facet, kind):
                return facet
        raise TypeError(f"a model without {kind.__name__} was given; ask unsupported_reason first")

    def lost_in_json(self) -> str:
        """Why these facts do not survive ``config.json``, in a few words; empty if they do.

        A subclass is written and read as the class that the format knows, so what it adds would be lost silently.
        """
        for value in _values(self):
            if not type(value).__module__.startswith("gansdk."):
                return f"{type(value).__name__} is a class of a plugin, and config.json knows gansdk's own only"
        try:
            read = Facts.model_validate_json(self.model_dump_json())
        except ValidationError as error:
            return f"they are refused when they are read: {error.errors()[0]['msg']}"
        changed = [name for name in Facts.model_fields if getattr(read, name) != getattr(self, name)]
        return f"{changed[0]} is read back as something else" if changed else ""


def _values(value: Any) -> Iterator[Frozen]:
    """A value and all that it is made of."""
    if isinstance(value, Frozen):
        yield value
        value = tuple(value.__dict__.values())
    for item in value if isinstance(value, tuple) else ():
        yield from _values(item)
