"""Each target for a while. ``make fuzz`` takes longer, from another seed each time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import TARGETS

SECONDS = float(os.environ.get("GANSDK_FUZZ_SECONDS", "20"))
SEED = os.environ.get("GANSDK_FUZZ_SEED", "0")

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured on Linux")
@pytest.mark.parametrize("target", TARGETS)
def test_whatever_comes_ends_in_a_result_or_in_one_line(target):
    path = os.pathsep.join([str(TESTS), str(TESTS / "support")])
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.runner", target, "--seconds", str(SECONDS), "--seed", SEED],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS + 120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
