"""What a model can do, each thing as a function from named tensors to named tensors: what holds of all is checked once.

A generator takes its source by name and gives ``image``; an encoder takes ``image`` and gives its parts by name.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gansdk.model.facts import ImageGeneratorFacts, ImageSpec, LatentGeneratorFacts, LatentSource
from gansdk.model.variables import Code, Noise
from gansdk.models.latents import draw
from gansdk.testing.checks import check, fail, skip
from gansdk.testing.targets import encoder_of, generator_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gansdk.model.protocols import Model
    from gansdk.testing.targets import ModelUnderTest


Tensors = dict[str, Tensor]

CLOSE = 1e-6
"""The largest difference between what should be the same, of most networks, in numbers that are about 1."""

_SIZES = ((16, 20), (24, 16))
"""Height and width, at least, of the images of one seed and of the next."""


@dataclass(frozen=True)
class Facet:
    """One thing that a model can do.

    Attributes:
        name: ``generator`` or ``encoder``.
        inputs: Makes inputs that its facts allow, of so many items, drawn by a seed.
        call: What a model makes of them.
    """

    name: str
    inputs: Callable[[int, int], Tensors]
    call: Callable[[Model, Tensors], Tensors]

    def __call__(self, model: Model, inputs: Tensors) -> Tensors:
        """What a model makes of inputs, computed as tasks do."""
        with torch.inference_mode():
            return self.call(model, inputs)

    def rounding(self, model: ModelUnderTest, inputs: Tensors) -> dict[str, float]:
        """The largest difference, by output, that two orders of the same sums may make.

        It is 1e-6, or 1e-6 of the largest number, or more where a network amplifies rounding. How far fp32 is from
        float64 shows that: two computations in fp32 are at most twice as far from each other.
        """
        usual, exact = self(model.prepared, inputs), self.exactly(model, inputs)
        return {
            name: max(CLOSE * max(1.0, float(value.abs().max())), 2 * float((usual[name] - value).abs().max()))
            for name, value in exact.items()
        }

    def exactly(self, model: ModelUnderTest, inputs: Tensors) -> Tensors:
        """What a model makes of inputs in float64, which rounds a billion times less."""
        doubled = {name: one.double() if one.is_floating_point() else one for name, one in inputs.items()}
        with torch.no_grad():
            return self.call(model.exact, doubled)


def facets_of(model: ModelUnderTest) -> list[Facet]:
    """All that a model declares; ends the check where that is nothing."""
    found = [facet for facet in (_generator(model), _encoder(model)) if facet is not None]
    return found or skip("it has neither a generator nor an encoder")


def generator_facet(model: ModelUnderTest) -> Facet:
    """Its generator; ends the check where it has none."""
    return _generator(model) or skip("it has no generator")


def encoder_facet(model: ModelUnderTest) -> Facet:
    """Its encoder; ends the check where it has none."""
    return _encoder(model) or skip("it has no encoder")


def _generator(model: ModelUnderTest) -> Facet | None:
    facts = model.config.facts.generator
    if isinstance(facts, ImageGeneratorFacts):
        return Facet("generator", partial(_images, model), _generate)
    if isinstance(facts, LatentGeneratorFacts):
        return Facet("generator", partial(_latents, facts.source), _generate)
    return None


def _encoder(model: ModelUnderTest) -> Facet | None:
    facts = model.config.facts.encoder
    return None if facts is None else Facet("encoder", partial(_data_images, facts.data), _encode)


def _latents(source: LatentSource, items: int, seed: int) -> Tensors:
    """Latents by part; a code, which has no distribution, from the normal one."""
    variables = tuple(
        Noise(name=variable.name, n=variable.n) if isinstance(variable, Code) else variable
        for variable in source.variables
    )
    drawn = draw(LatentSource(variables=variables), seed, range(items))
    return {name: torch.from_numpy(array) for name, array in drawn.items()}


def _images(model: ModelUnderTest, items: int, seed: int) -> Tensors:
    height, width = _SIZES[seed % len(_SIZES)]
    return {"image": model.image(model.side(height), model.side(width), items=items, seed=seed)}


def _data_images(data: ImageSpec, items: int, seed: int) -> Tensors:
    random = torch.Generator().manual_seed(seed)
    return {"image": torch.rand(items, data.channels, data.height, data.width, generator=random)}


def _generate(model: Model, inputs: Tensors) -> Tensors:
    try:
        return {"image": generator_of(model).generate(inputs)}
    except KeyError as error:
        if error.args and error.args[0] not in inputs:
            fail(f"its generator asks for {error.args[0]!r}, which its facts do not declare")
        raise


def _encode(model: Model, inputs: Tensors) -> Tensors:
    given = encoder_of(model).encode(inputs["image"])
    if isinstance(given, Tensor):
        fail("its encoder gives a tensor, not tensors by the names of its parts")
    return dict(given)


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether the numbers of both are the same, NaN too."""
    return one.keys() == other.keys() and all(
        one[name].shape == other[name].shape and torch.allclose(one[name], other[name], 0, 0, equal_nan=True)
        for name in one
    )


def expect_shape(model: ModelUnderTest, inputs: Tensors) -> None:
    """Ends a check where what the generator makes of inputs has another shape than declared, or is no float."""
    found = generator_facet(model)(model.prepared, inputs)["image"]
    expected = _shape(model, inputs)
    if tuple(found.shape) != expected:
        origin = tuple(inputs["image"].shape) if "image" in inputs else f"{expected[0]} latents"
        fail(f"from {origin} it makes {tuple(found.shape)}, and its facts say {expected}")
    if not found.is_floating_point():
        fail(f"its images are {found.dtype}, not float")


def _shape(model: ModelUnderTest, inputs: Tensors) -> tuple[int, ...]:
    facts = model.config.facts.generator
    if facts is None:
        raise TypeError("a model without a generator makes nothing")
    output = facts.output
    if isinstance(output, ImageSpec):
        return (len(next(iter(inputs.values()))), output.channels, output.height, output.width)
    items, _, height, width = inputs["image"].shape
    return (items, output.channels, height * output.scale, width * output.scale)


@check("model", needs=("loads-strictly",))
def eval_mode(model: ModelUnderTest) -> None:
    """Loaded, it behaves as in use: nothing is random, and nothing in it changes by being used.

    Dropout or a batch-norm that still learns make every result depend on the calls before. Switch both by
    `self.training`, which `F.dropout` does not look at by default, and leave `train()` and `eval()` as torch has them.
    """
    facets = facets_of(model)
    for name, network in model.networks.items():
        for variable, module in network.named_modules():
            if module.training:
                fail(f"{f'{name}.{variable}' if variable else name} is in training mode after loading")
    before = {name: copy.deepcopy(network.state_dict()) for name, network in model.networks.items()}
    random = torch.get_rng_state()
    bare = model.bare(model.networks)
    with torch.no_grad():
        for facet in facets:
            facet.call(bare, facet.inputs(2, 0))
    if not random.equal(torch.get_rng_state()):
        torch.set_rng_state(random)
        fail("it draws random numbers: something like dropout is active")
    for name, network in model.networks.items():
        for key, tensor in network.state_dict().items():
            if not tensor.equal(before[name][key]):
                fail(f"{name}.{key} changes when the model is used")


@check("model", needs=("eval-mode",))
def same_call_same_bytes(model: ModelUnderTest) -> None:
    """The same call gives the same bytes, whatever was computed before.

    Results that cannot be made again can be neither tested nor compared. Keep nothing between calls, and take
    randomness from a seed among the inputs.
    """
    for facet in facets_of(model):
        inputs = facet.inputs(2, 0)
        first = {name: one.clone() for name, one in facet(model.prepared, inputs).items()}
        facet(model.prepared, facet.inputs(2, 1))
        again, fresh = facet(model.prepared, inputs), facet(model.assembled(), inputs)
        for name, other in (("a second call", again), ("the same model loaded anew", fresh)):
            if not same(first, other):
                fail(f"{name} of its {facet.name} gives another result")


@check("model", needs=("same-call-same-bytes",))
def output_shape(model: ModelUnderTest) -> None:
    """Its images have the channels and the size that its facts declare.

    Tilers, files and pages are made from the facts alone. Correct `channels`, and `scale` or `height` and `width`.
    """
    expect_shape(model, generator_facet(model).inputs(2, 0))


@check("model", needs=("output-shape",))
def output_range(model: ModelUnderTest) -> None:
    """Its images stay within [0, 1].

    What lies outside is cut off somewhere later, in one place and not in another. Bring images back into their range
    in `assemble`, by `.clamp(0, 1)` or what the network's own range asks for.
    """
    facet = generator_facet(model)
    for name, inputs in _extremes(facet.inputs(2, 0)).items():
        result = facet(model.prepared, inputs)["image"]
        low, high = float(result.min()), float(result.max())
        if not (low >= 0 and high <= 1):
            fail(f"from {name} it makes values from {low:.4g} to {high:.4g}")


def _extremes(inputs: Tensors) -> dict[str, Tensors]:
    """Inputs, and what is extreme among their like."""
    if "image" in inputs:
        noise = inputs["image"]
        images = {"noise": noise, "black": noise * 0, "white": noise * 0 + 1, "spots": noise.round()}
        return {name: {"image": image} for name, image in images.items()}
    far = {name: 10 * one if one.is_floating_point() else one for name, one in inputs.items()}
    return {"latents": inputs, "latents ten times as far out": far}


@check("model", needs=("output-shape",))
def batch_of_n(model: ModelUnderTest) -> None:
    """A batch of n items gives what n batches of one give, within 1e-6.

    What is made of an item must not depend on which others came along. Normalise over the items of a batch in training
    only. (A network that amplifies rounding is allowed what float64 shows of it.)
    """
    for facet in facets_of(model):
        inputs = facet.inputs(3, 0)
        together = facet(model.prepared, inputs)
        alone = [facet(model.prepared, {name: one[at : at + 1] for name, one in inputs.items()}) for at in range(3)]
        allowed = facet.rounding(model, inputs)
        for name, whole in together.items():
            difference = _difference(whole, torch.cat([one[name] for one in alone]))
            if difference > allowed[name]:
                what = "" if name == "image" else f" of {name}"
                fail(f"results{what} differ by up to {difference:.2g}")


def _difference(one: Tensor, other: Tensor) -> float:
    if one.shape != other.shape:
        fail(f"a batch gives {tuple(one.shape)}, its items one by one {tuple(other.shape)}")
    return float((one - other).abs().max())
