"""Checks of generators and encoders by their kind: variables of a latent; sizes, tiles and precisions of images."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import one_hot

from gansdk.evaluation.precision import measure_loaded, photographs
from gansdk.model.facts import ImageGeneratorFacts
from gansdk.model.variables import Categorical, Continuous
from gansdk.models.tiling import MINIMUM_CELL, plan_fixed
from gansdk.testing.checks import check, fail, first_line, skip
from gansdk.testing.facet_checks import expect_numbers, expect_shape, facet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from gansdk.model.variables import Variable
    from gansdk.testing.targets import ModelUnderTest


_ITEMS = 4
"""Latents in which a change is looked for: in a single one the layers that it reaches may all be at rest."""

_MOST = 32
"""Numbers or values of one variable that are tried: each takes a computation."""

_SUM = 1e-5
"""How far the sum of float32 probabilities may be from 1."""


@check("model", needs=("batch-of-n",))
def categories_as_weights(model: ModelUnderTest) -> None:
    """A category may be given by its number or by the weights of all; the weights 0, 1, 0 mean number 1.

    What an encoder gives, probabilities, is what a generator takes, and a search can move weights. Where `generate`
    gets int64 [N], make it float [N, k] by `one_hot`; what is float already, take as it is.
    """
    variables = [variable for variable in model.from_latent.source.variables if isinstance(variable, Categorical)]
    if not variables:
        skip("its latent has no categorical variable")
    facet = facet_of(model, "generator")
    inputs = facet.inputs(_ITEMS, 0)
    expected, allowed = facet(model.prepared, inputs)["image"], facet.rounding(model, inputs)["image"]
    for variable in variables:
        weights = one_hot(inputs[variable.name], variable.k).float()
        try:
            found = facet(model.prepared, {**inputs, variable.name: weights})["image"]
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            fail(f"it does not take {variable.name} as weights [N, {variable.k}]: {first_line(error)}")
        if found.shape != expected.shape:
            fail(f"with {variable.name} as weights it makes {tuple(found.shape)}, else {tuple(expected.shape)}")
        difference = float((found - expected).abs().max())
        if difference > allowed:
            fail(f"with {variable.name} as one-hot weights images differ by up to {difference:.2g}")


@check("model", needs=("batch-of-n",))
def variables_reach_the_image(model: ModelUnderTest) -> None:
    """Every declared variable of its latent changes the image: of a code each number, of a category each value.

    Users are shown every code that is declared, and one that does nothing looks like a fault of theirs. Pass on to the
    network in `assemble` all that the facts declare, or declare less. (Looked at in float64, where what is tiny still
    shows.)
    """
    source, facet = model.from_latent.source, facet_of(model, "generator")
    inputs = facet.inputs(_ITEMS, 0)
    for variable in source.variables:
        seen: dict[bytes, str] = {}
        for name, values in _variants(variable, inputs[variable.name]):
            images = facet.exactly(model, {**inputs, variable.name: values})["image"]
            other = seen.setdefault(sha256(images.numpy().tobytes()).digest(), name)
            if other != name:
                is_value = isinstance(variable, Categorical)
                fail(f"{name} makes {f'the same image as {other}' if is_value else 'no difference to the image'}")


def _variants(variable: Variable, values: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What a variable can be, in words: numbers that have no name of their own change together."""
    if isinstance(variable, Categorical):
        for index in range(min(variable.k, _MOST)):
            yield f"{variable.name}={index}", torch.full_like(values, index)
        return
    yield f"{variable.name} as drawn", values
    if isinstance(variable, Continuous) and variable.n > 1:
        for index in range(min(variable.n, _MOST)):
            changed = values.clone()
            changed[:, index] += 1
            yield f"{variable.name}.{index}", changed
    else:
        yield variable.name, values + 1


@check("model", needs=("batch-of-n",))
def encoded_variables(model: ModelUnderTest) -> None:
    """Its encoder gives the declared variables and no others: finite numbers, for categories probabilities.

    Files, tables and generators get what it gives, by name. Give each variable as float [N, n], and a categorical one
    as float [N, k] after a softmax.
    """
    facet = facet_of(model, "encoder")
    inputs = facet.inputs(_ITEMS, 0)
    inputs["image"][0], inputs["image"][1] = 0, 1  # black and white, which noise never is
    given = facet(model.prepared, inputs)
    facts = model.config.facts.encoder
    declared = {variable.name: variable for variable in facts.variables} if facts is not None else {}
    for name in sorted(declared.keys() ^ given.keys()):
        fail(f"it gives {name}, which is not declared" if name in given else f"it does not give {name}")
    for name, variable in declared.items():
        values = given[name]
        numbers = variable.k if isinstance(variable, Categorical) else variable.n
        expect_numbers(values, (_ITEMS, numbers), f"{name} is", f"{name} holds")
        if isinstance(variable, Categorical):
            low, sums = float(values.min()), values.sum(1)
            if low < 0 or float((sums - 1).abs().max()) > _SUM:
                found = f"go down to {low:.3g} and add up to {float(sums.min()):.4g} to {float(sums.max()):.4g}"
                fail(f"the probabilities of {name} {found}")


WIDE = 64
"""Pixels a side from which a CPU computes a part of an image to the very bits of the whole."""

_BEYOND = 8
"""Pixels further than declared in which an effect is looked for."""


@check("model", needs=("output-shape",))
def any_size(model: ModelUnderTest) -> None:
    """It takes every height and width that its size rule allows, tiny, odd and oblong ones too.

    A user will bring an image of one pixel, and a tile at the rim has any size. Declare the smallest size and the
    multiple that the network needs as `ImageSource(size=SizeRule(…))`; the image is padded then.
    """
    rule = model.from_image.source.size
    tiny, little = model.side(1), model.side(rule.minimum + 1)
    sizes = (tiny, tiny), (tiny, model.side(7)), (model.side(33), little), (model.side(17), model.side(31))
    for height, width in sizes:
        try:
            expect_shape(model, {"image": model.image(height, width)})
        except RuntimeError as error:
            fail(f"it cannot compute {height}×{width} pixels, which its size rule allows: {first_line(error)}")


@check("model", needs=("output-shape",))
def receptive_field(model: ModelUnderTest) -> None:
    """An input pixel acts as far as its facts declare: no further, and not much less far.

    Tiles overlap by the declared radius. Too small, and seams show; far too large, and most work is thrown away. It
    is measured by gradients in float64, in height and width. Declare what is measured, or "global" where a result
    depends on the whole image.
    """
    declared = model.from_image.receptive_field
    if declared == "global":
        skip("it declares that it looks at the whole image")
    reaches = [_reach(model, declared, upright=upright) for upright in (True, False)]
    reach = max(reaches)
    if reach > declared:
        at_least = "at least " if reach >= declared + _BEYOND else ""
        fail(f"an input pixel acts over {at_least}{reach} pixels, and its facts declare {declared}")
    if declared > 2 * reach + _BEYOND:
        fail(f"an input pixel acts over {reach} pixels, and its facts declare {declared}")


def _reach(model: ModelUnderTest, declared: int, *, upright: bool) -> int:
    """How far, in input pixels, what belongs to one row (or column) of the input depends on others."""
    facts = model.from_image
    scale, multiple = facts.output.scale, facts.source.size.multiple
    long, short = model.side(2 * (declared + _BEYOND) + multiple), model.side(8)
    noise = model.image(*((long, short) if upright else (short, long)), items=2)
    reach, (generator, _) = 0, model.exact.require(ImageGeneratorFacts)
    for offset in range(multiple):  # a pixel's place within a stride decides how far it sees
        at = long // 2 // multiple * multiple + offset
        image = (0.4 + 0.2 * noise.double()).requires_grad_()  # away from 0 and 1, where a clamp hides everything
        output = generator.generate({"image": image})
        strip = output.narrow(2 if upright else 3, at * scale, scale)
        weights = torch.rand(strip.shape, dtype=strip.dtype, generator=torch.Generator().manual_seed(1)) - 0.5
        (gradient,) = torch.autograd.grad((strip * weights).sum(), image)
        seen = gradient.abs().sum((0, 1, 3 if upright else 2)).nonzero().flatten()
        if not len(seen):
            fail("no input pixel acts on the result")
        reach = max(reach, int((seen - at).abs().max()))
    return reach


@check("model", needs=("receptive-field",))
def tiled_equals_whole(model: ModelUnderTest) -> None:
    """Computed in tiles it is what it is as a whole: to the bit in tiles of 64 pixels and more, else within 1e-6.

    Large images are computed in tiles, of a size that depends on the memory. Where only this fails, a pixel's result
    depends on where it stands: by a large difference, declare "global" or take the position out of the network; by a
    tiny one, some operation rounds by position. (Convolutions of few channels do; a model that has them is held to
    1e-6 throughout. A network that amplifies rounding is allowed what float64 shows of it.)
    """
    facts = model.from_image
    if facts.receptive_field == "global":
        skip("it declares that it looks at the whole image")
    multiple = facts.source.size.multiple
    halo = -(-facts.receptive_field // multiple) * multiple
    tile = model.side(max(WIDE, 2 * halo + MINIMUM_CELL))
    image = model.image(model.side(WIDE), model.side(2 * tile - 2 * halo))
    wide = _tiling_error(model, halo, image, tile)
    facet = facet_of(model, "generator")
    if wide > facet.rounding(model, {"image": image})["image"] or (wide > 0 and _rounds_alike_everywhere(model)):
        fail(f"in tiles of {tile} pixels it differs by up to {wide:.2g} from the whole")
    tile = model.side(2 * halo + MINIMUM_CELL)
    image = model.image(model.side(2 * tile - 2 * halo), model.side(5))
    thin = _tiling_error(model, halo, image, tile)
    if thin > facet.rounding(model, {"image": image})["image"]:
        fail(f"in thin tiles it differs by up to {thin:.2g} from the whole")


def _rounds_alike_everywhere(model: ModelUnderTest) -> bool:
    """Whether each of the model's convolutions, by default, gives a part of an image to the bits of the whole here."""
    for network in model.networks.values():
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d) and layer.stride == (1, 1):
                image = torch.rand(1, layer.in_channels, WIDE, 2 * WIDE).to(memory_format=torch.channels_last)
                part = image[..., :WIDE].contiguous(memory_format=torch.channels_last)
                inside = WIDE - layer.kernel_size[1] * layer.dilation[1]
                with torch.inference_mode():
                    if not layer(image)[..., :inside].equal(layer(part)[..., :inside]):
                        return False
    return True


def _tiling_error(model: ModelUnderTest, halo: int, image: Tensor, tile: int) -> float:
    scale, multiple = model.from_image.output.scale, model.from_image.source.size.multiple
    facet = facet_of(model, "generator")
    whole = facet(model.prepared, {"image": image})["image"]
    plan = plan_fixed(image.shape[2], image.shape[3], halo=halo, multiple=multiple, tile=tile)
    worst = 0.0
    for cell in plan.cells():
        window = plan.window(cell)
        seen = image[..., window.top : window.bottom, window.left : window.right]
        part = facet(model.prepared, {"image": seen})["image"]
        top, left = (cell.top - window.top) * scale, (cell.left - window.left) * scale
        kept = part[..., top : top + cell.height * scale, left : left + cell.width * scale]
        expected = whole[..., cell.top * scale : cell.bottom * scale, cell.left * scale : cell.right * scale]
        worst = max(worst, float((kept - expected).abs().max()))
    return worst


@check("model", needs=("output-shape",))
def safe_precisions(model: ModelUnderTest) -> None:
    """Reduced precisions that its facts call safe pass the gate: 50 dB and 1.5 steps of 8 bits against fp32.

    `precision=auto` uses them without asking. Leave out what does not pass on the three photographs that gansdk
    brings along.
    """
    _ = model.from_image
    facts = model.config.facts
    if not facts.safe_precisions:
        skip("its facts call no reduced precision safe")
    for precision in facts.safe_precisions:
        for loss in measure_loaded(model.loaded, precision, photographs()):
            if not loss.passes:
                found = f"{loss.psnr:.1f} dB and {loss.steps:.2f} steps against fp32"
                fail(f"{precision} gives {found} on {loss.photograph}")
