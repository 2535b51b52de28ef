import numpy as np
import pytest
from PIL import Image as PILImage

from gansdk.training.logging import append_line, draw_curves, is_logarithmic, read_panels, smoothed


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for i in range(40):
        append_line(
            path, i + 1, 1.0, {"generator/look": 100 * 0.7**i, "discriminator/real": 0.6, "discriminator/fake": 0.5}
        )
        if i % 20 == 19:
            append_line(path, i + 1, 1.0, {"evaluation/own/psnr-y": 20.0 + i})
    append_line(path, 41, 1.0, {"generator/look": float("nan"), "generator/late": 1.0})
    return path


def test_there_is_a_panel_for_each_player_and_each_figure(log):
    panels = read_panels(log)
    assert {title: list(panel) for title, panel in panels.items()} == {
        "generator": ["look"],
        "discriminator": ["real", "fake"],
        "own/psnr-y": ["own/psnr-y"],
    }
    assert panels["own/psnr-y"]["own/psnr-y"] == ([20, 40], [39.0, 59.0])
    assert len(panels["generator"]["look"][0]) == 40


def test_an_average_without_bias_keeps_a_constant_and_follows_a_step():
    np.testing.assert_allclose(smoothed([3.0] * 200), 3.0)
    after = smoothed([0.0] * 200 + [1.0] * 200)
    assert after[199] == 0
    assert after[-1] == pytest.approx(1 - 0.95**200, abs=1e-6)  # 400 values: a decay of 1 − 1/20


def test_only_positive_values_over_several_decades_are_drawn_logarithmically():
    assert is_logarithmic([0.001, 1.0])
    assert not is_logarithmic([0.5, 2.0])
    assert not is_logarithmic([-0.001, 1.0])


def test_the_image_has_each_curve_where_its_values_are(log, tmp_path):
    draw_curves(log, tmp_path / "curves.png")
    pixels = np.asarray(PILImage.open(tmp_path / "curves.png")).astype(int)
    assert pixels.shape == (3 * 240, 720, 3)
    inside = pixels[30:214, 70:700]  # the first panel without its title and axis
    rows, columns = np.nonzero((inside == [0x00, 0x72, 0xB2]).all(axis=2))
    # on a logarithmic axis exponential decay is a line
    assert np.corrcoef(rows, columns)[0, 1] > 0.99
    second = pixels[240 + 30 : 240 + 214, 70:700]
    blue = np.nonzero((second == [0x00, 0x72, 0xB2]).all(axis=2))[0].mean()
    orange = np.nonzero((second == [0xD5, 0x5E, 0x00]).all(axis=2))[0].mean()
    assert blue < orange - 50  # 0.6 stands above 0.5


def test_a_log_without_two_lines_gives_no_image(tmp_path):
    draw_curves(tmp_path / "metrics.jsonl", tmp_path / "curves.png")
    append_line(tmp_path / "metrics.jsonl", 1, 1.0, {"generator/look": 1.0})
    draw_curves(tmp_path / "metrics.jsonl", tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()
