"""Latents through a generator."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansdk import Code, Context, ImageSpec, LatentGeneratorFacts, LatentSource
from gansdk.errors import OptionError
from gansdk.models.directions import render


class Brightness:
    """Gives images of one colour each, the latent's numbers, and remembers how many were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def generate(self, source, /):
        self.asked.append(len(source["colour"]))
        return source["colour"][:, :, None, None].expand(-1, 3, 4, 5)


def facts(height: int = 4, width: int = 5) -> LatentGeneratorFacts:
    source = LatentSource(variables=(Code(name="colour", n=3),))
    return LatentGeneratorFacts(source=source, output=ImageSpec(height=height, width=width))


def test_many_are_made_at_a_time_in_order_and_progress_is_told():
    colours = np.random.default_rng(0).random((150, 3), np.float32)
    generator, told = Brightness(), []
    pixels = render(generator, facts(), {"colour": colours}, Context(progress=lambda *at: told.append(at)))
    assert generator.asked == [64, 64, 22]
    assert told == [(0, 150), (64, 150), (128, 150), (150, 150)]
    expected = np.round(colours.astype(np.float64) * 255)
    np.testing.assert_allclose(pixels, np.broadcast_to(expected[:, None, None], (150, 4, 5, 3)), atol=1)


def test_values_beyond_the_range_are_cut():
    colours = np.array([[-0.5, 0.0, 1.7]], np.float32)
    assert render(Brightness(), facts(), {"colour": colours}, Context())[0, 0, 0].tolist() == [0, 0, 255]


def test_too_many_images_are_refused_before_one_is_made():
    generator = Brightness()
    with pytest.raises(OptionError, match=r"100 images of 4096×4096 are too many for one result"):
        render(generator, facts(4096, 4096), {"colour": np.zeros((100, 3), np.float32)}, Context())
    assert generator.asked == []


def test_a_image_is_the_same_alone_and_among_others():
    network = torch.nn.Linear(3, 60)

    class Drawn:
        def generate(self, source, /):
            return network(source["colour"]).reshape(-1, 3, 4, 5).sigmoid()

    colours = np.random.default_rng(1).random((70, 3), np.float32)
    with torch.inference_mode():
        together = render(Drawn(), facts(), {"colour": colours}, Context())
        alone = render(Drawn(), facts(), {"colour": colours[66:67]}, Context())
    np.testing.assert_allclose(together[66].astype(int), alone[0], atol=1)
