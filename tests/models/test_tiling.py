"""Tiled equals whole, for any size, kind of image and division."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gansdk.errors import NotApplicableError, OptionError, OutOfMemoryError
from gansdk.model.facts import ImageGeneratorFacts, ImageOutput, ImageSource, SizeRule
from gansdk.models.context import Context
from gansdk.models.tiling import Box, TilingPlan, plan_fixed, plan_frugal, plan_within, upscale

HALO = 4  # 5×5, 3×3 and 3×3: 2 + 1 + 1


class Upscaler:
    """A real small network as a generator; counts its windows and can be told to run out of memory."""

    def __init__(self, channels: int = 3, scale: int = 2, multiple: int = 1, limit: int | None = None) -> None:
        torch.manual_seed(3)
        self.net = nn.Sequential(
            nn.Conv2d(channels, 8, 5, padding=2),
            nn.PReLU(),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, channels * scale**2, 3, padding=1),
            nn.PixelShuffle(scale),
            nn.Sigmoid(),
        ).to(memory_format=torch.channels_last)
        self.multiple, self.limit = multiple, limit
        self.windows: list[tuple[int, int]] = []

    def generate(self, source):
        image = source["image"]
        height, width = image.shape[2:]
        assert height % self.multiple == 0
        assert width % self.multiple == 0
        if self.limit is not None and height * width > self.limit:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate much")
        self.windows.append((height, width))
        with torch.inference_mode():
            return self.net(image)


def facts(channels=3, scale=2, halo=HALO, minimum=1, multiple=1):
    return ImageGeneratorFacts(
        source=ImageSource(channels=channels, size=SizeRule(minimum=minimum, multiple=multiple)),
        output=ImageOutput(channels=channels, scale=scale),
        receptive_field=halo,
    )


def image(height, width, channels=3, dtype=np.uint8):
    random = np.random.default_rng((height, width, channels))
    return random.integers(0, np.iinfo(dtype).max, (height, width, channels), dtype=dtype, endpoint=True)


def whole(generator, pixels):
    """The same arithmetic on the whole image, written independently of the tiler."""
    peak = np.iinfo(pixels.dtype).max
    image = torch.from_numpy(pixels.astype(np.float32) / peak).permute(2, 0, 1)[None]
    return generator.generate({"image": image})[0].permute(1, 2, 0), peak


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("tile", [64, 100])
def test_tiled_is_bit_identical_to_whole_where_windows_are_large(tile, dtype):
    pixels = image(230, 317, dtype=dtype)
    generator = Upscaler()
    tiled = upscale(generator, facts(), pixels, Context(), tile)
    assert len(generator.windows) > 3
    expected = upscale(Upscaler(), facts(), pixels, Context(), "off")
    assert np.array_equal(tiled, expected)


@given(height=st.integers(1, 120), width=st.integers(1, 120))
@settings(max_examples=25, deadline=None)
def test_tiled_equals_whole_for_any_size(height, width):
    pixels = image(height, width, dtype=np.uint16)
    tiled = upscale(Upscaler(), facts(), pixels, Context(), 32)
    numbers, peak = whole(Upscaler(), pixels)
    difference = np.abs(tiled / peak - numbers.numpy().clip(0, 1))
    assert tiled.shape == (height * 2, width * 2, 3)
    assert difference.max() <= 1e-6 + 0.5 / peak


def test_a_halo_below_the_receptive_field_shows():
    pixels = image(150, 150)
    tiled = upscale(Upscaler(), facts(halo=HALO - 1), pixels, Context(), 64)
    assert not np.array_equal(tiled, upscale(Upscaler(), facts(), pixels, Context(), "off"))


@given(
    height=st.integers(1, 400),
    width=st.integers(1, 400),
    halo=st.integers(0, 40),
    multiple=st.sampled_from([1, 2, 4, 8]),
    area=st.integers(32 * 32, 90_000),
)
@settings(max_examples=200, deadline=None)
def test_cells_cover_the_image_once_and_windows_keep_to_the_area(height, width, halo, multiple, area):
    height, width, halo = (-(-n // multiple) * multiple for n in (height, width, halo))
    plan = plan_within(height, width, halo=halo, multiple=multiple, area=area)
    covered = np.zeros((height, width), int)
    for cell in plan.cells():
        covered[cell.top : cell.bottom, cell.left : cell.right] += 1
        window = plan.window(cell)
        assert window.top % multiple == window.left % multiple == 0
        smallest = (16 + 2 * halo + 2 * multiple) ** 2
        assert window.area <= max(area + multiple * (window.height + window.width + multiple), smallest)
    assert (covered == 1).all()


def test_windows_have_nearly_one_shape():
    plan = plan_fixed(1000, 1777, halo=39, multiple=1, tile=200)
    heights = {plan.window(cell).height for cell in plan.cells()}
    widths = {plan.window(cell).width for cell in plan.cells()}
    assert max(heights) - min(heights) <= 1
    assert max(widths) - min(widths) <= 1


def test_the_plan_wastes_little_where_memory_allows():
    # half of 4 GiB at 4,376 bytes of tensors a pixel and the headroom, as the small SRResNet takes them in fp32
    plan = plan_within(3024, 4032, halo=39, multiple=1, area=int(2 * 2**30 / (4376 * 1.55)))
    assert plan.recomputed <= 1.35


SRRESNET = {"halo": 39, "multiple": 1, "area": 1024**2, "bytes_each": 5300.0, "seconds_each": 6e-6}


@pytest.mark.parametrize(("height", "width"), [(1024, 1024), (3000, 4000), (321, 481), (6000, 8000)])
def test_the_plan_takes_little_memory_and_at_most_five_percent_longer_than_any_fixed_window(height, width):
    plan = plan_frugal(height, width, **SRRESNET)

    def seconds(each: TilingPlan) -> float:
        computed = sum(each.window(cell).area for cell in each.cells()) * SRRESNET["seconds_each"]
        return computed + max(each.window(cell).area for cell in each.cells()) * SRRESNET["bytes_each"] * 4e-10

    fixed = [plan_fixed(height, width, halo=39, multiple=1, tile=tile) for tile in range(128, 1025, 64)]
    assert seconds(plan) <= 1.05 * min(seconds(each) for each in fixed)
    assert max(plan.window(cell).area for cell in plan.cells()) * SRRESNET["bytes_each"] < 4e9
    if height * width > 2**19:
        assert len(list(plan.cells())) > 1


def test_where_computing_is_slow_rims_cost_more_than_memory():
    fast, slow = (
        plan_frugal(1024, 1024, **{**SRRESNET, "seconds_each": seconds_each}) for seconds_each in (1e-6, 1e-4)
    )
    assert math.prod(fast.largest) < math.prod(slow.largest)


def test_recomputed_counts_rims():
    assert TilingPlan(100, 100, 10, (0, 100), (0, 100)).recomputed == 1
    assert TilingPlan(100, 100, 10, (0, 50, 100), (0, 100)).recomputed == pytest.approx(1.2)


def test_a_small_image_is_one_window():
    generator = Upscaler()
    upscale(generator, facts(), image(20, 30), Context(), "auto")
    assert generator.windows == [(20, 30)]


def test_grey_goes_through_an_rgb_network_and_comes_out_grey():
    grey = image(40, 50, channels=1)
    result = upscale(Upscaler(), facts(), grey, Context(), "off")
    numbers, _ = whole(Upscaler(), np.repeat(grey, 3, axis=2))
    assert result.shape == (80, 100, 1)
    assert np.abs(result[..., 0] - numbers.mean(2).numpy() * 255).max() <= 0.5 + 1e-4


def test_rgb_goes_through_a_grey_network_channel_by_channel():
    pixels = image(40, 50)
    result = upscale(Upscaler(channels=1), facts(channels=1), pixels, Context(), "off")
    for channel in range(3):
        alone = upscale(Upscaler(channels=1), facts(channels=1), pixels[..., [channel]], Context(), "off")
        assert np.array_equal(result[..., channel], alone[..., 0])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 47), (97, 130)])
def test_sizes_that_a_network_does_not_take_are_padded_and_cut(height, width):
    pixels = image(height, width)
    rule = facts(minimum=16, multiple=8)
    result = upscale(Upscaler(multiple=8), rule, pixels, Context(), 32)
    padded = np.pad(
        pixels,
        ((0, -height % 8 + (8 if height < 9 else 0)), (0, -width % 8 + (8 if width < 9 else 0)), (0, 0)),
        mode="edge",
    )
    expected = upscale(Upscaler(), facts(), padded, Context(), "off")
    assert result.shape == (height * 2, width * 2, 3)
    assert np.abs(result.astype(int) - expected[: height * 2, : width * 2]).max() <= 1


def test_running_out_of_memory_makes_smaller_windows_and_the_same_image():
    pixels = image(200, 260)
    notes: list[str] = []
    generator = Upscaler(limit=90 * 90)
    result = upscale(generator, facts(), pixels, Context(note=notes.append), 200)
    assert np.array_equal(result, upscale(Upscaler(), facts(), pixels, Context(), "off"))
    assert notes
    assert all("out of memory" in note for note in notes)


def test_running_out_of_memory_for_good_is_one_clear_error():
    with pytest.raises(OutOfMemoryError, match="not even a window"):
        upscale(Upscaler(limit=10), facts(), image(100, 100), Context(), 64)


def test_other_runtime_errors_are_not_taken_for_memory():
    class Broken:
        def generate(self, source):
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="do not fit"):
        upscale(Broken(), facts(), image(40, 40), Context(), 32)


def test_a_model_that_looks_at_the_whole_image_is_not_tiled():
    rule = facts().model_copy(update={"receptive_field": "global"})
    generator = Upscaler()
    upscale(generator, rule, image(150, 140), Context(), "auto")
    assert generator.windows == [(150, 140)]
    with pytest.raises(NotApplicableError, match="cannot be tiled"):
        upscale(generator, rule, image(150, 140), Context(), 64)


def test_a_tile_below_the_minimum_is_refused():
    with pytest.raises(OptionError, match="too small"):
        upscale(Upscaler(), facts(), image(40, 40), Context(), 7)


def test_progress_ends_at_the_total_and_time_is_foretold():
    seen: list[tuple[int, int]] = []
    expected: list[float] = []
    context = Context(progress=lambda done, total: seen.append((done, total)), expect=expected.append, memory=2_000_000)
    upscale(Upscaler(), facts(), image(200, 210), context, "auto")
    assert seen[0] == (0, 200 * 210)
    assert seen[-1] == (200 * 210, 200 * 210)
    assert len(seen) > 3
    assert 0 < expected[0] < 60


def test_memory_bounds_the_windows():
    little, much = Upscaler(), Upscaler()
    measured = {"bytes per pixel": 500.0, "seconds per pixel": 1e-4}
    upscale(little, facts(), image(300, 300), Context(memory=1_000_000, measured=measured), "auto")
    upscale(much, facts(), image(300, 300), Context(memory=10**9, measured=measured), "auto")
    assert max(h * w for h, w in little.windows) <= 2000 < max(h * w for h, w in much.windows)


def test_boxes_measure_themselves():
    assert (Box(1, 2, 4, 8).height, Box(1, 2, 4, 8).width, Box(1, 2, 4, 8).area) == (3, 6, 18)
