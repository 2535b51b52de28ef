"""What all tests share."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import tiny
from command import Gansdk
from dists import write_distribution
from hub.fixtures import hub

__all__ = ["hub"]

# Tiny networks gain nothing from threads, and two test processes with two threads each wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SUPPORT = Path(tiny.__file__).parent


@pytest.fixture
def gansdk(tmp_path):
    """The command with empty settings, in an empty folder."""
    (tmp_path / "work").mkdir()
    return Gansdk(home=tmp_path / "home", cwd=tmp_path / "work")


@pytest.fixture(scope="session")
def kinds_path(tmp_path_factory):
    """Where the test plugin is installed: tiny's method, a task with one option of each kind, a built-in model."""
    folder = tmp_path_factory.mktemp("kinds")
    write_distribution(folder, "gansdk-plugin-kinds", None, module="kinds")
    tiny.write(folder / "models" / "tiny-x2", licence="CC0-1.0", summary="random weights")
    (folder / "kinds_models.py").write_text(f"FOLDER = {str(folder / 'models')!r}\n", "utf-8")
    return folder, SUPPORT


@pytest.fixture
def with_kinds(gansdk, kinds_path):
    """The command with the test plugin."""
    return dataclasses.replace(gansdk, path=kinds_path)
