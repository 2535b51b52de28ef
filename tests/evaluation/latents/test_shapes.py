"""Properties of small images, against shapes whose properties are known."""

from __future__ import annotations

import numpy as np
import pytest

from gansdk.evaluation.code_metrics import PROPERTIES, breadth, brightness, slant, stroke_width


def bar(width: float = 3, lean: float = 0.0, side: int = 28) -> np.ndarray:
    """An upright bar of that width, leaning by so many pixels to the right for each pixel up, smoothly drawn."""
    down, along = np.mgrid[:side, :side] + 0.5
    middle = side / 2 + lean * (side / 2 - down)
    inside = np.clip(width / 2 + 0.5 - np.abs(along - middle), 0, 1)
    inside[:4] = inside[-4:] = 0
    return inside


@pytest.mark.parametrize("lean", [-0.5, -0.2, 0.0, 0.3, 0.5])
def test_slant_is_how_far_a_bar_leans(lean):
    assert slant(bar(lean=lean)) == pytest.approx(lean, abs=0.01)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_stroke_width_is_a_bars_width(width):
    image = np.zeros((28, 28))
    image[4:24, 10 : 10 + width] = 1
    assert stroke_width(image) == pytest.approx(width, rel=0.3)


def test_a_wider_stroke_is_wider_whatever_its_brightness():
    widths = [stroke_width(share * bar(width=width)) for width in (1, 3, 5) for share in (0.2, 1)]
    assert widths == sorted(widths)
    assert widths[0] == widths[1]


def test_breadth_is_the_deviation_of_a_uniform_bar():
    assert breadth(bar(width=9)) == pytest.approx(np.sqrt((9**2 - 1) / 12), abs=0.2)


def test_brightness_is_the_mean():
    assert brightness(np.full((4, 4), 0.25)) == 0.25


@pytest.mark.parametrize("name", ["slant", "stroke width", "breadth"])
def test_of_nothing_nothing_is_known(name):
    assert np.isnan(PROPERTIES[name](np.zeros((28, 28))))
