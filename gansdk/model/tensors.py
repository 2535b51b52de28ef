"""Tensors in safetensors files: what a header declares, reading, and filling networks with them.

A file may come from anyone. Its header is checked against its size before anything is built, and only
safetensors reads files, whatever they are called.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field, TypeAdapter

from gansdk.errors import ModelError
from gansdk.files import MOST_JSON, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torch import Tensor, nn

_ONLY_SAFETENSORS = "gansdk loads safetensors only"
_AGAIN = "get the file again"
_OTHERS = "the weights and config.json belong to different models"


class Stored(NamedTuple):
    """A tensor as the header of a safetensors file declares it.

    Attributes:
        dtype: As the format spells it, ``F32``.
        shape: Its sizes.
        data_offsets: Its first byte behind the header, and the one after its last.
    """

    dtype: str
    shape: Annotated[tuple[Annotated[int, Field(ge=0, le=2**40)], ...], Field(max_length=8)]
    data_offsets: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


_HEADER = TypeAdapter(dict[str, Stored])
_METADATA = TypeAdapter(dict[str, str])


def read_header(path: Path) -> tuple[dict[str, Stored], dict[str, str]]:
    """The header of a safetensors file, checked against the file's size. The bytes decide, not the file's name.

    Returns:
        The tensors by name, and the file's metadata.

    Raises:
        ModelError: If it is something else in disguise, was cut short, or has an inconsistent header.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(9)
        length = struct.unpack("<Q", start[:8])[0] if len(start) == 9 else 0
        if not 2 <= length <= size - 8 or start[8:] != b"{":
            # The length of a header may begin with the same byte as a pickle, so what follows is looked at first.
            if start[:1] == b"\x80" or start[:2] == b"PK":
                what = f"{path} is a pickle, whatever its name says; it was not opened"
                raise ModelError(what, hint=_ONLY_SAFETENSORS)
            raise ModelError(f"{path} is not a safetensors file, or was cut short", hint=_AGAIN)
        if length > MOST_JSON:
            raise ModelError(f"{path} has a header of {length} bytes, which no weights need", hint=_ONLY_SAFETENSORS)
        header = start[8:] + file.read(length - 1)
    try:
        raw = parse_json(header)
        metadata = _METADATA.validate_python(raw.pop("__metadata__", {}))
        entries = _HEADER.validate_python(raw)
    except (ValueError, AttributeError):  # AttributeError: a list, say
        what = f"{path} is not a safetensors file: its header is unreadable"
        raise ModelError(what, hint=_ONLY_SAFETENSORS) from None
    if any(math.prod(entry.shape) > 8 * size for entry in entries.values()):
        what = f"{path} is not a safetensors file: a tensor claims more than there is"
        raise ModelError(what, hint=_ONLY_SAFETENSORS)
    if 8 + length + max((entry.data_offsets[1] for entry in entries.values()), default=0) != size:
        raise ModelError(f"{path} was cut short or has bytes too many", hint=_AGAIN)
    return entries, metadata


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, on the CPU, as they are stored.

    Raises:
        ModelError: If it is not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    read_header(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} cannot be read: {error}", hint=_AGAIN) from None


def flatten(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The tensors of networks under the names that a file has for them: network and key, joined by a dot."""
    return {f"{name}.{key}": value for name, network in networks.items() for key, value in network.state_dict().items()}


def fill(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], where: object) -> None:
    """Puts tensors, named as by :func:`flatten`, into networks, which are then in eval mode and frozen.

    Raises:
        ModelError: If a tensor is missing, unexpected or of another shape; the message names it and ``where``.
    """
    check_fit(networks, tensors, where)
    for name, network in networks.items():
        network.load_state_dict({key: tensors[f"{name}.{key}"] for key in network.state_dict()}, strict=True)
        network.eval().requires_grad_(False)


def check_fit(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], where: object) -> None:
    """Refuses tensors that are not exactly those of the networks, with the first three differences."""
    if problems := mismatches(networks, tensors):
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ModelError(f"{where} does not fit its network: {'; '.join(problems[:3])}{more}", hint=_OTHERS)


def mismatches(networks: Mapping[str, nn.Module], tensors: Mapping[str, Tensor]) -> list[str]:
    """How tensors, named as by :func:`flatten`, differ from those of the networks; empty if they do not."""
    wanted = flatten(networks)
    problems = [f"missing {key!r}" for key in wanted if key not in tensors]
    problems += [f"unexpected {key!r}" for key in tensors if key not in wanted]
    for key in wanted.keys() & tensors.keys():
        if wanted[key].shape != tensors[key].shape:
            found, expected = shape_text(tensors[key].shape), shape_text(wanted[key].shape)
            problems.append(f"{key!r} is {found}, the network has {expected}")
        elif wanted[key].is_floating_point() != tensors[key].is_floating_point():
            problems.append(f"{key!r} is {tensors[key].dtype}, the network has {wanted[key].dtype}")
    return problems


def shape_text(shape: Iterable[int]) -> str:
    """A shape in a message, as ``3×64×64``."""
    return "×".join(map(str, shape)) or "a single number"
