"""Many inputs: going on after a failure, records, standard streams."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest
import tiny
from PIL import Image

from gansdk._version import __version__
from gansdk.errors import OutputError, OutputExistsError
from gansdk.inference.catalog import Located
from gansdk.inference.context import Context
from gansdk.inference.jobs import run
from gansdk.inference.pipelines import Pipeline
from gansdk.inference.planning import Job
from gansdk.model.config import read_config
from gansdk.options import LoadOptions, PictureReading, PictureWriting, RecordWriting
from gansdk.plugins.declarations import Slot, Task
from gansdk.tasks.superres import SUPERRES, SuperresOptions


class Log:
    """Remembers what a job reports."""

    def __init__(self):
        self.done_items, self.failed_items, self.skipped_items, self.notes = [], [], [], []

    def context(self, item):
        return Context(note=self.notes.append)

    def done(self, item, output, result, seconds):
        self.done_items.append((item.name, output))

    def skipped(self, item):
        self.skipped_items.append(item.name)

    def failed(self, item, error):
        self.failed_items.append((item.name, error))


def job(*inputs, output=None, writing=None, task=SUPERRES):
    return Job(task, tuple(map(str, inputs)), output, SuperresOptions(), PictureReading(), writing or PictureWriting())


@pytest.fixture
def load(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "model"
    tiny.write(folder)
    located = Located(str(folder), folder, read_config(folder))
    return lambda: Pipeline(SUPERRES, located, tiny.METHOD, LoadOptions(device="cpu"))


def never():
    raise AssertionError("a model was loaded although nothing was left to do")


@pytest.fixture
def photos(tmp_path):
    random = np.random.default_rng(0)
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(random.integers(0, 256, (10, 12, 3), dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


def size(file):
    with Image.open(file) as image:
        return image.size


def test_nothing_is_loaded_where_nothing_is_left_to_do(photos):
    (photos / "a-superres.png").write_text("there")
    summary = run(job(photos / "a.png", writing=PictureWriting(on_exists="skip")), never, log := Log())
    assert (summary.done, summary.skipped, summary.failed, summary.exit_code) == (0, 1, 0, 0)
    assert log.skipped_items == [str(photos / "a.png")]
    summary = run(job(photos / "a.png"), never, Log())
    assert (summary.failed, summary.exit_code) == (1, 1)


def test_one_failure_does_not_stop_the_rest(photos, load):
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:60])
    summary = run(job(photos / "a.png", photos / "b.png", photos / "c.png"), load, log := Log())
    assert (summary.done, summary.failed, summary.exit_code) == (2, 1, 1)
    assert [name for name, _ in log.failed_items] == [str(photos / "b.png")]
    assert size(photos / "c-superres.png") == (24, 20)
    assert not (photos / "b-superres.png").exists()


@pytest.mark.parametrize(
    ("on_exists", "expected"),
    [("overwrite", ["a-superres.png", "a.png"]), ("rename", ["a-superres-2.png", "a-superres.png", "a.png"])],
)
def test_overwrite_and_rename(photos, load, on_exists, expected):
    (photos / "a-superres.png").write_text("there")
    for name in ("b.png", "c.png"):
        (photos / name).unlink()
    run(job(photos / "a.png", writing=PictureWriting(on_exists=on_exists)), load, log := Log())
    assert sorted(path.name for path in photos.iterdir()) == expected
    assert size(log.done_items[0][1]) == (24, 20)


@pytest.mark.parametrize(("output", "error"), [("absent/x.png", OutputError), ("a.png", OutputExistsError)])
def test_places_that_cannot_be_written(photos, output, error):
    summary = run(job(photos / "a.png", output=str(photos / output)), never, Log())
    assert type(summary.failures[0][1]) is error


def test_a_folder_that_is_not_there_is_said_once(photos):
    with pytest.raises(OutputError, match=r"there is no folder .*absent; create it with mkdir -p"):
        run(job(photos / "a.png", photos / "b.png", output=str(photos / "absent") + "/"), never, Log())


def test_a_transparent_picture_for_jpeg_fails_before_it_is_computed(photos, load):
    Image.new("RGBA", (5, 5), (1, 2, 3, 100)).save(photos / "t.png")
    summary = run(job(photos / "t.png", output=str(photos / "t.jpg")), load, log := Log())
    assert summary.failed == 1
    assert "--background" in str(log.failed_items[0][1])
    assert not (photos / "t.jpg").exists()


def test_a_written_picture_says_what_made_it_unless_metadata_is_stripped(photos, load):
    source = photos / "a.png"
    for output, writing in (("kept.png", PictureWriting()), ("bare.png", PictureWriting(metadata="strip"))):
        assert run(job(source, output=str(photos / output), writing=writing), load, Log()).done == 1
    digest = load().located.config.files["model.safetensors"][7:19]
    with Image.open(photos / "kept.png") as kept, Image.open(photos / "bare.png") as bare:
        assert kept.text == {"Software": f"gansdk {__version__} (tiny {digest})"}
        assert bare.text == {}


def test_standard_input_and_output(photos, load, monkeypatch):
    class Stream:
        def __init__(self, content=b""):
            self.buffer = io.BytesIO(content)

    monkeypatch.setattr(sys, "stdin", Stream((photos / "a.png").read_bytes()))
    monkeypatch.setattr(sys, "stdout", out := Stream())
    assert run(job("-", output="-"), load, Log()).exit_code == 0
    assert size(io.BytesIO(out.buffer.getvalue())) == (24, 20)


MEASURE = Task(
    name="measure",
    summary="width",
    misfit=lambda facts: None,
    slots=(Slot("photo", "picture"),),
    output="record",
    options="gansdk.tasks.superres:SuperresOptions",
    function="tiny:measure",
)


@pytest.fixture
def load_measure(load):
    located = load().located
    return lambda: Pipeline(MEASURE, located, tiny.METHOD, LoadOptions(device="cpu"))


def test_records_go_to_one_file_of_lines(photos, load_measure):
    target = photos / "widths.jsonl"
    wanted = job(
        photos / "a.png", photos / "absent.png", photos / "b.png",
        output=str(target), writing=RecordWriting(), task=MEASURE,
    )  # fmt: skip
    summary = run(wanted, load_measure, log := Log())
    assert (summary.done, summary.failed) == (2, 1)
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert lines == [{"input": str(photos / "a.png"), "width": 12}, {"input": str(photos / "b.png"), "width": 12}]
    assert log.done_items[0] == (str(photos / "a.png"), target)


def test_a_file_of_records_that_exists_stops_the_job(photos, load_measure):
    target = photos / "widths.jsonl"
    target.write_text("there")
    wanted = job(photos / "a.png", output=str(target), writing=RecordWriting(), task=MEASURE)
    with pytest.raises(OutputExistsError):
        run(wanted, never, Log())
    assert target.read_text() == "there"
