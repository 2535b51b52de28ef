"""What a task gives, as what file: the one place that knows which kind goes with which ending."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gansdk.errors import OptionError
from gansdk.media.animating import write_animation
from gansdk.media.arrays import write_arrays
from gansdk.media.gallery import Gallery
from gansdk.media.picture import Picture
from gansdk.media.placing import put, send
from gansdk.media.writing import picture_format, write_picture
from gansdk.options import AnimationWriting, PictureWriting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gansdk.options import Options
    from gansdk.plugins.declarations import OutputKind


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
    result: Picture | Gallery,
    kind: OutputKind,
    target: Path | IO[bytes],
    writing: PictureWriting,
    note: Callable[[str], None],
    *,
    provenance: str | None = None,
) -> Path | None:
    """Writes what a task gave, whole or not at all; records are the job's affair.

    Args:
        result: A picture can be written as a picture alone.
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
    if kind == "picture":
        picture = result.grid() if isinstance(result, Gallery) else result
        return write_picture(picture, target, writing, note, provenance=provenance)
    if isinstance(result, Picture):
        raise TypeError(f"one picture cannot be written as {kind}")
    if kind == "folder" and isinstance(target, Path):
        return _write_each(result, target, writing, note, provenance)
    write = _writer(result, kind, target, writing)
    if isinstance(target, Path):
        return put(target, writing.on_exists, write)
    send(target, write, kind)
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


def _writer(
    gallery: Gallery, kind: OutputKind, target: Path | IO[bytes], writing: PictureWriting
) -> Callable[[IO[bytes]], None]:
    if kind == "arrays":
        return lambda file: write_arrays(gallery.named_arrays(), file)
    if kind == "animation" and isinstance(writing, AnimationWriting):
        is_gif = isinstance(target, Path) and target.suffix.lower() == ".gif"
        return lambda file: write_animation(gallery.frames(), file, "gif" if is_gif else "webp", writing.fps)
    raise TypeError(f"a gallery cannot be written as {kind}")


def as_picture_writing(writing: Options) -> PictureWriting:
    """The options of a task that gives pictures."""
    if not isinstance(writing, PictureWriting):
        raise TypeError("a task that gives pictures is written with PictureWriting")
    return writing
