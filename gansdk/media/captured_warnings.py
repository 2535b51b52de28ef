"""What libraries say by Python warnings, caught so that it reaches whoever reads notes and nobody else."""

from __future__ import annotations

import ctypes
import logging
import re
import threading
import warnings
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


_HEARING = threading.RLock()


@contextmanager
def heard() -> Iterator[list[str]]:
    """Catches the Python warnings of a block and gives their texts once it has ended well.

    The filters of :mod:`warnings` belong to the whole process, hence the lock: two threads that caught warnings at
    once would leave the filters of one of them behind. What other threads warn of meanwhile, a network being computed
    beside this, goes the way that it went before.
    """
    from PIL.Image import DecompressionBombWarning

    unheard = (DecompressionBombWarning, DeprecationWarning, ResourceWarning)
    texts: list[str] = []
    caught: list[str] = []
    here = threading.get_ident()
    with _HEARING, warnings.catch_warnings():
        warnings.simplefilter("always")
        elsewhere = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
            if issubclass(category, unheard):
                return
            if threading.get_ident() == here:
                caught.append(str(message))
            else:
                elsewhere(message, category, *place)

        warnings.showwarning = show  # type: ignore[assignment]  # its last parameters are handed on as they are
        yield texts
        texts += [re.sub(r"\s+", " ", text)[:160].strip().rstrip(".") for text in caught]


@lru_cache(maxsize=1)
def silence_libtiff() -> None:
    """Lets reading a TIFF file print no lines of its own on stderr; what is found wrong, Pillow raises anyway.

    Pillow switches off libtiff's warnings and leaves its errors. Where it is linked without symbols, they stay. What
    Pillow itself logs, only a program hears that has set up logging.
    """
    from PIL import _imaging

    logging.getLogger("PIL").addHandler(logging.NullHandler())
    with suppress(OSError, AttributeError):
        handler: Any = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        handler(None)
