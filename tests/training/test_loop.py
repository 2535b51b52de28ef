"""Training and resuming as a whole: the same in one go and in several, and what is refused before it begins."""

import json

import adversary
import pytest
import torch
from adversary import write_images
from trainings import METHODS, Notes, assert_same_run, state, stop_at, train

from gansdk.errors import (
    DeviceError,
    InputError,
    MissingPluginError,
    OptionError,
    TrainingError,
    UnknownNameError,
    UsageError,
)
from gansdk.training import trainer


@pytest.mark.parametrize("at", [1, 2, 3])  # at a checkpoint, and in the middle of a line of the log
def test_n_steps_resume_and_n_more_are_2n_steps(tmp_path, photos, at):
    train(tmp_path / "whole", photos)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves", photos, progress=stop_at(at))
    torch.manual_seed(12345)
    assert state(tmp_path / "halves")[1]["step"] == at
    finished = trainer.resume(tmp_path / "halves", methods=METHODS)
    assert finished.steps == 6
    assert_same_run(tmp_path / "whole", tmp_path / "halves")


def test_a_process_that_vanished_is_resumed_from_its_last_checkpoint(tmp_path, photos):
    train(tmp_path / "whole", photos)

    class VanishedError(Exception):
        pass

    def progress(at):
        if at.step == 5:
            raise VanishedError

    with pytest.raises(VanishedError):
        train(tmp_path / "halves", photos, progress=progress)
    assert state(tmp_path / "halves")[1]["step"] == 4
    with (tmp_path / "halves" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "seconds": 1.0}\n{"step":')  # later than the checkpoint, and half a line
    trainer.resume(tmp_path / "halves", methods=METHODS)
    assert_same_run(tmp_path / "whole", tmp_path / "halves")


def test_a_longer_run_is_the_run_that_was_asked_for_longer(tmp_path, photos):
    train(tmp_path / "long", photos)
    train(tmp_path / "short", photos, options={"steps": 4})
    finished = trainer.resume(tmp_path / "short", methods=METHODS, steps=6)
    assert finished.steps == 6
    assert_same_run(tmp_path / "long", tmp_path / "short")
    assert json.loads((tmp_path / "short" / "train.json").read_text())["options"]["steps"] == 6
    with pytest.raises(UsageError, match="has taken 6 steps already"):
        trainer.resume(tmp_path / "short", methods=METHODS, steps=5)


def test_the_seed_decides(tmp_path, photos):
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        train(tmp_path / name, photos, seed=seed)
    a, b, c = (state(tmp_path / name)[0]["module/generator/0/0.weight"] for name in "abc")
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_threads_are_set_for_the_run_and_can_be_changed(tmp_path, photos):
    before, seen = torch.get_num_threads(), []
    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "run", photos, threads=3, progress=stop_at(1))
        seen.append(torch.get_num_threads())
        torch.set_num_threads(before)
        with pytest.raises(KeyboardInterrupt):
            trainer.resume(tmp_path / "run", methods=METHODS, progress=stop_at(2))
        seen.append(torch.get_num_threads())
        trainer.resume(tmp_path / "run", methods=METHODS, threads=1)
        seen.append(torch.get_num_threads())
    finally:
        torch.set_num_threads(before)
    assert seen == [3, 3, 1]


def test_bf16_trains_and_resumes_exactly_too(tmp_path, photos):
    train(tmp_path / "whole", photos, precision="bf16")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halves", photos, precision="bf16", progress=stop_at(3))
    trainer.resume(tmp_path / "halves", methods=METHODS)
    assert_same_run(tmp_path / "whole", tmp_path / "halves")
    assert json.loads((tmp_path / "whole" / "train.json").read_text())["precision"] == "bf16"


def test_a_run_goes_on_from_another_working_folder(tmp_path, photos, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train("run", "photos", progress=stop_at(2))
    monkeypatch.chdir("/")
    assert trainer.resume(tmp_path / "run", methods=METHODS).steps == 6


def test_a_run_goes_on_with_data_that_has_moved(tmp_path, photos):
    train(tmp_path / "whole", photos)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, tests={"own": photos}, progress=stop_at(2))
    (tmp_path / "photos").rename(tmp_path / "moved")
    moved, run = str(tmp_path / "moved"), tmp_path / "run"
    hint = rf"if it has moved: gansdk resume {run} --data photos=DATA --test own=DATA$"
    with pytest.raises(InputError, match=hint):
        trainer.resume(run, methods=METHODS)
    with pytest.raises(UnknownNameError, match=r"no data set of the run 'photo'; did you mean photos\?"):
        trainer.resume(run, methods=METHODS, data={"photo": moved})
    other = write_images(tmp_path / "other", seed=1)
    with pytest.raises(TrainingError, match=r"the data set 'photos' at .*/other has changed since the run began"):
        trainer.resume(run, methods=METHODS, data={"": str(other)}, tests={"": moved})
    trainer.resume(run, methods=METHODS, data={"": moved}, tests={"own": moved}, progress=stop_at(99))
    assert_same_run(tmp_path / "whole", run)
    record = json.loads((run / "train.json").read_text())
    assert (record["data"]["photos"]["path"], record["tests"]["own"]["path"]) == (moved, moved)
    trainer.resume(run, methods=METHODS, steps=7)  # it need not be said again


WRONG = {
    "config": ({"config": "smal"}, UnknownNameError, r"no config of tiny 'smal'; did you mean small\?"),
    "option": ({"options": {"stpes": 3}}, UnknownNameError, r"no option 'stpes'; did you mean steps\?"),
    "value": ({"options": {"steps": 0}}, OptionError, "steps '0' is not one of 1.."),
    "no data": ({"data": {}}, UsageError, 'needs a data set .photos.; add data={"photos": "FOLDER"}'),
    "other data": ({"data": {"photo": "x"}}, UnknownNameError, r"no data set 'photo'; did you mean photos\?"),
    "twice": ({"data": {"": "x", "photos": "x"}}, UsageError, "data set 'photos' is given twice"),
    "absent": ({"data": {"": "absent"}}, InputError, "no folder, zip archive or data set 'absent'"),
    "absent tests": ({"tests": {"t": "absent"}}, InputError, "no folder, zip archive or data set 'absent'"),
    "device": ({"device": "cuda:7"}, DeviceError, "no device 'cuda:7' here"),
    "fp16": ({"precision": "fp16"}, OptionError, "precision 'fp16' is not one of auto.fp32.bf16"),
    "keyword": ({"sed": 1}, UnknownNameError, "option 'sed'; did you mean seed"),
    "precision": ({"precision": "fp8"}, OptionError, "precision 'fp8' is not one of"),
    "endless": ({"method": adversary.method(options="EndlessOptions")}, TrainingError, "has no option 'steps'"),
    "player": ({"ablated_terms": {("generatr", "gan")}}, TrainingError, "no player 'generatr'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line_and_leaves_no_folder(tmp_path, photos, case):
    changes, kind, message = WRONG[case]
    with pytest.raises(kind, match=message) as caught:
        train(tmp_path / "run", photos, **changes)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_used_folder_is_refused_and_left_as_it_was(tmp_path, photos):
    train(tmp_path / "run", photos)
    before = (tmp_path / "run" / "train.json").read_bytes()
    with pytest.raises(TrainingError, match="`gansdk resume"):
        train(tmp_path / "run", photos, seed=1)
    assert (tmp_path / "run" / "train.json").read_bytes() == before


def test_resuming_needs_the_runs_own_method(tmp_path, photos):
    train(tmp_path / "run", photos)
    with pytest.raises(
        MissingPluginError, match=r"'tiny', which is not installed; pip install 'gansdk-plugin-tiny>=0\.1'"
    ):
        trainer.resume(tmp_path / "run", methods={})


def test_resuming_says_that_versions_differ(tmp_path, photos):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, progress=stop_at(2))
    path = tmp_path / "run" / "train.json"
    record = json.loads(path.read_text())
    record["versions"]["torch"] = "1.4.0"
    path.write_text(json.dumps(record))
    notes = Notes()
    trainer.resume(tmp_path / "run", methods=METHODS, note=notes.append)
    assert f"torch 1.4.0 → {torch.__version__}" in notes[0]
