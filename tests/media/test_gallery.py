"""Images that belong together."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import ImageSequence

from gansdk.errors import InputError, OptionError, OutputError, OutputExistsError, UsageError
from gansdk.media.gallery import MOST_PIXELS, Gallery, Texts, grid_size, most_in_grid


def gallery(count: int = 6, side: int = 60, channels: int = 3, **what) -> Gallery:
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, channels), dtype=np.uint8)
    return Gallery(pixels, **{"columns": 3, **what})


@pytest.mark.parametrize("channels", [1, 3])
def test_a_plain_grid_is_the_images_with_gaps_between(channels):
    shown = gallery(5, channels=channels)
    grid = shown.grid().pixels
    assert grid.shape == (122, 184, channels)
    for at, image in enumerate(shown.pixels):
        top, left = at // 3 * 62, at % 3 * 62
        np.testing.assert_array_equal(grid[top : top + 60, left : left + 60], image)
    assert (grid[60:62] == 255).all()
    assert (grid[62:, 124:] == 255).all()  # the last row is shorter


def test_its_images_can_be_taken_one_by_one():
    shown = gallery(4)
    assert isinstance(shown, Iterable)  # as type checkers ask
    for at, image in enumerate(shown):
        np.testing.assert_array_equal(image.pixels, shown.pixels[at])
    np.testing.assert_array_equal(shown[-1].pixels, shown.pixels[3])
    assert len(list(shown)) == 4


def test_labels_stand_beside_and_above_and_hide_no_image():
    shown = gallery(row_labels=["0", "1"], column_labels=["-2", "0", "2 and a long text"], corner="style.0")
    grid, plain = shown.grid().pixels, gallery().grid().pixels
    top, left = grid.shape[0] - plain.shape[0], 0
    while not np.array_equal(grid[top:, left : left + plain.shape[1]], plain):
        left += 1
        assert left < grid.shape[1]
    for margin in (grid[top:, :left], grid[:top, :left], grid[:top, left:]):
        assert margin.min() < 100  # black letters
    assert (grid[top:, left + plain.shape[1] :] == 255).all()


def test_small_images_are_enlarged_beside_labels():
    plain, labelled = gallery(1, side=8, columns=1), gallery(1, side=8, columns=1, column_labels=["a"])
    assert plain.grid().pixels.shape[:2] == (8, 8)
    shown = labelled.grid().pixels
    np.testing.assert_array_equal(shown[-56::7, :56:7], labelled.pixels[0])


def test_a_grid_too_large_to_be_looked_at_is_refused():
    side = 1024
    pixels = np.broadcast_to(np.zeros((1, 1, 1, 1), np.uint8), (MOST_PIXELS // side**2, side, side, 1))
    with pytest.raises(OutputError, match="too large to view"):
        Gallery(pixels, columns=8).grid()


def test_how_many_a_grid_holds_is_known_before_there_are_any():
    most = most_in_grid(28, 28)
    pixels = np.broadcast_to(np.zeros((1, 1, 1, 1), np.uint8), (most + 1, 28, 28, 1))
    assert Gallery(pixels[:most], 1, row_labels=[""] * most).grid().width == 56
    with pytest.raises(OutputError, match="too large to view"):
        Gallery(pixels, 1, row_labels=[""] * (most + 1)).grid()


@pytest.mark.parametrize("side", [8, 60])
@pytest.mark.parametrize(
    "texts",
    [
        ((), (), ""),
        (("0", "10"), (), ""),
        ((), ("a", "", "a long one"), "c"),
        (("0", "1"), ("-1", "0", "1"), "style.0"),
    ],
)
def test_the_size_of_a_grid_is_known_before_there_is_one(side, texts):
    shown = gallery(6, side, row_labels=texts[0], column_labels=texts[1], corner=texts[2]).grid()
    assert grid_size(side, side, (2, 3), Texts(*texts)) == (shown.width, shown.height)


def test_what_is_no_gallery_is_refused():
    with pytest.raises(InputError, match="are not images"):
        Gallery(np.zeros((2, 4, 4), np.uint8), 1)
    with pytest.raises(InputError, match="gallery has no images"):
        Gallery(np.zeros((0, 4, 4, 3), np.uint8), 1)


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_an_animation_shows_the_columns_there_and_back(tmp_path, ending):
    flat = np.repeat(np.array([0, 90, 180, 30, 120, 210], np.uint8), 60 * 60 * 3).reshape(6, 60, 60, 3)
    path = Gallery(flat, 3, column_labels=["a", "b", "c"]).save(tmp_path / f"x.{ending}", fps=5)
    with PILImage.open(path) as image:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
        assert image.info["loop"] == 0
        assert image.info["duration"] == 200
    assert [int(frame[-1, 0, 0]) for frame in frames] == pytest.approx([0, 90, 180, 90], abs=1)
    assert [int(frame[-1, -1, 0]) for frame in frames] == pytest.approx([30, 120, 210, 120], abs=1)


def test_arrays_come_back_as_they_were(tmp_path):
    shown = gallery(
        arrays={"class": np.arange(6), "style": np.eye(6, dtype=np.float32)}, notes={"generator": "sha256:1"}
    )
    shown.save(tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as kept:
        assert set(kept) == {"pixels", "class", "style", "generator"}
        np.testing.assert_array_equal(kept["pixels"], shown.pixels)
        np.testing.assert_array_equal(kept["style"], np.eye(6))
        assert str(kept["generator"]) == "sha256:1"
    shown.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "x.npz").read_bytes()


def test_a_folder_gets_each_alone(tmp_path):
    (tmp_path / "many").mkdir()
    shown = gallery(3, first=41)
    shown.save(tmp_path / "many")
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == ["000041.png", "000042.png", "000043.png"]
    with PILImage.open(tmp_path / "many" / "000042.png") as image:
        np.testing.assert_array_equal(np.asarray(image), shown.pixels[1])


def test_saving_says_what_is_wrong(tmp_path):
    with pytest.raises(OptionError, match="does not end in a format"):
        gallery().save(tmp_path / "x.bmp")
    with pytest.raises(UsageError, match="fsp"):
        gallery().save(tmp_path / "x.gif", fsp=3)
    (tmp_path / "x.npz").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        gallery().save(tmp_path / "x.npz")
    assert (tmp_path / "x.npz").read_bytes() == b"mine"


class Place(os.PathLike):
    """A path that is neither a text nor a Path."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


def test_any_path_is_taken(tmp_path):
    assert gallery(2).save(Place(f"{tmp_path}/new/")) == tmp_path / "new"
    assert sorted(one.name for one in (tmp_path / "new").iterdir()) == ["000000.png", "000001.png"]
    assert gallery(2).save(Place(tmp_path / "a.gif")) == tmp_path / "a.gif"


@pytest.mark.parametrize("kind", ["png", "gif", "webp", "npz"])
def test_a_file_object_takes_what_a_file_would(tmp_path, kind):
    gallery().save(tmp_path / f"a.{kind}")
    file = io.BytesIO()
    assert gallery().save(file, format=kind) is None
    assert file.getvalue() == gallery().to_bytes(kind) == (tmp_path / f"a.{kind}").read_bytes()
    with (tmp_path / f"named.{kind}").open("wb") as named:
        gallery().save(named)
    assert (tmp_path / f"named.{kind}").read_bytes() == file.getvalue()


@pytest.mark.parametrize(
    ("count", "side", "columns"), [(6, 60, 3), (3, 4, 1000), (20000, 8, 100), (400, 600, 400), (2, 6000, 2)]
)
def test_a_notebook_shows_it_however_many_there_are(count, side, columns):
    pixels = np.broadcast_to(np.zeros(1, np.uint8), (count, side, side, 1))
    labels = [str(at) * 30 for at in range(columns)]
    shown = Gallery(pixels, columns, row_labels=labels, column_labels=labels, corner="code")
    with PILImage.open(io.BytesIO(shown._repr_png_())) as image:
        assert max(image.size) <= 1024
