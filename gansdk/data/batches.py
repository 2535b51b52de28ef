"""Batches of whole images, each once in an epoch: what a network of small images sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from gansdk.data.stacked import labels_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.data.stacked import StackedImages


class ImageBatches:
    """Images in random order, without end; in each epoch every image comes once.

    Batch ``i`` depends on the images, the arguments and ``i`` alone. The epochs follow each other without a gap, so a
    batch may begin in one and end in the next, and all batches have the same size.

    Args:
        data: Where the images come from; :func:`gansdk.stack_images` makes it of pictures.
        size: How many images a batch has.
        seed: Where the random numbers start.
        labelled: Whether batches have labels too.

    Raises:
        InputError: If there shall be labels and the data has none.
    """

    def __init__(self, data: StackedImages, *, size: int, seed: int, labelled: bool = False) -> None:
        self._images = torch.from_numpy(np.ascontiguousarray(data.images.transpose(0, 3, 1, 2)))
        self._labels = torch.from_numpy(labels_of(data).indices) if labelled else None
        self._size, self._seed = size, seed
        self._latest: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def batch(self, index: int, /) -> Mapping[str, Tensor]:
        """The images of one step: ``images`` [N, C, H, W], float in [0, 1], and perhaps ``labels``, int64 [N]."""
        rows = torch.from_numpy(self._rows(index * self._size, (index + 1) * self._size))
        images = self._images[rows].float().div_(255)
        return {"images": images} if self._labels is None else {"images": images, "labels": self._labels[rows]}

    def _rows(self, start: int, stop: int) -> NDArray[np.int64]:
        """The images at these places of the endless sequence."""
        count = len(self._images)
        parts = []
        while start < stop:
            epoch, first = divmod(start, count)
            last = min(count, first + stop - start)
            parts.append(self._order(epoch)[first:last])
            start += last - first
        return np.concatenate(parts)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """The order of an epoch; the latest one is kept, because making it takes longer than a batch."""
        known, order = self._latest
        if known != epoch:
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self._images))
            self._latest = (epoch, order)
        return order
