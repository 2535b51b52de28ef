"""What a task takes and gives: a value per medium that says how it is read, brought to size, and written.

A slot or an output of a task names its medium: one of :data:`MEDIA`, or an import string of a plugin's own, such as
``my_plugin.text:TEXT``. All that differs from medium to medium is asked of that value, so that a new medium is one
file. Declarations are looked at for every listing, so the module of a medium imports neither numpy nor torch.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

from gansdk.errors import OptionError
from gansdk.media.formats import file_format, format_by_ending
from gansdk.options import merged, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gansdk.media.image import Image
    from gansdk.options import Options, Writing

    Note = Callable[[str], None]

MEDIA: Mapping[str, str] = {
    "image": "gansdk.media.stills:IMAGE",
    "images": "gansdk.media.stills:IMAGES",
    "animation": "gansdk.media.stills:ANIMATION",
    "mask": "gansdk.media.mask:MASK",
    "record": "gansdk.media.records:RECORD",
    "arrays": "gansdk.media.records:ARRAYS",
}
"""The core's own media, by the names under which slots and outputs have them."""


class Medium(ABC):
    """One medium. What a medium does not override, it does not need.

    Attributes:
        name: What messages call a value of it, with an article: ``an image``.
        plural: What they call several: ``images``.
        reading: The options of reading a file of it; None where there are none.
        writing: The options of writing one; None where it can only be read.
        endings: What its files are called, as in ``.png``.
        widget: What an interface shows for it: ``image``, ``mask``, ``gallery``, ``json``, ``text`` or ``file``.
        is_gathered: Whether the results of all items go into one file, a line each, or are printed.
    """

    name: str
    plural: str
    reading: type[Options] | None = None
    writing: type[Writing] | None = None
    endings: tuple[str, ...] = ()
    widget: str = "file"
    is_gathered: bool = False

    @abstractmethod
    def holds(self, value: object) -> bool:
        """Whether a task's result is a value of this medium."""

    def identify(self, head: bytes) -> bool:
        """Whether a file that begins with these 4096 bytes is of this medium."""
        return False

    def claims(self, name: str) -> bool:
        """Whether a file's name says that it is of this medium."""
        return PurePath(name).suffix.lower() in self.endings

    def read(self, source: object, options: Any, note: Note, *, name: str = "") -> Any:
        """Reads a value.

        Args:
            source: A path, bytes, a binary stream, or what Python programs hold such a value as.
            options: Of the group :attr:`reading`; None where there is none.
            note: Takes what was lost or guessed, a line each.
            name: What messages call a source that has no name of its own.

        Raises:
            InputError: If there is nothing, or it is of another medium, damaged or too large.
        """
        raise NotImplementedError(f"{self.name} is not read")

    def match(self, value: Any, inputs: Mapping[str, Any], options: Any, note: Note) -> Any:
        """The value in relation to the other inputs of its item, as read: a mask has the size of its image."""
        return value

    def fit(self, value: Any, spec: Any, options: Any, note: Note) -> Any:
        """The value as a model takes it, of whose facts ``spec`` is what they say of this input."""
        return value

    def kind(self, format: str, *, into_folder: bool) -> str:  # noqa: A002
        """What a result becomes in a format: ``file``, or a word of the medium's that a task's ``extent`` knows."""
        return "file"

    def write(
        self, value: Any, target: Path | IO[bytes], options: Any, note: Note, *, kind: str, provenance: str | None
    ) -> Path | None:
        """Writes a value, whole or not at all.

        Args:
            value: One that :meth:`holds`.
            target: A path, or a binary stream.
            options: Of the group :attr:`writing`.
            note: Takes what the format lost.
            kind: As :meth:`kind` said.
            provenance: What made it, for the file to say.

        Returns:
            Where it is; None for a stream, and if the path exists already and is kept.

        Raises:
            OutputError: If it cannot be written there, or the path exists.
        """
        raise NotImplementedError(f"{self.name} is not written")

    def size_of(self, source: object) -> tuple[int, int] | None:
        """Width and height of a file, by its header, or of a value; None where there are none."""
        return None

    def has_limit(self, path: Path | None, options: Any) -> bool:
        """Whether :meth:`check_output` may refuse a result for its size."""
        return False

    def check_output(
        self, path: Path | None, options: Any, size: tuple[int, int] | None, *, source: Any = None, name: str = ""
    ) -> None:
        """Refuses, before anything is computed, a result that its format cannot hold.

        Args:
            path: Where it would go; None for a stream.
            options: Of the group :attr:`writing`.
            size: Width and height of the result, where they are known.
            source: The first input, where it was read already.
            name: What messages call the item.

        Raises:
            InputError: If what the input has, the format does not.
            OutputError: If the result is too large for the format.
        """
        return

    def sample(self, height: int, width: int, seed: int) -> Any:
        """A made-up value from a seed, of this size where it has one, for checks of tasks; None for none."""
        return None

    def nbytes(self, value: Any) -> int:
        """How much memory a result takes while it waits to be written."""
        return 0

    def thumbnail(self, value: Any) -> Image | None:
        """A small image of a value, for sheets and pages; None if it cannot be shown."""
        return None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"<Medium: {self.name}>"


def is_folder(output: str) -> bool:
    """Whether an output as typed means a folder: it is one, or ends as one does."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return output.endswith(separators) or os.path.isdir(output)  # noqa: PTH112 - Path fails on a name that is too long


@dataclass(frozen=True)
class Target:
    """An output of a task, and what it is written as.

    Attributes:
        output: Its name.
        medium: Its medium.
        kind: As its medium says.
        writing: The options of its medium.
    """

    output: str
    medium: Medium
    kind: str
    writing: Writing

    def format(self, path: Path | None = None) -> str:
        """The format of a file of it."""
        return file_format(path, self.writing)


def writing_of(media: Mapping[str, Medium]) -> type[Options]:
    """The options that say how outputs of these media are written."""
    return merged(tuple(medium.writing for medium in media.values() if medium.writing is not None))


def target_of(output: str | None, media: Mapping[str, Medium], writing: Any) -> Target:
    """Which output of a task a path asks for, by its ending or the format that is given; the first if neither says.

    Args:
        output: A path as typed, ``-``, or None.
        media: Of the task's outputs, by name.
        writing: Of the group that :func:`writing_of` gives.

    Raises:
        OptionError: If its ending is of none of their formats.
    """
    into_folder = output is not None and is_folder(output)
    path = None if output is None or output == "-" or into_folder else Path(output)
    wanted = file_format(path, writing)
    for name, medium in media.items():
        group = medium.writing
        if group is not None and wanted in format_by_ending(group).values():
            return Target(name, medium, medium.kind(wanted, into_folder=into_folder), part_of(writing, group))
    raise OptionError(f"no output of this task is written as {wanted}")
