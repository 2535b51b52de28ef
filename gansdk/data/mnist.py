"""The data sets that the core knows by name, MNIST and Fashion-MNIST, and the reader of their IDX files."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.errors import InputError
from gansdk.plugins.declarations import DataSplit, NamedDataset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BufferedIOBase

    import numpy as np
    from numpy.typing import NDArray


_ROUTE = "python scripts/fetch_datasets.py FOLDER {}"
_READER = "gansdk.data.mnist:read_idx_files"


def _split(prefix: str, items: int, digest: str) -> DataSplit:
    files = {"images": f"{prefix}-images-idx3-ubyte", "labels": f"{prefix}-labels-idx1-ubyte"}
    return DataSplit(files=files, items=items, digest=f"sha256:{digest}")


MNIST = NamedDataset(
    name="mnist",
    summary="handwritten digits, grey, 28x28",
    licence="CC-BY-SA-3.0",
    author="Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
    splits={
        "train": _split("train", 60_000, "41dd0b467e9ad6a51dbb09dabe5a10ccfa0d0ddf033ba3648e43ef370618eb67"),
        "test": _split("t10k", 10_000, "2151497096fb0a0d88196136bae45614b406603a3671c532f8246ee5b2287403"),
    },
    classes=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    route=_ROUTE.format("mnist"),
    reader=_READER,
)

FASHION_MNIST = NamedDataset(
    name="fashion-mnist",
    summary="articles of clothing, grey, 28x28",
    licence="MIT",
    author="Zalando SE",
    splits={
        "train": _split("train", 60_000, "9f4ac9c3ab7940ca69f06717fb56661b42180940280d5bc617b74ff9a788d4e4"),
        "test": _split("t10k", 10_000, "de5bfd3f4377cba9caa21ba89e42c83bcf651f45d73b766aad855d850f8fe0c8"),
    },
    classes=("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    route=_ROUTE.format("fashion-mnist"),
    reader=_READER,
    folders=(Path("/usr/share/datasets/fashion-mnist"),),  # of Debian's package dataset-fashion-mnist
)


MOST_BYTES = 2**30
"""Of the values in one file, unpacked. (The largest set in this format, EMNIST, has 640 MB.)"""

_UNSIGNED_BYTE = 0x08
_MOST_DIMENSIONS = 4
_GZIP = b"\x1f\x8b"
_CHUNK = 2**24
_AGAIN = "get the file again"


def read_idx_files(paths: Mapping[str, Path], /) -> dict[str, NDArray[np.uint8]]:
    """The array of each file, by the same keys."""
    return {key: read_idx(path) for key, path in paths.items()}


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Reads a file of unsigned bytes, plain or gzipped, which its first bytes tell.

    Raises:
        InputError: If the file is missing, not an IDX file of unsigned bytes, too large, cut short, or longer than its
            head says.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            with gzip.open(raw) if packed else raw as unpacked:
                return _read(unpacked, path)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}", hint="check its name") from None
    except EOFError:
        raise InputError(f"{path} is cut short", hint=_AGAIN) from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged: {error}", hint=_AGAIN) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}", hint="check its permissions") from None


def _read(file: BufferedIOBase, path: Path) -> NDArray[np.uint8]:
    import numpy as np  # slow, and every listing imports this file

    shape = _shape(file, path)
    count = math.prod(shape)
    if count > MOST_BYTES:
        raise InputError(f"{path} claims {count} bytes, more than {MOST_BYTES >> 20} MB", hint=_AGAIN)
    values = bytearray()
    # A head may lie, so memory grows with what is there, not with what is claimed.
    while len(values) < count and (chunk := file.read(min(_CHUNK, count - len(values)))):
        values += chunk
    if len(values) != count:
        raise InputError(f"{path} is cut short: it has {len(values)} of {count} values", hint=_AGAIN)
    if file.read(1):
        raise InputError(f"{path} is longer than its head says", hint=_AGAIN)
    return np.frombuffer(values, np.uint8).reshape(shape)


def _shape(file: BufferedIOBase, path: Path) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= _MOST_DIMENSIONS:
        raise InputError(f"{path} is not an IDX file", hint=_AGAIN)
    if magic[2] != _UNSIGNED_BYTE:
        raise InputError(f"{path} holds values of type 0x{magic[2]:02X}, not unsigned bytes", hint="convert the file")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise EOFError
    return struct.unpack(f">{magic[3]}I", sizes)
