"""One sitting of a run: what it writes, when, and that nothing of it shows in the training."""

import json
import pickle
import struct

import adversary
import pytest
import torch
from adversary import METHOD
from trainings import METHODS, Notes, metrics, state, train

from gansdk.errors import TrainingError
from gansdk.model.config import Credit, check_folder, read_attributions, read_config
from gansdk.model.tensors import read_header
from gansdk.models.loading import load_model
from gansdk.models.resolved import ResolvedModel
from gansdk.training import trainer


def test_what_is_written_between_steps_does_not_change_the_training(tmp_path, photos):
    train(tmp_path / "often", photos, log_every=1, samples_every=1, checkpoint_every=1)
    train(tmp_path / "seldom", photos, log_every=9, samples_every=0, checkpoint_every=9)
    often, seldom = state(tmp_path / "often")[0], state(tmp_path / "seldom")[0]
    assert all(torch.equal(often[key], seldom[key]) for key in often)
    assert not list((tmp_path / "seldom" / "samples").iterdir())


def test_a_loss_that_explodes_leaves_the_last_whole_checkpoint(tmp_path, photos):
    run = tmp_path / "run"
    with pytest.raises(TrainingError, match=r"the term discriminator/real is nan at step 4"):
        train(run, photos, method=adversary.method("Exploding"), log_every=2, samples_every=0, checkpoint_every=3)
    assert state(run)[1]["step"] == 3
    check_folder(run / "model", read_config(run / "model"))


def test_a_fixed_network_that_changes_is_an_error(tmp_path, photos):
    with pytest.raises(TrainingError, match="calls fixed has changed"):
        train(tmp_path / "run", photos, method=adversary.method("Meddling"))


def test_the_model_holds_the_averaged_weights_and_how_they_came_to_be(tmp_path, photos):
    run = tmp_path / "run"
    train(run, photos, tests={"held-out": photos}, licence="CC0-1.0", summary="a test", seed=3)
    config = read_config(run / "model")
    tensors = state(run)[0]
    network = load_model(ResolvedModel.at(run / "model", METHOD)).networks["generator"].state_dict()
    for key in network:
        averaged = tensors.get(f"average/generator/generator.{key}")
        assert torch.equal(network[key], averaged if averaged is not None else tensors[f"module/generator/0/{key}"])
    assert not torch.equal(network["0.weight"], tensors["module/generator/0/0.weight"])
    assert (config.summary, config.licence, config.network) == ("a test", "CC0-1.0", {"width": 4})
    made = config.trained
    assert (made.recipe, made.config, made.seed, made.steps) == ("adversary:Recipe", "small", 3, 6)
    assert made.options == {"steps": 6, "width": 4, "gan": 0.1, "noise": 0.1}
    assert [(data.name, data.items) for data in made.data] == [("photos", 3)]


def test_whose_images_it_was_trained_on_goes_into_the_model(tmp_path, photos):
    credit = {"licence": "CC-BY-4.0", "author": "Jo Doe", "source": "there"}
    (tmp_path / "photos" / "LICENCES.json").write_text(json.dumps({"images": {"1.png": credit}}))
    train(tmp_path / "run", photos)
    (known,) = read_attributions(tmp_path / "run" / "model").data["photos"]
    assert known == Credit(item="1.png", **credit)
    assert "attributions.json" in read_config(tmp_path / "run" / "model").files


def test_a_finished_run_is_not_measured_twice(tmp_path, photos):
    run = tmp_path / "run"
    finished = train(run, photos, tests={"held-out": photos})
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != ".lock"}
    notes = Notes()
    again = trainer.resume(run, methods=METHODS, note=notes.append)
    assert again.evaluation == finished.evaluation
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.name != ".lock"}
    assert "has taken all its 6 steps" in notes[0]


def test_there_is_a_model_before_the_first_step(tmp_path, photos):
    seen = []

    def look(at):
        if at.step == 1:
            seen.append(read_config(tmp_path / "run" / "model").trained.steps)

    train(tmp_path / "run", photos, progress=look)
    assert seen == [0]


def test_an_ablation_is_the_run_whose_weight_is_zero(tmp_path, photos):
    train(tmp_path / "zero", photos, options={"gan": 0})
    notes = Notes()
    train(tmp_path / "baseline", photos, ablated_terms={("generator", "gan")}, note=notes.append)
    zero, baseline = state(tmp_path / "zero")[0], state(tmp_path / "baseline")[0]
    assert all(torch.equal(zero[key], baseline[key]) for key in zero)
    assert metrics(tmp_path / "baseline")[-1]["generator/gan"] > 0
    assert json.loads((tmp_path / "baseline" / "train.json").read_text())["ablated_terms"] == [["generator", "gan"]]
    assert not notes


def test_a_term_to_silence_that_never_comes_is_pointed_out(tmp_path, photos):
    notes = Notes()
    train(tmp_path / "run", photos, ablated_terms={("generator", "gna")}, note=notes.append)
    assert notes[0] == "step 2: no such term to ablate so far: generator/gna"


def test_a_run_folder_holds_no_pickle_under_any_name(tmp_path, photos):
    run = tmp_path / "run"
    train(run, photos, tests={"held-out": photos})
    files = [path for path in run.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(files) >= 9
    for path in files:
        content = path.read_bytes()
        if content.startswith(b"\x89PNG"):
            continue
        if content[:1] == b"{":
            for line in [content] if path.suffix == ".json" else content.splitlines():
                json.loads(line)
            continue
        read_header(path)
        assert struct.unpack("<Q", content[:8])[0] < len(content)
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, AttributeError)):
            pickle.loads(content)
