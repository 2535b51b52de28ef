"""Two media of data: records, a line of JSON each, and named arrays as .npz files without pickles."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from gansdk.errors import ComputationError, InputError, OutputError
from gansdk.files import dump_json, opened_zip
from gansdk.media.formats import file_format
from gansdk.media.medium import Medium
from gansdk.options import ArraysWriting, RecordWriting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gansdk.media.medium import Note
    from gansdk.options import Options


MOST_BYTES = 2**30
"""Of all arrays in a file that is read, unpacked."""


def write_arrays(arrays: Mapping[str, NDArray[Any]], file: IO[bytes]) -> None:
    """Writes arrays into an empty file; the same arrays give the same bytes."""
    import numpy as np

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # of 1980, not of now
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Reads a file of arrays that may come from a stranger.

    Raises:
        InputError: If it is missing, damaged, too large, not an .npz file, or holds anything but numbers and texts.
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
        raise InputError(f"{path} is not a complete .npz file of numbers: {said}", hint="make it again") from None


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    import numpy as np

    with archive.open(name) as member:
        _check_header(member, archive.getinfo(name).file_size)
    with archive.open(name) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return array


def _check_header(member: IO[bytes], size: int) -> None:
    """Memory is taken for what a header claims, so it must not claim more than there is."""
    import numpy as np

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
        OptionError: If the ending is of neither and no format is given, or contradicts the given format.
    """
    if not isinstance(writing, RecordWriting):
        raise TypeError("a task that gives records is written with RecordWriting")
    return "npz" if file_format(path, writing) == "npz" else "jsonl"


def json_line(record: Mapping[str, Any]) -> bytes:
    """A line of JSON in UTF-8; names that are not valid text are escaped in ASCII, and are read back as they were."""
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
    if any(list(record) != names for record in flat):
        raise OutputError("the records have different fields, which arrays cannot hold", hint="write .jsonl")
    return {name: _column(name, [record[name] for record in flat]) for name in names}


def _flat(prefix: str, record: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def _column(name: str, values: list[Any]) -> NDArray[Any]:
    import numpy as np

    try:
        array = np.array(values)
    except ValueError:  # of different lengths
        array = np.array(None)
    if array.dtype == object:
        raise OutputError(f"{name} is not alike in all records, so no array holds it", hint="write .jsonl")
    return array.astype(np.float32) if array.dtype == np.float64 else array


class _Record(Medium):
    name = "a record"
    plural = "records"
    writing = RecordWriting
    endings = (".jsonl", ".json")
    widget = "json"
    is_gathered = True

    def holds(self, value: object) -> bool:
        """Whether it is a mapping, which becomes a line of JSON."""
        return isinstance(value, Mapping)

    def kind(self, format: str, *, into_folder: bool) -> str:  # noqa: A002
        """Always a record."""
        return "record"


class _Arrays(Medium):
    name = "named arrays"
    plural = name
    writing = ArraysWriting
    endings = (".npz",)

    def holds(self, value: object) -> bool:
        """Whether it is a mapping of arrays, or gives one as a gallery does."""
        return isinstance(value, Mapping) or hasattr(value, "named_arrays")

    def identify(self, head: bytes) -> bool:
        """Whether a file that begins so is a zip archive whose first member is an array."""
        return head[:4] == b"PK\x03\x04" and b".npy" in head[:512]

    def read(self, source: object, options: None, note: Note, *, name: str = "") -> Mapping[str, NDArray[Any]]:
        """Reads an .npz file; a mapping of arrays is taken as it is."""
        import numpy as np

        if isinstance(source, str | os.PathLike):
            return read_arrays(Path(source))
        if hasattr(source, "named_arrays"):
            source = source.named_arrays()
        if isinstance(source, Mapping):
            return {str(key): np.asarray(array) for key, array in source.items()}
        what = f"{name + ': ' if name else ''}{type(source).__name__} does not hold named arrays"
        raise InputError(what, hint="give the path of an .npz file, or a mapping of arrays")

    def kind(self, format: str, *, into_folder: bool) -> str:  # noqa: A002
        """Always arrays."""
        return "arrays"

    def write(
        self, value: Any, target: Path | IO[bytes], options: Any, note: Note, *, kind: str, provenance: str | None
    ) -> Path | None:
        """Writes an .npz file; the same arrays give the same bytes."""
        from gansdk.media.writing import put, send

        arrays = value.named_arrays() if hasattr(value, "named_arrays") else value
        if isinstance(target, Path):
            return put(target, options.on_exists, lambda file: write_arrays(arrays, file))
        send(target, lambda file: write_arrays(arrays, file), kind)
        return None


RECORD = _Record()
ARRAYS = _Arrays()


def plain_record(value: Mapping[str, Any]) -> dict[str, Any]:
    """A task's record as JSON holds it: the mapping itself, or what its method ``record`` gives.

    Raises:
        ComputationError: If JSON cannot hold a value in it.
    """
    record = value.record() if hasattr(value, "record") else dict(value)
    try:
        dump_json(record)
    except (TypeError, ValueError) as error:
        what = f"the task gave a record that JSON does not hold: {error}"
        raise ComputationError(what, hint="tell the author of the task's plugin") from None
    return record
