"""The media of images: one alone, several side by side, and several one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gansdk.files import cannot_write
from gansdk.media.formats import KINDS, file_format, identify
from gansdk.media.medium import Medium
from gansdk.options import AnimationWriting, AnyImageWriting, ImageReading, ImageWriting

if TYPE_CHECKING:
    from gansdk.media.gallery import Gallery
    from gansdk.media.image import Image
    from gansdk.media.medium import Note

_THUMBNAIL = 256
"""Pixels a side of a thumbnail at most."""


def numbered(number: int, ending: str) -> str:
    """The name of one of many images, such that names sort as numbers do up to a million."""
    return f"{number:06d}.{ending}"


class _Stills(Medium):
    """What all of them share: the formats, and what these cannot hold."""

    def has_limit(self, path: Path | None, options: AnyImageWriting) -> bool:
        """Whether the format ends at a longest side that results come to."""
        from gansdk.media.writing import has_limit

        return has_limit(file_format(path, options))

    def check_output(
        self, path: Path | None, options: Any, size: tuple[int, int] | None, *, source: Any = None, name: str = ""
    ) -> None:
        """Refuses what a format cannot hold."""
        from gansdk.media.writing import check_fits, check_size

        if size is None:
            return
        encoding = file_format(path, options)
        if IMAGE.holds(source):
            check_fits(source, encoding, options, size)
        else:
            check_size(encoding, *size, name=name)


class _Image(_Stills):
    name = "an image"
    plural = "images"
    reading = ImageReading
    writing = ImageWriting
    endings = tuple(ending for kind in KINDS for ending in kind.endings)
    widget = "image"

    def holds(self, value: object) -> bool:
        """Whether it is an :class:`~gansdk.Image`."""
        from gansdk.media.image import Image

        return isinstance(value, Image)

    def identify(self, head: bytes) -> bool:
        """Whether a file that begins so is an image that is read."""
        return identify(head) is not None

    def read(self, source: object, options: ImageReading, note: Note, *, name: str = "") -> Image:
        """See :func:`gansdk.media.reading.read_image`."""
        from gansdk.media.reading import read_image

        return read_image(source, options, note, name=name)

    def fit(self, value: Image, spec: Any, options: ImageReading, note: Note) -> Image:
        """See :func:`gansdk.media.resizing.fit`; a network that takes images of any size gets them as they are."""
        from gansdk.media.resizing import fit
        from gansdk.model.facts import ImageSpec

        return fit(value, spec, note, strict=options.strict) if isinstance(spec, ImageSpec) else value

    def kind(self, format: str, *, into_folder: bool) -> str:  # noqa: A002
        """Always an image."""
        return "image"

    def write(
        self, value: Image, target: Path | IO[bytes], options: Any, note: Note, *, kind: str, provenance: str | None
    ) -> Path | None:
        """See :func:`gansdk.media.writing.write_image`."""
        from gansdk.media.writing import write_image

        return write_image(value, target, options, note, provenance=provenance)

    def size_of(self, source: object) -> tuple[int, int] | None:
        """Of a file whose header says so, or of an image."""
        from gansdk.media.reading import size_of

        if isinstance(source, Path):
            return size_of(source) if source.is_file() else None
        return (source.width, source.height) if self.holds(source) else None  # type: ignore[attr-defined]

    def nbytes(self, value: Image) -> int:
        """Of its colours and its alpha."""
        return value.pixels.nbytes + (0 if value.alpha is None else value.alpha.nbytes)

    def thumbnail(self, value: Image) -> Image:
        """The image, made smaller where it is large."""
        from gansdk.media.resizing import resize

        scale = min(1.0, _THUMBNAIL / max(value.width, value.height))
        return resize(value, *(max(1, round(side * scale)) for side in (value.width, value.height)))


class _Images(_Stills):
    name = "images that belong together"
    plural = name
    writing: Any = ImageWriting
    widget = "gallery"

    def holds(self, value: object) -> bool:
        """Whether it is a :class:`~gansdk.Gallery`."""
        from gansdk.media.gallery import Gallery

        return isinstance(value, Gallery)

    def kind(self, format: str, *, into_folder: bool) -> str:  # noqa: A002
        """A folder of single files, or a grid in one image."""
        return "folder" if into_folder else "image"

    def write(
        self, value: Gallery, target: Path | IO[bytes], options: Any, note: Note, *, kind: str, provenance: str | None
    ) -> Path | None:
        """Writes the grid, or each image into the folder ``target``, which is made if need be."""
        from gansdk.media.writing import write_image

        if kind != "folder" or not isinstance(target, Path):
            return write_image(value.grid(), target, options, note, provenance=provenance)
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(target, error) from error
        ending = file_format(None, options)
        for number, image in enumerate(value.images, value.first):
            write_image(image, target / numbered(number, ending), options, note, provenance=provenance)
        return target

    def nbytes(self, value: Gallery) -> int:
        """Of all of them."""
        return value.pixels.nbytes

    def thumbnail(self, value: Gallery) -> Image:
        """The grid, made smaller."""
        return IMAGE.thumbnail(value.grid())


class _Animation(_Images):
    name = "images that follow each other"
    plural = name
    writing = AnimationWriting

    def kind(self, format: str, *, into_folder: bool) -> str:  # noqa: A002
        """A grid in one image, or an animation where the format has it."""
        return "animation" if format in {"gif", "webp"} else "image"

    def write(
        self, value: Gallery, target: Path | IO[bytes], options: Any, note: Note, *, kind: str, provenance: str | None
    ) -> Path | None:
        """Writes a frame for each column, or the grid."""
        from gansdk.media.encoding import write_animation
        from gansdk.media.writing import put, send

        if kind != "animation":
            return super().write(value, target, options, note, kind=kind, provenance=provenance)
        is_gif = file_format(target if isinstance(target, Path) else None, options) == "gif"

        def write(file: IO[bytes]) -> None:
            write_animation(value.frames(), file, "gif" if is_gif else "webp", options.fps)

        if isinstance(target, Path):
            return put(target, options.on_exists, write)
        send(target, write, kind)
        return None


class _AnyWay(_Animation):
    """All that a gallery's own ``save`` can do."""

    def kind(self, format: str, *, into_folder: bool) -> str:  # noqa: A002
        return "folder" if into_folder else super().kind(format, into_folder=into_folder)


IMAGE = _Image()
IMAGES = _Images()
ANIMATION = _Animation()
ANY_WAY = _AnyWay()
