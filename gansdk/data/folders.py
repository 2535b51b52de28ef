"""Named sets of images: a folder, or a zip archive with perhaps a folder inside it."""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Protocol

from pydantic import BaseModel, ValidationError

from gansdk.errors import InputError
from gansdk.files import opened_zip, parse_json, read_plain, zip_faults
from gansdk.media.formats import HEAD, identify
from gansdk.model.config import describe_errors
from gansdk.options import ImageReading

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray


LICENCES = "LICENCES.json"
"""Beside the images: ``{"images": {"name.jpg": {"licence": …, "author": …, "source": …}}}``."""

UNSTATED = "unstated"

_LONGEST_NAME = 4096
"""Of a file in an archive, with its folders."""

_MOST_BYTES = 2**34
"""Of a file in a folder."""

_MOST_PIXELS = 2**28
"""Of an image in a set: more than what a call takes from a stranger."""


class Dataset(Protocol):
    """What training records of any data set, whatever its items are."""

    @property
    def name(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def digest(self) -> str: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Attribution:
    """Whose image it is, and on which terms."""

    image: str
    licence: str = UNSTATED
    author: str = ""
    source: str = ""


class _Licence(BaseModel, extra="forbid"):
    """An entry of ``LICENCES.json``."""

    licence: str = UNSTATED
    author: str = ""
    source: str = ""


class _Licences(BaseModel):
    images: dict[str, _Licence]


class Images:
    """Images in the order of their names, decoded when they are asked for; sub-folders are their labels.

    Args:
        name: What the set is called in records.
        items: The images' names and how to get their bytes.
        attributions: What is known about their licences; an image that is not among them is unstated.
    """

    def __init__(self, name: str, items: _Items, attributions: Sequence[Attribution] = ()) -> None:
        self.name = _text(name)
        self.items = items
        known = {attribution.image: attribution for attribution in attributions}
        self.attributions = tuple(known.get(image, Attribution(image)) for image in self.names)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The images' names, with forward slashes, relative to the set; bytes that are no text are spelled out."""
        return tuple(_text(name) for name in self.items.names)

    @property
    def others(self) -> tuple[str, ...]:
        """Files among them that are not images by their content."""
        return self.items.others

    @property
    def licence(self) -> str:
        """The licences of all images, joined by AND."""
        return " AND ".join(sorted({part for known in self.attributions for part in known.licence.split(" AND ")}))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The sub-folders that the images are in, sorted; empty if an image is in none."""
        folders = [name.partition("/")[0] for name in self.names if "/" in name]
        return tuple(sorted(set(folders))) if len(folders) == len(self.names) else ()

    @cached_property
    def labels(self) -> NDArray[np.int64] | None:
        """Each image's class, int64 [N], as an index into ``classes``; None where there are no classes.

        An image's class is the first sub-folder on its path; deeper ones do not matter.
        """
        import numpy as np

        if not self.classes:
            return None
        numbers = {name: number for number, name in enumerate(self.classes)}
        return np.array([numbers[name.partition("/")[0]] for name in self.names], np.int64)

    @cached_property
    def digest(self) -> str:
        """Identifies the set: ``sha256:<hex>`` over names and bytes."""
        total = hashlib.sha256()
        for name in self.items.names:
            total.update(name.encode("utf-8", "surrogateescape") + b"\0")
            total.update(hashlib.sha256(self.items.read(name)).digest())
        return "sha256:" + total.hexdigest()

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        labels = f", {len(self.classes)} classes" if self.classes else ""
        return f"<Images {self.name!r}, {len(self)} images{labels}>"

    def __getitem__(self, index: int) -> tuple[str, NDArray[np.uint8]]:
        """An image's name and its pixels, RGB uint8 [H, W, 3], the right way up."""
        name = self.names[index]
        return name, _decode(self.items.read(self.items.names[index]), f"{self.name}/{name}")


def _text(name: str) -> str:
    """A file's name as text that can be written down."""
    return name.encode("utf-8", "backslashreplace").decode()


class _Items(Protocol):
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def others(self) -> tuple[str, ...]: ...
    def read(self, name: str, /) -> bytes: ...


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        files = (file.relative_to(path) for file in path.rglob("*") if file.is_file())
        names = (file.as_posix() for file in files if not any(part.startswith(".") for part in file.parts))
        self.names, self.others = _sorted_out(sorted(names), lambda name: (path / name).open("rb"))

    def read(self, name: str, /) -> bytes:
        return read_plain(self._path / name, _MOST_BYTES)


class _Archive:
    """A zip archive; members are read into memory and never written to disk."""

    def __init__(self, path: Path, inner: str) -> None:
        self._path = path
        self._prefix = f"{inner}/" if inner else ""
        with self._readable(), opened_zip(path) as archive:
            found = [name for name in archive.namelist() if name.startswith(self._prefix) and not name.endswith("/")]
            names = (name.removeprefix(self._prefix) for name in sorted(found))
            shown = (name for name in names if not any(part.startswith((".", "__")) for part in name.split("/")))
            self.names, self.others = _sorted_out(list(shown), lambda name: archive.open(self._prefix + name))

    def read(self, name: str, /) -> bytes:
        with self._readable(), zip_faults():
            return self._archive.read(self._prefix + name)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            hint = "get the file again, or pack it anew"
            raise InputError(f"{self._path} cannot be read as a zip archive: {error}", hint=hint) from None

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        """The archive, open: its directory is read once, not once for each image."""
        import zipfile

        return zipfile.ZipFile(self._path)


def open_images(path: str | PathLike[str]) -> Images:
    """The images of a folder and its subfolders, or of a zip archive (``photos.zip``, ``photos.zip/test``).

    A file is an image by its content, not by its name; other files are passed over. Licences are read from a
    ``LICENCES.json`` among them.

    Raises:
        InputError: If there is no such folder or archive, or no image in it.
    """
    path = Path(path)
    archive = next((part for part in (path, *path.parents) if part.suffix.lower() == ".zip" and part.is_file()), None)
    if archive is not None:
        inner = PurePosixPath(path.relative_to(archive)).as_posix().removeprefix(".")
        items: _Items = _Archive(archive, inner)
        name = f"{archive.stem}/{inner}" if inner else archive.stem
    elif path.is_dir():
        items, name = _Folder(path), path.resolve().name
    else:
        raise InputError(f"there is no folder or zip archive {path}", hint="give a folder of images")
    if not items.names:
        meant = _folders_in(archive, path.name) if archive is not None else []
        hint = f"did you mean {' or '.join(meant)}?" if meant else "give one with JPEG, PNG, WebP or TIFF files"
        raise InputError(f"{path} holds no images", hint=hint)
    return Images(name, items, _read_attributions(items, path))


def _folders_in(archive: Path, name: str) -> list[str]:
    """The folders of that name in a zip archive, wherever they stand, as one writes them."""
    with opened_zip(archive) as opened:
        names = (member for member in opened.namelist() if len(member) < _LONGEST_NAME)
        inner = {parent for member in names for parent in PurePosixPath(member).parents}
    return sorted((archive / folder).as_posix() for folder in inner if folder.name == name)


def _sorted_out(names: Sequence[str], opened: Callable[[str], IO[bytes]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of images, and those of other files."""
    images: list[str] = []
    others: list[str] = []
    for name in names:
        if name != LICENCES:
            with opened(name) as file:
                kind = identify(file.read(HEAD))
            (others if kind is None else images).append(name)
    return tuple(images), tuple(others)


def _read_attributions(items: _Items, path: Path) -> list[Attribution]:
    try:
        entries = _Licences.model_validate(parse_json(items.read(LICENCES))).images
    except (FileNotFoundError, KeyError):
        return []
    except (OSError, ValueError) as error:
        why = describe_errors(error) if isinstance(error, ValidationError) else error
        hint = "remove it, or make the folder again"
        raise InputError(f"{path / LICENCES} is not a list of licences: {why}", hint=hint) from None
    return [Attribution(image, entry.licence, entry.author, entry.source) for image, entry in entries.items()]


class _Named(io.BytesIO):
    """Bytes with a name for messages."""

    name = ""


def _decode(content: bytes, where: str) -> NDArray[np.uint8]:
    """RGB in 8 bits: grey repeated, deeper colours rounded, what is transparent on white."""
    import numpy as np

    from gansdk.media.image import silent, to_8_bits
    from gansdk.media.reading import read_image
    from gansdk.media.resizing import flatten

    options = ImageReading(max_pixels=_MOST_PIXELS)  # the limit is for strangers' images, not for a set of one's own
    file = _Named(content)
    file.name = where
    image = flatten(read_image(file, options, silent), "white")
    return np.repeat(to_8_bits(image.pixels), 3 // image.pixels.shape[2], axis=2)
