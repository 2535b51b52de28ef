"""``superres``: an image in, the same image with more pixels out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gansdk.errors import InputError, option
from gansdk.model.facts import ImageGeneratorFacts
from gansdk.options import EXECUTION_ONLY, Options
from gansdk.plugins.declarations import Slot, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.media.image import Image
    from gansdk.model.facts import Facts
    from gansdk.model.protocols import Model
    from gansdk.models.context import Context


def lacks_image_generator(facts: Facts) -> str | None:
    """Why a model has no generator that starts from an image; None if it has."""
    if facts.generator is None:
        return "it has no generator"
    starts = isinstance(facts.generator, ImageGeneratorFacts)
    return None if starts else "its generator does not start from an image"


def unsupported_reason(facts: Facts) -> str | None:
    """Why a model cannot sharpen images; None if it can."""
    if isinstance(facts.generator, ImageGeneratorFacts) and facts.generator.output.scale < 2:
        return "its generator gives no larger image"
    return lacks_image_generator(facts)


def _size(text: str) -> str:
    width, by, height = text.lower().partition("x")
    if not (by and width.isdecimal() and height.isdecimal() and 0 < int(width) < 2**20 and 0 < int(height) < 2**20):
        raise ValueError("not a size; give WIDTHxHEIGHT, as 3000x2000")
    return text.lower()


Tile = Annotated[
    Literal["auto", "off"] | Annotated[int, Field(ge=16, le=16384)],
    Field(description="input pixels a side that are computed at a time; auto: as few as cost at most 5 % more time"),
    EXECUTION_ONLY,
]
"""How much of an image a network is given at once."""


class SuperresOptions(Options):
    """The call options of ``superres``; at most one of ``scale``, ``longest`` and ``size``."""

    tile: Tile = "auto"
    scale: Annotated[
        Annotated[float, Field(gt=0, le=16)] | None,
        Field(description="how many times as wide and high; the network's own scale if not given"),
    ] = None
    longest: Annotated[
        Annotated[int, Field(ge=1, le=2**20)] | None, Field(description="pixels of the result's longer side")
    ] = None
    size: Annotated[
        Annotated[str, AfterValidator(_size), Field(json_schema_extra={"metavar": "WIDTHxHEIGHT"})] | None,
        Field(description="pixels of the result; keeps no aspect ratio"),
    ] = None
    max_output_pixels: Annotated[
        int, Field(ge=1, le=2**33, description="refuse results with more pixels than this"), EXECUTION_ONLY
    ] = 400_000_000

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        given = [name for name in ("scale", "longest", "size") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other; give one of them")
        return self

    def target(self, width: int, height: int, network_scale: int) -> tuple[int, int]:
        """Width and height of the result for an image of this size, at least 1 pixel each."""
        if self.size is not None:
            wide, _, high = self.size.partition("x")
            return int(wide), int(high)
        scale = self.scale if self.scale is not None else float(network_scale)
        if self.longest is not None:
            scale = self.longest / max(width, height)
        return max(1, round(width * scale)), max(1, round(height * scale))


SUPERRES = Task(
    name="superres",
    summary="sharpen an image and give it more pixels",
    unsupported_reason=unsupported_reason,
    slots=(Slot("image", "photo", "the image to sharpen"),),
    outputs={"image": "image"},
    options="gansdk.tasks.superres:SuperresOptions",
    function="gansdk.tasks.superres:run",
    extent="gansdk.tasks.superres:extent",
)


def extent(facts: Facts, options: SuperresOptions, _kind: str, size: tuple[int, int], /) -> tuple[int, int]:
    """Width and height of the result."""
    return options.target(*size, facts.require(ImageGeneratorFacts).output.scale)


def run(model: Model, inputs: Mapping[str, Image], options: SuperresOptions, context: Context, /) -> Image:
    """Sharpens one image by the network's scale, then resizes it to what was asked for.

    Colours under transparent pixels are bled in from their visible neighbours first, so that hidden colours leave no
    rim; alpha is resized on its own.

    Args:
        model: One with a generator from an image.
        inputs: ``photo``, of 8 or 16 bits, grey or RGB, with alpha or without.
        options: See :class:`SuperresOptions`.
        context: Hears of progress.

    Returns:
        An image of the same kind, its metadata carried over.

    Raises:
        InputError: If the result, or what the network makes on the way to it, would have more than
            ``max_output_pixels`` pixels.
    """
    from gansdk.media.resizing import bleed, resize, resize_alpha
    from gansdk.models.tiling import upscale

    photo = inputs["photo"]
    generator, facts = model.require(ImageGeneratorFacts)
    wide, high = photo.width * facts.output.scale, photo.height * facts.output.scale
    width, height = options.target(photo.width, photo.height, facts.output.scale)
    largest = max((wide, high), (width, height), key=math.prod)
    if math.prod(largest) > options.max_output_pixels:
        size = "×".join(map(str, largest))
        what = f"{photo.name}: the result would be {size}, more than {options.max_output_pixels} pixels"
        allowed = option("max_output_pixels", math.prod(largest))
        raise InputError(what, hint=f"allow it with {allowed}, or give a smaller image")
    if width <= photo.width and height <= photo.height:
        context.note(f"{photo.name}: the result, {width}×{height}, is not larger than the input")
    pixels = upscale(generator, facts, bleed(photo).pixels, context, options.tile)
    alpha = None if photo.alpha is None else resize_alpha(photo.alpha, wide, high)
    return resize(photo.replace(pixels=pixels, alpha=alpha), width, height)
