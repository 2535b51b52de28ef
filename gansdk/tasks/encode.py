"""``encode``: what a model reads off an image, as named variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gansdk.errors import ComputationError, UnknownNameError
from gansdk.model.facts import EncoderFacts
from gansdk.options import EXECUTION_ONLY, Options
from gansdk.plugins.declarations import Slot, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from gansdk.media.image import Image
    from gansdk.model.facts import Facts
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Variable
    from gansdk.models.context import Context
    from gansdk.models.latents import Encoding


def unsupported_reason(facts: Facts) -> str | None:
    """Why a model reads nothing off images; None if it does."""
    return None if facts.encoder is not None else "it has no encoder"


class EncodeOptions(Options):
    """The call options of ``encode``."""

    variable: Annotated[
        str | None,
        Field(description="give this variable alone; if not given all of them, of which features go to files only"),
    ] = None
    batch: Annotated[int, Field(ge=1, le=4096, description="images that are computed at a time"), EXECUTION_ONLY] = 32


ENCODE = Task(
    name="encode",
    summary="read codes and features off an image",
    unsupported_reason=unsupported_reason,
    slots=(Slot("image", "image", "the image to read", fits="encoder"),),
    outputs={"encoding": "record"},
    options="gansdk.tasks.encode:EncodeOptions",
    function="gansdk.tasks.encode:run",
    check="gansdk.tasks.encode:check",
    many="gansdk.tasks.encode:run_many",
)


def check(facts: Facts, options: EncodeOptions, /) -> None:
    """Refuses a variable that the encoder does not give.

    Raises:
        UnknownNameError: If there is no such variable.
    """
    _variables(facts.require(EncoderFacts), options.variable)


def run(model: Model, inputs: Mapping[str, Image], options: EncodeOptions, context: Context, /) -> Encoding:
    """Reads one image.

    Args:
        model: One with an encoder.
        inputs: ``image``, of the size and channels that the encoder takes.
        options: See :class:`EncodeOptions`.
        context: Gives the fingerprint of the generator.

    Returns:
        The variables that the encoder declares, or the one that was asked for.

    Raises:
        UnknownNameError: If there is no such variable.
        ComputationError: If the encoder does not give what it declares.
    """
    return run_many(model, [inputs], options, context)[0]


def run_many(
    model: Model, inputs: Sequence[Mapping[str, Image]], options: EncodeOptions, context: Context, /
) -> list[Encoding]:
    """Reads several images at once; each gives what it gives alone."""
    import numpy as np
    import torch

    from gansdk.models.latents import Encoding

    encoder, facts = model.require(EncoderFacts)
    variables = _variables(facts, options.variable)
    images = [item["image"].pixels for item in inputs]
    scaled = np.stack([pixels.astype(np.float32) / np.iinfo(pixels.dtype).max for pixels in images])
    given = encoder.encode(torch.from_numpy(scaled).permute(0, 3, 1, 2).contiguous())
    numbers = {variable.name: _numbers(given, variable, len(inputs)) for variable in variables}
    whose = context.fingerprint() if model.facts.generator is not None else ""
    return [
        Encoding(variables, {name: tensor[at].numpy() for name, tensor in numbers.items()}, whose)
        for at in range(len(inputs))
    ]


def _variables(facts: EncoderFacts, wanted: str | None) -> Sequence[Variable]:
    if wanted is None:
        return facts.variables
    chosen = [variable for variable in facts.variables if variable.name == wanted]
    if not chosen:
        names = [variable.name for variable in facts.variables]
        raise UnknownNameError("variable", wanted, names, hint=f"this model gives {', '.join(names)}")
    return chosen


def _numbers(given: Mapping[str, Tensor], variable: Variable, count: int) -> Tensor:
    from gansdk.model.variables import Categorical

    width = variable.k if isinstance(variable, Categorical) else variable.n
    numbers = given.get(variable.name)
    if numbers is None or tuple(numbers.shape) != (count, width):
        shape = "nothing" if numbers is None else "×".join(map(str, numbers.shape))
        what = f"the encoder declares {variable.name} as {count}×{width} and gave {shape}"
        raise ComputationError(what, hint="the plugin's facts and its networks disagree; tell its author")
    return numbers.float().cpu()
