"""``gansdk map`` through the installed command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from command import PROGRAM
from PIL import Image as PILImage

REPORT = "gansdk-map.jsonl"


def photo(path, width=24, height=16, seed=0):
    path.parent.mkdir(exist_ok=True, parents=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    PILImage.fromarray(pixels).save(path)


@pytest.fixture
def work(with_kinds, model):
    photo(with_kinds.cwd / "in" / "a.png")
    photo(with_kinds.cwd / "in" / "sub" / "ü ñ 漢.png")
    return with_kinds.cwd


def run(command, *arguments, **more):
    return command("map", "superres", "in", "out", "--model", "./model", "--threads", 1, *arguments, **more)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def report(folder):
    return {line["input"]: line for line in map(json.loads, (folder / REPORT).read_bytes().splitlines())}


def test_a_folder_into_a_folder_and_on_from_there(with_kinds, work):
    (work / "in" / "notes.txt").write_text("words")
    (work / "in" / "bad.jpg").write_text("words")
    (work / "in" / "loop").symlink_to(work / "in")
    done = run(with_kinds)
    assert (done.code, done.out) == (1, "")
    assert names(work / "out") == [".gansdk-map.lock", "a.png", REPORT, "sub/ü ñ 漢.png"]
    for said in (
        "passed over 1 file that is not an image: notes.txt",
        "links to folders are not followed: loop",
        "superres with ./model",
        "gansdk: in/bad.jpg is text by its content",
        "2 done, 1 failed in",
        f"the report is out/{REPORT}",
    ):
        assert said in done.err
    assert "a.png →" not in done.err  # of what went well the report knows
    (work / "in" / "bad.jpg").unlink()
    again = run(with_kinds, "--continue", "--tile", 64, "--verbose")
    assert again.code == 0
    assert "a.png: whole already" in again.err
    assert "0 done, 2 whole already" in again.err
    assert "superres with" not in again.err  # nothing was loaded
    refused = run(with_kinds)
    assert (refused.code, "go on with --continue" in refused.error) == (1, True)


def test_json_gives_an_object_per_image_and_the_report_names_within_the_folders(with_kinds, work):
    (work / "in" / "bad.jpg").write_text("words")
    done = run(with_kinds, "--json")
    records = {record["input"]: record for record in done.records}
    assert list(records) == ["in/a.png", "in/bad.jpg", "in/sub/ü ñ 漢.png"]
    assert records["in/a.png"]["output"] == "out/a.png"
    assert records["in/bad.jpg"]["error"]["kind"] == "input"
    said = report(work / "out")
    assert list(said) == ["a.png", "bad.jpg", "sub/ü ñ 漢.png"]
    assert said["sub/ü ñ 漢.png"]["output"] == "sub/ü ñ 漢.png"
    assert said["a.png"]["seconds"] > 0
    again = run(with_kinds, "--json", "--continue")
    assert [record.get("skipped") for record in again.records] == [True, True, None]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text(with_kinds, work):
    odd = os.fsencode(work / "in") + b"/caf\xe9.png"
    os.rename(work / "in" / "a.png", odd)  # noqa: PTH104
    assert run(with_kinds).code == 0
    assert os.path.exists(os.fsencode(work / "out") + b"/caf\xe9.png")  # noqa: PTH110
    assert "caf\udce9.png" in report(work / "out")
    again = run(with_kinds, "--continue", "--json")
    assert [record["skipped"] for record in again.records] == [True, True]
    os.truncate(odd, 100)
    done = run(with_kinds, "--continue")
    assert done.code == 1
    assert r"caf\udce9.png" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["in", "in"], 2, "would stand among their inputs"),
        (["in", "in/sub/.."], 2, "would stand among their inputs"),
        (["in", ""], 2, "OUT_DIR is empty"),
        (["in"], 2, "OUT_DIR"),
        (["absent", "out"], 1, "there is no folder absent"),
        (["in/a.png", "out"], 1, "use gansdk run superres"),
        (["in", "in/a.png"], 1, "is a file, not a folder"),
        (["empty", "out"], 1, "holds no images"),
        (["twice", "out"], 2, "a.jpg and a.png would both be written to a.png; b.jpg and b.png would both"),
        (["in", "out", "--tile", "7"], 2, "--tile '7' is not one of"),
        (["in", "out", "-m", "model"], 2, "for the folder write ./model"),
        (["in", "out", "--output", "x"], 2, "there is no option '--output'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_done(with_kinds, work, arguments, code, said):
    (work / "empty").mkdir()
    for name in ("a.png", "a.jpg", "b.png", "b.jpg", "c.png"):
        photo(work / "twice" / name)
    before = names(work)
    done = with_kinds("map", "superres", "-m", "./model", *arguments)
    assert (done.code, said in done.err) == (code, True)
    assert "Traceback" not in done.err
    assert names(work) == before
    assert not (work / "out").exists()


def test_a_task_that_takes_no_image_is_refused(with_kinds, work):
    done = with_kinds("map", "kinds", "in", "out")
    assert (done.code, "kinds takes nothing" in done.error) == (2, True)


def test_its_help_and_its_tasks(with_kinds):
    done = with_kinds("map", "superres", "--help")
    assert "IN_DIR OUT_DIR [OPTIONS]" in done.out
    for flag in ("--continue", "--tile", "--model", "--format", "--max-pixels", "--on-exists", "--device"):
        assert flag in done.out
    assert "superres" in with_kinds("map", "--help").out
    assert with_kinds("map").code == 2
    assert "did you mean superres" in with_kinds("map", "superes", "in", "out").error


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_leaves_whole_results_and_the_rest_for_later(with_kinds, work):
    for index in range(3):
        photo(work / "in" / f"b{index}.png", 600, 600, index)
    line = [str(PROGRAM), "map", "superres", "in", "out", "-m", "./model", "--tile", "40"]
    process = subprocess.Popen(line, cwd=work, env=with_kinds.environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr as stderr:
        end = time.monotonic() + 60
        while not (work / "out" / REPORT).exists() and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = stderr.read()
    assert process.wait() == 130
    assert said.splitlines()[-2:] == ["the same command with --continue picks up from here", "gansdk: interrupted"]
    assert "Traceback" not in said
    done = set(report(work / "out"))
    assert "a.png" in done
    assert set(names(work / "out")) == {*done, REPORT, ".gansdk-map.lock"}
    assert run(with_kinds, "--continue").code == 0
    assert len(report(work / "out")) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_one_bar_counts_files_where_somebody_watches(with_kinds, work):
    import pty

    reader, terminal = pty.openpty()
    line = [str(PROGRAM), "map", "superres", "in", "out", "-m", "./model"]
    environment = with_kinds.environment | {"TERM": "xterm"}
    done = subprocess.run(line, cwd=work, env=environment, stderr=terminal, stdout=subprocess.PIPE, check=True)
    os.write(terminal, b"end")  # reading an empty terminal would wait
    seen = os.read(reader, 100_000)
    os.close(terminal)
    os.close(reader)
    assert done.stdout == b""
    assert b"of 2 files" in seen
