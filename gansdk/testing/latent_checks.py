"""Checks of models that make pictures from a latent, or read parts off pictures: the parts are what the facts say."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import one_hot

from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.parts import Categorical, Continuous
from gansdk.testing.checks import check, fail, first_line, skip
from gansdk.testing.facets import encoder_facet, generator_facet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from gansdk.model.facts import LatentSource
    from gansdk.model.parts import Part
    from gansdk.testing.subjects import ModelSubject

_ITEMS = 4
"""Latents in which a change is looked for: in a single one the layers that it reaches may all be at rest."""

_MOST = 32
"""Numbers or values of one part that are tried: each takes a computation."""

_SUM = 1e-5
"""How far the sum of float32 probabilities may be from 1."""


def _source(model: ModelSubject) -> LatentSource:
    facts = model.config.facts.generator
    if facts is None:
        skip("it has no generator")
    if not isinstance(facts, LatentGeneratorFacts):
        skip("its generator does not start from a latent")
    return facts.source


@check("model", needs=("batch-of-n",))
def categories_as_weights(model: ModelSubject) -> None:
    """A category may be given by its number or by the weights of all; the weights 0, 1, 0 mean number 1.

    What an encoder gives, probabilities, is what a generator takes, and a search can move weights. Where `generate`
    gets int64 [N], make it float [N, k] by `one_hot`; what is float already, take as it is.
    """
    parts = [part for part in _source(model).parts if isinstance(part, Categorical)]
    if not parts:
        skip("its latent has no categorical part")
    facet = generator_facet(model)
    inputs = facet.inputs(_ITEMS, 0)
    expected, allowed = facet(model.prepared, inputs)["image"], facet.rounding(model, inputs)["image"]
    for part in parts:
        weights = one_hot(inputs[part.name], part.k).float()
        try:
            found = facet(model.prepared, {**inputs, part.name: weights})["image"]
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            fail(f"it does not take {part.name} as weights [N, {part.k}]: {first_line(error)}")
        if found.shape != expected.shape:
            fail(f"with {part.name} as weights it makes {tuple(found.shape)}, else {tuple(expected.shape)}")
        difference = float((found - expected).abs().max())
        if difference > allowed:
            fail(f"with {part.name} as one-hot weights pictures differ by up to {difference:.2g}")


@check("model", needs=("batch-of-n",))
def parts_reach_the_picture(model: ModelSubject) -> None:
    """Every declared part of its latent changes the picture: of a code each number, of a category each value.

    Users are shown every code that is declared, and one that does nothing looks like a fault of theirs. Pass on to the
    network in `assemble` all that the facts declare, or declare less. (Looked at in float64, where what is tiny still
    shows.)
    """
    source, facet = _source(model), generator_facet(model)
    inputs = facet.inputs(_ITEMS, 0)
    for part in source.parts:
        seen: dict[bytes, str] = {}
        for name, values in _variants(part, inputs[part.name]):
            pictures = facet.exactly(model, {**inputs, part.name: values})["image"]
            other = seen.setdefault(sha256(pictures.numpy().tobytes()).digest(), name)
            if other != name:
                is_value = isinstance(part, Categorical)
                fail(f"{name} makes {f'the same picture as {other}' if is_value else 'no difference to the picture'}")


def _variants(part: Part, values: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What a part can be, in words: numbers that have no name of their own change together."""
    if isinstance(part, Categorical):
        for index in range(min(part.k, _MOST)):
            yield f"{part.name}={index}", torch.full_like(values, index)
        return
    yield f"{part.name} as drawn", values
    if isinstance(part, Continuous) and part.n > 1:
        for index in range(min(part.n, _MOST)):
            changed = values.clone()
            changed[:, index] += 1
            yield f"{part.name}.{index}", changed
    else:
        yield part.name, values + 1


@check("model", needs=("batch-of-n",))
def encoded_parts(model: ModelSubject) -> None:
    """Its encoder gives the parts that its facts declare and no others: finite numbers, for categories probabilities.

    Files, tables and generators are given what it says, by name. Give each part as float [N, n], and a categorical one
    as float [N, k] after a softmax.
    """
    facet = encoder_facet(model)
    inputs = facet.inputs(_ITEMS, 0)
    inputs["image"][0], inputs["image"][1] = 0, 1  # black and white, which noise never is
    given = facet(model.prepared, inputs)
    facts = model.config.facts.encoder
    declared = {part.name: part for part in facts.parts} if facts is not None else {}
    for name in sorted(declared.keys() ^ given.keys()):
        fail(f"it gives {name}, which is not declared" if name in given else f"it does not give {name}")
    for name, part in declared.items():
        _check_part(part, given[name])


def _check_part(part: Part, values: Tensor) -> None:
    expected = (_ITEMS, part.k if isinstance(part, Categorical) else part.n)
    if tuple(values.shape) != expected:
        fail(f"{part.name} is {tuple(values.shape)}, and its facts say {expected}")
    if not values.is_floating_point():
        fail(f"{part.name} is {values.dtype}, not float")
    if not values.isfinite().all():
        fail(f"{part.name} holds NaN or infinity")
    if isinstance(part, Categorical):
        low, sums = float(values.min()), values.sum(1)
        if low < 0 or float((sums - 1).abs().max()) > _SUM:
            found = f"go down to {low:.3g} and add up to {float(sums.min()):.4g} to {float(sums.max()):.4g}"
            fail(f"the probabilities of {part.name} {found}")
