"""Epochs without repetition, batches without state."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gansdk.data.stacked import ImageBatches, StackedImages
from gansdk.errors import InputError


def numbered(count: int, channels: int = 1) -> StackedImages:
    """Image k is filled with k (its channels with k, k + 1 and k + 2), and its label is k."""
    values = np.arange(count, dtype=np.uint8)[:, None, None, None] + np.arange(channels, dtype=np.uint8)
    images = np.broadcast_to(values, (count, 3, 2, channels)).copy()
    classes = tuple(map(str, range(count)))
    return StackedImages("numbers", images, "CC0-1.0", "sha256:0", np.arange(count), classes)


def drawn(stream: ImageBatches, batches: int) -> list[int]:
    return [int(value) for index in range(batches) for value in stream.batch(index)["images"][:, 0, 0, 0] * 255 + 0.5]


@pytest.mark.parametrize("size", [3, 5, 10, 25])
def test_each_epoch_has_every_image_once_in_an_order_of_its_own(size: int) -> None:
    found = drawn(ImageBatches(numbered(10), size=size, seed=0), batches=-(-40 // size))
    epochs = [found[start : start + 10] for start in (0, 10, 20, 30)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(10))
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_the_order_is_that_of_the_seed_and_the_epoch_whatever_the_size() -> None:
    found = drawn(ImageBatches(numbered(10), size=4, seed=7), batches=5)
    expected = [np.random.default_rng((7, epoch)).permutation(10) for epoch in (0, 1)]
    assert found == np.concatenate(expected).tolist()
    assert drawn(ImageBatches(numbered(10), size=5, seed=8), batches=4) != found


def test_a_batch_does_not_depend_on_those_before_it() -> None:
    whole = ImageBatches(numbered(10), size=4, seed=1)
    batches = [whole.batch(index)["images"] for index in range(9)]
    for index in (7, 0, 8, 3, 7):
        assert ImageBatches(numbered(10), size=4, seed=1).batch(index)["images"].equal(batches[index])
        assert whole.batch(index)["images"].equal(batches[index])


def test_pixels_become_floats_channels_first_and_labels_go_with_them() -> None:
    data = numbered(200, channels=3)
    batch = ImageBatches(data, size=8, seed=0, labelled=True).batch(3)
    images, labels = batch["images"], batch["labels"]
    assert images.shape == (8, 3, 3, 2)
    assert images.dtype == torch.float32
    assert images.is_contiguous()
    assert labels.dtype == torch.int64
    expected = data.images[labels.numpy()].transpose(0, 3, 1, 2) / np.float32(255)
    np.testing.assert_array_equal(images.numpy(), expected)
    assert 0 <= images.min() <= images.max() <= 1


def test_a_batch_is_nobody_elses() -> None:
    stream = ImageBatches(numbered(4), size=4, seed=0, labelled=True)
    first = stream.batch(0)
    for tensor in first.values():
        tensor.zero_()
    again = stream.batch(0)
    assert again["images"].max() > 0
    assert again["labels"].max() > 0


def test_labels_that_are_wanted_must_be_there() -> None:
    data = StackedImages("dots", np.zeros((3, 2, 2, 1), np.uint8), "CC0-1.0", "sha256:0")
    assert set(ImageBatches(data, size=2, seed=0).batch(0)) == {"images"}
    with pytest.raises(InputError, match="dots has no labels"):
        ImageBatches(data, size=2, seed=0, labelled=True)
