"""``encode``: what a model reads off a picture, as named parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gansdk.errors import ComputationError, UnknownNameError
from gansdk.options import MEANS, Options
from gansdk.plugins.declarations import Slot, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from gansdk.media.image import Picture
    from gansdk.model.facts import EncoderFacts, Facts
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Part
    from gansdk.models.context import Context
    from gansdk.models.encodings import Encoding


def misfit(facts: Facts) -> str | None:
    """Why a model reads nothing off pictures; None if it does."""
    return None if facts.encoder is not None else "it has no encoder"


class EncodeOptions(Options):
    """The call options of ``encode``."""

    part: Annotated[
        str | None,
        Field(description="give this part alone; if not given all that the model has, of which features go to files"),
    ] = None
    batch: Annotated[int, Field(ge=1, le=4096, description="pictures that are computed at a time"), MEANS] = 32


ENCODE = Task(
    name="encode",
    summary="read codes and features off a picture",
    misfit=misfit,
    slots=(Slot("picture", "picture", "the picture to read", fits="encoder"),),
    outputs=("record",),
    options="gansdk.tasks.encode:EncodeOptions",
    function="gansdk.tasks.encode:run",
    check="gansdk.tasks.encode:check",
    many="gansdk.tasks.encode:run_many",
)


def check(facts: Facts, options: EncodeOptions, /) -> None:
    """Refuses a part that the encoder does not give.

    Raises:
        UnknownNameError: If there is no such part.
    """
    _parts(_encoder(facts), options.part)


def run(model: Model, inputs: Mapping[str, Picture], options: EncodeOptions, context: Context, /) -> Encoding:
    """Reads one picture.

    Args:
        model: One with an encoder.
        inputs: ``picture``, of the size and channels that the encoder takes.
        options: See :class:`EncodeOptions`.
        context: Unused.

    Returns:
        The parts that the encoder declares, or the one that was asked for.

    Raises:
        UnknownNameError: If there is no such part.
        ComputationError: If the encoder does not give what it declares.
    """
    return run_many(model, [inputs], options, context)[0]


def run_many(
    model: Model, inputs: Sequence[Mapping[str, Picture]], options: EncodeOptions, _context: Context, /
) -> list[Encoding]:
    """Reads several pictures at once; each gives what it gives alone."""
    from gansdk.models.encodings import Encoding

    if model.encoder is None:
        raise TypeError("encode was given a model without an encoder")
    parts = _parts(_encoder(model.facts), options.part)
    given = model.encoder.encode(_tensor([each["picture"] for each in inputs]))
    numbers = {part.name: _numbers(given, part, len(inputs)) for part in parts}
    return [Encoding(parts, {name: each[at].numpy() for name, each in numbers.items()}) for at in range(len(inputs))]


def _encoder(facts: Facts) -> EncoderFacts:
    if facts.encoder is None:
        raise TypeError("encode was given facts without an encoder")
    return facts.encoder


def _parts(facts: EncoderFacts, wanted: str | None) -> Sequence[Part]:
    if wanted is None:
        return facts.parts
    chosen = [part for part in facts.parts if part.name == wanted]
    if not chosen:
        names = [part.name for part in facts.parts]
        raise UnknownNameError("part", wanted, names, hint=f"this model gives {', '.join(names)}")
    return chosen


def _tensor(pictures: Sequence[Picture]) -> Tensor:
    """Pictures of one size as float [N, C, H, W] in [0, 1]."""
    import numpy as np
    import torch

    each = [picture.pixels.astype(np.float32) / np.iinfo(picture.pixels.dtype).max for picture in pictures]
    return torch.from_numpy(np.stack(each)).permute(0, 3, 1, 2).contiguous()


def _numbers(given: Mapping[str, Tensor], part: Part, count: int) -> Tensor:
    from gansdk.model.variables import Categorical

    width = part.k if isinstance(part, Categorical) else part.n
    numbers = given.get(part.name)
    if numbers is None or tuple(numbers.shape) != (count, width):
        shape = "nothing" if numbers is None else "×".join(map(str, numbers.shape))
        what = f"the encoder declares {part.name} as {count}×{width} and gave {shape}"
        raise ComputationError(what, hint="the plugin's facts and its networks disagree; tell its author")
    return numbers.float().cpu()
