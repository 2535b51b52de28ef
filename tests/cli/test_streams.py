"""Standard streams that are closed or full: one line or a quiet end, and no result is lost."""

from __future__ import annotations

import subprocess

import pytest
from command import PROGRAM
from PIL import Image as PILImage

FULL = "gansdk: cannot write to standard output: No space left on device"
CLOSED = "gansdk: cannot write to standard output: Bad file descriptor"


@pytest.fixture
def shell(with_kinds, model):
    """Runs a command line, with Python's streams as users have them and as logs do."""
    PILImage.new("RGB", (8, 8)).save(with_kinds.cwd / "a.png")

    def call(line, *, unbuffered=False):
        environment = {**with_kinds.environment, "PYTHONUNBUFFERED": "1" if unbuffered else "", "G": str(PROGRAM)}
        line = line.replace("superres", "superres -m ./model --threads 1")
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, cwd=with_kinds.cwd, env=environment, check=False
        )
        assert "Traceback" not in done.stderr
        return done

    return call


LISTINGS = ["tasks", "tasks --json", "--version", "--help", "run superres --help", "models show ./model --json"]


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("verb", LISTINGS)
def test_what_cannot_be_printed_is_said_in_one_line(shell, verb, unbuffered):
    for stream, said in ((">/dev/full", FULL), (">&-", CLOSED)):
        done = shell(f"$G {verb} {stream}", unbuffered=unbuffered)
        assert (done.returncode, done.stderr) == (1, said + "\n")


@pytest.mark.parametrize("unbuffered", [False, True])
def test_an_answer_in_json_that_cannot_be_printed_is_said_in_words(shell, unbuffered):
    done = shell("$G tasks --json --nope >/dev/full", unbuffered=unbuffered)
    assert (done.returncode, done.stderr) == (1, FULL + "\n")


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", ">/dev/full", "2>/dev/full", "<&- >&- 2>&-"])
def test_a_result_needs_no_stream(shell, with_kinds, streams):
    assert shell(f"$G run superres a.png -o x.png {streams}").returncode == 0
    with PILImage.open(with_kinds.cwd / "x.png") as image:
        assert image.size == (16, 16)


def test_a_result_stands_that_cannot_be_told_of(shell, with_kinds):
    done = shell("$G run superres a.png --json -o x.png >/dev/full")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, FULL)
    assert (with_kinds.cwd / "x.png").exists()


def test_a_stream_that_is_asked_for_and_closed_fails_its_item(shell):
    done = shell("$G run superres - -o x.png <&-")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "gansdk: cannot read standard input: Bad file descriptor",
    )
    for stream, said in ((">/dev/full", FULL), (">&-", CLOSED)):
        done = shell(f"$G run superres a.png -o - {stream}")
        assert (done.returncode, done.stderr.splitlines()[1:]) == (1, [said.replace("gansdk:", "gansdk: a.png:")])


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_an_error_that_cannot_be_said_is_in_the_exit_code(shell, streams):
    assert shell(f"$G tasks --nope {streams}").returncode == 2
