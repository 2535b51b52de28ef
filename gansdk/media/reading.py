"""Reads images from files, bytes, streams, Pillow images, arrays and tensors, none of which are trusted.

The content of a file decides what it is. Only the formats in :mod:`gansdk.media.formats` are opened, each by its one
decoder, so that no other decoder ever sees the bytes. Sizes are checked before anything of that size is allocated.
Pillow's own limit on pixels is a global that other code may rely on; it is neither changed nor needed here.
"""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image as PILImage

from gansdk.errors import GansdkError, InputError, option
from gansdk.media import formats, tiff
from gansdk.media.containers import jpeg_fault
from gansdk.media.conversion import Samples, normalise
from gansdk.media.decoders import UnsupportedError, captured_warnings, needs_vips, opened, read_with_vips
from gansdk.media.image import Image
from gansdk.media.inspection import inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gansdk.media.inspection import Inspection
    from gansdk.options import ImageReading


_FORMATS_HINT = "give a PNG, JPEG, WebP, TIFF, GIF, BMP, PPM, AVIF or HEIC file"
_HEIC_HINT = 'install the reader with pip install "gansdk[heic]", or save it as JPEG'
_TIFF_HINT = "save it as 8-bit or 16-bit grey or RGB, uncompressed or with LZW or deflate"


@dataclass
class _ReadState:
    """An image that is being read.

    Attributes:
        name: What messages call it.
        options: Limits and strictness.
        note: Takes a line.
        doubts: Lines for ``note``, which is called only after decoding.
        ending: Of the file's name.
        what: The format of the file, or the mode of a Pillow image.
        page: The chosen page of a TIFF file.
    """

    name: str
    options: ImageReading
    note: Callable[[str], None]
    doubts: list[str] = field(default_factory=list)
    ending: str = ""
    what: str = ""
    page: tiff.Page | None = None

    def doubt(self, text: str) -> None:
        """Notes what can only be read with a loss or a guess; raises an error if the user is strict."""
        if self.options.strict:
            raise InputError(f"{self.name}: {text}", hint=f"leave out {option('strict')} to read it all the same")
        self.doubts.append(text)

    def check_size(self, size: tuple[int, int]) -> None:
        width, height = size
        if width <= 0 or height <= 0:
            raise InputError(f"{self.name} has no pixels ({width}×{height})", hint="get the file again")
        if width * height > self.options.max_pixels:
            what = f"{self.name} has {width}×{height} pixels, more than {self.options.max_pixels}"
            is_possible = width * height <= 2**33
            hint = f"allow it with {option('max_pixels', width * height)}" if is_possible else "give a smaller image"
            raise InputError(what, hint=hint)

    def check_frame(self, count: int, word: str) -> None:
        """Refuses a frame that does not exist, and several if none is chosen."""
        frame = self.options.frame
        if frame is None and count > 1:
            hint = f"pick one with {option('frame', 0)} to {count - 1}"
            raise InputError(f"{self.name} has {count} {word}s", hint=hint)
        if frame is not None and frame >= count:
            hint = f"give {option('frame', 0)} to {count - 1}" if count > 1 else f"leave out {option('frame')}"
            raise InputError(f"{self.name} has no {word} {frame}; it has {count}", hint=hint)


def read_image(source: object, options: ImageReading, note: Callable[[str], None], *, name: str = "") -> Image:
    """Reads an image.

    Args:
        source: A path, bytes, a binary stream (read from its position), a Pillow image (its current frame), a numpy
            array or a tensor, of integers or floats from 0 to 1, or an image, which is returned.
        options: Frame, limits and strictness.
        note: Takes what was lost or guessed, a line each; the same is an error if ``options.strict``.
        name: What messages call a source that has no name of its own.

    Raises:
        InputError: If there is nothing, it is not an image, damaged, too large, or ambiguous.
    """
    is_path = isinstance(source, str | os.PathLike)
    if is_path or isinstance(source, bytes | bytearray | memoryview) or hasattr(source, "read"):
        with _opened(Path(cast("str", source)) if is_path else source, name, options, note) as (file, state):
            return _decode(file, state)
    if isinstance(source, PILImage.Image):
        state = _ReadState(str(getattr(source, "filename", "")) or name or "the given image", options, note)
        state.check_size(source.size)
        state.check_frame(1, "frame")
        # Older versions of Pillow give 16-bit grey of these two formats as 32-bit numbers.
        is_deep = source.mode == "I" and getattr(source, "format", None) in {"PNG", "PPM"}
        state.what = source.mode
        with _decoding(state):
            source.load()
            return normalise(source, Samples(16 if is_deep else 8), state.name, state.doubt)
    image = source if isinstance(source, Image) else _from_numbers(source, name)
    state = _ReadState(image.name, options, note)
    state.check_size((image.width, image.height))
    state.check_frame(1, "frame")
    return image


def _from_numbers(source: object, name: str) -> Image:
    torch = sys.modules.get("torch")  # without it there are no tensors
    if torch is not None and isinstance(source, torch.Tensor):
        return Image.from_tensor(source, name=name or "the given tensor")
    if not (hasattr(source, "__array_interface__") or hasattr(source, "__array__")):
        hint = "give a path, bytes, a binary file object, a Pillow image, a numpy array or a tensor"
        raise InputError(f"{name + ': ' if name else ''}{type(source).__name__} is not an image", hint=hint)
    return Image.from_array(np.asarray(source), name=name or "the given array")


def check_readable(path: Path) -> None:
    """Finds what is wrong with a path before anything is opened or loaded.

    Raises:
        InputError: If there is no file, it is a folder, empty, or may not be read.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _cannot_read(str(path), error) from None
    if stat.S_ISDIR(status.st_mode):
        raise _cannot_read(str(path), IsADirectoryError())
    if not os.access(path, os.R_OK):
        raise _cannot_read(str(path), PermissionError())
    if stat.S_ISREG(status.st_mode) and status.st_size == 0:
        raise InputError(f"{path} is empty", hint="get the file again")


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of the first frame by a file's header, as it is stored; None if reading would fail."""
    try:
        with captured_warnings(), path.open("rb") as file:
            head = file.read(formats.HEAD)
            kind = formats.identify(head)
            if kind is None or formats.declared_size(kind, head) is not None:
                return formats.declared_size(kind, head) if kind is not None else None
            file.seek(0)
            with opened(kind, file) as image:
                return (image.width, image.height)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, reading reports it
        return None


def _cannot_read(name: str, error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file {name}", hint="check its name and folder")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name} is a folder", hint="name the images in it")
    if isinstance(error, PermissionError):
        return InputError(f"{name} may not be read", hint="check its permissions")
    return InputError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}")


@contextmanager
def _opened(
    source: Any, name: str, options: ImageReading, note: Callable[[str], None]
) -> Iterator[tuple[IO[bytes], _ReadState]]:
    """A path, bytes or a stream as a seekable file, with errors of the device or stream as InputError."""
    if isinstance(source, Path):
        state = _ReadState(str(source), options, note, ending=source.suffix)
        try:
            file = source.open("rb")
        except (OSError, ValueError) as error:
            raise _cannot_read(state.name, error) from None
        try:
            with file:
                yield (file if file.seekable() else _in_memory(file, state)), state
        except OSError as error:  # of the device: errors of decoders are InputError already
            raise _cannot_read(state.name, error) from None
        return
    if not hasattr(source, "read"):
        yield io.BytesIO(source), _ReadState(name or "the given bytes", options, note)
        return
    own = "standard input" if source is getattr(sys.stdin, "buffer", None) else getattr(source, "name", None)
    state = _ReadState(own if isinstance(own, str) else name or "the given stream", options, note)
    try:
        content = _in_memory(source, state)
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise InputError(f"cannot read {state.name}: {getattr(error, 'strerror', None) or error}") from None
    yield content, state


def _in_memory(stream: IO[bytes], state: _ReadState) -> IO[bytes]:
    """The rest of a stream, unless it is longer than any file of so many pixels."""
    most = state.options.max_pixels * 16 + 2**26
    parts, total = [], 0
    while part := stream.read(min(2**20, most + 1 - total)):
        if not isinstance(part, bytes):
            what = "text" if isinstance(part, str) else f"a {type(part).__name__}, not bytes"
            raise InputError(f"{state.name} gives {what}", hint="open it in binary mode")
        parts.append(part)
        total += len(part)
        if total > most:
            hint = f"raise {option('max_pixels')} if it is an image"
            raise InputError(f"{state.name} is longer than {most} bytes", hint=hint)
    return io.BytesIO(b"".join(parts))


def _decode(file: IO[bytes], state: _ReadState) -> Image:
    """The image in a file: identified, inspected, opened by its decoder, checked, loaded and converted."""
    head = file.read(formats.HEAD)
    kind = _identified(head, state)
    state.what = kind.name
    size = formats.declared_size(kind, head)
    if size is not None:
        state.check_size(size)
    with _decoding(state):
        found = inspect(kind, file)
        if kind is formats.TIFF:
            found.file = _from_page(file, state)
        found.file.seek(0)
        with _open_checked(kind, found, state) as pil_image:
            uses_vips = needs_vips(pil_image, kind, head)
            if not uses_vips or kind is formats.PNG:  # whose metadata may come after its pixels
                if kind is formats.TIFF and pil_image._im is None:
                    # Pillow would first compare the size with its own limit, not the user's.
                    pil_image.im = cast("Any", PILImage).core.new(pil_image.mode, pil_image._tile_size)
                pil_image.load()
                state.check_size(pil_image.size)
            numbers = read_with_vips(pil_image, kind, found.file, state.options.frame or 0) if uses_vips else None
            is_heif = kind is formats.HEIF
            bits = pil_image.info.get("bit_depth", 8) if is_heif else formats.declared_bits(kind, head)
            samples = Samples(bits, is_grey=kind is formats.PNG and head[25] in {0, 4})
            image = normalise(pil_image, samples, state.name, state.doubt, numbers=numbers, stated=found.colour)
            if found.has_profile and not pil_image.info.get("icc_profile"):
                state.doubt("its colour profile lacks a part or is damaged, and is left out")
            state.doubts.extend(found.notes)
            return image


def _identified(head: bytes, state: _ReadState) -> formats.Kind:
    if not head:
        raise InputError(f"{state.name} is empty", hint="get the file again")
    kind = formats.identify(head)
    if kind is None:
        is_text = b"\0" not in head and all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)
        what = f"{state.name} is {'text' if is_text else 'not an image'} by its content"
        raise InputError(what, hint=_FORMATS_HINT)
    if formats.kind_by_ending(state.ending) not in {None, kind}:
        state.doubt(f"is {kind.name} by its content, not what {state.ending} says; read as {kind.name}")
    return kind


def _from_page(file: IO[bytes], state: _ReadState) -> IO[bytes]:
    """A TIFF file as if it began with the chosen page."""
    block = tiff.Block(file, 0, file.seek(0, os.SEEK_END))
    if fault := block.fault():
        raise _too_slow(state, fault)
    pages = tiff.pages(block)
    if not pages:  # its decoder says what is wrong
        return file
    state.check_frame(len(pages), "page")
    state.page = page = pages[state.options.frame or 0]
    if page.is_preview:
        state.doubt("only a reduced copy of its image is a page that can be read; save it as TIFF or PNG first")
    page.check_numbers()
    return file if page.directory.offset == block.first else cast("IO[bytes]", tiff.PageFile(file, page))


def _open_checked(kind: formats.Kind, found: Inspection, state: _ReadState) -> Any:
    """A file opened by its decoder, at the chosen frame, with what can be known of it before it is loaded checked."""
    try:
        pil_image: Any = opened(kind, found.file)
    except ImportError:
        hint = _HEIC_HINT if kind is formats.HEIF else "save it as PNG"
        raise InputError(f"{state.name} is {kind.name}, which this installation cannot read", hint=hint) from None
    state.check_size(pil_image.size)
    if kind is formats.JPEG and (fault := jpeg_fault(found.file, pil_image.width * pil_image.height)):
        raise _too_slow(state, fault)
    frame = state.options.frame
    if kind is not formats.TIFF:  # which begins with the page
        if kind is not formats.HEIF or frame is not None:  # a HEIC file names its main image
            state.check_frame(getattr(pil_image, "n_frames", 1), "frame")
        if frame is not None and kind is not formats.GIF:
            pil_image.seek(frame)
            state.check_size(pil_image.size)
    for loss in found.losses:
        state.doubt(loss)
    return pil_image


def _too_slow(state: _ReadState, fault: str) -> InputError:
    return InputError(f"{state.name} {fault}, which takes too long to read", hint="save it anew, or get it again")


@contextmanager
def _decoding(state: _ReadState) -> Iterator[None]:
    """Turns what decoders raise and warn of into one error and notes."""
    name = state.name
    try:
        with captured_warnings() as texts:
            yield
    except GansdkError:
        raise
    except MemoryError:
        raise InputError(f"{name} does not fit into memory", hint="give a smaller image") from None
    except PILImage.DecompressionBombError:
        what = f"{name} has more pixels than a {state.what} file may have here"
        raise InputError(what, hint="save it as PNG first") from None
    except UnsupportedError as error:
        raise InputError(f"{name} {error}", hint=error.hint) from error
    except Exception as error:  # decoders raise anything for damaged bytes
        reason = " ".join(str(error).split())[:120]
        if state.page is not None and (state.page.is_uncommon or _UNSUPPORTED.search(reason)):
            what = f"{name} is {state.page.description}, a variant of TIFF that is not supported"
            raise InputError(what, hint=_TIFF_HINT) from error
        detail = f" ({reason})" if reason and "not identified by this driver" not in reason else ""
        what = f"{name} is cut short, damaged or an uncommon kind of {state.what}{detail}"
        raise InputError(what, hint="get it again") from error
    for text in dict.fromkeys([*state.doubts, *texts]):
        state.note(f"{name}: {text}")


_UNSUPPORTED = re.compile(
    r"unknown (pixel mode|data organization)|support is not configured|Unknown value for photometric"
)
"""What Pillow and libvips say of whole TIFF files of a variant that they do not read."""
