"""The list of checks in docs/checks.md is the one that the checks themselves give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_list_of_checks_is_up_to_date():
    line = [sys.executable, str(ROOT / "scripts" / "checks_reference.py"), "--check"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
