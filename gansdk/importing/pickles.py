"""What a torch file's pickle would do, found out before torch does it.

Torch's reader of weights alone runs no foreign code, but it allocates what it is told to and copies as often as it is
told to: 400 bytes can ask for gigabytes. Here the pickle's instructions are followed with sizes in place of values, and
it is refused if it calls anything but what makes tensors, copies more than it holds, or claims storages that the file
does not have.
"""

from __future__ import annotations

import io
import pickletools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping


MOST_BYTES = 2**22
"""Of a pickle; that of a network with 10,000 tensors has a fourth."""

_MAGIC = 0x1950A86A20F9469CFC6C
"""What torch files begin with that are no archives."""

_MOST_LONG = 2**64

_ORDERED = "collections.OrderedDict"
_VIEWS = {
    f"torch._utils._rebuild_{name}"
    for name in ("tensor", "tensor_v2", "tensor_v3", "qtensor", "parameter", "parameter_with_state")
}
_UNUSED = {
    "torch._utils._rebuild_sparse_tensor",
    "torch._utils._rebuild_meta_tensor_no_storage",
    "torch.serialization._get_layout",
}
"""What makes tensors that are not taken; whoever reads them says so."""

_CALLED = {_ORDERED, "torch.Size", "torch.device", "_codecs.encode", *_VIEWS, *_UNUSED}
"""What makes tensors, and what trainers keep beside them. Not ``bytearray``, whose argument may be a size."""


class ForeignError(Exception):
    """A pickle that asks for what no weights need; its text is the name."""


class HostileError(Exception):
    """A pickle that no saving made: damaged, or made to take time or memory."""


class _Name(str):
    """A function or class by its name."""

    __slots__ = ()


@dataclass
class _Holder:
    """A list or mapping: how much it holds, and whether attributes may be set on it."""

    count: int = 0
    is_ordered: bool = False


@dataclass(frozen=True)
class _Storage:
    """Its bytes, and how many of them a number in it has."""

    size: int
    item: int


def check_archive(pickle: bytes, sizes: Mapping[str, int]) -> None:
    """Holds the pickle of an archive against the bytes of its storages, by their keys.

    Raises:
        ForeignError: If it asks for anything but tensors.
        HostileError: If it is damaged, or would take more than the file has.
    """
    scan = _Scan(sizes, sum(sizes.values()))
    scan.run(io.BytesIO(pickle), len(pickle))


def check_file(start: bytes, size: int) -> None:
    """Holds a torch file that is no archive against its own size; raises as `check_archive`.

    Args:
        start: Its first bytes, all that its pickles may have.
        size: Of the whole file.
    """
    file = io.BytesIO(start)
    scan = _Scan(None, size)
    # the number that it begins with, a version, what machine it comes from, the weights, the order of the storages
    if scan.run(file, len(start)) == _MAGIC:
        for _ in range(4):
            scan.run(file, len(start))


class _Scan:
    """Follows pickles of one file.

    Args:
        sizes: Bytes of each storage, by key; None where the file does not say.
        most: Bytes of all storages.
    """

    def __init__(self, sizes: Mapping[str, int] | None, most: int) -> None:
        self._sizes, self._left_to_claim = sizes, most
        self._claimed: set[Any] = set()

    def run(self, file: io.BytesIO, copied: int) -> Any:
        """Follows one pickle, which may copy as many values or letters in all; gives what stands for its result."""
        self._left = copied
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        try:
            for operation, argument, _ in pickletools.genops(file):
                self._step(operation.name, argument)
            return self._stack.pop()
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, UnicodeError) as error:
            raise HostileError(f"its pickle is damaged: {str(error)[:100]}") from None

    def _step(self, name: str, argument: Any) -> None:  # noqa: PLR0912 - one branch for each instruction
        stack = self._stack
        if name in {"BINUNICODE", "BININT", "BININT1", "BININT2", "BINFLOAT", "SHORT_BINSTRING"}:
            stack.append(argument)
        elif name == "LONG1":
            if abs(argument) >= _MOST_LONG and argument != _MAGIC:
                raise HostileError("it holds a number of more than 64 bits")
            stack.append(argument)
        elif name in {"NONE", "NEWTRUE", "NEWFALSE"}:
            stack.append(None)
        elif name in {"BINPUT", "LONG_BINPUT"}:
            self._memo[argument] = stack[-1]
        elif name in {"BINGET", "LONG_BINGET"}:
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            stack.append(_named(argument))
        elif name == "MARK":
            self._marked.append(stack)
            self._stack = []
        elif name in {"EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET"}:
            stack.append(_Holder())
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name == "TUPLE":
            self._pop_marked(lambda items: self._stack.append(tuple(items)))
        elif name in {"TUPLE1", "TUPLE2", "TUPLE3"}:
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "APPEND":
            stack.pop()
            stack[-1].count += 1
        elif name == "APPENDS":
            self._pop_marked(self._extend)
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            self._set([key, value])
        elif name == "SETITEMS":
            self._pop_marked(self._set)
        elif name == "BUILD":
            state = stack.pop()
            if not (isinstance(stack[-1], _Holder) and stack[-1].is_ordered):
                raise HostileError("it sets attributes of what has none")
            self._copy((state,))
        elif name == "BINPERSID":
            stack.append(self._storage(stack.pop()))
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(self._call(stack.pop(), arguments))
        elif name not in {"PROTO", "STOP"}:
            raise HostileError(f"torch writes no {name} into its pickles")

    def _pop_marked(self, take: Any) -> None:
        items, self._stack = self._stack, self._marked.pop()
        take(items)

    def _extend(self, items: list[Any]) -> None:
        self._stack[-1].count += len(items)

    def _set(self, items: list[Any]) -> None:
        # equal hashes of other keys can be made at will, and make a mapping slow
        if not all(isinstance(key, str | bytes | int | float) for key in items[::2]):
            raise HostileError("a key in it is neither a text nor a number")
        self._stack[-1].count += len(items)

    def _copy(self, arguments: tuple[Any, ...]) -> None:
        for one in arguments:
            self._left -= one.count if isinstance(one, _Holder) else len(one) if hasattr(one, "__len__") else 1
        if self._left < 0:
            raise HostileError("it copies more than it holds")

    def _call(self, function: Any, arguments: Any) -> Any:
        if not isinstance(function, _Name) or function not in _CALLED:
            raise ForeignError(str(function))
        self._copy(arguments)
        if function == _ORDERED:
            return _Holder(is_ordered=True)
        if function in _VIEWS and isinstance(arguments[0], _Storage):
            is_typed = function.endswith("_v3")  # of a storage of plain bytes
            item = _dtype(arguments[6]).itemsize if is_typed else arguments[0].item
            _check_view(arguments[0].size // item, *arguments[1:4])
        return None

    def _storage(self, claim: tuple[Any, ...]) -> _Storage:
        """A claim is ``('storage', type, key, location, count, …)``."""
        _, kind, key, _, count = claim[:5]
        size = count * _ITEM_SIZES[kind]
        if count < 0 or (self._sizes is not None and self._sizes[key] < size):
            raise HostileError("a storage claims more bytes than the file has")
        if key not in self._claimed:  # torch makes each once, of the size that is claimed first
            self._claimed.add(key)
            self._left_to_claim -= size
        if self._left_to_claim < 0:
            raise HostileError("its storages claim more bytes than the file has")
        return _Storage(size, _ITEM_SIZES[kind])


def _named(argument: str) -> _Name:
    module, _, name = argument.partition(" ")
    full = f"{module.replace('__builtin__', 'builtins')}.{name}"
    if full not in _CALLED and full not in _ITEM_SIZES and not isinstance(_dtype(full), torch.dtype):
        raise ForeignError(full.removeprefix("builtins."))
    return _Name(full)


def _dtype(full: str) -> Any:
    module, _, name = full.rpartition(".")
    return getattr(torch, name, None) if module == "torch" else None


def _check_view(count: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
    """Torch would make a storage of ``count`` numbers larger to hold what is seen of it."""
    if min((offset, *size, *stride)) < 0 or len(size) != len(stride):
        raise HostileError("a tensor in it has impossible sizes")
    end = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) + 1
    if all(size) and end > count:
        raise HostileError("a tensor claims more bytes than the file has")


def _item_sizes() -> dict[str, int]:
    sizes = {"torch.storage.UntypedStorage": 1, "torch.UntypedStorage": 1}
    for dtype, name in torch.storage._dtype_to_storage_type_map().items():
        sizes[f"torch.{name}"] = sizes[f"torch.cuda.{name}"] = dtype.itemsize
    return sizes


_ITEM_SIZES = _item_sizes()
