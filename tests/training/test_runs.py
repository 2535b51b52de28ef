import json
import subprocess

import adversary
import pytest

from gansdk.data.folders import open_images
from gansdk.errors import InputError, OutputError, TrainingError
from gansdk.model.config import TrainingData
from gansdk.training.runs import DataSource, RunFolder, RunRecord, check_unchanged, commit_of, describe_source, versions

RECORD = RunRecord(
    gansdk=1,
    method="tiny",
    requires="gansdk-plugin-tiny>=0.1",
    config="small",
    options={"steps": 3},
    data={},
    seed=0,
    device="cpu",
    precision="fp32",
    ablated_terms=(("generator", "gan"),),
)


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.begin(RECORD):
        pass
    return folder


def test_what_was_asked_for_comes_back(run):
    assert run.read() == RECORD


def test_a_new_or_empty_folder_may_be_used(tmp_path):
    RunFolder(tmp_path / "new").refuse_if_used()
    RunFolder(tmp_path).refuse_if_used()


def test_a_run_is_not_begun_twice(run):
    with pytest.raises(TrainingError, match=r"holds a run of 'tiny' already; go on with it by `gansdk resume .*/run`"):
        run.refuse_if_used()


def test_something_else_is_not_filled(tmp_path):
    (tmp_path / "holiday.jpg").touch()
    for path in (tmp_path, tmp_path / "holiday.jpg"):
        with pytest.raises(TrainingError, match="exists and is not a run"):
            RunFolder(path).refuse_if_used()


def test_no_folder_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        RunFolder(tmp_path / "absent").read()


def test_a_folder_without_record_is_no_run(tmp_path):
    with pytest.raises(TrainingError, match=r"is not a run: it has no train\.json"):
        RunFolder(tmp_path).read()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gansdk": 2}, "format version 2, this gansdk reads 1"),
        ({"seeds": 1}, "unknown field 'seeds'"),
        ({"seed": "one"}, "field 'seed'"),
        ({"precision": "fp8"}, "field 'precision'"),
    ],
)
def test_a_record_that_was_changed_is_refused_by_field(run, change, message):
    run.record.write_text(json.dumps(json.loads(run.record.read_text()) | change))
    with pytest.raises(TrainingError, match=message):
        run.read()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_a_record_that_is_no_object_is_damaged(run, text):
    run.record.write_text(text)
    with pytest.raises(TrainingError, match=r"train\.json (is damaged|cannot be read as JSON)"):
        run.read()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"), RunFolder(tmp_path / "file" / "run").begin(RECORD):
        pass


def test_one_process_at_a_time(run):
    other = RunFolder(run.path)
    with run.lock(), pytest.raises(TrainingError, match="another process is training in"), other.lock():
        pass
    with other.lock():
        pass


def test_data_is_recorded_with_its_content(tmp_path):
    images = open_images(adversary.write_images(tmp_path / "photos"))
    source = describe_source("somewhere", images)
    assert source == DataSource(
        path="somewhere",
        data=TrainingData(name="photos", licence="unstated", items=3, digest=images.digest),
    )


def test_empty_data_is_refused():
    class Nothing:
        name, licence, digest = "nothing", "CC0-1.0", ""

        def __len__(self):
            return 0

    with pytest.raises(InputError, match="somewhere is empty"):
        describe_source("somewhere", Nothing())


def test_data_that_has_changed_is_named(tmp_path):
    before = describe_source("a/b", open_images(adversary.write_images(tmp_path / "photos")))
    after = describe_source("a/b", open_images(adversary.write_images(tmp_path / "photos", seed=1)))
    check_unchanged({"photos": before}, {"photos": before})
    with pytest.raises(TrainingError, match="data set 'photos' at a/b has changed since the run began"):
        check_unchanged({"photos": before}, {"photos": after})


def test_versions_name_what_computed():
    import torch

    import gansdk

    found = versions(adversary.METHOD)
    assert found["gansdk"] == gansdk.__version__
    assert found["torch"] == torch.__version__
    assert found["gansdk-plugin-tiny"] == "unknown"


def test_the_commit_is_that_of_the_repository_which_tracks_the_file(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", "-C", tmp_path, *identity, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    (tmp_path / "recipe.py").touch()
    (tmp_path / "other.py").touch()
    assert commit_of(tmp_path / "recipe.py") == ""
    git("init", "-q")
    git("add", "recipe.py")
    git("commit", "-q", "-m", "one")
    assert commit_of(tmp_path / "recipe.py") == git("rev-parse", "HEAD")
    assert commit_of(tmp_path / "other.py") == ""
