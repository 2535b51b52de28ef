"""Many inputs: going on after a failure, records, standard streams."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace

import pytest
from PIL import Image as PILImage
from works import MEASURE, Log, spec

from gansdk._version import __version__
from gansdk.errors import OutputError, OutputExistsError
from gansdk.jobs.executors import Local
from gansdk.jobs.plan import Job, find_obstacles, plan
from gansdk.jobs.run import run
from gansdk.models.pipelines import Pipeline
from gansdk.options import ImageWriting, LoadOptions, RecordWriting
from gansdk.tasks.superres import SUPERRES, SuperresOptions


def job(*inputs, output=None, writing=None, task=SUPERRES):
    return Job(spec(task, writing=writing), tuple(map(str, inputs)), (output,))


def never():
    raise AssertionError("a model was loaded although nothing was left to do")


def size(file):
    with PILImage.open(file) as image:
        return image.size


def test_nothing_is_loaded_where_nothing_is_left_to_do(photos):
    (photos / "a-superres.png").write_text("there")
    summary = run(job(photos / "a.png", writing=ImageWriting(on_exists="skip")), Local(never), log := Log())
    assert (summary.done, summary.skipped, summary.failed, summary.exit_code) == (0, 1, 0, 0)
    assert log.skipped_items == [str(photos / "a.png")]
    summary = run(job(photos / "a.png"), Local(never), Log())
    assert (summary.failed, summary.exit_code) == (1, 1)


def test_one_failure_does_not_stop_the_rest(photos, local):
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:60])
    summary = run(job(photos / "a.png", photos / "b.png", photos / "c.png"), local, log := Log())
    assert (summary.done, summary.failed, summary.exit_code) == (2, 1, 1)
    assert [name for name, _ in log.failed_items] == [str(photos / "b.png")]
    assert size(photos / "c-superres.png") == (24, 20)
    assert not (photos / "b-superres.png").exists()


@pytest.mark.parametrize(
    ("on_exists", "expected"),
    [("overwrite", ["a-superres.png", "a.png"]), ("rename", ["a-superres-2.png", "a-superres.png", "a.png"])],
)
def test_overwrite_and_rename(photos, local, on_exists, expected):
    (photos / "a-superres.png").write_text("there")
    for name in ("b.png", "c.png"):
        (photos / name).unlink()
    run(job(photos / "a.png", writing=ImageWriting(on_exists=on_exists)), local, log := Log())
    assert sorted(path.name for path in photos.iterdir()) == expected
    assert size(log.done_items[0][1]) == (24, 20)


@pytest.mark.parametrize(("output", "error"), [("absent/x.png", OutputError), ("a.png", OutputExistsError)])
def test_places_that_cannot_be_written(photos, output, error):
    summary = run(job(photos / "a.png", output=str(photos / output)), Local(never), Log())
    assert type(summary.failures[0][1]) is error


def test_a_folder_that_is_not_there_is_made_with_the_first_result(photos, local):
    run(job(photos / "a.png", photos / "b.png", output=str(photos / "new" / "deep") + "/"), local, Log())
    assert sorted(path.name for path in (photos / "new" / "deep").iterdir()) == ["a-superres.png", "b-superres.png"]


def test_a_folder_that_cannot_be_made_is_said_once(photos):
    with pytest.raises(OutputError, match=r"a\.png is a file, not a folder"):
        run(job(photos / "b.png", photos / "c.png", output=str(photos / "a.png" / "new") + "/"), Local(never), Log())


WIDE = {
    "x.webp": "16800×8 pixels are too many for webp, which ends at 16383 a side; write png, tiff or jpg",
    "x.jpg": None,
}


@pytest.mark.parametrize("output", WIDE)
def test_what_the_format_cannot_hold_is_known_before_a_model_is_loaded(photos, local, output):
    PILImage.new("RGB", (8400, 4)).save(photos / "wide.png")
    wanted = job(photos / "wide.png", photos / "a.png", output=str(photos / "out") + "/")
    wanted = replace(wanted, spec=spec(writing=ImageWriting(format=output[2:])))
    summary = run(wanted, local, log := Log())
    assert [str(error) for _, error in log.failed_items] == (
        [f"{photos / 'wide.png'}: {WIDE[output]}"] if WIDE[output] else []
    )
    assert size(photos / "out" / f"a-superres.{output[2:]}") == (24, 20)
    alone = job(photos / "wide.png", output=str(photos / output))
    if WIDE[output]:
        assert run(alone, Local(never), Log()).failed == summary.failed == 1


@pytest.mark.parametrize(
    ("call", "fits"), [({"scale": 1.9}, True), ({"longest": 16384}, False), ({"size": "16383x9"}, True)]
)
def test_the_size_that_was_asked_for_counts(photos, call, fits):
    PILImage.new("RGB", (8400, 4)).save(photos / "wide.ppm")
    wanted = Job(replace(spec(), call=SuperresOptions(**call)), (str(photos / "wide.ppm"),), (str(photos / "x.webp"),))
    ready, _, failed = find_obstacles(wanted, plan(wanted))
    assert (len(ready), len(failed)) == ((1, 0) if fits else (0, 1))


def test_a_stream_that_the_format_cannot_hold_is_refused_before_it_is_computed(photos, resolved, monkeypatch):
    content = io.BytesIO()
    PILImage.new("RGB", (8400, 4)).save(content, "PNG")
    monkeypatch.setattr(sys, "stdin", type("Stream", (), {"buffer": io.BytesIO(content.getvalue())}))
    pipeline = Pipeline(SUPERRES, resolved, LoadOptions(device="cpu"))
    pipeline.compute = lambda *_: never()
    summary = run(job("-", output=str(photos / "x.webp")), Local(lambda: pipeline), Log())
    assert "16800×8 pixels are too many for webp" in str(summary.failures[0][1])


@pytest.mark.parametrize("long", ["x" * 245 + ".png", "界" * 80 + ".png"])
def test_a_name_that_is_too_long_fails_alone_or_not_at_all(photos, local, long):
    """Names end at 255 bytes: with ``-superres`` the first has more; the second leaves 2 for a hidden file's."""
    (photos / "a.png").rename(photos / long)
    summary = run(job(photos / long, photos / "b.png"), local, log := Log())
    if long.startswith("x"):
        assert (summary.done, summary.failed) == (1, 1)
        assert str(log.failed_items[0][1]).endswith("File name too long; give it a shorter name")
    else:
        assert (summary.done, summary.failed) == (2, 0)
    assert size(photos / "b-superres.png") == (24, 20)


def test_a_transparent_image_for_jpeg_fails_before_it_is_computed(photos, local):
    PILImage.new("RGBA", (5, 5), (1, 2, 3, 100)).save(photos / "t.png")
    summary = run(job(photos / "t.png", output=str(photos / "t.jpg")), local, log := Log())
    assert summary.failed == 1
    assert 'background="white"' in str(log.failed_items[0][1])
    assert not (photos / "t.jpg").exists()


def test_a_written_image_says_what_made_it_unless_metadata_is_stripped(photos, local, resolved):
    for output, writing in (("kept.png", ImageWriting()), ("bare.png", ImageWriting(metadata="strip"))):
        wanted = Job(spec(writing=writing, model=resolved), (str(photos / "a.png"),), (str(photos / output),))
        assert run(wanted, local, Log()).done == 1
    digest = resolved.config.files["model.safetensors"][7:19]
    with PILImage.open(photos / "kept.png") as kept, PILImage.open(photos / "bare.png") as bare:
        assert kept.text == {"Software": f"gansdk {__version__} (tiny {digest})"}
        assert bare.text == {}


def test_standard_input_and_output(photos, local, monkeypatch):
    class Stream:
        def __init__(self, content=b""):
            self.buffer = io.BytesIO(content)

    monkeypatch.setattr(sys, "stdin", Stream((photos / "a.png").read_bytes()))
    monkeypatch.setattr(sys, "stdout", out := Stream())
    assert run(job("-", output="-"), local, Log()).exit_code == 0
    assert size(io.BytesIO(out.buffer.getvalue())) == (24, 20)


def test_records_go_to_one_file_of_lines(photos, measuring):
    target = photos / "widths.jsonl"
    wanted = job(
        photos / "a.png", photos / "absent.png", photos / "b.png",
        output=str(target), writing=RecordWriting(), task=MEASURE,
    )  # fmt: skip
    summary = run(wanted, measuring, log := Log())
    assert (summary.done, summary.failed) == (2, 1)
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert lines == [{"input": str(photos / "a.png"), "width": 12}, {"input": str(photos / "b.png"), "width": 12}]
    assert log.done_items[0] == (str(photos / "a.png"), target)


def test_a_file_of_records_that_exists_stops_the_job(photos, measuring):
    target = photos / "widths.jsonl"
    target.write_text("there")
    wanted = job(photos / "a.png", output=str(target), writing=RecordWriting(), task=MEASURE)
    with pytest.raises(OutputExistsError):
        run(wanted, Local(never), Log())
    assert target.read_text() == "there"
