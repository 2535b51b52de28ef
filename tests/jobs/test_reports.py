"""What a report knows of results, whatever happened to it, to them or to their inputs."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import pytest
from works import MEASURE, UNREAD, spec

from gansdk.errors import InputError, OutputError
from gansdk.jobs.executors import Outcome
from gansdk.jobs.plan import Item
from gansdk.jobs.reports import NAME, Making, open_report
from gansdk.media.records import json_line
from gansdk.options import ImageReading, ImageWriting, LoadOptions
from gansdk.tasks.superres import SuperresOptions

STAMP = (10, 20)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def making(tmp_path, target):
    return Making.of(spec(), tmp_path / "in", target)


def item(target, name="a.jpg"):
    return Item((f"in/{name}",), target / name.replace("jpg", "png"), label=name)


def made(target, making, name="a.jpg", content=b"whole"):
    """A result and its line."""
    with open_report(making) as report:
        one = item(target, name)
        one.output.write_bytes(content)
        report.add(Outcome(one, 1.5, one.output), STAMP)
    return one


def state(target, making, stamp=STAMP, name="a.jpg"):
    with open_report(making) as report:
        return report.state(item(target, name), stamp)


def lines(target):
    return [json.loads(line) for line in (target / NAME).read_bytes().splitlines()]


def test_a_line_says_what_became_of_an_item(target, making):
    made(target, making)
    (line,) = lines(target)
    assert (line["input"], line["output"], line["seconds"], line["bytes"]) == ("a.jpg", "a.png", 1.5, 5)
    assert line["by"].startswith("gansdk ")


def test_states(target, making, tmp_path):
    assert state(target, making) == ("new", target / "a.png")
    made(target, making)
    assert state(target, making) == ("whole", target / "a.png")
    assert state(target, making, (10, 21)) == ("outdated", target / "a.png")
    other = Making.of(spec(call=SuperresOptions(scale=3)), tmp_path / "in", target)
    assert state(target, other) == ("outdated", target / "a.png")
    elsewhere = dataclasses.replace(making, folder=tmp_path / "moved")
    assert state(target, elsewhere) == ("whole", target / "a.png")
    assert state(target, elsewhere, (10, 21)) == ("foreign", target / "a.png")  # perhaps of another folder
    (target / "a.png").write_bytes(b"retouched")
    assert state(target, making) == ("foreign", target / "a.png")
    (target / "a.png").unlink()
    assert state(target, making) == ("new", target / "a.png")


def test_a_result_under_another_name_is_found_there(target, making):
    one = made(target, making)
    with open_report(making) as report:
        (target / "a-2.png").write_bytes(b"renamed")
        report.add(Outcome(one, 1, target / "a-2.png"), STAMP)
    assert state(target, making) == ("whole", target / "a-2.png")
    (target / "a-2.png").unlink()
    assert state(target, making) == ("foreign", target / "a.png")


def test_a_failure_does_not_make_forget_the_result_that_is_there(target, making):
    one = made(target, making)
    with open_report(making) as report:
        report.add(Outcome(one, 0.1, error=InputError("it is broken", hint="mend it")), (1, 2))
    (line,) = lines(target)
    assert line["error"] == {"kind": "input", "message": "it is broken", "hint": "mend it"}
    assert state(target, making) == ("outdated", target / "a.png")


def test_a_skipped_item_is_written_down_once_and_loses_nothing(target, making):
    one = made(target, making)
    other = item(target, "b.jpg")
    with open_report(making) as report:
        report.add(Outcome(one, is_skipped=True), STAMP)
        report.add(Outcome(other, is_skipped=True), STAMP)
    assert lines(target)[1] == {"input": "b.jpg", "output": "b.png", "skipped": True}
    assert state(target, making)[0] == "whole"


def test_a_torn_line_costs_itself_alone(target, making):
    made(target, making)
    made(target, making, "b.jpg")
    with (target / NAME).open("r+b") as file:
        file.truncate((target / NAME).stat().st_size - 7)
    with open_report(making) as report:
        assert report.state(item(target), STAMP)[0] == "whole"
        assert report.state(item(target, "b.jpg"), STAMP)[0] == "outdated"  # its own, and to be made anew
    made(target, making, "c.jpg")
    assert [line["input"] for line in lines(target)] == ["a.jpg", "c.jpg"]
    assert state(target, making, name="b.jpg")[0] == "foreign"  # a later run was not killed


def test_what_came_since_a_killed_run_began_is_its_own(target, making):
    target.mkdir()
    (target / "b.png").write_bytes(b"somebody's")
    os.utime(target / "b.png", (1, 1))
    code = (
        "import os, pathlib, sys; from gansdk.jobs.reports import Making, open_report\n"
        "target = pathlib.Path(sys.argv[1])\n"
        "with open_report(Making(target, target, ('', '', ''), '', '')):\n"
        "    (target / 'a.png').write_bytes(b'whole'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, target], check=False).returncode == -9
    with open_report(making) as report:
        assert report.state(item(target), STAMP)[0] == "outdated"
        assert report.state(item(target, "b.jpg"), STAMP)[0] == "foreign"
    assert state(target, making)[0] == "foreign"


@pytest.mark.parametrize("rubbish", [b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"input": 5}\n', b"\n"])
def test_lines_of_nobody_are_taken_out(target, making, rubbish):
    made(target, making)
    with (target / NAME).open("ab") as file:
        file.write(rubbish)
    assert state(target, making)[0] == "whole"
    assert len(lines(target)) == 1


def test_the_last_line_of_an_input_stays(target, making):
    made(target, making)
    made(target, making, "b.jpg")
    made(target, making, content=b"larger")
    assert [(line["input"], line["bytes"]) for line in lines(target)] == [("b.jpg", 5), ("a.jpg", 6)]


def test_without_lines_there_is_no_file(target, making):
    assert state(target, making)[0] == "new"
    assert not (target / NAME).exists()


def test_one_process_at_a_time(target, making):
    with open_report(making), pytest.raises(OutputError, match="another process fills"), open_report(making):
        pass
    with open_report(making):
        pass


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    making = Making.of(spec(), tmp_path, tmp_path / "file" / "out")
    with pytest.raises(OutputError), open_report(making):
        pass


def test_records_stand_in_their_lines(target, tmp_path):
    making = Making.of(spec(MEASURE), tmp_path / "in", target)
    one = Item(("in/a.jpg",), None, label="a.jpg")
    with open_report(making) as report:
        assert report.state(one, STAMP) == ("new", None)
        report.add(Outcome(one, 1, record={"width": 12}), STAMP)
    with open_report(making) as report:
        assert report.state(one, STAMP) == ("whole", None)
        assert report.state(one, (1, 1))[0] == "outdated"
        assert report.record(one) == {"width": 12}
        report.add(Outcome(one, 1, error=InputError("broken")), STAMP)
        assert report.record(one) is None


def digest(**changes):
    return Making.of(spec(**changes), UNREAD.folder, UNREAD.folder).digests


def test_what_counts_as_another_making_and_what_does_not():
    config = UNREAD.config
    weights = dataclasses.replace(UNREAD, config=config.model_copy(update={"files": {"model.safetensors": "sha256:1"}}))
    measured = {**config.files, "evaluation.json": "sha256:2"}
    same = [
        {"load": LoadOptions(device="cpu", threads=1)},
        {"call": SuperresOptions(tile=64, max_output_pixels=10)},
        {"reading": ImageReading(max_pixels=5, strict=True)},
        {"writing": ImageWriting(on_exists="skip", format="png")},
        {"model": dataclasses.replace(UNREAD, ref="builtin:x", folder=UNREAD.folder / "moved")},
        {"model": dataclasses.replace(UNREAD, config=config.model_copy(update={"files": measured}))},
    ]
    others = [
        {"load": LoadOptions(precision="fp32")},
        {"load": LoadOptions(network_interpolation=0.5)},
        {"call": SuperresOptions(scale=2)},
        {"reading": ImageReading(frame=1)},
        {"writing": ImageWriting(format="jpg")},
        {"writing": ImageWriting(metadata="strip")},
        {"model": weights},
    ]
    assert {digest(**change) for change in same} == {digest()}
    assert len({digest(), *(digest(**change) for change in others)}) == 1 + len(others)


def test_names_that_are_no_text_come_back_from_a_line():
    for name in ("caf\udce9.png", "漢.png"):
        line = json_line({"input": name})
        assert json.loads(line) == {"input": name}
    assert "漢".encode() in line
