"""``restore``: an image in, the same image in the same size, cleaned: of noise, of JPEG's blocks, of blur."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.model.facts import ImageGeneratorFacts
from gansdk.options import Options
from gansdk.plugins.declarations import Slot, Task
from gansdk.tasks.superres import Tile, lacks_image_generator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.media.image import Image
    from gansdk.model.facts import Facts
    from gansdk.model.protocols import Model
    from gansdk.models.context import Context


def unsupported_reason(facts: Facts) -> str | None:
    """Why a model cannot clean images; None if it can."""
    if isinstance(facts.generator, ImageGeneratorFacts) and facts.generator.output.scale > 1:
        return "its generator gives a larger image"
    return lacks_image_generator(facts)


class RestoreOptions(Options):
    """The call options of ``restore``."""

    tile: Tile = "auto"


RESTORE = Task(
    name="restore",
    summary="clean an image of noise or of what compression left, with a model that keeps its size",
    unsupported_reason=unsupported_reason,
    slots=(Slot("image", "photo", "the image to clean"),),
    outputs={"image": "image"},
    options="gansdk.tasks.restore:RestoreOptions",
    function="gansdk.tasks.restore:run",
    models="import a checkpoint that keeps the size: `gansdk import 1x.pth`, then name it with --model",
)


def run(model: Model, inputs: Mapping[str, Image], options: RestoreOptions, context: Context, /) -> Image:
    """Cleans one image; its alpha stays as it is.

    Args:
        model: One with a generator from an image that keeps its size.
        inputs: ``photo``, of 8 or 16 bits, grey or RGB, with alpha or without.
        options: See :class:`RestoreOptions`.
        context: Hears of progress.

    Returns:
        An image of the same size and kind, its metadata carried over.
    """
    from gansdk.media.resizing import bleed
    from gansdk.models.tiling import upscale

    photo = inputs["photo"]
    generator, facts = model.require(ImageGeneratorFacts)
    return photo.replace(pixels=upscale(generator, facts, bleed(photo).pixels, context, options.tile))
