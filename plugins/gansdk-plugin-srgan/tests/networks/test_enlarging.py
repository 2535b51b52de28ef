"""Enlarging: what it computes, and that it does so alike everywhere."""

import pytest
import torch
from torch import nn

from gansdk_srgan.networks import enlarge


def test_enlarging_is_bilinear_interpolation() -> None:
    image = torch.rand(2, 3, 5, 9)
    for scale in (2, 3, 4, 8):
        reference = nn.functional.interpolate(image, scale_factor=scale, mode="bilinear", align_corners=False)
        torch.testing.assert_close(enlarge(image, scale), reference, rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [3, 4])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_part_is_enlarged_to_the_same_numbers_as_the_whole(layout: torch.memory_format, scale: int) -> None:
    image = torch.rand(1, 3, 61, 83).contiguous(memory_format=layout)
    whole = enlarge(image, scale)
    for top, left, height, width in [(0, 0, 9, 8), (13, 5, 30, 31), (3, 60, 50, 23)]:
        part = image[..., top : top + height, left : left + width].contiguous(memory_format=layout)
        inside = enlarge(part, scale)[..., scale:-scale, scale:-scale]
        bottom, right = scale * (top + height - 1), scale * (left + width - 1)
        assert torch.equal(inside, whole[..., scale * (top + 1) : bottom, scale * (left + 1) : right])
