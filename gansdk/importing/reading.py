"""Reads files of tensors that may come from anyone. Their bytes say what they are, not their names; nothing is run.

A torch file is a pickle, and a pickle is a program. Torch's own reader of weights alone runs none of it: it refuses
every global but those of tensors. Before 2.10 it could be fooled (CVE-2025-32434, CVE-2026-24747), so it is not used
there. What must not reach it at all, or what it would explain badly, is found out here.
"""

from __future__ import annotations

import re
import textwrap
import zipfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gansdk.errors import InputError, ModelError
from gansdk.files import opened_zip
from gansdk.importing.pickles import MOST_BYTES, ForeignError, HostileError, check_archive, check_file
from gansdk.model.tensors import read_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


_SAFE_TORCH = (2, 10)

_ARCHIVE, _PICKLE = b"PK\x03\x04", b"\x80"
_TAR_AT, _TAR = 257, b"ustar"

_OTHERS = {
    b"version https://git-lfs": (
        "is a Git LFS pointer, not the file that it points to",
        "fetch it with `git lfs pull`",
    ),
    b"<": ("is a web page or XML, not weights", "download the file itself"),
    b"\x89HDF": ("is an HDF5 file, as Keras writes them", "only torch and safetensors files can be imported"),
    b"GGUF": ("is a GGUF file", "only torch and safetensors files can be imported"),
    b"\x1f\x8b": ("is compressed with gzip", "unpack it first"),
    b"7z\xbc\xaf": ("is a 7z archive", "unpack it first"),
    b"Rar!": ("is a RAR archive", "unpack it first"),
}
"""What else is mistaken for weights, by its first bytes."""

_LONGEST_KEY = 200
"""Letters of a key in a message: its end, however deep mappings are nested."""

_CONVERT = "where it was made, save `state_dict()` alone with safetensors.torch.save_file"


def read(path: Path) -> Mapping[str, Any]:
    """The mapping in a file of weights, all tensors on the CPU.

    Args:
        path: A torch file (``.pth``, ``.pt``, ``.ckpt``, ``.bin``; its name does not matter) or a safetensors file.

    Raises:
        InputError: If it is missing, damaged, none of these, or holds anything but data; nothing of it was run.
    """
    content = _read(path, _first_bytes(path))
    if not isinstance(content, dict):
        kind = "a single tensor" if isinstance(content, Tensor) else f"a {type(content).__name__}"
        raise InputError(f"{path} holds {kind}, not a table of tensors", hint=_CONVERT)
    _check_tensors(path, content)
    return content


def _read(path: Path, start: bytes) -> Any:
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return _read_safetensors(path)
    if start.startswith(_ARCHIVE):
        with _vetting(path):
            _check_archive(path)
        return _read_torch(path)
    if start[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        raise InputError(f"{path} is a tar archive; it was not opened", hint="unpack it, or save it with a newer torch")
    if start.startswith(_PICKLE):
        with _vetting(path), path.open("rb") as file:
            check_file(file.read(MOST_BYTES), path.stat().st_size)
        return _read_torch(path)
    for first, (what, hint) in _OTHERS.items():
        if start.lstrip().startswith(first):
            raise InputError(f"{path} {what}", hint=hint)
    what = f"{path} is neither a torch nor a safetensors file, or its beginning is damaged"
    raise InputError(what, hint="download it again, or give another file")


def _first_bytes(path: Path) -> bytes:
    if str(path).startswith(("http:", "https:")):
        raise InputError(f"{path} is an address, not a file", hint="download it first")
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "not a plain file"
        raise InputError(f"{path} is {what}", hint="name a file of weights")
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}", hint="check the path") from None
    except (OSError, ValueError) as error:
        what = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(what, hint="check the path and its permissions") from None
    if not start:
        raise InputError(f"{path} is empty", hint="download it again")
    return start


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        read_header(path)
        return load_file(path)
    except ModelError as error:
        raise InputError(error.message, hint="download it again") from None
    except (SafetensorError, OSError, ValueError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} cannot be read: {said}", hint="download it again") from None


def _check_archive(path: Path) -> None:
    """A torch file is an archive with a pickle and bare tensors in it, and nothing else."""
    try:
        with opened_zip(path) as archive:
            entries, comment = archive.infolist(), archive.comment
            pickled = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
            is_small = len(pickled) == 1 and pickled[0].file_size <= MOST_BYTES
            content = archive.read(pickled[0]) if is_small else b""
    except (OSError, ValueError):
        raise InputError(f"{path} was cut short or is damaged", hint="download it again") from None
    names = [entry.filename for entry in entries]
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        what = f"{path} is a TorchScript archive, a program and not weights alone; nothing of it was run"
        raise InputError(what, hint=_CONVERT)
    if not any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
        inside = textwrap.shorten(", ".join(names[:3]), 80, placeholder=" …") or "nothing"
        raise InputError(f"{path} is an archive that torch did not write; it holds {inside}", hint="unpack it first")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        what = f"{path} is a compressed archive, which torch does not write; it was not unpacked"
        raise InputError(what, hint="save it anew where it was made")
    # torch has a reader of archives of its own, for which nothing may be in doubt
    folder = names[0].partition("/")[0] + "/"
    twice = Counter(name.lower() for name in names).most_common(1)[0][1] > 1
    if twice or comment or any(not name.startswith(folder) for name in names) or pickled[0].filename.count("/") > 1:
        raise HostileError("torch lays out archives in another way")
    if min(entry.header_offset for entry in entries) != 0 or not is_small:
        raise HostileError("its pickle is larger than any network needs, or not where it should be")
    data = f"{folder}data/"
    check_archive(content, {entry.filename.removeprefix(data): entry.file_size for entry in entries})


@contextmanager
def _vetting(path: Path) -> Iterator[None]:
    """A block that examines a pickle before it is read; what it finds becomes an error of one line."""
    try:
        yield
    except ForeignError as error:
        what = f"{path} holds more than weights: it asks for {error}; nothing of it was run"
        raise InputError(what, hint=_CONVERT) from None
    except HostileError as error:
        what = f"{path} cannot be read as weights: {error}"
        raise InputError(what, hint="download it again; nothing of it was run") from None


def _read_torch(path: Path) -> Any:
    check_torch(torch.__version__)
    try:
        with path.open("rb") as file:  # a path's ending would be taken for what the file is
            return torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise InputError(f"{path} does not fit into memory", hint="close other programs") from None
    except Exception as error:  # a damaged or hostile pickle makes its reader raise anything
        what = f"{path} cannot be read as weights: it was cut short, is damaged or holds more than tensors"
        raise InputError(what, hint="download it again; nothing of it was run") from error


def check_torch(version: str) -> None:
    """Refuses a torch whose reading of weights alone is known to be unsafe.

    Raises:
        InputError: If it is older than 2.10.
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < _SAFE_TORCH:
        what = f"torch {version} cannot read strangers' torch files safely"
        raise InputError(what, hint="pip install --upgrade 'torch>=2.10', or give a safetensors file")


def _check_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Plain tensors only, and none with more numbers than the file has bytes for: a view can claim any size."""
    size = path.stat().st_size
    for key, tensor in _walk(content):
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise InputError(f"{path}: {key!r} is not a plain tensor", hint=_CONVERT)
        if bytes_of([tensor]) > size:
            raise InputError(f"{path}: {key!r} claims more bytes than the file has", hint="download it again")


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """What tensors take when each is written out."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _walk(content: Mapping[Any, Any]) -> Iterator[tuple[str, Tensor]]:
    """All tensors in mappings within mappings, each mapping once: a pickle may name one any number of times."""
    waiting: list[tuple[str, Mapping[Any, Any]]] = [("", content)]
    seen = {id(content)}
    while waiting:
        place, mapping = waiting.pop()
        for name, value in mapping.items():
            key = f"{place}.{name}"[-_LONGEST_KEY:] if place else str(name)[-_LONGEST_KEY:]
            if isinstance(value, Tensor):
                yield key, value
            elif isinstance(value, dict) and id(value) not in seen:
                seen.add(id(value))
                waiting.append((key, value))


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
