"""The trial images that every installation has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from skimage.data import astronaut, chelsea
from skimage.metrics import peak_signal_noise_ratio

from gansdk.data.crops import degrade
from gansdk.evaluation.protocol import MODEL, EvaluationSettings
from gansdk.evaluation.restoration import FACES, JPEG, PHOTOGRAPHS, TEXT, RestorationProtocol, trial_images
from gansdk.model.facts import Facts, ImageGeneratorFacts, ImageOutput, ImageSource
from gansdk.model.protocols import Model
from gansdk.models.context import silent

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_the_photographs_are_scikit_images():
    images = dict(trial_images()[PHOTOGRAPHS])
    assert sorted(images) == ["astronaut", "chelsea", "coffee", "rocket"]
    np.testing.assert_array_equal(images["astronaut"], astronaut())
    np.testing.assert_array_equal(images["chelsea"], chelsea())


def test_a_set_has_the_same_digest_whenever_it_is_made():
    first, second = trial_images(), trial_images()
    assert {name: one.digest for name, one in first.items()} == {name: one.digest for name, one in second.items()}


def test_all_are_free_to_show():
    for one in trial_images().values():
        assert set(one.licence.split(" AND ")) <= {"CC0-1.0", "public domain"}
        assert all(attribution.author for attribution in one.attributions)


def test_text_is_dark_on_white_at_several_heights():
    images = [pixels for _, pixels in trial_images()[TEXT]]
    assert len(images) == 4
    for pixels in images:
        assert pixels.max() == 255
        assert pixels.min() < 64
        assert 0.02 < (pixels < 128).mean() < 0.4


def test_faces_are_near_and_far():
    sizes = {name: pixels.shape for name, pixels in trial_images()[FACES]}
    assert sizes == {"face, near": (192, 192, 3), "face, far": (96, 96, 3)}


def test_jpeg_changes_the_input_and_not_the_truth():
    facts = Facts(generator=ImageGeneratorFacts(source=ImageSource(), output=ImageOutput(scale=4), receptive_field=0))
    enlarging = Model(facts=facts, generator=_Enlarging())
    restoring = RestorationProtocol({MODEL: enlarging}, EvaluationSettings(facts, torch.device("cpu"), silent))
    sets = trial_images()
    clean, compressed = (next(iter(restoring.examples(sets[name]))) for name in (PHOTOGRAPHS, JPEG))
    np.testing.assert_array_equal(clean.high, compressed.high)
    np.testing.assert_array_equal(clean.low, degrade(clean.high, 4).low)
    assert 25 < peak_signal_noise_ratio(clean.low, compressed.low) < 40
    assert "quality 40" in restoring.conditions(sets[JPEG])["input"]
    assert "JPEG" not in restoring.conditions(sets[PHOTOGRAPHS])["input"]


class _Enlarging:
    def generate(self, source: Mapping[str, torch.Tensor], /) -> torch.Tensor:
        return torch.nn.functional.interpolate(source["image"], scale_factor=4)


@pytest.mark.parametrize("name", [PHOTOGRAPHS, FACES, TEXT, JPEG])
def test_names_cannot_be_those_of_a_users_set(name):
    assert not name.isidentifier()
