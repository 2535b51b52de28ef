"""IDX files, written here byte by byte as their specification says."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gansdk.data.mnist import read_idx
from gansdk.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def packed(values: bytes, *shape: int, kind: int = 0x08) -> bytes:
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + values


TWO = packed(bytes(range(12)), 2, 3, 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_values_come_in_their_order_and_shape(path: Path, pack) -> None:
    path.write_bytes(pack(TWO))
    array = read_idx(path)
    assert array.dtype == np.uint8
    assert array.tolist() == [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]


def test_a_file_without_items_is_empty(path: Path) -> None:
    path.write_bytes(packed(b"", 0, 28, 28))
    assert read_idx(path).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not an IDX file"),
        (b"\x89PNG\r\n\x1a\n", "is not an IDX file"),
        (bytes([0, 0, 8, 0]), "is not an IDX file"),
        (bytes([0, 0, 8, 5]) + bytes(40), "is not an IDX file"),
        (packed(bytes(16), 4, kind=0x0D), "holds values of type 0x0D, not unsigned bytes"),
        (TWO[:9], "is cut short"),
        (TWO[:-1], "is cut short: it has 11 of 12 values"),
        (TWO + b"\0", "is longer than its head says"),
        (gzip.compress(TWO, mtime=0)[:-12], "is cut short"),
        (gzip.compress(TWO[:-1], mtime=0), "is cut short: it has 11 of 12 values"),
        (gzip.compress(TWO, mtime=0)[:-8] + bytes(8), "is damaged: CRC check failed"),
        (gzip.compress(TWO, mtime=0)[:12] + bytes(20), "is damaged"),
        (packed(b"", 2**32 - 1, 2**32 - 1, 2**32 - 1, 2**32 - 1), "more than 1024 MB"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_idx(path)
    assert str(path) in caught.value.message
    assert said in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_what_a_head_claims_takes_no_memory(path: Path) -> None:
    path.write_bytes(packed(b"\0", 2**30))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="it has 1 of 1073741824 values"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*file"):
        read_idx(path)
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_idx(path)
