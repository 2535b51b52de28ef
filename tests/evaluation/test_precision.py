"""The gate for reduced precision, against scikit-image and a closed form."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from skimage.metrics import peak_signal_noise_ratio

from gansdk.evaluation.precision import compare, measure
from gansdk.model.config import read_config
from gansdk.models.resolved import ResolvedModel


def test_psnr_is_scikit_images():
    random = np.random.default_rng(0)
    full = random.random((1, 3, 20, 30), dtype=np.float32)
    reduced = np.clip(full + random.normal(0, 0.003, full.shape), 0, 1).astype(np.float32)
    assert compare("x", full, reduced).psnr == pytest.approx(
        peak_signal_noise_ratio(full, reduced, data_range=1), abs=1e-3
    )


def test_one_step_everywhere_and_three_steps_in_a_few_places():
    full = np.full((1, 1, 100, 100), 0.5, np.float32)
    one = compare("x", full, full + np.float32(1 / 255))
    assert (one.steps, one.psnr) == (pytest.approx(1, abs=1e-4), pytest.approx(48.13, abs=0.01))
    assert not one.passes  # 48 dB
    few = full.copy()
    few[0, 0, 0, :20] += 3 / 255  # 0.2 % of the pixels
    assert compare("x", full, few).steps == pytest.approx(3, abs=1e-4)
    assert not compare("x", full, few).passes
    few[0, 0, 0, 5:] = 0.5  # 0.05 %
    assert compare("x", full, few).passes


def test_a_model_is_measured_on_photographs(tmp_path):
    tiny.write(tmp_path / "m")
    resolved = ResolvedModel("m", tmp_path / "m", read_config(tmp_path / "m"), tiny.METHOD)
    photo = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    (loss,) = measure(resolved, "bf16", {"noise": photo})
    assert loss.photograph == "noise"
    assert 30 < loss.psnr < 100
    assert 0 < loss.steps < 10
