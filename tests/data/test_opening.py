"""Data sets by name and by path; a small named one is a few real files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from gansdk import DataSplit, InputError, NamedDataset, PluginError, UnknownNameError, array_digest, open_data
from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.data.opening import find_data

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([1, 0, 1], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def named(**changes) -> NamedDataset:
    parts = {
        name: DataSplit({"images": f"{name}-i", "labels": f"{name}-l"}, 3, array_digest(arrays))
        for name, arrays in {
            "train": {"images": IMAGES, "labels": LABELS},
            "test": {"images": IMAGES[::-1], "labels": LABELS[::-1]},
        }.items()
    }
    fields = {
        "name": "dots",
        "summary": "three dots",
        "licence": "CC0-1.0",
        "author": "nobody",
        "splits": parts,
        "classes": ("no", "yes"),
        "route": "fetch FOLDER dots",
        "reader": "gansdk.data.mnist:read_idx_files",
    }
    return NamedDataset(**fields | changes)


DOTS = {"dots": named()}


def test_a_path_by_its_type_is_a_folder_also_where_a_name_is_alike(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANSDK_DATA", raising=False)
    (tmp_path / "dots").mkdir()
    PILImage.fromarray(IMAGES[0]).save(tmp_path / "dots" / "a.png")
    assert find_data(Path("dots"), DOTS).data.names == ("a.png",)
    with pytest.raises(InputError, match="dots is not here"):
        find_data("dots", DOTS)


@pytest.fixture
def data(tmp_path: Path, monkeypatch) -> Path:
    """$GANSDK_DATA with the set in it."""
    folder = tmp_path / "data" / "dots"
    folder.mkdir(parents=True)
    for name, step in (("train", 1), ("test", -1)):
        (folder / f"{name}-i").write_bytes(idx(IMAGES[::step]))
        (folder / f"{name}-l").write_bytes(idx(LABELS[::step]))
    monkeypatch.setenv("GANSDK_DATA", str(folder.parent))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize(
    ("text", "place", "step"),
    [("dots", "dots:train", 1), ("dots:train", "dots:train", 1), ("dots:test", "dots:test", -1)],
)
def test_a_name_means_its_first_split_or_the_one_that_is_named(data: Path, text: str, place: str, step: int) -> None:
    found = find_data(text, DOTS)
    assert found.place == place
    images = found.data
    np.testing.assert_array_equal(images.images, IMAGES[::step, ..., None])
    assert images.labels.tolist() == LABELS[::step].tolist()
    assert images.labels.dtype == np.int64
    assert images.classes == ("no", "yes")
    assert (images.name, images.licence, len(images)) == (place, "CC0-1.0", 3)
    assert images.digest == DOTS["dots"].splits[place.partition(":")[2]].digest
    assert images.attributions[0].author == "nobody"


def test_gzipped_files_give_the_same(data: Path) -> None:
    plain = find_data("dots", DOTS).data
    for path in list(data.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    np.testing.assert_array_equal(find_data("dots", DOTS).data.images, plain.images)


def test_a_systems_folder_is_looked_into_after_the_users(data: Path, tmp_path: Path, monkeypatch) -> None:
    elsewhere = {"dots": named(folders=(tmp_path / "system",))}
    data.rename(tmp_path / "system")
    assert len(find_data("dots:test", elsewhere).data) == 3
    monkeypatch.delenv("GANSDK_DATA")
    assert len(find_data("dots:test", elsewhere).data) == 3


def test_a_name_means_the_same_wherever_one_stands(data: Path, tmp_path: Path) -> None:
    (tmp_path / "dots").mkdir()
    PILImage.new("RGB", (5, 4)).save(tmp_path / "dots" / "a.png")
    assert find_data("dots", DOTS).place == "dots:train"
    found = find_data("./dots", DOTS)
    assert found.place == str(tmp_path.resolve() / "dots")
    assert found.data.names == ("a.png",)


def test_a_path_is_found_again_from_another_folder(data: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "photos").mkdir()
    PILImage.new("RGB", (5, 4)).save(tmp_path / "photos" / "a.png")
    place = find_data("photos", DOTS).place
    monkeypatch.chdir("/")
    assert find_data(place, DOTS).data.names == ("a.png",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dot", "there is no folder, zip archive or data set 'dot'; did you mean dots?"),
        ("DOTS", "there is no folder, zip archive or data set 'DOTS'; did you mean dots?"),
        ("dts:test", "there is no folder, zip archive or data set 'dts:test'; did you mean dots?"),
        ("landscape", "there is no folder, zip archive or data set 'landscape'; data sets by name: dots"),
        ("w" * 300, f"there is no folder, zip archive or data set '{'w' * 300}'; data sets by name: dots"),
        ("./dots", "there is no folder or zip archive dots; give a folder of images"),
        ("some/dots", "there is no folder or zip archive some/dots; give a folder of images"),
    ],
)
def test_what_is_neither_is_answered_with_what_may_be_meant(data: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        find_data(text, DOTS)
    assert str(caught.value) == said


def test_an_unknown_split_is_answered_with_the_near_ones(data: Path) -> None:
    with pytest.raises(UnknownNameError, match="there is no split of dots 'tset'; did you mean test"):
        find_data("dots:tset", DOTS)
    with pytest.raises(UnknownNameError, match="there is no split of dots 'val'; it has train, test"):
        find_data("dots:val", DOTS)


def test_a_missing_file_says_what_gets_it(data: Path, monkeypatch) -> None:
    (data / "train-l").unlink()
    with pytest.raises(InputError) as caught:
        find_data("dots", DOTS)
    assert str(caught.value) == f"there is no file {data / 'train-l'}; get it: fetch {data.parent} dots"
    for path in data.iterdir():
        path.unlink()
    with pytest.raises(InputError) as caught:
        find_data("dots", DOTS)
    assert str(caught.value) == f"dots is not in {data}; get it: fetch {data.parent} dots"
    monkeypatch.delenv("GANSDK_DATA")
    with pytest.raises(InputError) as caught:
        find_data("dots", DOTS)
    what = "dots is not here: GANSDK_DATA is not set"
    assert str(caught.value) == f"{what}; get it: fetch FOLDER dots; export GANSDK_DATA=FOLDER"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("train-i", idx(IMAGES)[:-1], "train-i is cut short: it has 59 of 60 values"),
        ("train-i", idx(IMAGES[:2]), "dots:train in {} has 2 images instead of 3"),
        ("train-l", idx(LABELS[:2]), "dots:train in {} has 2 labels instead of 3"),
        ("train-i", idx(IMAGES + 1), "dots:train in {} holds something else than it should (its digest differs)"),
        ("train-l", idx(1 - LABELS), "dots:train in {} holds something else than it should (its digest differs)"),
        ("train-l", idx(IMAGES[:, 0, 0]), "dots:train in {} holds something else than it should (its digest differs)"),
        ("train-i", b"<html>not found</html>", "train-i is not an IDX file"),
    ],
)
def test_damage_is_one_line_with_the_way_out(data: Path, file: str, content: bytes, said: str) -> None:
    (data / file).write_bytes(content)
    with pytest.raises(InputError) as caught:
        find_data("dots", DOTS)
    assert said.format(data) in caught.value.message
    assert caught.value.hint == f"get it again: fetch {data.parent} dots"
    assert len(find_data("dots:test", DOTS).data) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Not A Name"}, "data set name 'Not A Name' is not lower-case"),
        ({"licence": ""}, "data set 'dots' states no licence; write 'unstated'"),
        ({"splits": {}}, "data set 'dots' has no splits"),
        ({"splits": {"a:b": MNIST.splits["test"]}}, "split name 'a:b' is not lower-case"),
    ],
)
def test_a_declaration_that_could_not_be_typed_is_refused(changes, said: str) -> None:
    with pytest.raises(PluginError, match=said):
        named(**changes)


@pytest.mark.parametrize("dataset", [MNIST, FASHION_MNIST], ids=lambda one: one.name)
def test_the_cores_sets_are_what_their_authors_published(dataset: NamedDataset) -> None:
    """Counts and statistics are the published ones: of MNIST's classes, and of both sets' pixels."""
    try:
        train, test = open_data(dataset.name), open_data(f"{dataset.name}:test")
    except InputError as error:
        pytest.skip(str(error))
    assert train.images.shape == (60_000, 28, 28, 1)
    assert test.images.shape == (10_000, 28, 28, 1)
    mean, deviation = {"mnist": (0.1307, 0.3081), "fashion-mnist": (0.2860, 0.3530)}[dataset.name]
    pixels = train.images / np.float32(255)
    assert float(pixels.mean()) == pytest.approx(mean, abs=5e-5)
    assert float(pixels.std()) == pytest.approx(deviation, abs=5e-5)
    counts = {"mnist": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], "fashion-mnist": [6000] * 10}
    assert np.bincount(train.labels).tolist() == counts[dataset.name]
    assert len(train.classes) == 10
