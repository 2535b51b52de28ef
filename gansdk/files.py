"""Files that appear whole or not at all, their digests, and reading of files, JSON and archives that may be hostile.

A file that may come from anyone is read by `read_plain`, and its JSON by `parse_json`, wherever it comes from: a model
folder, a report, an archive, an answer of the Hub. A pydantic model then checks the types of its fields.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import secrets
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, NoReturn

from gansdk.errors import OutputError, OutputExistsError, as_typed, option

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Collection, Iterator
    from pathlib import Path


_NAME = 100
"""Bytes of a file's name in the name of the hidden one beside it: file systems allow 255."""

_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}

MOST_JSON = 2**24
"""Bytes of a JSON file, or of another file of text, that is read into memory."""

_MOST_UNPACKED = 2**29
"""Bytes of a compressed file in an archive. One that is stored as it is has no limit but the disk."""

_MOST_TIMES = 128
"""How many times its own size an archive may unpack to; images and numbers seldom reach 10."""

_DEEPEST = 64
"""Levels of lists and mappings inside each other."""

_LONGEST_INTEGER = 20
"""Characters: a sign and the digits of 64 bits."""

_BOM = b"\xef\xbb\xbf"


def sha256(path: Path) -> str:
    """The digest of a file's bytes, as ``sha256:<hex>``."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def stands(path: Path) -> bool:
    """Whether a file is at ``path`` already, links followed.

    Raises:
        OutputError: If there cannot be one: a folder, a device, a pipe or a socket is there, or the name is too long.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise cannot_write(path, error) from error
    if not stat.S_ISREG(mode):
        hint = "name a file in it" if stat.S_ISDIR(mode) else "name a file, or give -o - for standard output"
        raise OutputError(f"{path} is {_KINDS.get(stat.S_IFMT(mode), 'a device')}, not a file", hint=hint)
    return True


def read_plain(path: Path, most: int = MOST_JSON) -> bytes:
    """The bytes of a plain file of at most ``most`` bytes; a byte order mark is left out.

    Raises:
        OSError: If it cannot be read, or is not a plain file.
        ValueError: If it is larger.
    """
    without_waiting = getattr(os, "O_NONBLOCK", 0)  # opening a FIFO would wait until a process writes into it
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | without_waiting)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        content = file.read(min(status.st_size, most) + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most} bytes")
    return content.removeprefix(_BOM)


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive that may come from anyone: nothing in it unpacks to more than a file may have.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is damaged, also where only the block finds that; if it is encrypted, packed in an unusual
            way, or unpacks to too much. The reason is one line.
    """
    import zipfile

    with zip_faults(), zipfile.ZipFile(path) as archive:
        _check_members(archive.infolist(), path.stat().st_size)
        yield archive


@contextmanager
def zip_faults() -> Iterator[None]:
    """A block in which what a damaged zip archive makes its reader raise becomes a ValueError of one line."""
    import struct
    import zipfile
    import zlib

    try:
        yield
    except UnicodeError:
        raise ValueError("a name in it is not UTF-8, although it says so") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError) as error:
        raise ValueError(" ".join(str(error).split())[:200] or "it ends too early") from None
    except (NotImplementedError, RuntimeError) as error:  # zipfile's words for packing and passwords
        raise ValueError(" ".join(str(error).split())[:200]) from None


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    """Reading stops at the size that is declared, so that is what is bounded."""
    for member in members:
        name = member.filename[:100]
        if member.flag_bits & 1:
            raise ValueError(f"{name!r} in it is encrypted")
        if member.compress_type not in (0, 8):
            raise ValueError(f"{name!r} in it is packed by method {member.compress_type}, not deflated")
        if member.compress_type != 0 and member.file_size > _MOST_UNPACKED:
            raise ValueError(f"{name!r} in it unpacks to {member.file_size} bytes")
    total = sum(member.file_size for member in members)
    if total > max(2 * _MOST_UNPACKED, _MOST_TIMES * size):
        raise ValueError(f"it unpacks to {total} bytes, {total // max(size, 1)} times its own size")


def parse_json(content: bytes | str, *, names: bool = False) -> Any:
    """The value of JSON that may come from anyone. It can be written as valid JSON again, and walked by recursion.

    Args:
        content: UTF-8, with or without a byte order mark.
        names: Whether its texts may be names of files, which need not be valid text.

    Raises:
        ValueError: If it is not JSON, too large or too deep, or has a number or a text that JSON does not allow; the
            reason is one line.
    """
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(content) > MOST_JSON:
        raise ValueError(f"it has more than {MOST_JSON} bytes")
    try:
        text = content.removeprefix(_BOM).decode("utf-8", "surrogatepass" if names else "strict")
        value = json.loads(text, parse_constant=_no_number, parse_float=_float, parse_int=_int)
        _check_depth(value, names=names)
    except UnicodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep") from None
    return value


def _check_depth(value: Any, *, names: bool) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        inside: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inside += item.values()
                inside += item
            elif isinstance(item, list):
                inside += item
            elif isinstance(item, str) and not names:
                item.encode()  # "\\ud800" is valid JSON and not valid text
        level = inside
    if level:
        raise RecursionError


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number in JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _int(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError(f"the number {text[:20]}… is too large")
    return int(text)


def dump_json(value: Any, *, ascii_only: bool = False, indent: int | None = None) -> str:
    """Valid JSON of any value: infinity and NaN become null, and a type that JSON does not have becomes its text."""
    try:
        text = json.dumps(value, ensure_ascii=ascii_only, default=str, allow_nan=False, indent=indent)
        text.encode()
    except UnicodeEncodeError:  # a file's name that is not valid text: spelled in ASCII, it is read back as it was
        return dump_json(value, ascii_only=True, indent=indent)
    except ValueError:
        return dump_json(_finite(value), ascii_only=ascii_only, indent=indent)
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


@contextmanager
def whole_file(path: Path, *, replace: bool = True) -> Iterator[IO[bytes]]:
    """Opens a hidden file beside ``path`` that takes its name only when the block ends well.

    A reader sees the old file or the new one, even if the process is killed or the disk fills up: a killed process
    leaves a hidden file, never half a file under the real name. If ``path`` is a link, the file it points at is
    replaced.

    Args:
        path: Of the finished file; its folder must exist.
        replace: Whether a file that is there already may be replaced.

    Raises:
        OutputExistsError: If ``replace`` is false and something appeared at ``path`` meanwhile.
        OutputError: If the folder cannot be written to, the disk is full, or what is at ``path`` is not a file.
    """
    stands(path)
    path = path.resolve() if path.is_symlink() else path
    temporary = _hidden_beside(path)
    try:
        file = temporary.open("x+b")
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _move(temporary, path, replace=replace)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes a file whole or not at all."""
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def whole_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Gives a hidden folder beside ``path`` that takes its name only when the block ends well.

    Args:
        path: Of the finished folder; if it is a link, the folder that it points at is replaced.
        replace: Whether a folder that is there already may be replaced. The old one is moved aside first, so for a
            moment there is none: a reader never sees a mixture.

    Raises:
        OutputExistsError: If ``replace`` is false and something is at ``path``.
        OutputError: If the parent cannot be written to, the disk is full, or what is at ``path`` is not a folder.
    """
    if not replace and path.exists():
        raise OutputExistsError(f"{path} exists already", hint="choose another folder")
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is not a folder", hint="choose another place")
    path = path.resolve() if path.is_symlink() else path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _hidden_beside(path)
        temporary.mkdir()
    except OSError as error:
        raise cannot_write(path, error) from error
    aside = temporary.with_suffix(".old")
    try:
        yield temporary
        with held_folder(path):
            if path.exists():
                path.rename(aside)
            temporary.rename(path)
    except OSError as error:
        if aside.exists() and not path.exists():
            aside.rename(path)
        raise cannot_write(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def held_folder(path: Path) -> Iterator[None]:
    """A block in which no other process replaces this folder by :func:`whole_folder`, or is in such a block itself.

    The folder itself is locked, so no file is left behind. If there is no folder yet, or the system has no such lock,
    nothing is held.
    """
    held = None
    if fcntl is not None:
        while held is None and path.is_dir():
            held = os.open(path, os.O_RDONLY)
            with suppress(OSError):  # a network file system without locks
                fcntl.flock(held, fcntl.LOCK_EX)
            with suppress(OSError):
                if os.path.samestat(os.fstat(held), path.stat()):
                    break
            os.close(held)  # it was replaced while we waited
            held = None
    try:
        yield
    finally:
        if held is not None:
            os.close(held)


def settle_folder(path: Path) -> None:
    """Waits while a running process is between the two renames of :func:`whole_folder`, at most 0.4 s."""
    for _ in range(20):
        if path.exists() or not any(path.parent.glob(f".{path.name[:_NAME]}.*.old")):
            return
        time.sleep(0.02)


def mend_folder(path: Path) -> None:
    """Puts back a folder that a killed process had moved aside, and removes its other leftovers.

    No running process may be writing it.
    """
    for left in list(path.parent.glob(f".{path.name[:_NAME]}.*")):
        if left.suffix == ".old" and left.is_dir() and not path.exists():
            left.rename(path)
        elif left.suffix in {".part", ".old"}:
            shutil.rmtree(left, ignore_errors=True)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error in one line if the operating system cannot write ``path``."""
    if isinstance(error, FileExistsError):
        return OutputExistsError(f"{path} exists already", hint=f"use {option('on_exists', 'overwrite')}")
    elsewhere = "the folder cannot be written to; choose another one" + as_typed(" with -o", "")
    hints = {
        errno.EACCES: elsewhere,
        errno.EROFS: elsewhere,
        errno.ENOENT: f"there is no folder {path.parent}; create it first",
        errno.ENOTDIR: f"{path.parent} is not a folder",
        errno.ENOSPC: "the disk is full; make room and try again",
        errno.EDQUOT: "the disk quota is used up; make room and try again",
        errno.ENAMETOOLONG: "give it a shorter name",
    }
    return OutputError(f"cannot write {path}: {error.strerror or error}", hint=hints.get(error.errno or 0, ""))


def _move(source: Path, target: Path, *, replace: bool) -> None:
    if replace:
        source.replace(target)
        return
    try:
        os.link(source, target)  # unlike a rename, it fails where the target exists
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.replace(target)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Removes what killed processes left of files with these names; no running process may be writing there."""
    for path in folder.glob(".*.part"):
        found = re.fullmatch(r"\.(.+)\.[0-9a-f]{8}\.part", path.name, re.DOTALL)
        if found and any(_cut(name) == found[1] for name in names):
            path.unlink(missing_ok=True)


def _hidden_beside(path: Path) -> Path:
    return path.parent / f".{_cut(path.name)}.{secrets.token_hex(4)}.part"


def _cut(name: str) -> str:
    """The first bytes of a name, whole characters only."""
    return os.fsencode(name)[:_NAME].decode(errors="ignore")
