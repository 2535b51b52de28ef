"""Records of many items on their way into one file: JSON lines, or named arrays."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from gansdk.errors import OutputError
from gansdk.files import dump_json
from gansdk.media.arrays import write_arrays
from gansdk.media.formats import file_format
from gansdk.options import RecordWriting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gansdk.options import Options

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
