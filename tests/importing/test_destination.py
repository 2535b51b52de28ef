"""Where an imported model goes, and what is never replaced for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny

from gansdk.errors import OutputError, OutputExistsError
from gansdk.importing.destination import beside, destination


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("a/x4plus.pth", "a/x4plus"),
        ("SRGAN_x4.pth.tar", "SRGAN_x4"),
        ("net.v2.safetensors", "net.v2"),
        ("N.PTH", "N"),
        ("weights", "weights-model"),
        (".pth", ".pth-model"),
    ],
)
def test_without_a_folder_it_is_beside_the_file(file, folder):
    assert beside(Path(file)) == Path(folder)


@pytest.mark.parametrize("on_exists", ["error", "skip", "overwrite", "rename"])
def test_a_new_or_empty_folder_is_taken(on_exists, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new", "deep/er"):
        assert destination(tmp_path / name, on_exists) == tmp_path / name


def test_where_a_model_is_the_user_decides(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder)
    for name in ("README.md", "card-1.webp", "attributions.json"):
        (folder / name).write_text("of the format")
    with pytest.raises(OutputExistsError, match='m exists already; use on_exists="overwrite", "skip" or "rename"'):
        destination(folder, "error")
    assert destination(folder, "skip") is None
    assert destination(folder, "overwrite") == folder
    assert destination(folder, "rename") == tmp_path / "m-2"


@pytest.mark.parametrize("on_exists", ["error", "skip", "overwrite"])
@pytest.mark.parametrize("content", ["file", "photos", "model and more", "run"])
def test_anything_else_is_never_replaced(on_exists, content, tmp_path):
    folder = tmp_path / "m"
    if content == "file":
        folder.write_text("mine")
    elif content == "run":
        tiny.write(folder / "model")
        (folder / "train.json").write_text("{}")
    else:
        if content == "model and more":
            tiny.write(folder)
        folder.mkdir(exist_ok=True)
        (folder / "photo.jpg").write_text("mine")
    with pytest.raises(OutputExistsError, match="holds other things than a model; it stays as it is"):
        destination(folder, on_exists)
    assert destination(folder, "rename") == tmp_path / "m-2"


def test_a_place_that_cannot_be_written_is_known_before_anything_is_read(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file, so there can be no"):
        destination(tmp_path / "file" / "m", "error")
