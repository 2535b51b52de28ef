"""The files of the backbones, where this machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

BACKBONES = Path(os.environ.get("GANSDK_DATA", "")) / "trunks"


@pytest.fixture
def expected():
    """What the networks' own code gives on a photograph of a cat."""
    path = BACKBONES / "expected.npz"
    if not path.is_file():
        pytest.skip("needs $GANSDK_DATA/trunks/expected.npz")
    return np.load(path)


@pytest.fixture
def backbone():
    """The path of a backbone's file."""

    def find(name: str) -> str:
        path = BACKBONES / f"{name}.safetensors"
        if not path.is_file():
            pytest.skip(f"needs $GANSDK_DATA/trunks/{name}.safetensors")
        return str(path)

    return find
