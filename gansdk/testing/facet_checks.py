"""Checks of all facets of a model: each is a function from named tensors to named tensors, and held to the same rules.

A generator takes its source by name and gives ``image``; an encoder takes ``image`` and gives its variables by name; a
discriminator takes ``image``, and what goes with it, and gives ``verdicts``; a classifier gives ``logits``.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gansdk.model.facts import (
    ClassifierFacts,
    DiscriminatorFacts,
    EncoderFacts,
    ImageGeneratorFacts,
    ImageSpec,
    LatentGeneratorFacts,
    LatentSource,
    MaskedImageGeneratorFacts,
)
from gansdk.model.variables import Code, Features, Noise
from gansdk.models.latents import draw
from gansdk.testing.checks import check, fail, skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gansdk.model.facts import Facts, GeneratorFacts
    from gansdk.model.protocols import Model
    from gansdk.model.variables import Variable
    from gansdk.testing.targets import ModelUnderTest


Tensors = dict[str, Tensor]

CLOSE = 1e-6
"""The largest difference between what should be the same, of most networks, in numbers that are about 1."""

_SIZES = ((16, 20), (24, 16))
"""Height and width, at least, of the images of one seed and of the next."""

_HOLE = 0.7
"""How much of an image a mask leaves."""


@dataclass(frozen=True)
class Facet:
    """One thing that a model can do.

    Attributes:
        name: ``generator``, ``encoder``, ``discriminator`` or ``classifier``.
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
        doubled = {name: value.double() if value.is_floating_point() else value for name, value in inputs.items()}
        with torch.no_grad():
            return self.call(model.exact, doubled)


def _declared(facts: Facts) -> Iterator[Facet]:
    generator, encoder = facts.generator, facts.encoder
    discriminator, classifier = facts.discriminator, facts.classifier
    if generator is not None:
        inputs = (
            partial(_values, generator.source.variables)
            if isinstance(generator, LatentGeneratorFacts)
            else partial(_images, generator)
        )
        yield Facet("generator", inputs, partial(_generate, generator))
    if encoder is not None:
        yield Facet("encoder", partial(_data, encoder.data, ()), _encode)
    if discriminator is not None:
        yield Facet("discriminator", partial(_data, discriminator.data, discriminator.given), _discriminate)
    if classifier is not None:
        yield Facet("classifier", partial(_data, classifier.data, ()), _classify)


def facets_of(model: ModelUnderTest) -> list[Facet]:
    """All that a model declares; ends the check if that is nothing."""
    return list(_declared(model.config.facts)) or skip("its facts declare nothing that it can do")


def facet_of(model: ModelUnderTest, name: str) -> Facet:
    """A model's facet by its name; ends the check if it has none."""
    found = (facet for facet in _declared(model.config.facts) if facet.name == name)
    return next(found, None) or skip(f"it has no {name}")


def _values(variables: Sequence[Variable], items: int, seed: int) -> Tensors:
    """Values of variables by name; those that have no distribution are drawn from the normal one."""
    drawable = tuple(
        Noise(name=variable.name, n=variable.n) if isinstance(variable, Code | Features) else variable
        for variable in variables
    )
    drawn = draw(LatentSource(variables=drawable), seed, range(items)) if drawable else {}
    return {name: torch.from_numpy(array) for name, array in drawn.items()}


def _images(facts: ImageGeneratorFacts | MaskedImageGeneratorFacts, items: int, seed: int) -> Tensors:
    rule, random = facts.source.size, torch.Generator().manual_seed(seed)
    sides = [-(-max(side, rule.minimum) // rule.multiple) * rule.multiple for side in _SIZES[seed % len(_SIZES)]]
    image = torch.rand(items, facts.source.channels, *sides, generator=random)
    if isinstance(facts, ImageGeneratorFacts):
        return {"image": image}
    mask = (torch.rand(items, 1, *sides, generator=random) > _HOLE).float()
    return {"image": image * (1 - mask), "mask": mask}


def _data(spec: ImageSpec, given: Sequence[Variable], items: int, seed: int) -> Tensors:
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(items, spec.channels, spec.height, spec.width, generator=random)
    return {"image": image, **_values(given, items, seed)}


def _generate(facts: GeneratorFacts, model: Model, inputs: Tensors) -> Tensors:
    generator, _ = model.require(type(facts))
    try:
        return {"image": generator.generate(inputs)}
    except KeyError as error:
        if error.args and error.args[0] not in inputs:
            fail(f"its generator asks for {error.args[0]!r}, which its facts do not declare")
        raise


def _encode(model: Model, inputs: Tensors) -> Tensors:
    encoded = model.require(EncoderFacts)[0].encode(inputs["image"])
    if isinstance(encoded, Tensor):
        fail("its encoder gives a tensor, not tensors by the names of its variables")
    return dict(encoded)


def _discriminate(model: Model, inputs: Tensors) -> Tensors:
    discriminator = model.require(DiscriminatorFacts)[0]
    given = {name: values for name, values in inputs.items() if name != "image"}
    return {"verdicts": discriminator.discriminate(inputs["image"], given or None)}


def _classify(model: Model, inputs: Tensors) -> Tensors:
    return {"logits": model.require(ClassifierFacts)[0].classify(inputs["image"])}


def same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    """Whether the numbers of both are the same, NaN too."""
    return first.keys() == second.keys() and all(
        first[name].shape == second[name].shape and torch.allclose(first[name], second[name], 0, 0, equal_nan=True)
        for name in first
    )


def expect_numbers(values: Tensor, shape: tuple[int, ...], are: str, hold: str) -> None:
    """Ends a check where numbers are not finite floats of a shape; ``are`` and ``hold`` begin its messages."""
    if tuple(values.shape) != shape:
        fail(f"{are} {tuple(values.shape)}, and its facts say {shape}")
    if not values.is_floating_point():
        fail(f"{are} {values.dtype}, not float")
    if not values.isfinite().all():
        fail(f"{hold} NaN or infinity")


def expect_shape(model: ModelUnderTest, inputs: Tensors) -> None:
    """Ends a check where what the generator makes of inputs has another shape than declared, or is no float."""
    facts = model.config.facts.generator
    if facts is None:
        skip("it has no generator")
    found = facet_of(model, "generator")(model.prepared, inputs)["image"]
    output, items = facts.output, len(next(iter(inputs.values())))
    if isinstance(output, ImageSpec):
        expected = (items, output.channels, output.height, output.width)
    else:
        height, width = inputs["image"].shape[2:]
        expected = (items, output.channels, height * output.scale, width * output.scale)
    if tuple(found.shape) != expected:
        origin = tuple(inputs["image"].shape) if "image" in inputs else f"{items} latents"
        fail(f"from {origin} it makes {tuple(found.shape)}, and its facts say {expected}")
    if not found.is_floating_point():
        fail(f"its images are {found.dtype}, not float")


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
        first = {name: value.clone() for name, value in facet(model.prepared, inputs).items()}
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
    expect_shape(model, facet_of(model, "generator").inputs(2, 0))


@check("model", needs=("output-shape",))
def output_range(model: ModelUnderTest) -> None:
    """Its images stay within [0, 1].

    What lies outside is cut off somewhere later, in one place and not in another. Bring images back into their range
    in `assemble`, by `.clamp(0, 1)` or what the network's own range asks for.
    """
    facet = facet_of(model, "generator")
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
        return {name: {**inputs, "image": image} for name, image in images.items()}
    far = {name: 10 * values if values.is_floating_point() else values for name, values in inputs.items()}
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
        alone = [
            facet(model.prepared, {name: values[at : at + 1] for name, values in inputs.items()}) for at in range(3)
        ]
        allowed = facet.rounding(model, inputs)
        for name, whole in together.items():
            separate = torch.cat([results[name] for results in alone])
            if whole.shape != separate.shape:
                fail(f"a batch gives {tuple(whole.shape)}, its items one by one {tuple(separate.shape)}")
            difference = float((whole - separate).abs().max())
            if difference > allowed[name]:
                what = "" if name == "image" else f" of {name}"
                fail(f"results{what} differ by up to {difference:.2g}")


@check("model", needs=("batch-of-n",))
def verdicts_and_logits(model: ModelUnderTest) -> None:
    """Its discriminator gives one number per declared verdict, its classifier one logit per declared label.

    Tasks, metrics and cards name the numbers by the facts alone, in their order. Give float [N, verdicts] and float
    [N, labels]; leave softmax and sigmoid to those who read them.
    """
    facts = model.config.facts
    declared = {
        "discriminator": ("verdicts", facts.discriminator.verdicts if facts.discriminator is not None else ()),
        "classifier": ("logits", facts.classifier.labels if facts.classifier is not None else ()),
    }
    facets = [facet for facet in facets_of(model) if facet.name in declared]
    if not facets:
        skip("it has neither a discriminator nor a classifier")
    for facet in facets:
        output, names = declared[facet.name]
        inputs = facet.inputs(4, 0)
        inputs["image"][0], inputs["image"][1] = 0, 1  # black and white, which noise never is
        found = facet(model.prepared, inputs)[output]
        gives = f"its {facet.name} gives"
        expect_numbers(found, (4, len(names)), gives, gives)
