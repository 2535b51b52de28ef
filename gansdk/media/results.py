"""What a task gives, as what file: the one place that knows which kind goes with which ending."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gansdk.errors import OptionError
from gansdk.files import cannot_write
from gansdk.media.encoding import write_animation
from gansdk.media.formats import file_format
from gansdk.media.gallery import Gallery
from gansdk.media.image import Image
from gansdk.media.records import write_arrays
from gansdk.media.writing import put, send, write_image
from gansdk.options import AnimationWriting, AnyImageWriting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gansdk.options import Options
    from gansdk.plugins.declarations import OutputKind


def is_folder(output: str) -> bool:
    """Whether an output as typed means a folder: it is one, or ends as one does."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return output.endswith(separators) or os.path.isdir(output)  # noqa: PTH112 - Path fails on a name that is too long


def kind_of(output: str | None, kinds: Sequence[OutputKind], writing: Options) -> OutputKind:
    """What an output as typed shall hold.

    Args:
        output: A path, ``-`` or None.
        kinds: What the task can give, the one that it gives by default first.
        writing: The options, whose format is as good as an ending.

    Raises:
        OptionError: If it asks for what the task does not give.
    """
    if kinds[0] == "record":
        return "record"
    images, into_folder = as_image_writing(writing), output is not None and is_folder(output)
    path = None if output is None or output == "-" or into_folder else Path(output)
    is_said = images.format is not None or (path is not None and path.suffix)
    kind = _kind(file_format(path, images), kinds) if is_said else kinds[0]
    if kind not in kinds:
        raise OptionError(f"this task gives no {kind}", hint=f"it gives {' or '.join(kinds)}")
    return "folder" if into_folder and kind == "image" and "folder" in kinds else kind


def _kind(encoding: str, kinds: Sequence[OutputKind]) -> OutputKind:
    if encoding == "npz":
        return "arrays"
    is_moving = encoding == "gif" or (encoding == "webp" and "animation" in kinds)
    return "animation" if is_moving else "image"


def write_result(
    result: Image | Gallery,
    kind: OutputKind,
    target: Path | IO[bytes],
    writing: AnyImageWriting,
    note: Callable[[str], None],
    *,
    provenance: str | None = None,
) -> Path | None:
    """Writes what a task gave, whole or not at all; records are the job's affair.

    Args:
        result: An image can be written as an image alone.
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
    if kind == "image":
        image = result.grid() if isinstance(result, Gallery) else result
        return write_image(image, target, writing, note, provenance=provenance)
    if isinstance(result, Image):
        raise TypeError(f"one image cannot be written as {kind}")
    if kind == "folder" and isinstance(target, Path):
        return _write_each(result, target, writing, note, provenance)
    write = _writer(result, kind, target, writing)
    if isinstance(target, Path):
        return put(target, writing.on_exists, write)
    send(target, write, kind)
    return None


def _write_each(
    gallery: Gallery, folder: Path, writing: AnyImageWriting, note: Callable[[str], None], provenance: str | None
) -> Path:
    ending = file_format(None, writing)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    for at, image in enumerate(gallery.images):
        write_image(image, folder / numbered(gallery.first + at, ending), writing, note, provenance=provenance)
    return folder


def numbered(number: int, ending: str) -> str:
    """The name of one of many images, such that names sort as numbers do up to a million."""
    return f"{number:06d}.{ending}"


def _writer(
    gallery: Gallery, kind: OutputKind, target: Path | IO[bytes], writing: AnyImageWriting
) -> Callable[[IO[bytes]], None]:
    if kind == "arrays":
        return lambda file: write_arrays(gallery.named_arrays(), file)
    if kind == "animation" and isinstance(writing, AnimationWriting):
        is_gif = file_format(target if isinstance(target, Path) else None, writing) == "gif"
        return lambda file: write_animation(gallery.frames(), file, "gif" if is_gif else "webp", writing.fps)
    raise TypeError(f"a gallery cannot be written as {kind}")


def as_image_writing(writing: Options) -> AnyImageWriting:
    """The options of a task that gives images."""
    if not isinstance(writing, AnyImageWriting):
        raise TypeError("a task that gives images is written with AnyImageWriting")
    return writing
