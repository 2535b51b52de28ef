"""What Pillow and libvips need around them: their warnings are caught, and each reads what the other cannot.

Pillow opens every file, knows its size and metadata and notices damage. But it gives 16-bit colours in 8 bits, and some
frames of GIF files with a wrong background, so libvips reads the pixels of these. The limits are the same for both.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import re
import threading
import warnings
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gansdk.media import formats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image as PILImage


class UnsupportedError(ValueError):
    """A whole file of a variant that cannot be read; the text begins with a verb, as "holds 32-bit integers"."""

    def __init__(self, text: str, hint: str = "save it as 8-bit or 16-bit grey, or as RGB") -> None:
        super().__init__(text)
        self.hint = hint


_CATCHING = threading.RLock()


@contextmanager
def captured_warnings() -> Iterator[list[str]]:
    """Catches the Python warnings of a block and gives their texts once it has ended well.

    The filters of :mod:`warnings` belong to the whole process, hence the lock: two threads that caught warnings at
    once would leave the filters of one of them behind. Warnings of other threads are passed on as before.
    """
    from PIL.Image import DecompressionBombWarning

    ignored = (DecompressionBombWarning, DeprecationWarning, ResourceWarning)
    texts: list[str] = []
    caught: list[str] = []
    this_thread = threading.get_ident()
    with _CATCHING, warnings.catch_warnings():
        warnings.simplefilter("always")
        show_elsewhere = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
            if issubclass(category, ignored):
                return
            if threading.get_ident() == this_thread:
                caught.append(str(message))
            else:
                show_elsewhere(message, category, *place)

        warnings.showwarning = show  # type: ignore[assignment]  # its last parameters are handed on as they are
        yield texts
        texts += [re.sub(r"\s+", " ", text)[:160].strip().rstrip(".") for text in caught]


@lru_cache(maxsize=1)
def silence_libtiff() -> None:
    """Keeps libtiff from printing to stderr; Pillow raises what it finds wrong anyway.

    Pillow switches off libtiff's warnings but not its errors. Where it is linked without symbols, they stay. What
    Pillow itself logs is seen only by programs that have set up logging.
    """
    from PIL import _imaging

    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with suppress(OSError, AttributeError):
        handler: Any = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        handler(None)


def opened(kind: formats.Kind, file: IO[bytes]) -> PILImage.Image:
    """A file opened by the one decoder of its kind, not loaded yet.

    Raises:
        ImportError: If this installation has no such decoder.
    """
    module, name = kind.decoder
    decoder = getattr(importlib.import_module(module), name)
    if kind is formats.TIFF:
        silence_libtiff()
    image: PILImage.Image = decoder(file)
    return image


_KEPT_CHANNELS = {"RGB": 3, "RGBX": 3, "RGBA": 4}
"""How many channels are kept of a TIFF image that Pillow opens in this mode."""

_OFFSETS, _COUNTS = (273, 324), (279, 325)  # of strips, of tiles


class TruncatedError(ValueError):
    """A file that ends before its pixels do."""


def needs_vips(image: PILImage.Image, kind: formats.Kind, head: bytes) -> bool:
    """Whether libvips reads an opened image: GIF, and colours, or grey and alpha, of 16 bits.

    Animated PNG files are left to Pillow, which composes their frames, in 8 bits.
    """
    if kind is formats.PNG:
        return formats.declared_bits(kind, head) == 16 and head[25] != 0 and getattr(image, "n_frames", 1) == 1
    tags: Any = getattr(image, "tag_v2", {})
    is_deep_tiff = kind is formats.TIFF and image.mode in _KEPT_CHANNELS and set(tags.get(258, ())) == {16}
    return kind is formats.GIF or is_deep_tiff


def read_with_vips(
    image: PILImage.Image, kind: formats.Kind, file: IO[bytes], frame: int
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The pixels of an image for which :func:`needs_vips` holds.

    Args:
        image: As Pillow opened it.
        kind: GIF, PNG or TIFF, whose first page is taken.
        file: The same file.
        frame: Of a GIF file. It is composed of those before it, each disposed of as the file says; where a frame
            vanishes and no colour is transparent, Pillow leaves a colour behind.

    Returns:
        [H, W, 1 to 4], uint8 of GIF and uint16 otherwise, in the orientation of the file. The last channel is opacity
        if their count is even; colours are not multiplied by it.

    Raises:
        TruncatedError: If a TIFF file ends before its pixels.
        pyvips.Error: If it is damaged otherwise.
    """
    import pyvips

    file.seek(0)
    content = file.read()
    if kind is formats.GIF:
        decoded = pyvips.Image.gifload_buffer(content, page=frame, access="sequential", fail_on="error")
    elif kind is formats.TIFF:
        _check_length(image, len(content))
        decoded = pyvips.Image.tiffload_buffer(content, access="sequential", fail_on="error")
    else:
        decoded = pyvips.Image.pngload_buffer(content, access="sequential", fail_on="error")
    kept = _KEPT_CHANNELS[image.mode] if kind is formats.TIFF else decoded.bands
    dtype: Any = np.uint8 if kind is formats.GIF else np.uint16
    # The header of a TIFF file may swap its sides, which libvips does and Pillow does when it loads.
    is_same_size = sorted((decoded.width, decoded.height)) == sorted(image.size)
    if not is_same_size or decoded.format != ("uchar" if kind is formats.GIF else "ushort") or decoded.bands < kept:
        raise ValueError("its headers contradict each other")
    shape = (decoded.height, decoded.width, decoded.bands)
    pixels: NDArray[Any] = np.frombuffer(decoded.write_to_memory(), dtype).reshape(shape)
    if kind is formats.GIF and kept % 2 == 0 and (pixels[:, :, -1] == 255).all():
        kept -= 1
    return pixels[:, :, :kept]


def _check_length(image: Any, length: int) -> None:
    """Refuses a TIFF file that is cut short, of which libvips would fill up what is missing."""
    for offsets, counts in zip(_OFFSETS, _COUNTS, strict=True):
        places = zip(image.tag_v2.get(offsets, ()), image.tag_v2.get(counts, ()), strict=False)
        if any(start + count > length for start, count in places):
            raise TruncatedError("it ends before its pixels do")
