"""Aligned crops: what belongs together stays together, and batch i is batch i."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from gansdk.data.crops import AlignedCrops, Degradation, DegradationOptions, degrade
from gansdk.data.folders import Images, open_images
from gansdk.errors import InputError


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """An image without fine detail, so that shrinking a crop is nearly cropping the shrunk."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    return np.asarray(PILImage.fromarray(coarse).resize((width, height), PILImage.Resampling.BICUBIC))


@pytest.fixture
def images(tmp_path: Path) -> Images:
    for index, (height, width) in enumerate([(64, 98), (130, 70)]):
        PILImage.fromarray(smooth(height, width, index)).save(tmp_path / f"{index}.png")
    return open_images(tmp_path)


def test_both_patches_show_the_same_spot(images: Images) -> None:
    batch = AlignedCrops(images, scale=4, patch=8, size=12, seed=3).batch(0)
    assert batch["low"].shape == (12, 3, 8, 8)
    assert batch["high"].shape == (12, 3, 32, 32)
    for low, high in zip(batch["low"], batch["high"], strict=True):
        pixels = (high.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        again = torch.from_numpy(degrade(pixels, 4).low).permute(2, 0, 1) / 255
        assert (again - low)[:, 2:-2, 2:-2].abs().max() < 2 / 255


def test_values_are_8_bit_steps_of_the_images(images: Images) -> None:
    batch = AlignedCrops(images, scale=2, patch=6, size=4, seed=0).batch(5)
    for tensor in batch.values():
        assert tensor.dtype == torch.float32
        assert tensor.is_contiguous()
        steps = tensor * 255
        assert (steps - steps.round()).abs().max() < 1e-4
        assert 0 <= tensor.min() <= tensor.max() <= 1


def test_a_batch_depends_on_its_index_and_the_seed_alone(images: Images) -> None:
    first = AlignedCrops(images, scale=2, patch=6, size=4, seed=1)
    first.batch(0)
    other = AlignedCrops(images, scale=2, patch=6, size=4, seed=1)
    torch.testing.assert_close(first.batch(9), other.batch(9), rtol=0, atol=0)
    assert not torch.equal(first.batch(9)["low"], first.batch(10)["low"])
    seeded = AlignedCrops(images, scale=2, patch=6, size=4, seed=2)
    assert not torch.equal(first.batch(9)["low"], seeded.batch(9)["low"])


def test_all_eight_orientations_are_drawn_alike(tmp_path: Path) -> None:
    PILImage.fromarray(smooth(16, 16)).save(tmp_path / "only.png")
    whole = open_images(tmp_path)
    batch = AlignedCrops(whole, scale=2, patch=8, size=400, seed=0).batch(0)["high"]
    upright = torch.from_numpy(whole[0][1].copy()).permute(2, 0, 1) / 255
    turned = [torch.rot90(upright, turns, (1, 2)) for turns in range(4)]
    counts = [sum(torch.equal(patch, each) for patch in batch) for each in [*turned, *[t.flip(2) for t in turned]]]
    assert sum(counts) == 400
    assert min(counts) > 25  # 50 expected


def test_candidates_prefer_texture(tmp_path: Path) -> None:
    image = np.full((64, 64, 3), 128, np.uint8)
    image[:32, :32] = np.random.default_rng(0).integers(0, 256, (32, 32, 3))
    PILImage.fromarray(image).save(tmp_path / "corner.png")
    source = open_images(tmp_path)
    plain = AlignedCrops(source, scale=2, patch=4, size=200, seed=0).batch(0)["low"]
    chosen = AlignedCrops(source, scale=2, patch=4, size=200, seed=0, candidates=4).batch(0)["low"]
    flat = [int((batch.std(dim=(1, 2, 3)) < 0.01).sum()) for batch in (plain, chosen)]
    assert flat[1] < flat[0] / 2


def test_images_are_shrunk_to_the_longest_side_and_halved(tmp_path: Path) -> None:
    PILImage.fromarray(smooth(80, 200)).save(tmp_path / "large.png")
    source = open_images(tmp_path)
    shapes = {pair.high.shape[:2] for pair in AlignedCrops(source, scale=2, patch=4, size=1, seed=0)._pairs}
    assert shapes == {(80, 200)}
    crops = AlignedCrops(source, scale=2, patch=4, size=1, seed=0, longest=100, octaves=5)
    assert [pair.high.shape[:2] for pair in crops._pairs] == [(40, 100), (20, 50), (10, 24)]


def test_a_set_without_a_image_that_is_large_enough_is_refused(images: Images) -> None:
    with pytest.raises(InputError, match="is large enough for a crop") as caught:
        AlignedCrops(images, scale=4, patch=64, size=1, seed=0)
    assert "256x256" in caught.value.hint


def test_a_batch_is_cheap(images: Images) -> None:
    crops = AlignedCrops(images, scale=2, patch=24, size=16, seed=0)
    times = []
    for index in range(20):
        start = time.thread_time()
        crops.batch(index)
        times.append(time.thread_time() - start)
    assert min(times) < 0.02  # a few milliseconds on any machine; a resize per crop would not fit


def test_degraded_crops_keep_the_true_patch_and_stay_aligned(images: Images) -> None:
    options = DegradationOptions(degradation="first-order", clean=0, noise_sigma=2, jpeg_quality=90)
    crops = AlignedCrops(images, scale=4, patch=8, size=1, seed=3, degradation=Degradation(options, 4))
    plain = AlignedCrops(images, scale=4, patch=8, size=1, seed=3)
    for index in range(12):
        degraded, clean = crops.batch(index), plain.batch(index)
        spread = clean["low"].std()
        # Turns are drawn after the degradation, so the patch is compared up to those.
        turned = [torch.rot90(clean["high"], turns, (2, 3)) for turns in range(4)]
        assert any(torch.equal(degraded["high"], each) for each in [*turned, *[one.flip(3) for one in turned]])
        again = torch.nn.functional.interpolate(degraded["high"], scale_factor=0.25, mode="bicubic", antialias=True)
        assert (again - degraded["low"]).abs().mean() < 0.3 * spread


def test_the_blocks_of_jpeg_begin_anywhere_in_a_patch(tmp_path: Path) -> None:
    columns = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (256, 1, 3))
    PILImage.fromarray(columns).save(tmp_path / "columns.png")
    starts = []

    class Record(Degradation):
        def __call__(self, high: np.ndarray, random: np.random.Generator) -> np.ndarray:
            starts.append(int(high[0, 0, 0]))
            return degrade(high, 2).low

    AlignedCrops(
        open_images(tmp_path), scale=2, patch=40, size=300, seed=0, degradation=Record(DegradationOptions(), 2)
    ).batch(0)
    assert {start // 2 % 8 for start in starts} == set(range(8))
