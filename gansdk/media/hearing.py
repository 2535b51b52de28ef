"""What libraries say by Python warnings, caught so that it reaches whoever reads notes and nobody else."""

from __future__ import annotations

import re
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEARING = threading.RLock()


@contextmanager
def heard() -> Iterator[list[str]]:
    """Catches the Python warnings of a block and gives their texts once it has ended well.

    The filters of :mod:`warnings` belong to the whole process, hence the lock: two threads that caught warnings at
    once would leave the filters of one of them behind.
    """
    from PIL.Image import DecompressionBombWarning

    texts: list[str] = []
    with _HEARING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
        unheard = (DecompressionBombWarning, DeprecationWarning, ResourceWarning)
        found = [str(one.message) for one in caught if not issubclass(one.category, unheard)]
        texts += [re.sub(r"\s+", " ", text)[:160].strip().rstrip(".") for text in found]
