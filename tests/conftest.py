"""What all tests share."""

from __future__ import annotations

import os

from hub.fixtures import hub

__all__ = ["hub"]

# Tiny networks gain nothing from threads, and two test processes with two threads each wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
