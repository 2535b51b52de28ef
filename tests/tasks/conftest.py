"""A model with a decoder and an encoder."""

from __future__ import annotations

import pytest
import sketch

from gansdk.models.pipelines import Pipeline
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions


@pytest.fixture
def sketched(tmp_path):
    """Binds a task to it; another seed is another model."""

    def bind(task, seed: int = 0) -> Pipeline:
        folder = tmp_path / f"sketch{seed}"
        if not folder.exists():
            sketch.write(folder, seed=seed)
        return Pipeline(task, ResolvedModel.at(folder, sketch.METHOD), LoadOptions(device="cpu"))

    return bind
