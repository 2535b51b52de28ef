from __future__ import annotations

import numpy as np
import pytest
import tiny
from PIL import Image as PILImage
from works import MEASURE

from gansdk.jobs.executors import Local
from gansdk.models.pipelines import Pipeline
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions
from gansdk.tasks.superres import SUPERRES


@pytest.fixture
def resolved(tmp_path_factory):
    """A tiny model."""
    folder = tmp_path_factory.mktemp("model") / "model"
    tiny.write(folder)
    return ResolvedModel.at(folder, tiny.METHOD)


@pytest.fixture
def local(resolved):
    """Runs superres with it."""
    return Local(lambda: Pipeline(SUPERRES, resolved, LoadOptions(device="cpu")))


@pytest.fixture
def measuring(resolved):
    """Runs a task that gives records with it."""
    return Local(lambda: Pipeline(MEASURE, resolved, LoadOptions(device="cpu")))


@pytest.fixture
def photos(tmp_path):
    """A folder with three small images."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in ("a.png", "b.png", "c.png"):
        PILImage.fromarray(random.integers(0, 256, (10, 12, 3), dtype=np.uint8)).save(folder / name)
    return folder
