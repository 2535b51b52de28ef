"""Formats by name and by ending: what ``--format`` takes and what an output may end in are one list.

The list stands in the group of options that a result is written with, as the values of its ``format``.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

from gansdk.errors import OptionError, as_typed, option
from gansdk.options import named_values

if TYPE_CHECKING:
    from pathlib import Path

    from gansdk.options import ImageWriting, RecordWriting

    Writing = TypeVar("Writing", bound=ImageWriting)

_ENDINGS = {"jpg": (".jpg", ".jpeg"), "tiff": (".tif", ".tiff"), "jsonl": (".jsonl", ".json")}
"""Of formats that have several."""


def by_ending(group: type[ImageWriting | RecordWriting]) -> dict[str, str]:
    """The formats of a group of options, by what file names may end in."""
    names = named_values(group.model_fields["format"].annotation)
    return {ending: name for name in names for ending in _ENDINGS.get(name, (f".{name}",))}


def with_format_of(file: object, options: Writing) -> Writing:
    """The options with the format that a file object's name ends as, where they say none and its name says one."""
    name = getattr(file, "name", None)
    if options.format is not None or not isinstance(name, str):
        return options
    named = by_ending(type(options)).get(PurePath(name).suffix.lower())
    return options if named is None else options.model_copy(update={"format": named})


def file_format(path: Path | None, options: ImageWriting | RecordWriting) -> str:
    """The format of an output: as the options say, else as its name ends, else the first of its group.

    Raises:
        OptionError: If the name ends as no format does, and none is given; or as another one than is given.
    """
    known = by_ending(type(options))
    named = known.get(path.suffix.lower()) if path is not None else None
    if options.format is not None:
        if path is not None and named is not None and named != options.format:
            what = f"{path.name} ends as {named} does, and {option('format')} says {options.format}"
            raise OptionError(what, hint="change one of them")
        return options.format
    if path is None or not path.suffix:
        return next(iter(known.values()))
    if named is None:
        formats = tuple(dict.fromkeys(known.values()))
        choice = as_typed(f"--format {'|'.join(formats)}", option("format", *formats))
        hint = f"end it in {', '.join(known)}, or give {choice}"
        raise OptionError(f"{path.name} names no format that can be written", hint=hint)
    return named
