"""The data sets of a run: by which names, with what in them, and the same when it resumes."""

import json
import os
import struct
from functools import partial
from pathlib import Path

import adversary
import numpy as np
import pytest
from adversary import write_images
from trainings import METHODS, assert_same_run, stop_at, train

from gansdk import DataSplit, NamedDataset, array_digest
from gansdk.data.opening import find_data
from gansdk.errors import InputError, TrainingError
from gansdk.model.config import read_attributions, read_config
from gansdk.training import trainer


def test_data_without_a_name_is_the_recipes_first(tmp_path, photos):
    train(tmp_path / "run", photos, data={"": photos})
    assert list(json.loads((tmp_path / "run" / "train.json").read_text())["data"]) == ["photos"]


def test_empty_data_leaves_no_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images"):
        train(tmp_path / "run", str(tmp_path / "empty"))
    assert not (tmp_path / "run").exists()


def test_resuming_needs_the_same_data(tmp_path, photos):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, tests={"held-out": photos}, progress=stop_at(2))
    write_images(tmp_path / "photos", seed=5)
    with pytest.raises(TrainingError, match=r"data set 'photos' at .* has changed since the run began"):
        trainer.resume(tmp_path / "run", methods=METHODS)
    for image in (tmp_path / "photos").iterdir():
        image.unlink()
    with pytest.raises(InputError, match="holds no images"):
        trainer.resume(tmp_path / "run", methods=METHODS)


def test_resuming_needs_the_same_test_data(tmp_path, photos):
    held_out = write_images(tmp_path / "held-out", seed=1)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, tests={"photos": str(held_out)}, progress=stop_at(2))
    write_images(held_out, seed=2)
    with pytest.raises(TrainingError, match=r"data set 'photos' at .*/held-out has changed"):
        trainer.resume(tmp_path / "run", methods=METHODS)


class Place(os.PathLike):
    """A path that is neither a text nor a Path."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Training on a data set by its name, whose only file is $GANSDK_DATA/dots/images."""
    images = np.random.default_rng(0).integers(0, 256, (5, adversary.SIDE, adversary.SIDE), np.uint8)
    dots = NamedDataset(
        name="dots",
        summary="noise",
        licence="CC0-1.0",
        author="Jo Doe",
        splits={"all": DataSplit({"images": "images"}, len(images), array_digest({"images": images}))},
        route="fetch FOLDER dots",
        reader="gansdk.data.mnist:read_idx_files",
    )
    path = tmp_path / "data" / "dots" / "images"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *images.shape) + images.tobytes())
    monkeypatch.setenv("GANSDK_DATA", str(tmp_path / "data"))
    return path, {
        "method": adversary.method("FromImages"),
        "data": {"": "dots"},
        "open_data": partial(find_data, named={"dots": dots}),
    }


def test_a_path_by_its_type_is_a_folder_whatever_its_name(tmp_path, named, photos, monkeypatch):
    _, how = named
    Path(photos).rename(tmp_path / "dots")
    monkeypatch.chdir(tmp_path)
    train(Place(tmp_path / "run"), "", data={"": Place("dots")}, open_data=how["open_data"])
    recorded = json.loads((tmp_path / "run" / "train.json").read_text())["data"]["photos"]
    assert recorded["path"] == str(tmp_path / "dots")


def test_a_run_on_a_named_data_set_says_so_and_is_resumed_exactly(tmp_path, named, monkeypatch):
    path, how = named
    train(tmp_path / "whole", "", **how)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves", "", **how, progress=stop_at(3))
    path.parent.parent.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("GANSDK_DATA", str(tmp_path / "elsewhere"))
    methods = {"tiny": how["method"]}
    trainer.resume(tmp_path / "halves", methods=methods, open_data=how["open_data"])
    assert_same_run(tmp_path / "whole", tmp_path / "halves")
    recorded = json.loads((tmp_path / "whole" / "train.json").read_text())["data"]["photos"]
    assert recorded["path"] == "dots:all"
    (data,) = read_config(tmp_path / "whole" / "model").trained.data
    assert (data.name, data.licence, data.items) == ("dots:all", "CC0-1.0", 5)
    assert data.digest == recorded["data"]["digest"]
    (credit,) = read_attributions(tmp_path / "whole" / "model").data["dots:all"]
    assert (credit.author, credit.licence) == ("Jo Doe", "CC0-1.0")


def test_a_named_data_set_that_is_damaged_stops_training_before_it_begins(tmp_path, named):
    path, how = named
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"images is cut short: it has 319 of 320 values; get it again: fetch .* dots"):
        train(tmp_path / "run", "", **how)
    assert not (tmp_path / "run").exists()


def test_labels_that_a_recipe_needs_and_the_data_lacks_are_one_line(tmp_path, photos, named):
    _, how = named
    method = adversary.method("FromLabelled")
    with pytest.raises(InputError, match="dots:all has no labels; put the images of each class into a sub-folder"):
        train(tmp_path / "run", "", **how | {"method": method})
    with pytest.raises(InputError, match="photos has no labels"):
        train(tmp_path / "run", photos, method=method)
    for index, image in enumerate(sorted((tmp_path / "photos").iterdir())):
        (tmp_path / "photos" / f"class {index % 2}").mkdir(exist_ok=True)
        image.rename(tmp_path / "photos" / f"class {index % 2}" / image.name)
    assert train(tmp_path / "run", photos, method=method).steps == 6
