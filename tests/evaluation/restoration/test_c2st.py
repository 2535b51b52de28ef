"""The classifier that tells patches apart: chance where there is no difference, certainty where there is one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from gansdk.evaluation import evaluators
from gansdk.evaluation.evaluators import held_out_accuracy

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(evaluators, "C2ST_STEPS", 50)


def smooth(seed: int, blur: int = 6) -> np.ndarray:
    """Patches of smoothed noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, blur, blur, 3), dtype=np.uint8)
    return np.stack(
        [np.asarray(PILImage.fromarray(one).resize((48, 48), PILImage.Resampling.BICUBIC)) for one in noise]
    )


def test_what_is_alike_is_not_told_apart():
    names = [f"{index:02}" for index in range(40)]
    real = {name: smooth(index) for index, name in enumerate(names)}
    made = {name: smooth(1000 + index) for index, name in enumerate(names)}
    found = held_out_accuracy(real, made, seed=0, device=CPU)
    assert sorted(found) == names[1::2]
    assert 0.35 < np.mean(list(found.values())) < 0.65


def test_what_differs_is_told_apart_on_images_never_shown():
    names = [f"{index:02}" for index in range(20)]
    real = {name: smooth(index) for index, name in enumerate(names)}
    made = {name: smooth(index, blur=24) for index, name in enumerate(names)}
    assert np.mean(list(held_out_accuracy(real, made, seed=0, device=CPU).values())) > 0.9


def test_the_same_seed_gives_the_same_and_leaves_torchs_own_numbers_alone(monkeypatch):
    monkeypatch.setattr(evaluators, "C2ST_STEPS", 3)
    real = {str(index): smooth(index) for index in range(4)}
    made = {str(index): smooth(50 + index) for index in range(4)}
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    with torch.inference_mode():
        first = held_out_accuracy(real, made, seed=0, device=CPU)
    assert torch.equal(torch.rand(3), expected)
    assert first == held_out_accuracy(real, made, seed=0, device=CPU)
