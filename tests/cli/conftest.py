from __future__ import annotations

import pytest
import tiny


@pytest.fixture
def model(tmp_path):
    """A model folder of the tiny method."""
    tiny.write(tmp_path / "work" / "model")
    return tmp_path / "work" / "model"
