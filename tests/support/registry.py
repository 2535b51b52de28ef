"""The package registry, for tests that ask it; without it they are skipped by name."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest


def need_registry() -> None:
    """Skips a test where pip cannot ask its index, as on a machine without a network."""
    if not _is_reachable():
        pytest.skip("the package registry cannot be reached")


@cache
def _is_reachable() -> bool:
    line = [sys.executable, "-m", "pip", "--retries", "0", "--timeout", "15", "index", "versions", "filelock"]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0
