"""Networks that others published, told by the names and shapes of their tensors, as networks of this plugin.

A layout says three things: which keys betray it, how the sizes follow from shapes, and what each of our keys is called
there. Whatever one of our networks needs and a file lacks, or a file has and our network does not, is refused by name.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from gansdk import InputError, Options, Recognised
from gansdk_srgan.architectures import CompactOptions, MSRResNetOptions, RRDBOptions, SRResNetOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from gansdk_srgan.architectures import Architecture

    Tensors = Mapping[str, Tensor]

_Options = TypeVar("_Options", bound=Options)


@dataclass(frozen=True)
class Layout:
    """One way in which a network's tensors were named.

    Attributes:
        name: For messages and for the model's config.
        marks: Keys that every file of it has and no other layout has together.
        options: The sizes, from the shapes; None if it is something else after all.
        theirs: What a module of ours is called there, by its path and the sizes.
        absent: Keys of ours that a file need not have; they are zero then.
    """

    name: str
    marks: tuple[str, ...]
    options: Callable[[Tensors], Architecture | None]
    theirs: Callable[[list[str], Any], str]
    absent: re.Pattern[str] = re.compile(r"(?!)")


def recognise(tensors: Tensors, /) -> Recognised | None:
    """A published network as one of ours; None if it is in no layout that is known here.

    Raises:
        InputError: If it is in a known layout but not whole, or of sizes that no network here has.
    """
    for layout in LAYOUTS:
        if all(mark in tensors for mark in layout.marks):
            options = layout.options(tensors)
            if options is not None:
                return _recognised(layout, options, tensors)
    return None


def _recognised(layout: Layout, options: Architecture, tensors: Tensors) -> Recognised:
    import torch

    from gansdk_srgan.model import facts, networks

    with torch.device("meta"):
        ours = networks(options)["generator"].state_dict()
    found: dict[str, Tensor] = {}
    names = {key: _their_key(layout, key, options) for key in ours}
    lacking = [name for key, name in names.items() if name not in tensors and not layout.absent.fullmatch(key)]
    beyond = sorted(set(tensors) - set(names.values()))
    if lacking:
        raise InputError(f"looks like {layout.name} but lacks {_some(lacking)}", hint="the file is not whole")
    if beyond:
        what = f"looks like {layout.name} but has {_some(beyond)} beyond it"
        raise InputError(what, hint="it is a variant that gansdk has no network for")
    for key, name in names.items():
        given = tensors.get(name)
        found[f"generator.{key}"] = torch.zeros(ours[key].shape, dtype=ours[key].dtype) if given is None else given
    return Recognised(layout.name, options.model_dump(mode="json"), facts(options), found)


def _their_key(layout: Layout, key: str, options: Architecture) -> str:
    *path, kind = key.split(".")
    return f"{layout.theirs(path, options)}.{kind}"


def _some(names: list[str]) -> str:
    return ", ".join(repr(name[:60]) for name in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _srresnet(first: str, last: str) -> Callable[[Tensors], SRResNetOptions]:
    def options(tensors: Tensors) -> SRResNetOptions:
        features, channels, head, _ = _shape(tensors, f"{first}.0.weight")
        doublings = _count(tensors, r"upsampling\.(\d+)\..*")
        return _sized(
            SRResNetOptions,
            channels=channels,
            scale=2**doublings,
            features=features,
            blocks=_count(tensors, r"trunk\.(\d+)\..*"),
            up_features=features,
            head_kernel=head,
            tail_kernel=_shape(tensors, f"{last}.weight")[2],
        )

    return options


def _srresnet_names(first: str, second: str, third: str) -> Callable[[list[str], SRResNetOptions], str]:
    def theirs(path: list[str], _options: SRResNetOptions) -> str:
        match path:
            case ["head", index]:
                return f"{first}.{index}"
            case ["blocks", block, "body", index]:
                return f"trunk.{block}.rcb.{index}"
            case ["fuse", index]:
                return f"{second}.{index}"
            case ["up", index]:  # ours are one after the other, theirs in threes: convolution, shuffle, PReLU
                return f"upsampling.{int(index) // 3}.upsample_block.{int(index) % 3}"
        return third

    return theirs


_NORMALISED = re.compile(r"(blocks\.\d+\.body\.[03]|fuse\.0)\.bias|.*\.num_batches_tracked")
"""Batch normalisation follows at once and has a bias itself, so theirs have none there."""


def _msrresnet(tensors: Tensors) -> MSRResNetOptions:
    features, channels, *_ = _shape(tensors, "conv_first.weight")
    steps = _count(tensors, r"upconv(\d+)\.weight", start=1)
    factor = math.isqrt(_shape(tensors, "upconv1.weight")[0] // features)
    return _sized(
        MSRResNetOptions,
        channels=channels,
        scale=factor**steps,
        features=features,
        blocks=_count(tensors, r"body\.(\d+)\..*"),
    )


def _msrresnet_names(path: list[str], _options: MSRResNetOptions) -> str:
    match path:
        case ["blocks", block, which]:
            return f"body.{block}.conv{['first', 'second'].index(which) + 1}"
        case ["up", index]:
            return f"upconv{int(index) + 1}"
        case ["refine"]:
            return "conv_hr"
    return {"head": "conv_first", "tail": "conv_last"}[path[0]]


def _rrdb(
    first: str, blocks: str, growth: str, ups: str, last: Callable[[int], str]
) -> Callable[[Tensors], RRDBOptions]:
    """Sizes of an RRDBNet: patterns of its blocks and doublings, and the key of its last convolution."""

    def options(tensors: Tensors) -> RRDBOptions:
        features, inputs, *_ = _shape(tensors, f"{first}.weight")
        doublings = _doublings(tensors, ups)
        channels = _shape(tensors, f"{last(doublings)}.weight")[0]
        unshuffle = math.isqrt(inputs // channels)
        if channels * unshuffle**2 != inputs:
            raise InputError(f"{inputs} channels come in and {channels} go out", hint="only equal numbers can be used")
        return _sized(
            RRDBOptions,
            channels=channels,
            scale=2**doublings // unshuffle,
            unshuffle=unshuffle,
            features=features,
            growth=_shape(tensors, growth)[0],
            blocks=_count(tensors, blocks),
        )

    return options


def _doublings(tensors: Tensors, ups: str) -> int:
    return len({match[1] for key in tensors if (match := re.fullmatch(ups, key))})


def _rrdb_names(trunk: str, dense: str, fuse: str, up: str, refine: str) -> Callable[[list[str], RRDBOptions], str]:
    def theirs(path: list[str], _options: RRDBOptions) -> str:
        match path:
            case ["blocks", block, "dense", which, "convolutions", index]:
                return f"{trunk}.{block}.{dense}{int(which) + 1}.conv{int(index) + 1}"
            case ["up", index]:
                return f"{up}{int(index) + 1}"
        return {"head": "conv_first", "fuse": fuse, "refine": refine, "tail": "conv_last"}[path[0]]

    return theirs


def _numbered_names(path: list[str], options: RRDBOptions) -> str:
    """ESRGAN's first naming counts layers, those without tensors too: three per doubling."""
    ups = 3 * (options.scale * options.unshuffle).bit_length() - 3
    match path:
        case ["blocks", block, "dense", which, "convolutions", index]:
            return f"model.1.sub.{block}.RDB{int(which) + 1}.conv{int(index) + 1}.0"
        case ["up", index]:
            return f"model.{3 * int(index) + 3}"
        case ["fuse"]:
            return f"model.1.sub.{options.blocks}"
    return {"head": "model.0", "refine": f"model.{ups + 2}", "tail": f"model.{ups + 4}"}[path[0]]


def _compact(tensors: Tensors) -> CompactOptions | None:
    if tensors["body.0.weight"].dim() != 4 or tensors["body.1.weight"].dim() != 1:
        return None
    features, channels, *_ = _shape(tensors, "body.0.weight")
    last = _count(tensors, r"body\.(\d+)\.weight") - 1
    last += last % 2  # convolutions have even numbers
    outputs = _shape(tensors, f"body.{last}.weight")[0]
    scale = math.isqrt(outputs // channels)
    if channels * scale**2 != outputs:
        what = f"its last convolution gives {outputs} channels, not {channels} times a square"
        raise InputError(what, hint="it is a variant that gansdk has no network for")
    return _sized(CompactOptions, channels=channels, scale=scale, features=features, convolutions=last // 2 - 1)


def _compact_names(path: list[str], _options: CompactOptions) -> str:
    return ".".join(path)


def _shape(tensors: Tensors, key: str) -> tuple[int, ...]:
    """The shape of a convolution's weight: out, in, height, width."""
    if key not in tensors:
        raise InputError(f"lacks {key!r}, which gives its sizes", hint="the file is not whole")
    if tensors[key].dim() != 4 or 0 in tensors[key].shape:
        raise InputError(f"{key!r} is not a convolution: {tuple(tensors[key].shape)}", hint="the file is damaged")
    return tuple(tensors[key].shape)


def _count(tensors: Tensors, pattern: str, start: int = 0) -> int:
    """How many there are of what is numbered from ``start``, by the highest number."""
    numbers = [int(match[1]) for key in tensors if (match := re.fullmatch(pattern, key))]
    return max(numbers, default=start - 1) + 1 - start


def _sized(group: type[_Options], **sizes: int) -> _Options:
    try:
        return group(**sizes)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = f"{problem['loc'][0]} {problem['input']}: " if problem["loc"] else ""
        raise InputError(f"{where}{problem['msg']}", hint="gansdk has no network of such sizes") from None


LAYOUTS = (
    Layout(
        "SRResNet of SRGAN-PyTorch, 2022",
        ("conv_block1.0.weight", "trunk.0.rcb.0.weight"),
        _srresnet("conv_block1", "conv_block3"),
        _srresnet_names("conv_block1", "conv_block2", "conv_block3"),
        _NORMALISED,
    ),
    Layout(
        "SRResNet of SRGAN-PyTorch",
        ("conv1.0.weight", "trunk.0.rcb.0.weight"),
        _srresnet("conv1", "conv3"),
        _srresnet_names("conv1", "conv2", "conv3"),
        _NORMALISED,
    ),
    Layout(
        "MSRResNet of BasicSR",
        ("conv_first.weight", "body.0.conv1.weight", "upconv1.weight", "conv_hr.weight"),
        _msrresnet,
        _msrresnet_names,
    ),
    Layout(
        "RRDBNet of ESRGAN, first naming",
        ("model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"),
        _rrdb(
            "model.0",
            r"model\.1\.sub\.(\d+)\.RDB1\..*",
            "model.1.sub.0.RDB1.conv1.0.weight",
            r"model\.(3|6|9|12)\.weight",
            lambda doublings: f"model.{3 * doublings + 4}",
        ),
        _numbered_names,
    ),
    Layout(
        "RRDBNet of ESRGAN",
        ("conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight"),
        _rrdb(
            "conv_first",
            r"RRDB_trunk\.(\d+)\..*",
            "RRDB_trunk.0.RDB1.conv1.weight",
            r"upconv(\d+)\.weight",
            lambda _doublings: "conv_last",
        ),
        _rrdb_names("RRDB_trunk", "RDB", "trunk_conv", "upconv", "HRconv"),
    ),
    Layout(
        "RRDBNet of BasicSR and Real-ESRGAN",
        ("conv_first.weight", "body.0.rdb1.conv1.weight"),
        _rrdb(
            "conv_first",
            r"body\.(\d+)\..*",
            "body.0.rdb1.conv1.weight",
            r"conv_up(\d+)\.weight",
            lambda _doublings: "conv_last",
        ),
        _rrdb_names("body", "rdb", "conv_body", "conv_up", "conv_hr"),
    ),
    Layout("SRVGGNetCompact of Real-ESRGAN", ("body.0.weight", "body.1.weight"), _compact, _compact_names),
)
"""All that is known, none of which has the marks of another."""
