"""``generate``: images out of nothing, or out of latents that were kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from gansdk.errors import OptionError
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.options import Options, Seed
from gansdk.plugins.declarations import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gansdk.media.gallery import Gallery
    from gansdk.media.image import Image
    from gansdk.model.facts import Facts, LatentSource
    from gansdk.model.protocols import Model
    from gansdk.models.context import Context
    from gansdk.models.latents import Latent

_DEFAULT = 16
_PIECE = 256
"""Images that are made at a time where each becomes a file."""


def unsupported_reason(facts: Facts) -> str | None:
    """Why a model cannot make images out of a latent; None if it can."""
    if facts.generator is None:
        return "it has no generator"
    if not isinstance(facts.generator, LatentGeneratorFacts):
        return "its generator does not start from a latent"
    return None


def _texts(values: Any) -> Any:
    """From Python a code may be set to a number, or to several in a sequence or an array."""
    return {name: _text(value) for name, value in values.items()} if isinstance(values, dict) else values


def _text(value: Any) -> str:
    plain = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(plain, list | tuple):
        return ",".join(map(str, plain))
    is_whole = isinstance(plain, float) and plain.is_integer()  # which a category is, that an array holds as a float
    return str(int(plain)) if is_whole else str(plain)


Codes = Annotated[dict[str, str], BeforeValidator(_texts)]
"""Values by code, as ``class=three``, ``style.0=-1.5`` or ``style=0,1``."""


class GenerateOptions(Options):
    """The call options of ``generate``."""

    n: Annotated[
        Annotated[int, Field(ge=1, le=1_000_000)] | None,
        Field(description=f"how many images; {_DEFAULT}, or all of --latents, if not given"),
    ] = None
    seed: Annotated[Seed, Field(description="where random numbers start; sample i depends on it and i alone")] = 0
    first: Annotated[int, Field(ge=0, le=2**40, description="number of the first sample")] = 0
    set: Annotated[
        Codes,
        Field(description="hold a code at a value, as class=three, style.0=-1.5; class=0 is its first value"),
    ] = {}
    latents: Annotated[
        Path | None, Field(description="an .npz file of latents that this generator made, instead of random ones")
    ] = None
    any_generator: Annotated[
        bool, Field(description="also take latents of another generator, or of a file that does not say whose they are")
    ] = False
    truncation: Annotated[
        Annotated[float, Field(gt=0, le=10)] | None,
        Field(description="keep normal noise within ± this: likelier images, and less alike ones get rarer"),
    ] = None
    columns: Annotated[
        Annotated[int, Field(ge=1, le=1000)] | None,
        Field(description="images in a row of the grid; as many as rows if not given"),
    ] = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.latents is not None and self.truncation is not None:
            raise ValueError("latents and truncation exclude each other; give one of them")
        return self


GENERATE = Task(
    name="generate",
    summary="make images",
    unsupported_reason=unsupported_reason,
    slots=(),
    outputs={"images": "images", "latents": "arrays"},
    options="gansdk.tasks.generate:GenerateOptions",
    function="gansdk.tasks.generate:run",
    check="gansdk.tasks.generate:check",
    count="gansdk.tasks.generate:count",
    extent="gansdk.tasks.generate:extent",
    pieces="gansdk.tasks.generate:pieces",
)


def check(facts: Facts, options: GenerateOptions, /) -> None:
    """Refuses a call that a model with these facts cannot answer.

    Raises:
        UsageError: If a code does not exist or cannot have a value, or random latents cannot be drawn.
    """
    from gansdk.models.latents import check_drawable
    from gansdk.models.variable_settings import read_settings

    source = facts.require(LatentGeneratorFacts).source
    read_settings(source, options.set)
    if options.latents is None:
        check_drawable(source, options.truncation)


def run(model: Model, _inputs: Mapping[str, Image], options: GenerateOptions, context: Context, /) -> Gallery:
    """Makes images, and gives their latents with them.

    Args:
        model: One with a generator from a latent.
        options: See :class:`GenerateOptions`.
        context: Hears of progress, and of each code that is held far from all that the model was trained on.

    Returns:
        The images, number ``first`` and on, with the latent of each as arrays: from a file of them the same images
        come again.

    Raises:
        UsageError: If a code does not exist or cannot have a value, or random latents cannot be drawn.
        InputError: If the file of latents is missing, damaged, or another generator's.
    """
    from gansdk.media.gallery import Gallery
    from gansdk.models.directions import render
    from gansdk.models.variable_settings import read_settings

    generator, facts = model.require(LatentGeneratorFacts)
    settings = read_settings(facts.source, options.set)
    latent = _latent(facts.source, options, context)
    for setting in settings:
        setting.apply(latent)
        for line in setting.out_of_range:
            context.note(line)
    pixels = render(generator, facts, latent, context)
    columns, rows = _layout(options, len(pixels))
    notes = {"generator": context.fingerprint()}
    return Gallery(pixels, columns, latent, row_labels=rows, first=options.first, notes=notes)


def _layout(options: GenerateOptions, count: int) -> tuple[int, list[str]]:
    """How many images stand in a row, and the text beside each row."""
    columns = options.columns or math.ceil(math.sqrt(count))
    return columns, [str(options.first + start) for start in range(0, count, columns)]


def _latent(source: LatentSource, options: GenerateOptions, context: Context) -> Latent:
    from gansdk.models.latents import draw, read_latents

    if options.latents is None:
        numbers = range(options.first, options.first + (options.n or _DEFAULT))
        return draw(source, options.seed, numbers, truncation=options.truncation)
    arrays = read_latents(options.latents, source, context.fingerprint(), any_generator=options.any_generator)
    chosen = slice(options.first, None if options.n is None else options.first + options.n)
    found = {name: array[chosen].copy() for name, array in arrays.items()}
    count, held = (len(next(iter(latents.values()))) for latents in (found, arrays))
    if not count or (options.n is not None and count < options.n):
        what = f"{options.latents} holds {held} latents, not {options.n or 'any'} from number {options.first} on"
        raise OptionError(what, hint="change n or first")
    return found


def count(_facts: Facts | None, options: GenerateOptions, /) -> int:
    """How many images a call makes."""
    if options.n is not None or options.latents is None:
        return options.n or _DEFAULT
    from gansdk.models.latents import stored_arrays

    arrays = stored_arrays(options.latents)
    return max(1, max((len(array) for array in arrays.values() if array.ndim), default=0) - options.first)


def extent(facts: Facts, options: GenerateOptions, kind: str, _size: None, /) -> tuple[int, int]:
    """Width and height of the grid, or of each image."""
    from gansdk.media.gallery import Texts, grid_size

    output = facts.require(LatentGeneratorFacts).output
    if kind != "image":
        return output.width, output.height
    columns, rows = _layout(options, count(facts, options))
    return grid_size(output.height, output.width, (len(rows), columns), Texts(rows, (), ""))


def pieces(options: GenerateOptions, /) -> Iterator[tuple[GenerateOptions, range]]:
    """One call as several, each of a few images, with their numbers."""
    end = options.first + count(None, options)
    for start in range(options.first, end, _PIECE):
        numbers = range(start, min(start + _PIECE, end))
        yield options.model_copy(update={"first": start, "n": len(numbers)}), numbers
