"""Bars of downloads, looked at on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest
from command import PROGRAM

from hub import faults
from hub.unloaded import NAME, config_for

if TYPE_CHECKING:
    from pathlib import Path

    from hub.server import Hub

LARGE = os.urandom(2 * 2**20)


def seen(hub: Hub, home: Path, *arguments: str) -> str:
    """What a terminal of 100 columns gets to see."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    environment = hub.environment(home)
    del environment["HF_HUB_DISABLE_PROGRESS_BARS"]
    line = [str(PROGRAM), "pull", "hub:org/m", *arguments]
    with subprocess.Popen(line, env=environment, stdout=theirs, stderr=theirs):
        os.close(theirs)
        found = b""
        try:
            while more := os.read(ours, 4096):
                found += more
        except OSError:  # the other side is closed
            pass
    os.close(ours)
    return found.decode()


@pytest.fixture
def _large(hub: Hub) -> None:
    hub.repo("org/m", {"config.json": config_for(LARGE).to_json().encode(), NAME: LARGE})


@pytest.mark.usefixtures("_large")
def test_a_large_file_has_a_bar_with_the_time_left_under_its_name(hub: Hub, tmp_path: Path) -> None:
    hub.fail(faults.trickle(4e6), "GET", side="cdn")
    text = seen(hub, tmp_path / "home")
    bars = [part for part in text.split("\r") if part.startswith(f"{NAME}:")]
    assert any("<00:0" in bar for bar in bars[1:-1])
    assert "100%" in bars[-1]
    assert "config.json:" not in text
    assert "Signature" not in text


@pytest.mark.usefixtures("_large")
def test_there_is_none_for_who_wants_quiet(hub: Hub, tmp_path: Path) -> None:
    assert seen(hub, tmp_path / "home", "--quiet") == ""


@pytest.mark.usefixtures("_large")
def test_there_is_none_in_a_pipe(hub: Hub, tmp_path: Path) -> None:
    environment = hub.environment(tmp_path / "home")
    del environment["HF_HUB_DISABLE_PROGRESS_BARS"]
    done = subprocess.run(
        [str(PROGRAM), "pull", "hub:org/m"], env=environment, capture_output=True, text=True, check=True
    )
    assert NAME not in done.stderr


EVERY_FIFTH = """
import sys
from gansdk.hub import transfers
transfers.LINE_SECONDS = 0.2
from gansdk.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.usefixtures("_large")
def test_a_long_transfer_says_a_line_now_and_then_in_a_pipe(hub: Hub, tmp_path: Path) -> None:
    hub.fail(faults.trickle(1e6), "GET", side="cdn")
    environment = hub.environment(tmp_path / "home")
    del environment["HF_HUB_DISABLE_PROGRESS_BARS"]

    line = [sys.executable, "-c", EVERY_FIFTH, "pull", "hub:org/m"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    assert "\r" not in done.stderr
    lines = [each for each in done.stderr.splitlines() if each.startswith(NAME)]
    assert 2 <= len(lines) <= 10
    assert all(re.fullmatch(rf"{NAME}: \d+ %, 00:0\d left", each) for each in lines)
