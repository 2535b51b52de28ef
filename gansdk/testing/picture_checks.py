"""Checks of models that make a picture from a picture: their facts are true, measured on the loaded network."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from gansdk.evaluation.gate import measure_networks, photographs
from gansdk.inference.tiling import MINIMUM_CELL, plan_fixed
from gansdk.testing.checks import check, fail, skip

if TYPE_CHECKING:
    from torch import Tensor

    from gansdk.model.protocols import Generator
    from gansdk.testing.subjects import ModelSubject

CLOSE = 1e-6
"""The largest difference, in a picture that goes from 0 to 1, between what should be the same, of most networks."""

WIDE = 64
"""Pixels a side from which a CPU computes a part of a picture to the very bits of the whole."""

_BEYOND = 8
"""Pixels further than declared in which an effect is looked for."""


def _generate(generator: Generator, image: Tensor) -> Tensor:
    with torch.inference_mode():
        return generator.generate({"image": image})


def _rounding(model: ModelSubject, image: Tensor) -> float:
    """The largest difference that two orders of the same sums may make: 1e-6, or more where a network amplifies it.

    How far fp32 is from float64 shows it: two computations in fp32 are at most twice as far from each other.
    """
    with torch.no_grad():
        exact = model.exact.generate({"image": image.double()})
    return max(CLOSE, 2 * float((_generate(model.generator, image) - exact).abs().max()))


@check("model", needs=("loads-strictly",))
def eval_mode(model: ModelSubject) -> None:
    """Loaded, it behaves as in use: nothing is random, and nothing in it changes by being used.

    Dropout or a batch-norm that still learns make every result depend on the calls before. Switch both by
    `self.training`, which `F.dropout` does not look at by itself, and leave `train()` and `eval()` as torch has them.
    """
    _ = model.from_picture
    for name, network in model.networks.items():
        for part, module in network.named_modules():
            if module.training:
                fail(f"{f'{name}.{part}' if part else name} is in training mode after loading")
    before = {name: copy.deepcopy(network.state_dict()) for name, network in model.networks.items()}
    random = torch.get_rng_state()
    with torch.no_grad():
        model.generator_of(model.bare(model.networks)).generate(
            {"image": model.picture(model.side(16), model.side(20))}
        )
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
    image = model.picture(model.side(16), model.side(20))
    first = _generate(model.generator, image).clone()
    _generate(model.generator, model.picture(model.side(24), model.side(16), seed=1))
    again, fresh = _generate(model.generator, image), _generate(model.generator_of(model.assembled()), image)
    for name, other in (("a second call", again), ("the same model loaded anew", fresh)):
        if first.shape != other.shape or not torch.equal(first, other):
            fail(f"{name} gives another result")


@check("model", needs=("same-call-same-bytes",))
def output_shape(model: ModelSubject) -> None:
    """Its pictures have the channels and the size that its facts declare.

    Tilers, files and pages are made from the facts alone. Correct `channels` or `scale`.
    """
    height, width = model.side(16), model.side(20)
    _expect_shape(model, model.picture(height, width, items=2))


def _expect_shape(model: ModelSubject, image: Tensor) -> None:
    output = model.from_picture.output
    items, _, height, width = image.shape
    expected = (items, output.channels, height * output.scale, width * output.scale)
    found = tuple(_generate(model.generator, image).shape)
    if found != expected:
        fail(f"from {tuple(image.shape)} it makes {found}, and its facts say {expected}")


@check("model", needs=("output-shape",))
def any_size(model: ModelSubject) -> None:
    """It takes every height and width that its size rule allows, tiny, odd and oblong ones too.

    Somebody will bring a picture of one pixel, and a tile at the rim has any size. Declare the smallest size and the
    multiple that the network needs as `ImageSource(size=SizeRule(…))`; the picture is padded then.
    """
    rule = model.from_picture.source.size
    tiny, little = model.side(1), model.side(rule.minimum + 1)
    for height, width in [
        (tiny, tiny),
        (tiny, model.side(7)),
        (model.side(33), little),
        (model.side(17), model.side(31)),
    ]:
        try:
            _expect_shape(model, model.picture(height, width))
        except RuntimeError as error:
            fail(f"it cannot compute {height}×{width} pixels, which its size rule allows: {_first_line(error)}")


@check("model", needs=("output-shape",))
def output_range(model: ModelSubject) -> None:
    """Its pictures stay within [0, 1].

    What lies outside is cut off somewhere later, in one place and not in another. Bring pictures back into their range
    in `assemble`, by `.clamp(0, 1)` or what the network's own range asks for.
    """
    height, width = model.side(24), model.side(32)
    noise = model.picture(height, width)
    for name, image in {"noise": noise, "black": noise * 0, "white": noise * 0 + 1, "spots": noise.round()}.items():
        result = _generate(model.generator, image)
        low, high = float(result.min()), float(result.max())
        if low < 0 or high > 1:
            fail(f"from {name} it makes values from {low:.4g} to {high:.4g}")


@check("model", needs=("output-shape",))
def batch_of_n(model: ModelSubject) -> None:
    """A batch of n pictures gives what n batches of one give, within 1e-6.

    A picture's result must not depend on which others came along. Normalise over the items of a batch in training
    only. (A network that amplifies rounding is allowed what float64 shows of it.)
    """
    images = model.picture(model.side(24), model.side(20), items=3)
    together = _generate(model.generator, images)
    apart = torch.cat([_generate(model.generator, image[None]) for image in images])
    difference = float((together - apart).abs().max())
    if difference > _rounding(model, images):
        fail(f"results differ by up to {difference:.2g}")


@check("model", needs=("output-shape",))
def receptive_field(model: ModelSubject) -> None:
    """An input pixel acts as far as its facts declare: no further, and not much less far.

    Tiles overlap by the declared radius. Too small, and seams show; far too large, and most work is thrown away. It
    is measured by gradients in float64, in height and width. Declare what is measured, or "global" where a result
    depends on the whole picture.
    """
    declared = model.from_picture.receptive_field
    if declared == "global":
        skip("it declares that it looks at the whole picture")
    reaches = [_reach(model, declared, upright=upright) for upright in (True, False)]
    reach = max(reaches)
    if reach > declared:
        at_least = "at least " if reach >= declared + _BEYOND else ""
        fail(f"an input pixel acts over {at_least}{reach} pixels, and its facts declare {declared}")
    if declared > 2 * reach + _BEYOND:
        fail(f"an input pixel acts over {reach} pixels, and its facts declare {declared}")


def _reach(model: ModelSubject, declared: int, *, upright: bool) -> int:
    """How far, in input pixels, what belongs to one row (or column) of the input depends on others."""
    facts = model.from_picture
    scale, multiple = facts.output.scale, facts.source.size.multiple
    long, short = model.side(2 * (declared + _BEYOND) + multiple), model.side(8)
    noise = model.picture(*((long, short) if upright else (short, long)), items=2)
    reach = 0
    for offset in range(multiple):  # a pixel's place within a stride decides how far it sees
        at = long // 2 // multiple * multiple + offset
        image = (0.4 + 0.2 * noise.double()).requires_grad_()  # away from 0 and 1, where a clamp hides everything
        output = model.exact.generate({"image": image})
        part = output.narrow(2 if upright else 3, at * scale, scale)
        weights = torch.rand(part.shape, dtype=part.dtype, generator=torch.Generator().manual_seed(1)) - 0.5
        (gradient,) = torch.autograd.grad((part * weights).sum(), image)
        seen = gradient.abs().sum((0, 1, 3 if upright else 2)).nonzero().flatten()
        if not len(seen):
            fail("no input pixel acts on the result")
        reach = max(reach, int((seen - at).abs().max()))
    return reach


@check("model", needs=("receptive-field",))
def tiled_equals_whole(model: ModelSubject) -> None:
    """Computed in tiles it is what it is as a whole: to the bit in tiles of 64 pixels and more, else within 1e-6.

    Large pictures are computed in tiles, of a size that depends on the memory. Where only this fails, a pixel's result
    depends on where it stands: by a large difference, declare "global" or take the position out of the network; by a
    tiny one, some operation rounds by position. (Convolutions of few channels do; a model that has them is held to
    1e-6 throughout. A network that amplifies rounding is allowed what float64 shows of it.)
    """
    facts = model.from_picture
    if facts.receptive_field == "global":
        skip("it declares that it looks at the whole picture")
    multiple = facts.source.size.multiple
    halo = -(-facts.receptive_field // multiple) * multiple
    tile = model.side(max(WIDE, 2 * halo + MINIMUM_CELL))
    image = model.picture(model.side(WIDE), model.side(2 * tile - 2 * halo))
    wide = _tiling_error(model, halo, image, tile)
    if wide > _rounding(model, image) or (wide > 0 and _rounds_alike_everywhere(model)):
        fail(f"in tiles of {tile} pixels it differs by up to {wide:.2g} from the whole")
    tile = model.side(2 * halo + MINIMUM_CELL)
    image = model.picture(model.side(2 * tile - 2 * halo), model.side(5))
    thin = _tiling_error(model, halo, image, tile)
    if thin > _rounding(model, image):
        fail(f"in thin tiles it differs by up to {thin:.2g} from the whole")


def _rounds_alike_everywhere(model: ModelSubject) -> bool:
    """Whether each of the model's convolutions, by itself, gives a part of a picture to the bits of the whole here."""
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


def _tiling_error(model: ModelSubject, halo: int, image: Tensor, tile: int) -> float:
    scale, multiple = model.from_picture.output.scale, model.from_picture.source.size.multiple
    whole = _generate(model.generator, image)
    plan = plan_fixed(image.shape[2], image.shape[3], halo=halo, multiple=multiple, tile=tile)
    worst = 0.0
    for cell in plan.cells():
        window = plan.window(cell)
        part = _generate(model.generator, image[..., window.top : window.bottom, window.left : window.right])
        top, left = (cell.top - window.top) * scale, (cell.left - window.left) * scale
        kept = part[..., top : top + cell.height * scale, left : left + cell.width * scale]
        expected = whole[..., cell.top * scale : cell.bottom * scale, cell.left * scale : cell.right * scale]
        worst = max(worst, float((kept - expected).abs().max()))
    return worst


@check("model", needs=("output-shape",))
def safe_precisions(model: ModelSubject) -> None:
    """Reduced precisions that its facts call safe pass the gate: 50 dB and 1.5 steps of 8 bits against fp32.

    `precision=auto` uses them without asking anybody. Leave out what does not pass on the three photographs that gansdk
    brings along.
    """
    _ = model.from_picture
    facts = model.config.facts
    if not facts.safe_precisions:
        skip("its facts call no reduced precision safe")
    for precision in facts.safe_precisions:
        for loss in measure_networks(model.networks, model.method, facts, precision, photographs()):
            if not loss.passes:
                found = f"{loss.psnr:.1f} dB and {loss.steps:.2f} steps against fp32"
                fail(f"{precision} gives {found} on {loss.photograph}")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
