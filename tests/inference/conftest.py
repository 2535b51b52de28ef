from __future__ import annotations

import pytest
import tiny

from gansdk.models.resolved import ResolvedModel


@pytest.fixture
def resolved(tmp_path_factory):
    """A tiny model."""
    folder = tmp_path_factory.mktemp("model") / "model"
    tiny.write(folder)
    return ResolvedModel.at(folder, tiny.METHOD)
