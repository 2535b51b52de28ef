"""Which tables of tensors a foreign file holds: what is wrapped around a network, and several networks in one file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AVERAGED = ("ema_model", "model_ema", "ema", "ema_state_dict", "state_dict_ema")

WRAPPERS = (
    *("params_ema", "params-ema", "g_ema", "G_ema", *_AVERAGED),
    *("params", "state_dict", "model_state_dict", "model"),
)
"""Keys that trainers put a network's tensors under, the one to take first: averaged weights before plain ones."""

GENERATORS = frozenset({"generator", "netg", "net_g", "g", "gen"})
"""What the generator is called where a discriminator is beside it, in lower case."""

_PARALLEL = "module."
"""What torch's parallel training, and its AveragedModel, put before every key."""

_COUNTERS = frozenset({"n_averaged", "initted", "step", "num_updates", "decay"})
"""What classes that average weights keep beside a network: torch's AveragedModel, ema_pytorch, LitEma."""

_DEPTH = 4
_MOST = 16
"""Tables that are looked at; what is nested and shared could hold any number of them."""


@dataclass(frozen=True)
class Table:
    """The tensors of one network in a foreign file.

    Attributes:
        place: The keys under which they were, outermost first, joined by dots; empty for none.
        tensors: By their names there.
        left_out: Other tables that were beside it.
    """

    place: str
    tensors: Mapping[str, Tensor]
    left_out: tuple[str, ...] = ()


def find(content: Mapping[str, Any]) -> list[Table]:
    """The tables that a file may mean: the one in the first wrapper that it has, else itself, else each one in it."""
    return [_without_parallel(table) for table in islice(_find(content, (), (), {}), _MOST)]


def _find(
    content: Mapping[str, Any], place: tuple[str, ...], left_out: tuple[str, ...], known: dict[tuple[int, int], bool]
) -> Iterator[Table]:
    if is_table(content):
        yield Table(".".join(place), content, left_out)
        return
    full = [key for key, value in _inside(content) if _holds_table(value, _DEPTH - len(place) - 1, known)]
    wrapped = [key for key in WRAPPERS if key in full]
    for key in wrapped[:1] or full:
        others = tuple(".".join((*place, other)) for other in full if other != key)
        yield from _find(content[key], (*place, key), left_out + others, known)


def _holds_table(content: Mapping[str, Any], depth: int, known: dict[tuple[int, int], bool]) -> bool:
    """Whether there is one down to a depth. Answers are kept: a pickle may name one mapping any number of times."""
    asked = (id(content), depth)
    if asked not in known:
        inside = depth > 0 and any(_holds_table(value, depth - 1, known) for _, value in _inside(content))
        known[asked] = is_table(content) or inside
    return known[asked]


def _inside(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((key, value) for key, value in content.items() if isinstance(key, str) and isinstance(value, dict))


def is_table(content: Mapping[str, Any]) -> bool:
    """Whether it is names of tensors and nothing else."""
    return bool(content) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())


def parts(table: Table) -> list[Table]:
    """What a table may mean whose names begin with those of networks.

    That is the only one; else the averaged one among several, else the generator.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for key, tensor in _weights(table.tensors).items():
        first, dot, rest = key.partition(".")
        if not (dot and rest):
            return []
        groups.setdefault(first, {})[rest] = tensor
    chosen = list(groups) if len(groups) == 1 else [name for name in _AVERAGED if name in groups][:1]
    chosen = chosen or [name for name in groups if name.lower() in GENERATORS]
    found = []
    for name in chosen:
        place = f"{table.place}.{name}" if table.place else name
        others = tuple(f"{table.place}.{other}" if table.place else other for other in groups if other != name)
        found.append(_without_parallel(Table(place, groups[name], table.left_out + others)))
    return found


def _without_parallel(table: Table) -> Table:
    weights = _weights(table.tensors)
    if not weights or not all(key.startswith(_PARALLEL) for key in weights):
        return table
    tensors = {key.removeprefix(_PARALLEL): tensor for key, tensor in weights.items()}
    return Table(table.place, tensors, table.left_out)


def _weights(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The tensors without the counters of an average."""
    return {key: tensor for key, tensor in tensors.items() if not (key in _COUNTERS and tensor.numel() == 1)}
