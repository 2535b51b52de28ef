"""A model as one file, to carry it to a machine without a network: a plain tar of what the format knows.

The file is the same for the same model, wherever and whenever it is made. A bundle may come from a stranger: its
headers are read one by one, only files that the format names are unpacked, and no more is written than the file holds.
"""

from __future__ import annotations

import re
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from gansdk.errors import InputError, ModelError
from gansdk.files import MOST_JSON, parse_json, whole_file, whole_folder
from gansdk.model.config import ATTRIBUTIONS, CARD_IMAGES, CONFIG, EVALUATION, README, check_folder, parse_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gansdk.model.config import ModelConfig


_BESIDES = (README, EVALUATION, ATTRIBUTIONS)
_IMAGE = re.compile(r"card-[A-Za-z0-9_.-]+\.webp")
_OTHERS = {
    b"\x1f\x8b": "is packed with gzip",
    b"BZh": "is packed with bzip2",
    b"\xfd7zXZ": "is packed with xz",
    b"\x28\xb5\x2f\xfd": "is packed with zstd",
    b"PK": "is a zip archive",
}
_AGAIN = "get the bundle again"
_MAKE = "a bundle is a file that `gansdk bundle` made"


@dataclass(frozen=True)
class _Member:
    """Where the content of a file is."""

    begin: int
    size: int


def write_bundle(folder: Path, config: ModelConfig, path: Path, *, replace: bool = False) -> list[str]:
    """Writes a model as one file.

    Args:
        folder: The model, all its files there; what else lies in the folder is left out.
        config: What it declares.
        path: The bundle, whole or not at all.
        replace: Whether a file that is there already may be replaced.

    Returns:
        The names of the files in it, ``config.json`` first.

    Raises:
        ModelError: If a file is missing or damaged.
        OutputExistsError: If ``replace`` is false and something is at ``path``.
    """
    check_folder(folder, config)
    besides = [*_BESIDES, *(image.name for image in folder.glob(CARD_IMAGES) if _IMAGE.fullmatch(image.name))]
    found = {*config.files, *(name for name in besides if (folder / name).is_file())}
    names = [CONFIG, *sorted(found)]
    with (
        whole_file(path, replace=replace) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for name in names:
            entry = tarfile.TarInfo(name)  # without an owner, from the year 1970, with mode 644
            entry.size = (folder / name).stat().st_size
            with (folder / name).open("rb") as content:
                tar.addfile(entry, content)
    return names


def read_bundle(path: Path, folder: Path, *, replace: bool = False) -> ModelConfig:
    """Makes a model folder of a bundle, whole or not at all.

    Args:
        path: The bundle.
        folder: Where the model goes.
        replace: Whether a folder that is there already may be replaced.

    Returns:
        What the model declares. Its method need not be installed.

    Raises:
        InputError: If the file is missing, cut short, not a tar, or holds what does not belong to a model.
        ModelError: If the model in it is damaged or of a later format.
        OutputExistsError: If ``replace`` is false and something is at ``folder``.
    """
    with _opened(path) as file:
        members = _members(path, file)
        config = _config(path, file, members)
        for name in members:
            if name not in (CONFIG, *config.files, *_BESIDES) and not _IMAGE.fullmatch(name):
                raise InputError(f"{path} is not a bundle: {name!r} in it is not a file of a model", hint=_MAKE)
        with whole_folder(folder, replace=replace) as new:
            for name, member in members.items():
                file.seek(member.begin)
                left = member.size
                with (new / name).open("xb") as copy:
                    while left and (piece := file.read(min(left, 2**20))):
                        copy.write(piece)
                        left -= len(piece)
            try:
                check_folder(new, config)
            except ModelError as error:
                raise ModelError(error.message.replace(str(new), str(path)), hint=_AGAIN) from None
    return config


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if not path.exists():
        raise InputError(f"there is no file {path}", hint=_MAKE)
    if not path.is_file():
        raise InputError(f"{path} is not a file", hint=_MAKE)
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        yield file


def _members(path: Path, file: IO[bytes]) -> dict[str, _Member]:
    """The files in a tar, by its headers alone.

    A bundle does not need extended headers: names in the format are short, and large sizes are stored in place.
    """
    total = file.seek(0, 2)
    found: dict[str, _Member] = {}
    at = 0
    while (header := _header(path, file, at)) is not None:
        member = _Member(at + tarfile.BLOCKSIZE, header.size)
        if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise InputError(f"{path} is not a bundle: {header.name!r} in it is not a plain file", hint=_MAKE)
        if header.name in found:
            raise InputError(f"{path} is not a bundle: {header.name!r} is in it twice", hint=_MAKE)
        if not 0 <= member.size <= total - member.begin:
            raise _cut_short(path)
        found[header.name] = member
        at = member.begin + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    # A tar ends with two empty blocks at least, and nothing comes after them.
    file.seek(at)
    count = 0
    while rest := file.read(2**20):
        if rest.strip(b"\0"):
            raise InputError(f"{path} is not a bundle: more comes after its end", hint=_MAKE)
        count += len(rest)
    if count < 2 * tarfile.BLOCKSIZE:
        raise _cut_short(path)
    return found


def _header(path: Path, file: IO[bytes], at: int) -> tarfile.TarInfo | None:
    """The header at a place; None at the end of the tar."""
    file.seek(at)
    block = file.read(tarfile.BLOCKSIZE)
    if block == bytes(tarfile.BLOCKSIZE):
        return None
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        if at > 0:
            raise _cut_short(path) from None
        what = next((what for magic, what in _OTHERS.items() if block.startswith(magic)), "is not a tar file")
        raise InputError(f"{path} {what}, so it is not a bundle", hint=_MAKE) from None


def _cut_short(path: Path) -> InputError:
    return InputError(f"{path} was cut short or is damaged", hint=_AGAIN)


def _config(path: Path, file: IO[bytes], members: dict[str, _Member]) -> ModelConfig:
    if CONFIG not in members:
        raise InputError(f"{path} is not a bundle: there is no {CONFIG} in it", hint=_MAKE)
    member = members[CONFIG]
    if member.size > MOST_JSON:
        raise InputError(f"{path} is not a bundle: {CONFIG} in it has {member.size} bytes", hint=_MAKE)
    file.seek(member.begin)
    try:
        raw = parse_json(file.read(member.size))
    except ValueError as error:
        raise ModelError(f"{path}/{CONFIG} cannot be read as JSON: {error}", hint=_AGAIN) from None
    return parse_config(raw, f"{path}/{CONFIG}")
