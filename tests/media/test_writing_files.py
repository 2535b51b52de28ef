"""Where results go, and what is done where something stands already."""

from __future__ import annotations

import io

import pytest

from gansdk.errors import OutputError, OutputExistsError
from gansdk.media.writing import free_name, put, send


def new(file) -> None:
    file.write(b"new")


@pytest.fixture
def path(tmp_path):
    (tmp_path / "x.png").write_bytes(b"old")
    return tmp_path / "x.png"


def test_what_happens_where_something_stands(path, tmp_path):
    with pytest.raises(OutputExistsError, match="exists already") as caught:
        put(path, "error", new)
    assert 'on_exists="overwrite"' in caught.value.hint
    assert put(path, "skip", new) is None
    assert path.read_bytes() == b"old"
    assert put(path, "rename", new) == tmp_path / "x-2.png"
    assert put(path, "rename", new) == tmp_path / "x-3.png"
    assert free_name(path) == tmp_path / "x-4.png"
    assert free_name(tmp_path / "new.png") == tmp_path / "new.png"
    assert put(path, "overwrite", new) == path
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(("rule", "expected"), [("error", None), ("skip", b"meanwhile"), ("rename", b"meanwhile")])
def test_what_comes_while_it_is_written_stays(tmp_path, rule, expected):
    path = tmp_path / "x"

    def slowly(file) -> None:
        path.write_bytes(b"meanwhile")
        file.write(b"new")

    if expected is None:
        with pytest.raises(OutputExistsError):
            put(path, rule, slowly)
    else:
        place = put(path, rule, slowly)
        assert place == (None if rule == "skip" else tmp_path / "x-2")
    assert path.read_bytes() == b"meanwhile"


def test_a_failed_writing_leaves_what_was_there(path, tmp_path):
    def failing(file) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        put(path, "overwrite", failing)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_stream_gets_all_or_nothing():
    stream = io.BytesIO()
    send(stream, new, "x")
    assert stream.getvalue() == b"new"

    def failing(file) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="cannot write x: No space left"):
        send(stream, failing, "x")
    assert stream.getvalue() == b"new"
