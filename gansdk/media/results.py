"""What a task gives, as what file: the one place that knows which kind goes with which ending."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import OptionError
from gansdk.media.animating import write_animation
from gansdk.media.arrays import write_arrays
from gansdk.media.gallery import Gallery
from gansdk.media.picture import Picture
from gansdk.media.placing import put, send
from gansdk.media.writing import picture_format, write_picture
from gansdk.options import AnimationWriting, PictureWriting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gansdk.options import Options
    from gansdk.plugins.declarations import OutputKind


def _silent(_text: str, /) -> None:
    """Nobody listens."""


def is_folder(output: str) -> bool:
    """Whether an output as typed means a folder: it is one, or ends as one does."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return output.endswith(separators) or Path(output).is_dir()


def kind_of(output: str | None, kinds: Sequence[OutputKind]) -> OutputKind:
    """What an output as typed shall hold.

    Args:
        output: A path, ``-`` or None, which both mean the first kind.
        kinds: What the task can give, the one that it gives by itself first.

    Raises:
        OptionError: If it asks for arrays and the task gives none. A picture's ending is looked at when it is written.
    """
    first = kinds[0]
    if output is None or output == "-" or first == "record":
        return first
    if is_folder(output):
        return "folder" if "folder" in kinds else first
    ending = Path(output).suffix.lower()
    if ending in {".gif", ".webp"} and "animation" in kinds:
        return "animation"
    if ending == ".npz":
        if "arrays" not in kinds:
            raise OptionError(f"{Path(output).name}: this task gives no arrays", hint="end it in .png")
        return "arrays"
    return "picture" if "picture" in kinds else first


def write_result(
    result: Any,
    kind: OutputKind,
    target: Path | IO[bytes],
    writing: Options,
    note: Callable[[str], None] = _silent,
    *,
    provenance: str | None = None,
) -> Path | None:
    """Writes what a task gave, whole or not at all; records are the job's affair.

    Args:
        result: A :class:`Picture` or a :class:`Gallery`, or a mapping of arrays.
        kind: As what.
        target: A path, of a folder for ``folder``, or a binary stream.
        writing: Format and quality, and what to do where something stands.
        note: Takes what a format lost.
        provenance: What made it, for the file to say.

    Returns:
        Where it stands; None for a stream, and where something stood there that shall stay.

    Raises:
        OutputExistsError: If something stands there.
        OutputError: If it cannot be written there.
    """
    if kind == "folder" and isinstance(target, Path):
        return _write_each(result, target, as_picture_writing(writing), note, provenance)
    if kind == "picture":
        picture = result.grid() if isinstance(result, Gallery) else result
        return write_picture(picture, target, as_picture_writing(writing), note, provenance=provenance)
    write, name = _writer(result, kind, target, writing), kind
    if isinstance(target, Path):
        return put(target, writing.on_exists, write) if isinstance(writing, PictureWriting) else None
    send(target, write, name)
    return None


def _write_each(
    gallery: Gallery, folder: Path, writing: PictureWriting, note: Callable[[str], None], provenance: str | None
) -> Path:
    ending = picture_format(None, writing)
    for at, picture in enumerate(gallery.pictures):
        write_picture(picture, folder / numbered(gallery.first + at, ending), writing, note, provenance=provenance)
    return folder


def numbered(number: int, ending: str) -> str:
    """The name of one of many pictures, such that names sort as numbers do up to a million."""
    return f"{number:06d}.{ending}"


def _writer(result: Any, kind: OutputKind, target: Path | IO[bytes], writing: Options) -> Callable[[IO[bytes]], None]:
    if kind == "arrays":
        return lambda file: write_arrays(arrays_of(result), file)
    if kind == "animation" and isinstance(writing, AnimationWriting):
        is_gif = isinstance(target, Path) and target.suffix.lower() == ".gif"
        return lambda file: write_animation(result.frames(), file, "gif" if is_gif else "webp", writing.fps)
    raise TypeError(f"a {type(result).__name__} cannot be written as {kind}")


def arrays_of(result: Any) -> Mapping[str, np.ndarray[Any, Any]]:
    """What an array file shall hold of a result."""
    if isinstance(result, Gallery):
        notes = {name: np.array(text) for name, text in result.notes.items()}
        return {"pixels": result.pixels, **result.arrays, **notes}
    if isinstance(result, Picture):
        return {"pixels": result.pixels}
    return {name: np.asarray(value) for name, value in result.items()}


def as_picture_writing(writing: Options) -> PictureWriting:
    """The options of a task that gives pictures."""
    if not isinstance(writing, PictureWriting):
        raise TypeError("a task that gives pictures is written with PictureWriting")
    return writing
