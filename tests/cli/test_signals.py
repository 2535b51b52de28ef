"""A training that is told to end: by a user, by a scheduler, by a terminal that is closed."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from contextlib import contextmanager

import numpy as np
import pytest
from command import PROGRAM
from PIL import Image as PILImage

from gansdk.cli.commands import CommandContext
from gansdk.cli.train import watching

SIZES = ["batch=4", "height=8", "width=8", "hidden=8", "features=2", "code_hidden=8", "steps=1000000"]
SETTINGS = [one for text in SIZES for one in ("--set", text)]
LINE = ["train", "infogan", "--config", "small", "--data", "photos", "-o", "a run", "--threads", "1", *SETTINGS]
SELDOM = ["--checkpoint-every", "1000000", "--log-every", "1", "--samples-every", "0"]


@pytest.fixture
def endless(gansdk):
    """Starts a training that would take hours, and gives it once it takes steps."""
    (gansdk.cwd / "photos").mkdir()
    for seed in range(4):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
        PILImage.fromarray(pixels).save(gansdk.cwd / "photos" / f"{seed}.png")

    @contextmanager
    def begun(**how):
        process = subprocess.Popen(
            [str(PROGRAM), *LINE, *SELDOM], cwd=gansdk.cwd, env=gansdk.environment, **{"stderr": subprocess.PIPE} | how
        )
        try:
            _wait(lambda: (gansdk.cwd / "a run" / "metrics.jsonl").exists() or process.poll() is not None)
            yield process
        finally:
            process.kill()
            process.wait()

    return begun


def _wait(is_so):
    end = time.monotonic() + 120
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    assert is_so()


def _saved(gansdk):
    (state,) = (gansdk.cwd / "a run" / "state").iterdir()
    step = int(state.name)
    model = json.loads((gansdk.cwd / "a run" / "model" / "config.json").read_text("utf-8"))
    assert model["trained"]["steps"] == step > 0
    return step


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_what_is_done_is_saved_and_how_to_continue_is_said(endless, gansdk, name):
    with endless() as process:
        process.send_signal(getattr(signal, name))
        said = process.communicate(timeout=120)[1].decode()
    assert process.returncode == (130 if name == "SIGINT" else -getattr(signal, name))
    assert "stopping after this step; what is done will be saved" in said
    assert said.count("continue with `gansdk resume 'a run'`") == 1
    step = _saved(gansdk)
    resumed = gansdk("resume", "a run", "--steps", step + 2)
    assert (resumed.code, _saved(gansdk)) == (0, step + 2), resumed.err


def test_a_terminal_that_is_closed_costs_no_step(endless, gansdk):
    ours, theirs = pty.openpty()
    with endless(
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=_take_terminal
    ) as process:
        os.close(theirs)
        _wait(lambda: b"steps/s" in os.read(ours, 4096))  # the bar is drawn
        os.close(ours)
        assert process.wait(timeout=120) == -signal.SIGHUP
    _saved(gansdk)


def _take_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_under_nohup_a_training_outlives_its_terminal(endless, gansdk):
    ours, theirs = pty.openpty()
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": theirs}
    with endless(**how, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        os.close(theirs)
        os.close(ours)  # whatever is written to it from now on fails
        process.send_signal(signal.SIGHUP)
        log = gansdk.cwd / "a run" / "metrics.jsonl"
        before = log.stat().st_size
        time.sleep(1)
        _wait(lambda: log.stat().st_size > before + 2000 or process.poll() is not None)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == -signal.SIGTERM
    _saved(gansdk)


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_training_that_ends_before_it_began_names_no_run(tmp_path, capsys, has_begun):
    if has_begun:
        (tmp_path / "train.json").touch()
    with pytest.raises(KeyboardInterrupt), watching(CommandContext(), str(tmp_path)):
        raise KeyboardInterrupt
    assert ("gansdk resume" in capsys.readouterr().err) == has_begun
