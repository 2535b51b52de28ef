"""Checks of whatever a model can do: it is alive as in use, and gives what its facts say, alone and in a batch.

Each is held on its generator, from a picture or a latent, and on its encoder.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from gansdk.testing.checks import check, fail
from gansdk.testing.facets import expect_shape, facets_of, generator_facet, same

if TYPE_CHECKING:
    from torch import Tensor

    from gansdk.testing.facets import Tensors
    from gansdk.testing.subjects import ModelSubject


@check("model", needs=("loads-strictly",))
def eval_mode(model: ModelSubject) -> None:
    """Loaded, it behaves as in use: nothing is random, and nothing in it changes by being used.

    Dropout or a batch-norm that still learns make every result depend on the calls before. Switch both by
    `self.training`, which `F.dropout` does not look at by itself, and leave `train()` and `eval()` as torch has them.
    """
    facets = facets_of(model)
    for name, network in model.networks.items():
        for part, module in network.named_modules():
            if module.training:
                fail(f"{f'{name}.{part}' if part else name} is in training mode after loading")
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
def same_call_same_bytes(model: ModelSubject) -> None:
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
def output_shape(model: ModelSubject) -> None:
    """Its pictures have the channels and the size that its facts declare.

    Tilers, files and pages are made from the facts alone. Correct `channels`, and `scale` or `height` and `width`.
    """
    expect_shape(model, generator_facet(model).inputs(2, 0))


@check("model", needs=("output-shape",))
def output_range(model: ModelSubject) -> None:
    """Its pictures stay within [0, 1].

    What lies outside is cut off somewhere later, in one place and not in another. Bring pictures back into their range
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
        pictures = {"noise": noise, "black": noise * 0, "white": noise * 0 + 1, "spots": noise.round()}
        return {name: {"image": image} for name, image in pictures.items()}
    far = {name: 10 * one if one.is_floating_point() else one for name, one in inputs.items()}
    return {"latents": inputs, "latents ten times as far out": far}


@check("model", needs=("output-shape",))
def batch_of_n(model: ModelSubject) -> None:
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
