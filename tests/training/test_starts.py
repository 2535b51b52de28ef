"""A training that goes on from a model: which one, what it keeps of it, and that it is the same when it resumes."""

import adversary
import pytest
import torch
from adversary import write_images
from safetensors.torch import load_file
from trainings import METHODS, stop_at, train

from gansdk.errors import InputError, TrainingError, UsageError
from gansdk.model.config import read_config
from gansdk.training import trainer

GOING_ON = adversary.method("GoingOn", "GoingOnOptions")


def test_a_model_with_both_ends_is_measured_beside_its_start(tmp_path, photos):
    train(tmp_path / "first", photos)
    held_out = str(write_images(tmp_path / "held-out", seed=5))
    start = str(tmp_path / "first") + "/"
    finished = train(
        tmp_path / "second", photos, method=GOING_ON, options={"start": start}, tests={"held-out": held_out}
    )
    again = train(tmp_path / "alone", photos, options={"steps": 6}, tests={"held-out": held_out})
    measured, alone = finished.evaluation.measurements[0], again.evaluation.measurements[0]
    assert measured.baseline.values == pytest.approx(alone.values)  # the first run again
    assert measured.difference.value == pytest.approx(measured.value - measured.baseline.value)
    assert "other end" in finished.evaluation.baseline
    assert again.evaluation.baseline.startswith("none:")


def go_on(run, photos, start):
    train(run, photos, method=GOING_ON, options={"start": str(start), "steps": 2})


def test_a_stage_goes_on_from_a_model_and_carries_both_ends(tmp_path, photos):
    train(tmp_path / "first", photos)
    go_on(tmp_path / "second", photos, tmp_path / "first")
    config = read_config(tmp_path / "second" / "model")
    assert config.checkpoints == {"0": "initial.safetensors", "1": "model.safetensors"}
    digest = read_config(tmp_path / "first" / "model").files["model.safetensors"]
    assert config.trained.dependencies == {"start": digest}
    first = load_file(tmp_path / "first" / "model" / "model.safetensors")
    start = load_file(tmp_path / "second" / "model" / "initial.safetensors")
    assert first.keys() == start.keys()
    assert all(torch.equal(first[key], start[key]) for key in first)


def test_resuming_needs_the_same_start(tmp_path, photos):
    train(tmp_path / "first", photos)
    go_on(tmp_path / "second", photos, tmp_path / "first")
    trainer.resume(tmp_path / "first", methods=METHODS, steps=7)
    with pytest.raises(TrainingError, match="'start', which the run depends on, has changed"):
        trainer.resume(tmp_path / "second", methods={"tiny": GOING_ON}, steps=3)


def test_a_start_must_be_named_exist_and_be_of_the_same_method(tmp_path, photos):
    with pytest.raises(UsageError, match="continues from another model"):
        go_on(tmp_path / "run", photos, "")
    with pytest.raises(InputError, match="no folder"):
        go_on(tmp_path / "run", photos, tmp_path / "nothing")
    with pytest.raises(UsageError, match="is a model of 'srgan', and this training starts from one of 'tiny'"):
        go_on(tmp_path / "run", photos, "builtin:srresnet-x4")
    assert not (tmp_path / "run").exists()


def test_the_licence_is_that_of_the_start_unless_another_is_stated(tmp_path, photos):
    train(tmp_path / "first", photos, licence="CC-BY-4.0")
    notes, start = [], str(tmp_path / "first")
    options = {"start": start, "steps": 2}
    train(tmp_path / "second", photos, method=GOING_ON, options=options, note=notes.append)
    assert read_config(tmp_path / "second" / "model").licence == "CC-BY-4.0"
    assert notes[0].startswith(f"the licence is CC-BY-4.0, as of {start}; ")
    train(tmp_path / "third", photos, method=GOING_ON, options=options, licence="MIT")
    assert read_config(tmp_path / "third" / "model").licence == "MIT"


def test_a_start_that_is_not_finished_is_pointed_out(tmp_path, photos):
    notes = []
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "first", photos, progress=stop_at(2))
    options = {"start": str(tmp_path / "first"), "steps": 2}
    train(tmp_path / "second", photos, method=GOING_ON, options=options, note=notes.append)
    assert notes[0] == f"the training of {tmp_path / 'first'}, which this one starts from, stopped at step 2 of 6"


def test_a_licence_can_be_stated_later(tmp_path, photos):
    notes, run = [], tmp_path / "run"
    train(run, photos, note=notes.append)
    assert notes[0].startswith("no licence is stated")
    weights = (run / "model" / "model.safetensors").read_bytes()
    trainer.resume(run, methods=METHODS, licence="CC0-1.0")
    assert read_config(run / "model").licence == "CC0-1.0"
    assert (run / "model" / "model.safetensors").read_bytes() == weights
    trainer.resume(run, methods=METHODS, steps=7)
    assert read_config(run / "model").licence == "CC0-1.0"
