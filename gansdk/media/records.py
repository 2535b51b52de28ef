"""Named arrays as .npz files: numbers only, no pickles in either direction."""

from __future__ import annotations

import math
import zipfile
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from gansdk.errors import InputError, OutputError
from gansdk.files import dump_json, opened_zip
from gansdk.media.formats import file_format
from gansdk.options import RecordWriting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gansdk.options import Options


MOST_BYTES = 2**30
"""Of all arrays in a file that is read, unpacked."""


def write_arrays(arrays: Mapping[str, NDArray[Any]], file: IO[bytes]) -> None:
    """Writes arrays into an empty file; the same arrays give the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980, not of now
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Reads a file of arrays that may come from a stranger.

    Raises:
        InputError: If it is missing, no such file, damaged, too large, or holds anything but numbers and texts.
    """
    try:
        with opened_zip(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise InputError(f"{path} unpacks to more than {MOST_BYTES >> 30} GiB", hint="write it in parts")
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _read(archive, name) for name in names}
    except FileNotFoundError:
        raise InputError(f"there is no file {path}", hint="check its name") from None
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{path} does not fit into memory", hint="close other programs") from None
    except Exception as error:  # noqa: BLE001 - a header is a Python literal, whose reader raises anything
        said = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no whole .npz file of numbers: {said}", hint="make it again") from None


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as member:
        _check_header(member, archive.getinfo(name).file_size)
    with archive.open(name) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return array


def _check_header(member: IO[bytes], size: int) -> None:
    """Memory is taken for what a header claims, so it must not claim more than there is."""
    version = np.lib.format.read_magic(member)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"arrays of format {version[0]}.{version[1]} are not known")
    shape, _, dtype = readers[version](member)
    if dtype.hasobject or dtype.itemsize == 0:
        raise ValueError("an array in it holds no numbers")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > size:
        raise ValueError("an array is said to be larger than it is")


Format = Literal["jsonl", "npz"]


def record_format(path: Path | None, writing: Options) -> Format:
    """What records are written as: as the options say, else as the name ends, else JSON lines.

    Raises:
        OptionError: If the name ends as neither does, and no format is given; or as another one than is given.
    """
    if not isinstance(writing, RecordWriting):
        raise TypeError("a task that gives records is written with RecordWriting")
    return "npz" if file_format(path, writing) == "npz" else "jsonl"


def json_line(record: Mapping[str, Any]) -> bytes:
    """A line of JSON in UTF-8; names that are no text are spelled in ASCII, and come back as they were."""
    return dump_json(record).encode() + b"\n"


def write_records(records: Iterable[Mapping[str, Any]], file: IO[bytes], encoding: Format) -> None:
    """Writes records into an empty file.

    Args:
        records: Each with its ``input``.
        file: Where.
        encoding: JSON lines, one record at a time; or arrays, an axis more for the records.

    Raises:
        OutputError: If arrays are asked for and the records do not have the same fields and lengths.
    """
    if encoding == "jsonl":
        file.writelines(json_line(record) for record in records)
        return
    write_arrays(columns(list(records)), file)


def columns(records: list[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """Records as named arrays whose first axis counts them; a field inside a field has a dot in its name."""
    flat = [dict(_flat("", record)) for record in records]
    names = list(flat[0]) if flat else []
    if any(list(one) != names for one in flat):
        raise OutputError("the records have different fields, which arrays cannot hold", hint="write .jsonl")
    return {name: _column(name, [one[name] for one in flat]) for name in names}


def _flat(prefix: str, record: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def _column(name: str, values: list[Any]) -> NDArray[Any]:
    try:
        array = np.array(values)
    except ValueError:  # of different lengths
        array = np.array(None)
    if array.dtype == object:
        raise OutputError(f"{name} is not alike in all records, so no array holds it", hint="write .jsonl")
    return array.astype(np.float32) if array.dtype == np.float64 else array
