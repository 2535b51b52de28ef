import io

import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from trainings import train

from gansdk.errors import PluginError
from gansdk.training.logging import draw_sheet, write_sheet


def test_images_stand_below_each_other_with_a_white_gap(tmp_path):
    rows = torch.stack([torch.full((3, 2, 5), 0.2), torch.full((3, 2, 5), 0.6)])
    rows[0, 0] = 7.0
    rows[1, 1, 0, 0] = float("nan")
    write_sheet(tmp_path / "sheet.png", draw_sheet(rows))
    sheet = np.asarray(PILImage.open(tmp_path / "sheet.png"))
    assert sheet.shape == (2 + 4 + 2, 5, 3)
    assert (sheet[:2] == [255, 51, 51]).all()
    assert (sheet[2:6] == 255).all()
    assert (sheet[6:, 1:] == 153).all()
    assert tuple(sheet[6, 0]) == (153, 0, 153)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_is_rows_of_images(tmp_path, channels):
    grid = torch.linspace(0, 1, 6).reshape(2, 3, 1, 1, 1).expand(2, 3, channels, 5, 7)
    write_sheet(tmp_path / "sheet.png", draw_sheet(grid))
    sheet = np.asarray(PILImage.open(tmp_path / "sheet.png"))
    assert sheet.shape == (5 + 4 + 5, 7 + 4 + 7 + 4 + 7, 3)
    for row in range(2):
        for column in range(3):
            cell = sheet[9 * row : 9 * row + 5, 11 * column : 11 * column + 7]
            assert (cell == 51 * (3 * row + column)).all()
    assert (sheet[5:9] == 255).all()
    assert (sheet[:, 7:11] == 255).all()


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 2, 4, 4), (0, 3, 4, 4), (2, 0, 3, 4, 4), (1, 1, 1, 3, 4, 4)])
def test_anything_but_images_is_the_plugins_fault(shape):
    with pytest.raises(PluginError, match="show"):
        draw_sheet(torch.zeros(shape))


def test_sheets_show_progress_with_averaged_weights(tmp_path, photos):
    train(tmp_path / "run", photos)
    sheets = sorted((tmp_path / "run" / "samples").iterdir())
    assert [path.name for path in sheets] == ["000000002.png", "000000004.png", "000000006.png"]
    first, last = (np.asarray(PILImage.open(io.BytesIO(sheets[i].read_bytes()))) for i in (0, -1))
    assert first.shape == (8 + 4 + 8, 24, 3)
    assert (first[:, :16] == last[:, :16]).all()  # drawn from the seed each time, and the input
    assert not (first[:, 16:] == last[:, 16:]).all()
