"""Where results go, whole or not at all, and what is done where something stands already."""

from __future__ import annotations

import shutil
import sys
import tempfile
from typing import IO, TYPE_CHECKING

from gansdk.errors import OutputError, OutputExistsError, option
from gansdk.files import cannot_write, stands, whole_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def free_name(path: Path) -> Path:
    """``path``, or the first of ``name-2.png``, ``name-3.png`` … that does not exist.

    Raises:
        OutputError: If no file can be called so.
    """
    place, number = path, 1
    try:
        while place.exists():
            number += 1
            place = path.with_name(f"{path.stem}-{number}{path.suffix}")
    except OSError as error:
        raise cannot_write(place, error) from error
    return place


def put(path: Path, on_exists: str, write: Callable[[IO[bytes]], None]) -> Path | None:
    """Writes a file.

    Args:
        path: Where.
        on_exists: ``error``, ``skip``, ``overwrite`` or ``rename``, where something stands there.
        write: Fills an empty, seekable file.

    Returns:
        Where it stands: ``path`` or, with ``rename``, a free name; None where something stood there and stays.

    Raises:
        OutputExistsError: If something stands there, also if it came while this was written.
        OutputError: If it cannot be written there.
    """
    place = free_name(path) if on_exists == "rename" else path
    if stands(place) and on_exists in {"skip", "error"}:
        if on_exists == "skip":
            return None
        raise _exists(place)
    try:
        with whole_file(place, replace=on_exists == "overwrite") as file:
            write(file)
    except OutputExistsError:  # it came while this was written
        if on_exists == "skip":
            return None
        if on_exists == "rename":
            return put(path, on_exists, write)
        raise _exists(place) from None
    return place


def _exists(path: Path) -> OutputExistsError:
    return OutputExistsError(f"{path} exists already", hint=f"use {option('on_exists', 'overwrite', 'skip', 'rename')}")


def send(stream: IO[bytes], write: Callable[[IO[bytes]], None], name: str) -> None:
    """Writes to a stream, into a temporary file first: whoever reads it gets nothing rather than a part.

    Args:
        stream: Where.
        write: Fills an empty, seekable file.
        name: What messages call it.

    Raises:
        OutputError: If it cannot be written there.
        BrokenPipeError: If nobody reads the stream any more.
    """
    try:
        with tempfile.TemporaryFile() as file:
            write(file)
            file.seek(0)
            _copy(file, stream, name)
    except BrokenPipeError:
        raise  # whoever reads has seen enough; the command line knows what to do
    except OSError as error:
        what = "to standard output" if stream is getattr(sys.stdout, "buffer", None) else name
        raise OutputError(f"cannot write {what}: {error.strerror or error}") from error


def _copy(file: IO[bytes], stream: IO[bytes], name: str) -> None:
    try:
        shutil.copyfileobj(file, stream, 2**20)
        if hasattr(stream, "flush"):  # not all that can be written to have it
            stream.flush()
    except (TypeError, ValueError) as error:  # a stream of text, one to read from, or a closed one
        hint = "give a file that is open for writing in binary mode"
        raise OutputError(f"cannot write {name}: {error}", hint=hint) from error
