"""The images of a card: the right panels, in the right order, without loss."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from PIL import Image as PILImage
from skimage.data import chelsea

from gansdk.cards.card import applicable
from gansdk.cards.images import make_images
from gansdk.model.config import read_config
from gansdk.model.facts import Facts
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions

SIDE, STEP, TOP = 192, 198, 26


@pytest.fixture
def strips(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder, start=tiny.trained_networks(seed=1))
    resolved = ResolvedModel("./m", folder, read_config(folder), tiny.METHOD)
    written = make_images(tmp_path, resolved, LoadOptions(precision="fp32", device="cpu"))
    return {path.name: np.asarray(PILImage.open(path).convert("RGB")) for path in written}


def panel(sheet: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = TOP + STEP * row, STEP * column
    return sheet[top : top + SIDE, left : left + SIDE]


def test_a_strip_shows_input_bicubic_both_checkpoints_and_truth(strips):
    assert set(strips) == {"card-strip.webp", "card-trials.webp"}
    sheet = strips["card-strip.webp"]
    assert sheet.shape == (TOP + 3 * STEP - 6, 5 * STEP - 6, 3)
    truth = chelsea()[48 : 48 + SIDE, 72 : 72 + SIDE]
    np.testing.assert_array_equal(panel(sheet, 0, 4), truth)
    low = PILImage.fromarray(chelsea()[:300, :450]).resize((225, 150), PILImage.Resampling.BICUBIC)
    small = np.asarray(low)[24 : 24 + SIDE // 2, 36 : 36 + SIDE // 2]
    np.testing.assert_array_equal(panel(sheet, 0, 0), small.repeat(2, axis=0).repeat(2, axis=1))
    large = np.asarray(low.resize((450, 300), PILImage.Resampling.BICUBIC))
    np.testing.assert_array_equal(panel(sheet, 0, 1), large[48 : 48 + SIDE, 72 : 72 + SIDE])
    assert not np.array_equal(panel(sheet, 0, 2), panel(sheet, 0, 3))


def test_only_models_that_enlarge_images_have_such_images(tmp_path):
    tiny.write(tmp_path / "m")
    config = read_config(tmp_path / "m")
    assert applicable(config) == ("card-strip.webp", "card-trials.webp")
    assert applicable(config.model_copy(update={"facts": Facts()})) == ()
