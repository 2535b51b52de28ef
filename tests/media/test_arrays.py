"""Files of arrays that may come from a stranger."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from gansdk.errors import InputError
from gansdk.media import records
from gansdk.media.records import read_arrays, write_arrays


def test_numpy_reads_what_is_written_and_the_other_way_round(tmp_path):
    known = {"a": np.arange(6).reshape(2, 3), "b": np.array("text"), "c": np.zeros((0, 4), np.float32)}
    with (tmp_path / "x.npz").open("wb") as file:
        write_arrays(known, file)
    with np.load(tmp_path / "x.npz") as kept:
        theirs = dict(kept)
    np.savez_compressed(tmp_path / "y.npz", **known)
    ours = read_arrays(tmp_path / "y.npz")
    for name, array in known.items():
        for found in (theirs[name], ours[name]):
            assert found.dtype == array.dtype
            assert found.shape == array.shape
            np.testing.assert_array_equal(found, array)


def archive(path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", content)


def header(shape, version=(1, 0)) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.zeros(2), version=version)
    return file.getvalue().replace(b"(2,)", shape)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no array", "magic string"),
        (header(b"(9999999,)"), "larger than it is"),
        (header(b"(2,)")[:-1], "larger than it is|EOF|read all data"),
        (header(b"(2,)", (3, 0)), r"format 3\.0"),
    ],
)
def test_damaged_arrays_are_refused(tmp_path, content, said):
    archive(tmp_path / "x.npz", content)
    with pytest.raises(InputError, match=said):
        read_arrays(tmp_path / "x.npz")


def test_pickles_are_not_opened(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([{"run": "me"}], object))
    with pytest.raises(InputError, match="not a complete"):
        read_arrays(tmp_path / "x.npz")


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros(10_000))
    monkeypatch.setattr(records, "MOST_BYTES", 10_000)
    with pytest.raises(InputError, match="unpacks to more"):
        read_arrays(tmp_path / "x.npz")
