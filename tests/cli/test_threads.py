"""How the command lets OpenMP's threads wait, as the runtime itself says it."""

from __future__ import annotations

import re
import sys

import pytest
from PIL import Image as PILImage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="torch has another OpenMP runtime here")


def spins(with_kinds) -> int:
    """How often a waiting thread looks for work before it sleeps."""
    PILImage.new("RGB", (8, 8)).save(with_kinds.cwd / "a.png")
    done = with_kinds.spawn("run", "superres", "a.png", "--model", "builtin:tiny-x2", "--on-exists", "overwrite")
    assert done.code == 0, done.err
    return int(re.search(r"GOMP_SPINCOUNT = '(\d+)'", done.err)[1])


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    monkeypatch.setenv("OMP_DISPLAY_ENV", "VERBOSE")
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.delenv(name, raising=False)


def test_threads_that_wait_sleep_at_once(with_kinds):
    assert spins(with_kinds) == 0


@pytest.mark.parametrize(("name", "value"), [("GOMP_SPINCOUNT", "77"), ("OMP_WAIT_POLICY", "ACTIVE")])
def test_what_the_user_says_of_it_goes_first(with_kinds, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert spins(with_kinds) >= 77


def test_a_library_leaves_it_to_the_application(gansdk):
    code = "import os; import gansdk; gansdk.pipeline; print(os.environ.get('OMP_WAIT_POLICY'))"
    assert gansdk.python(code).splitlines()[-1] == "None"
