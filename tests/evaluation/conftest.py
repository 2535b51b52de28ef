"""Small photographs and a small model with two checkpoints."""

from __future__ import annotations

import pytest
import tiny
from PIL import Image as PILImage

from gansdk.model.config import read_config
from gansdk.models.resolved import ResolvedModel


@pytest.fixture
def photos(tmp_path):
    """A folder of photographs; one has odd sides."""
    from skimage.data import astronaut, coffee

    folder = tmp_path / "photos"
    folder.mkdir()
    PILImage.fromarray(coffee()[200:281, 300:395]).save(folder / "coffee.png")
    PILImage.fromarray(astronaut()[40:120, 180:260]).save(folder / "astronaut.png")
    return folder


@pytest.fixture
def resolved(tmp_path):
    """A model of seed 0 that began as one of seed 1."""
    tiny.write(tmp_path / "m", start=tiny.trained_networks(seed=1))
    return ResolvedModel("./m", tmp_path / "m", read_config(tmp_path / "m"), tiny.METHOD)
