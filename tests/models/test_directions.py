"""Stored directions: written beside the weights, held strictly against the facts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sketch
import tiny
import torch
from safetensors.torch import load_file, save_file

from gansdk import Direction, write_directions
from gansdk.errors import ModelError, NotApplicableError
from gansdk.files import sha256
from gansdk.model.config import check_folder, read_config
from gansdk.models.directions import read_directions
from gansdk.models.loading import fingerprint, load_model
from gansdk.models.resolved import ResolvedModel

SMILE = Direction(name="smile", unit="of a standard deviation", sweep=(-1, 2))
TILT = Direction(name="tilt", unit="of ten degrees")
VECTORS = {"smile": {"noise": [1.0, 0, 0, -1], "style": [0.5, 0]}, "tilt": {"style": [0, 1.0]}}


@pytest.fixture
def folder(tmp_path):
    sketch.write(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def directed(folder):
    write_directions(folder, [SMILE, TILT], VECTORS)
    return folder


def read(folder):
    config = read_config(folder)
    check_folder(folder, config)
    return read_directions(folder, config)


def rewrite(folder, change):
    """Changes the vectors and the digest with them, so that only the change itself is wrong."""
    tensors = load_file(folder / "directions.safetensors")
    change(tensors)
    save_file(tensors, folder / "directions.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["files"]["directions.safetensors"] = sha256(folder / "directions.safetensors")
    (folder / "config.json").write_text(json.dumps(config))


def test_any_path_names_the_model(folder):
    assert write_directions(str(folder), [TILT], {"tilt": VECTORS["tilt"]}) == read_config(folder)


def test_what_is_written_is_read(directed):
    found = read(directed)
    assert {
        name: {variable: vector.tolist() for variable, vector in own.items()} for name, own in found.items()
    } == VECTORS
    assert read_config(directed).facts.generator.directions == (SMILE, TILT)
    assert set(load_file(directed / "directions.safetensors")) == {"smile/noise", "smile/style", "tilt/style"}


def test_a_model_has_the_directions_that_were_written_last(directed):
    before = read_config(directed)
    write_directions(directed, [TILT], {"tilt": {"noise": np.ones(4, np.float64)}})
    assert set(read(directed)) == {"tilt"}
    written = write_directions(directed, [], {})
    assert written == read_config(directed)
    assert read(directed) == {}
    assert not (directed / "directions.safetensors").exists()
    assert written.files == {name: digest for name, digest in before.files.items() if name == "model.safetensors"}


def test_a_model_without_any_has_none(folder):
    assert read(folder) == {}


def test_latents_stay_valid(folder):
    def identity():
        return fingerprint(load_model(ResolvedModel.at(folder, sketch.METHOD)))

    before = identity()
    write_directions(folder, [SMILE, TILT], VECTORS)
    assert identity() == before


WRONG = {
    "missing": (lambda found: found.pop("tilt/style"), "'tilt' has no vector"),
    "unexpected": (lambda found: found.update({"lean/style": torch.ones(2)}), "'lean/style' does not name a direction"),
    "no variable": (
        lambda found: found.update({"smile/hair": torch.ones(2)}),
        "'smile/hair' does not name a direction",
    ),
    "no slash": (lambda found: found.update({"smile": torch.ones(2)}), "'smile' does not name a direction"),
    "category": (lambda found: found.update({"smile/class": torch.ones(3)}), "'smile/class' moves a category"),
    "shape": (
        lambda found: found.update({"tilt/style": torch.ones(3)}),
        "torch.float32 3, style has 2",
    ),
    "rank": (lambda found: found.update({"tilt/style": torch.ones(1, 2)}), "'tilt/style' is torch.float32 1×2"),
    "whole": (lambda found: found.update({"tilt/style": torch.ones(2, dtype=int)}), "'tilt/style' is torch.int64 2"),
    "nan": (lambda found: found["tilt/style"].fill_(torch.nan), "'tilt/style' holds NaN or infinity"),
    "huge": (lambda found: found.update({"tilt/style": torch.full((2,), 1e300, dtype=torch.float64)}), "or infinity"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_file_that_does_not_fit_the_facts_is_refused(directed, fault):
    change, said = WRONG[fault]
    rewrite(directed, change)
    with pytest.raises(ModelError, match="do not fit the model") as caught:
        read(directed)
    assert said in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", ["deleted", "another", "cut"])
def test_a_file_that_is_not_the_one_that_was_written_is_refused(directed, fault):
    path = directed / "directions.safetensors"
    if fault == "deleted":
        path.unlink()
    elif fault == "another":
        save_file({"smile/noise": torch.ones(4)}, path)
    else:
        path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ModelError, match=r"directions\.safetensors"):
        read(directed)


def test_names_and_file_come_together(directed):
    config = json.loads((directed / "config.json").read_text())
    named = config["files"].pop("directions.safetensors")
    (directed / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"directions\.safetensors is not among the files"):
        read(directed)
    config["files"]["directions.safetensors"] = named
    config["facts"]["generator"]["directions"] = []
    (directed / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="the facts name no direction"):
        read(directed)


def called(name):
    return Direction(name=name, unit="of one")


UNWRITABLE = {
    "a part's name": ([called("style")], {"style": {"style": [1.0, 0]}}, "style names a direction and something else"),
    "twice": ([called("lean"), called("lean")], {"lean": {"style": [1.0, 0]}}, "lean names a direction and"),
    "no vector": ([called("lean")], {}, "'lean' has no vector"),
    "no name": ([], {"lean": {"style": [1.0, 0]}}, "'lean/style' does not name a direction"),
    "shape": ([called("lean")], {"lean": {"style": [1.0]}}, "style has 2 numbers"),
}


@pytest.mark.parametrize("fault", UNWRITABLE)
def test_what_does_not_fit_is_never_written(directed, fault):
    before = {path.name: path.read_bytes() for path in directed.iterdir()}
    directions, vectors, said = UNWRITABLE[fault]
    with pytest.raises(ModelError, match=said):
        write_directions(directed, directions, vectors)
    assert {path.name: path.read_bytes() for path in directed.iterdir()} == before


def test_a_model_without_a_latent_can_have_none(tmp_path):
    tiny.write(tmp_path / "model")
    with pytest.raises(NotApplicableError, match="does not start from a latent"):
        write_directions(tmp_path / "model", [SMILE], {"smile": {"noise": [1.0] * 4}})


@pytest.mark.parametrize("sweep", [(1, 1), (2, -2), (0, float("nan")), (0, float("inf"))])
def test_a_sweep_goes_up(sweep):
    with pytest.raises(ValueError, match=r"not up|finite"):
        Direction(name="lean", unit="of one", sweep=sweep)
