"""Runs that were killed at bad moments, or damaged since: what a resume makes of them."""

import json
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from trainings import METHODS, Notes, assert_same_run, metrics, state, stop_at, train

from gansdk.data.opening import find_data
from gansdk.errors import TrainingError
from gansdk.evaluation.evaluated_model import store_evaluation
from gansdk.evaluation.record import Evaluation, Measurement, read_evaluation
from gansdk.model.config import check_folder, read_config
from gansdk.models.resolved import ResolvedModel
from gansdk.training import trainer
from gansdk.training.runs import RunFolder

SUPPORT = Path(__file__).parents[1] / "support"

SCRIPT = """
import os, signal, sys
sys.path.insert(0, {support!r})
from pathlib import Path
from trainings import train

def watch(event, args):
    if event == "os.rename" and ({where}) and len(list(Path("run/state").glob("000000006"))) == {saved}:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
train(Path("run"), "photos")
"""

MOMENTS = {  # of the last step: where the killing rename goes, and whether the checkpoint was there already
    "before the checkpoint": ("str(args[1]).endswith('state/000000006')", 0),
    "before the model is moved aside": ("str(args[0]).endswith('run/model')", 1),
    "before the new model takes its place": ("str(args[1]).endswith('run/model')", 1),
}


def contents(folder):
    """All files of a folder with their bytes, but the lock."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_between_a_checkpoint_and_its_model_gets_that_model(tmp_path, photos, moment):
    train(tmp_path / "whole", photos)
    where, saved = MOMENTS[moment]
    script = SCRIPT.format(support=str(SUPPORT), where=where, saved=saved)
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert trainer.resume(tmp_path / "run", methods=METHODS).steps == 6
    assert_same_run(tmp_path / "whole", tmp_path / "run")
    assert ResolvedModel.at(tmp_path / "run" / "model").config.trained.steps == 6
    assert not [path.name for path in (tmp_path / "run").glob(".model*")]


def test_what_an_author_wrote_survives_the_moment_without_a_model(tmp_path, photos):
    train(tmp_path / "run", photos)
    (tmp_path / "run" / "model" / "README.md").write_text("my words")
    (tmp_path / "run" / "model").rename(tmp_path / "run" / ".model.0a1b2c3d.old")
    trainer.resume(tmp_path / "run", methods=METHODS, steps=8)
    assert (tmp_path / "run" / "model" / "README.md").read_text() == "my words"


@pytest.mark.parametrize("damage", ["gone", "older", "cut short", "another's"])
def test_a_finished_run_has_the_model_of_its_last_step_again(tmp_path, photos, damage):
    for name, seed in {"run": 0, "other": 1}.items():
        train(tmp_path / name, photos, seed=seed, tests={"held-out": photos})
    expected, model = contents(tmp_path / "run" / "model"), tmp_path / "run" / "model"
    if damage == "cut short":
        (model / "model.safetensors").write_bytes(expected["model.safetensors"][:-8])
    elif damage == "older":
        config = json.loads(expected["config.json"])
        config["trained"]["steps"] = 4
        (model / "config.json").write_text(json.dumps(config))
    else:
        shutil.rmtree(model)
    if damage == "another's":
        shutil.copytree(tmp_path / "other" / "model", model)
    notes = Notes()
    finished = trainer.resume(tmp_path / "run", methods=METHODS, note=notes.append)
    assert notes[0] == f"{model} is not the whole model of step 6; it is written again"
    assert finished.evaluation.measurements
    assert (model / "model.safetensors").read_bytes() == expected["model.safetensors"]
    check_folder(model, read_config(model))


def test_figures_of_somebody_elses_sets_are_not_taken_for_the_runs_own(tmp_path, photos):
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", photos, tests={"held-out": photos}, progress=stop_at(6))
    model = tmp_path / "run" / "model"
    mine = Measurement(metric="psnr-y", data="mine", value=1.0, protocol={})
    store_evaluation(model, Evaluation(measurements=(mine,)), read_config(model).files["model.safetensors"])
    finished = trainer.resume(tmp_path / "run", methods=METHODS)
    assert {one.data for one in finished.evaluation.measurements} == {"held-out"}
    assert {one.data for one in read_evaluation(model).measurements} == {"held-out", "mine"}


@pytest.mark.parametrize("left", ["model", "metrics.jsonl", "samples"])
@pytest.mark.parametrize("is_empty", [False, True])
def test_a_run_whose_checkpoints_are_gone_is_refused_and_left_as_it_is(tmp_path, photos, left, is_empty):
    run = tmp_path / "run"
    train(run, photos)
    shutil.rmtree(run / "state")
    if is_empty:
        (run / "state").mkdir()
    for path in run.iterdir():
        if path.name not in {left, "train.json"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = contents(run)
    with pytest.raises(TrainingError, match="has no checkpoint any more, so it cannot be continued") as caught:
        trainer.resume(run, methods=METHODS)
    assert "\n" not in str(caught.value)
    assert contents(run) == before


def test_a_run_killed_before_its_first_checkpoint_begins(tmp_path, photos):
    train(tmp_path / "whole", photos)
    (tmp_path / "run" / "state").mkdir(parents=True)
    shutil.copy(tmp_path / "whole" / "train.json", tmp_path / "run")
    trainer.resume(tmp_path / "run", methods=METHODS)
    assert_same_run(tmp_path / "whole", tmp_path / "run")


def test_a_damaged_newest_checkpoint_gives_way_to_the_whole_one_beside_it(tmp_path, photos):
    run = tmp_path / "run"
    train(tmp_path / "whole", photos)
    with pytest.raises(KeyboardInterrupt):
        train(run, photos, progress=stop_at(3))
    (run / "state" / "000000006").mkdir()
    (run / "state" / "000000006" / "tensors.safetensors").write_bytes(b"half")
    shutil.copytree(run / "state" / "000000003", run / "state" / "000000004")
    (run / "state" / "000000004" / "tensors.safetensors").unlink()
    shutil.copytree(run / "state" / "000000003", run / "state" / "000000003-mine")
    notes = Notes()
    trainer.resume(run, methods=METHODS, note=notes.append)
    assert len(notes) == 2
    assert "000000006" in notes[0]
    assert "; the run continues from the checkpoint of step 3" in notes[0]
    assert "000000004" in notes[1]
    assert (run / "state" / "000000003-mine").exists()
    shutil.rmtree(run / "state" / "000000003-mine")
    assert_same_run(tmp_path / "whole", run)
    assert state(run)[1]["step"] == 6


def test_a_newest_checkpoint_of_a_later_format_is_not_thrown_away(tmp_path, photos):
    run = tmp_path / "run"
    train(run, photos)
    (run / "state" / "000000009").mkdir()
    (run / "state" / "000000009" / "state.json").write_text('{"gansdk": 2}')
    before = contents(run)
    with pytest.raises(TrainingError, match="format version 2, this gansdk reads 1"):
        trainer.resume(run, methods=METHODS, steps=9)
    assert contents(run) == before


def test_of_two_trainings_begun_into_one_folder_the_second_leaves_the_first_alone(tmp_path, photos):
    run, seen = tmp_path / "run", []

    def open_data(text):
        """While the second reads its data, the first begins and ends."""
        if not (run / "train.json").exists():
            train(run, photos, seed=1)
            seen.append(contents(run))
        return find_data(text, {})

    with pytest.raises(TrainingError, match="holds a run of 'tiny' already"):
        train(run, photos, seed=2, open_data=open_data)
    assert seen == [contents(run)]


def test_a_training_that_meets_one_at_work_leaves_its_record_alone(tmp_path, photos):
    train(tmp_path / "whole", photos)
    run, record = tmp_path / "run", RunFolder(tmp_path / "whole").read()
    with ExitStack() as first:

        def open_data(text):
            """While the second reads its data, the first begins."""
            if not (run / "train.json").exists():
                first.enter_context(RunFolder(run).begin(record))
            return find_data(text, {})

        with pytest.raises(TrainingError, match="another process is training in"):
            train(run, photos, seed=2, open_data=open_data)
        assert RunFolder(run).read() == record


def text(content):
    return lambda path: path.write_bytes(content)


def folder_instead(path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


def file_instead(path):
    shutil.rmtree(path, ignore_errors=True)  # no events without TensorBoard
    path.write_bytes(b"a file")


GARBAGE = b"""\xff\xfe nothing
[]
{"step": "two"}
{"step": 1, "seconds": 1e999, "a/b": %s}
""" % (b"1" * 400)
SIDE_FILES = {
    "log gone": ("metrics.jsonl", Path.unlink, "metrics.jsonl is gone; it is begun anew at step 4"),
    "log garbage": ("metrics.jsonl", text(GARBAGE), "metrics.jsonl: 4 damaged lines left out"),
    "log nested": ("metrics.jsonl", text(b"[" * 100_000 + b"\n"), "metrics.jsonl: 1 damaged line left out"),
    "log of absurd numbers": (
        "metrics.jsonl",
        text(b"".join(b'{"step": %d, "seconds": 1, "a/b": %se308}\n' % (i, s) for i, s in ((1, b"1"), (2, b"-1")))),
        "",
    ),
    "log a folder": ("metrics.jsonl", folder_instead, "it is metrics.jsonl.damaged now, and begun anew"),
    "sheets gone": ("samples", shutil.rmtree, "samples is gone; it is begun anew at step 4"),
    "sheets a file": ("samples", file_instead, "it is samples.damaged now, and begun anew"),
    "curves a folder": ("curves.png", folder_instead, "curves.png is left out"),
    "curves garbage": ("curves.png", text(b"garbage"), ""),
    "events a file": ("events", file_instead, "it is events.damaged now, and begun anew"),
}


@pytest.mark.parametrize("case", SIDE_FILES)
def test_a_damaged_side_file_does_not_end_a_resume(tmp_path, photos, case):
    name, damage, said = SIDE_FILES[case]
    run, notes = tmp_path / "run", Notes()
    with pytest.raises(KeyboardInterrupt):
        train(run, photos, progress=stop_at(4))
    damage(run / name)
    assert trainer.resume(run, methods=METHODS, note=notes.append).steps == 6
    assert [said in note for note in notes] == [True] * bool(said)
    check_folder(run / "model", read_config(run / "model"))
    assert metrics(run)[-1]["step"] == 6
    assert (run / "samples" / "000000006.png").is_file()


def test_side_files_that_vanish_on_the_way_do_not_end_a_run(tmp_path, photos):
    run, notes = tmp_path / "run", Notes()

    def progress(at):
        if at.step == 3:
            shutil.rmtree(run / "samples")
            (run / "metrics.jsonl").unlink()
            (run / "metrics.jsonl").mkdir()

    assert train(run, photos, progress=progress, note=notes.append).steps == 6
    assert [path.name for path in sorted((run / "samples").iterdir())] == ["000000004.png", "000000006.png"]
    assert len(notes) == 2  # the log is left out, and the curves that are drawn from it
