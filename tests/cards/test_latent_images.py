"""The images of a card for a model from a latent: the right samples at the right places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import slider
import torch

import gansdk
from gansdk.cards.card import FAILED, TRIED, applicable
from gansdk.cards.images import latent_images
from gansdk.data.mnist import MNIST
from gansdk.evaluation.evaluated_model import EvaluatedModel
from gansdk.evaluation.protocol import SEED
from gansdk.model.config import ModelConfig, Trained, TrainingData
from gansdk.models.latents import draw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

CELL, GAP = 84, 2
PANEL, HEADER = 168, 26


def config_of(facts: gansdk.Facts) -> ModelConfig:
    """What a model with these facts declares that was trained on MNIST."""
    split = MNIST.splits["train"]
    data = (TrainingData(name="mnist:train", licence="CC0-1.0", items=split.items, digest=split.digest),)
    trained = Trained(recipe="a:b", config="c", seed=0, steps=1, data=data)
    files = {"model.safetensors": "sha256:" + "0" * 64}
    return ModelConfig(
        gansdk=1, method="slider", requires="slider", facts=facts, network={}, files=files, trained=trained
    )


def images_of(model: gansdk.Model) -> dict[str, NDArray[np.uint8]]:
    return dict(latent_images(EvaluatedModel(model=model, device=torch.device("cpu")), config_of(model.facts)))


@pytest.fixture(scope="module")
def bars() -> dict[str, NDArray[np.uint8]]:
    return images_of(slider.model())


def cells(sheet: NDArray[np.uint8], columns: int, rows: int) -> NDArray[np.uint8]:
    """The images of a grid, [rows, columns, H, W]; its labels stand to the left and above."""
    step = CELL + GAP
    grid = sheet[-(rows * step - GAP) :, -(columns * step - GAP) :, 0]
    return np.array([[grid[y * step :, x * step :][:CELL, :CELL] for x in range(columns)] for y in range(rows)])


def panels(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The sixteen images of a sheet, four in a row with captions above, [16, H, W]."""
    across, down = PANEL + 6, PANEL + 6 + HEADER
    tops = [HEADER + row * down for row in range(4)]
    return np.array([sheet[top:, left * across :][:PANEL, :PANEL, 0] for top in tops for left in range(4)])


def centres(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Where the ink of images stands from left to right, in pixels of the model."""
    ink, side = images.sum(-2).astype(float), images.shape[-1]
    return (ink * (np.arange(side) + 0.5)).sum(-1) / ink.sum(-1) * slider.SIDE / side


def test_a_column_for_each_category(bars):
    found = centres(cells(bars["card-samples.webp"], columns=4, rows=8))
    np.testing.assert_allclose(found, np.tile([3.5, 10.5, 17.5, 24.5], (8, 1)), atol=0.3)


def test_a_sweep_goes_all_the_way_and_moves_nothing_else(bars):
    swept = cells(bars["card-sweep-style-0.webp"], columns=11, rows=6)
    leaning = centres(swept[..., :3, :]) - centres(swept[..., -3:, :])
    expected = np.linspace(-2, 2, 11) * 27 / 28  # from the middle of the first row of pixels to that of the last
    np.testing.assert_allclose(leaning, np.tile(expected, (6, 1)), atol=0.05)
    still = cells(bars["card-sweep-style-1.webp"], columns=11, rows=6)
    np.testing.assert_array_equal(still, still[:, :1].repeat(11, axis=1))


class Hesitant(slider.Reader):
    """Is unsure of the third place."""

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        read = super().encode(data)["class"]
        is_third = read.argmax(1, keepdim=True) == 2
        return {"class": torch.where(is_third, (read + 1) / 5, read)}


def test_without_an_evaluator_those_of_which_the_encoder_is_least_sure():
    model = gansdk.Model(slider.FACTS, generator=slider.Bars(), encoder=Hesitant())
    shown = panels(images_of(model)["card-doubtful.webp"])
    np.testing.assert_allclose(centres(shown), np.full(FAILED, 17.5), atol=0.3)


CLASS = gansdk.Categorical(name="class", k=2, labels=("zero", "one"))
STYLE = gansdk.Continuous(name="style")
DIGITS = gansdk.Facts(
    generator=gansdk.LatentGeneratorFacts(source=gansdk.LatentSource(variables=(CLASS, STYLE)), output=slider.IMAGE)
)
LAPSE = 0.99


class Digits:
    """Draws rings for zeros and bars for ones; now and then it gives a bar, to the left, for a zero."""

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        rows, columns = torch.meshgrid(torch.arange(28) - 13.5, torch.arange(28) - 13.5, indexing="ij")
        ring = (2.5 - (torch.hypot(rows, columns * 1.3) - 8).abs()).clamp(0, 1)
        drawn = [ring, _bar(rows, columns), _bar(rows, columns + 6)]
        lapses = (source["class"] == 0) & (source["style"][:, 0] > LAPSE)
        return torch.stack(drawn)[source["class"] + 2 * lapses][:, None]


def _bar(rows: Tensor, columns: Tensor) -> Tensor:
    return (2.5 - columns.abs()).clamp(0, 1) * (rows.abs() < 9)


def test_with_an_evaluator_those_that_it_takes_for_something_else_come_first():
    sheet = images_of(gansdk.Model(DIGITS, generator=Digits()))["card-mistaken.webp"]
    drawn = draw(DIGITS.generator.source, SEED, range(TRIED))
    wrong = int(((drawn["class"] == 0) & (drawn["style"][:, 0] > LAPSE)).sum())
    assert 0 < wrong < FAILED
    found = centres(panels(sheet))
    np.testing.assert_allclose(found[:wrong], 8, atol=0.3)
    np.testing.assert_allclose(found[wrong:], 14, atol=0.3)


def test_facts_and_data_decide_who_looks_for_failures():
    assert applicable(config_of(DIGITS))[-1] == "card-mistaken.webp"
    assert applicable(config_of(slider.FACTS))[-1] == "card-doubtful.webp"
    untrained = config_of(DIGITS).model_copy(update={"trained": None})
    assert applicable(untrained) == ("card-samples.webp", "card-sweep-style-0.webp")


def test_without_a_category_samples_stand_as_they_come():
    source = gansdk.LatentSource(variables=(gansdk.Noise(n=28),))
    facts = gansdk.Facts(generator=gansdk.LatentGeneratorFacts(source=source, output=slider.IMAGE))

    class Stripes:
        def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
            return source["noise"].sigmoid()[:, None, None].expand(-1, 1, 28, 28)

    made = images_of(gansdk.Model(facts, generator=Stripes()))
    assert list(made) == ["card-samples.webp"]
    noise = draw(source, 0, range(64))["noise"].astype(np.float64)
    expected = np.rint(255 / (1 + np.exp(-noise))).reshape(8, 8, 28)
    np.testing.assert_allclose(cells(made["card-samples.webp"], 8, 8)[:, :, 0, ::3], expected, atol=1)
