"""Files to images: the one place that meets media that nobody vouches for.

What a file is, its content decides. Only the formats in :mod:`gansdk.media.formats` are opened, each by its one
decoder, so that no other decoder ever sees the bytes. Sizes are checked before anything of that size is allocated.
Pillow's own limit on pixels is a global that other code may rely on; it is neither changed nor needed here.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from gansdk.errors import GansdkError, InputError, option
from gansdk.media import directories, formats
from gansdk.media.captured_warnings import heard, silence_libtiff
from gansdk.media.containers import jpeg_fault
from gansdk.media.inspection import UnsupportedError, inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as PILImage

    from gansdk.media.image import Image
    from gansdk.media.inspection import Inspection
    from gansdk.options import ImageReading


_READABLE = "give a PNG, JPEG, WebP, TIFF, GIF, BMP, PPM, AVIF or HEIC file"
_HEIC_HINT = 'install the reader with pip install "gansdk[heic]", or save it as JPEG'


@dataclass(frozen=True)
class _Reading:
    """One image on its way in.

    Attributes:
        name: What messages call it.
        options: Limits and strictness.
        note: Takes a line.
        doubts: Lines that wait until it is decoded, so that whoever takes them is not called in the midst of it.
    """

    name: str
    options: ImageReading
    note: Callable[[str], None]
    doubts: list[str] = field(default_factory=list)

    def doubt(self, text: str) -> None:
        """What can only be read with a loss or a guess: a note, or an error where the user is strict."""
        if self.options.strict:
            raise InputError(f"{self.name}: {text}", hint=f"leave out {option('strict')} to read it all the same")
        self.doubts.append(text)

    def check_size(self, size: tuple[int, int]) -> None:
        width, height = size
        if width <= 0 or height <= 0:
            raise InputError(f"{self.name} has no pixels ({width}×{height})", hint="get the file again")
        if width * height > self.options.max_pixels:
            what = f"{self.name} has {width}×{height} pixels, more than {self.options.max_pixels}"
            possible = width * height <= 2**33
            hint = f"allow it with {option('max_pixels', width * height)}" if possible else "no computer holds so many"
            raise InputError(what, hint=hint)

    def check_frame(self, count: int, word: str) -> None:
        """Refuses a frame that is not there, and a choice among several that nobody made."""
        frame = self.options.frame
        if frame is None and count > 1:
            raise InputError(
                f"{self.name} has {count} {word}s", hint=f"pick one with {option('frame', 0)} to {count - 1}"
            )
        if frame is not None and frame >= count:
            hint = f"give {option('frame', 0)} to {count - 1}" if count > 1 else f"leave out {option('frame')}"
            raise InputError(f"{self.name} has no {word} {frame}; it has {count}", hint=hint)


def read_image(source: object, options: ImageReading, note: Callable[[str], None], *, name: str = "") -> Image:
    """Reads an image.

    Args:
        source: A path, bytes, a binary stream (read from where it stands), a Pillow image (its current frame), a
            numpy array or a tensor, of whole numbers or floats from 0 to 1, or an image, which is given back.
        options: Frame, limits and strictness.
        note: Takes what was lost or guessed, a line each; the same is an error where ``options.strict``.
        name: What messages call one that has no name of its own.

    Raises:
        InputError: If there is nothing, it is not an image, damaged, too large, or ambiguous.
    """
    from PIL import Image as PILImage

    from gansdk.media.image import Image

    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source), options, note)
    if isinstance(source, bytes | bytearray | memoryview):
        reading = _Reading(name or "the given bytes", options, note)
        return _read_file(io.BytesIO(source), reading, "")
    if hasattr(source, "read"):
        return _read_stream(source, name, options, note)
    if isinstance(source, PILImage.Image):
        own = str(getattr(source, "filename", ""))
        return _read_image(source, _Reading(own or name or "the given image", options, note))
    if not isinstance(source, Image):
        source = _of_numbers(source, name)
    reading = _Reading(source.name, options, note)
    reading.check_size((source.width, source.height))
    reading.check_frame(1, "frame")
    return source


def _of_numbers(source: object, name: str) -> Image:
    from gansdk.media.image import Image

    torch = sys.modules.get("torch")  # whoever holds a tensor has imported it
    if torch is not None and isinstance(source, torch.Tensor):
        return Image.from_tensor(source, name=name or "the given tensor")
    if not (hasattr(source, "__array_interface__") or hasattr(source, "__array__")):
        hint = "give a path, bytes, a binary file object, a Pillow image, a numpy array or a tensor"
        raise InputError(f"{name + ': ' if name else ''}{type(source).__name__} is not an image", hint=hint)
    import numpy as np

    return Image.from_array(np.asarray(source), name=name or "the given array")


def check_readable(path: Path) -> None:
    """Finds what is wrong with a path before anything is opened or loaded.

    Raises:
        InputError: If there is no file, it is a folder, empty, or may not be read.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from None
    if stat.S_ISDIR(status.st_mode):
        raise _cannot_read(path, IsADirectoryError())
    if not os.access(path, os.R_OK):
        raise _cannot_read(path, PermissionError())
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise _empty(str(path))


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height by a file's header alone, of its first frame as it is stored; None where reading says more."""
    try:
        with heard(), path.open("rb") as file:
            head = file.read(formats.HEAD)
            kind = formats.identify(head)
            if kind is None or formats.declared_size(kind, head) is not None:
                return formats.declared_size(kind, head) if kind is not None else None
            file.seek(0)
            module, name = kind.decoder
            with getattr(importlib.import_module(module), name)(file) as image:
                return (image.width, image.height)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, reading it says so
        return None


def _cannot_read(path: Path, error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file {path}", hint="check its name and folder")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{path} is a folder", hint="name the images in it")
    if isinstance(error, PermissionError):
        return InputError(f"{path} may not be read", hint="check its permissions")
    return InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}")


def _empty(name: str) -> InputError:
    return InputError(f"{name} is empty", hint="get the file again")


def _read_path(path: Path, options: ImageReading, note: Callable[[str], None]) -> Image:
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from None
    with file:
        reading = _Reading(str(path), options, note)
        try:
            if not file.seekable():
                return _read_file(_in_memory(file, reading), reading, path.suffix)
            return _read_file(file, reading, path.suffix)
        except OSError as error:  # from the medium: what a decoder raises has become an InputError already
            raise _cannot_read(path, error) from None


def _read_stream(stream: Any, name: str, options: ImageReading, note: Callable[[str], None]) -> Image:
    own = "standard input" if stream is getattr(sys.stdin, "buffer", None) else getattr(stream, "name", None)
    reading = _Reading(own if isinstance(own, str) else name or "the given stream", options, note)
    try:
        content = _in_memory(stream, reading)
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise InputError(f"cannot read {reading.name}: {getattr(error, 'strerror', None) or error}") from None
    return _read_file(content, reading, "")


def _in_memory(stream: IO[bytes], reading: _Reading) -> IO[bytes]:
    """The rest of a stream, unless it is longer than any file of so many pixels."""
    most = reading.options.max_pixels * 16 + 2**26
    parts, total = [], 0
    while part := stream.read(min(2**20, most + 1 - total)):
        if not isinstance(part, bytes):
            what = "text" if isinstance(part, str) else f"a {type(part).__name__}, not bytes"
            raise InputError(f"{reading.name} gives {what}", hint="open it in binary mode")
        parts.append(part)
        total += len(part)
        if total > most:
            hint = f"raise {option('max_pixels')} if it is an image"
            raise InputError(f"{reading.name} is longer than {most} bytes", hint=hint)
    return io.BytesIO(b"".join(parts))


def _read_file(file: IO[bytes], reading: _Reading, ending: str) -> Image:
    head = file.read(formats.HEAD)
    if not head:
        raise _empty(reading.name)
    kind = formats.identify(head)
    if kind is None:
        is_text = b"\0" not in head and all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)
        raise InputError(f"{reading.name} is {'text' if is_text else 'not an image'} by its content", hint=_READABLE)
    claimed = formats.kind_by_ending(ending)
    if claimed not in {None, kind}:
        reading.doubt(f"is {kind.name} by its content, not what {ending} says; read as {kind.name}")
    size = formats.declared_size(kind, head)
    if size is not None:
        reading.check_size(size)
    with _decoding(reading, kind.name) as decoding:
        found = inspect(kind, file)
        if kind is formats.TIFF:
            found.file = _page(file, reading, decoding)
        found.file.seek(0)
        with _open(kind, found.file, reading) as image:
            return _decode(image, kind, head, found, reading)


def _page(file: IO[bytes], reading: _Reading, decoding: _Decoding) -> IO[bytes]:
    """A TIFF file as if it began with the wanted page."""
    from gansdk.media import inspection

    block = directories.Block(file, 0, file.seek(0, os.SEEK_END))
    if fault := block.fault():
        raise _endless(reading, fault)
    every = inspection.choosable(block)
    if not every:  # its decoder says what is wrong
        return file
    reading.check_frame(len(every), "page")
    page = every[reading.options.frame or 0]
    decoding.variant = inspection.description(block, page)
    decoding.is_uncommon = inspection.is_uncommon(block, page)
    if inspection.is_reduced(block, page):
        reading.doubt("only a reduced copy of its image is a page that can be read; save it as TIFF or PNG first")
    inspection.check_numbers(block, page)
    return file if page.place == block.first else cast("IO[bytes]", inspection.PageFile(file, block, page))


def _read_image(image: PILImage.Image, reading: _Reading) -> Image:
    from gansdk.media.conversion import Samples, normalise

    reading.check_size(image.size)
    reading.check_frame(1, "frame")
    # Pillow gives 16-bit grey of these two formats as 32-bit numbers in its older versions.
    is_deep = image.mode == "I" and getattr(image, "format", None) in {"PNG", "PPM"}
    with _decoding(reading, image.mode):
        image.load()
        return normalise(image, Samples(16 if is_deep else 8), reading.name, reading.doubt)


def _open(kind: formats.Kind, file: IO[bytes], reading: _Reading) -> PILImage.Image:
    module, name = kind.decoder
    try:
        decoder = getattr(importlib.import_module(module), name)
    except ImportError:
        hint = _HEIC_HINT if kind is formats.HEIF else "save it as PNG"
        raise InputError(f"{reading.name} is {kind.name}, which this installation cannot read", hint=hint) from None
    if kind is formats.TIFF:
        silence_libtiff()
    image: PILImage.Image = decoder(file)
    return image


def _decode(pil_image: Any, kind: formats.Kind, head: bytes, found: Inspection, reading: _Reading) -> Image:
    from gansdk.media.conversion import Samples, normalise
    from gansdk.media.deep import is_deep, read_frame, read_numbers

    reading.check_size(pil_image.size)
    if kind is formats.JPEG and (fault := jpeg_fault(found.file, pil_image.width * pil_image.height)):
        raise _endless(reading, fault)
    frame = reading.options.frame
    if kind is not formats.TIFF:  # which begins with the page
        if kind is not formats.HEIF or frame is not None:  # a HEIC file names its main image
            reading.check_frame(getattr(pil_image, "n_frames", 1), "frame")
        if frame is not None and kind is not formats.GIF:
            pil_image.seek(frame)
            reading.check_size(pil_image.size)
    for loss in found.losses:
        reading.doubt(loss)
    bits = pil_image.info.get("bit_depth", 8) if kind is formats.HEIF else formats.declared_bits(kind, head)
    numbers: NDArray[np.uint8] | NDArray[np.uint16] | None
    if kind is formats.GIF:
        numbers = read_frame(pil_image, found.file, frame or 0)
    else:
        has_deep_numbers = is_deep(pil_image, kind, head)
        if not (has_deep_numbers and kind is formats.TIFF):  # a PNG file may tell of itself behind its pixels too
            _allocate(pil_image, kind)
            pil_image.load()
            reading.check_size(pil_image.size)
        numbers = read_numbers(pil_image, kind, found.file) if has_deep_numbers else None
    samples = Samples(bits, is_grey=kind is formats.PNG and head[25] in {0, 4})
    image = normalise(pil_image, samples, reading.name, reading.doubt, numbers=numbers, colour=found.colour)
    if found.has_profile and not pil_image.info.get("icc_profile"):
        reading.doubt("its colour profile lacks a part or is damaged, and is left out")
    reading.doubts.extend(found.notes)
    return image


def _allocate(image: Any, kind: formats.Kind) -> None:
    """Gives a TIFF image its memory: Pillow would first compare the size with its own limit, not the user's."""
    if kind is formats.TIFF:
        core = importlib.import_module("PIL.Image").core
        if image._im is None:
            image.im = core.new(image.mode, image._tile_size)


@dataclass
class _Decoding:
    """What is known of a file by the time that its decoder fails.

    Attributes:
        what: Its format, or the mode of an image.
        variant: Which variant of a TIFF file it is.
        is_uncommon: Whether its decoder may lack what it takes to unpack it.
    """

    what: str
    variant: str = ""
    is_uncommon: bool = False


@contextmanager
def _decoding(reading: _Reading, what: str) -> Iterator[_Decoding]:
    """Turns what decoders raise and warn of into one error and notes."""
    from PIL.Image import DecompressionBombError

    decoding = _Decoding(what)
    try:
        with heard() as texts:
            yield decoding
    except GansdkError:
        raise
    except MemoryError:
        raise InputError(f"{reading.name} does not fit into memory", hint="give a smaller image") from None
    except DecompressionBombError:
        hint = "save it as PNG first"
        raise InputError(f"{reading.name} has more pixels than a {what} file may have here", hint=hint) from None
    except Exception as error:  # decoders raise whatever damaged bytes make them stumble over
        raise _undecoded(reading, decoding, error) from error
    for text in dict.fromkeys([*reading.doubts, *texts]):
        reading.note(f"{reading.name}: {text}")


_LACKING = re.compile(r"unknown (pixel mode|data organization)|support is not configured|Unknown value for photometric")
"""What Pillow and libvips say of TIFF files that are whole, of a variant that they do not read."""


def _endless(reading: _Reading, fault: str) -> InputError:
    return InputError(f"{reading.name} {fault}, which takes too long to read", hint="save it anew, or get it again")


def _undecoded(reading: _Reading, decoding: _Decoding, error: Exception) -> InputError:
    from gansdk.media.conversion import UnreadableModeError

    if isinstance(error, UnreadableModeError):
        hint = "save it as 8-bit or 16-bit grey, or as RGB"
        return InputError(f"{reading.name} holds {error}", hint=hint)
    if isinstance(error, UnsupportedError):
        return InputError(f"{reading.name} is {error}, which is not supported", hint="save it as plain PNG or JPEG")
    said = " ".join(str(error).split())[:120]
    if decoding.variant and (decoding.is_uncommon or _LACKING.search(said)):
        what = f"{reading.name} is {decoding.variant}, a variant of TIFF that is not supported"
        return InputError(what, hint="save it as 8-bit or 16-bit grey or RGB, uncompressed or with LZW or deflate")
    told = f" ({said})" if said and "not identified by this driver" not in said else ""
    what = f"{reading.name} is cut short, damaged or an uncommon kind of {decoding.what}{told}"
    return InputError(what, hint="get it again")
