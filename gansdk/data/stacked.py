"""Images of one size in one array, so that a batch is a matter of indexing; labels, where there are any."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from gansdk.data.folders import Attribution, Images
from gansdk.errors import InputError, UsageError, as_typed
from gansdk.options import describe, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.data.folders import Dataset
    from gansdk.model.facts import Background
    from gansdk.options import Options


_MIDDLE = 127.5
_NEARLY_ALL = 0.95

MOST_BYTES = 2**32
"""Of a stack that is made of images."""


@dataclass(frozen=True, eq=False, repr=False)
class StackedImages:
    """A data set that is held in memory.

    Attributes:
        name: What it is called in records.
        images: uint8 [N, H, W, C]; C is 1 for grey and 3 for RGB.
        licence: SPDX expression.
        digest: Identifies its content.
        labels: int64 [N], each an index into ``classes``; None where there are none.
        classes: What the labels mean.
        attributions: Whom to credit.
    """

    name: str
    images: NDArray[np.uint8]
    licence: str
    digest: str
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    attributions: tuple[Attribution, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        count, height, width, channels = self.images.shape
        labels = f", {len(self.classes)} classes" if self.labels is not None else ""
        kind = "grey" if channels == 1 else "RGB"
        return f"<StackedImages {self.name!r}, {count} images {width}×{height} {kind}{labels}>"


class Labels(NamedTuple):
    """What each item of a data set is: int64 [N], indices into the names of the classes."""

    indices: NDArray[np.int64]
    classes: tuple[str, ...]


def labels_of(data: Dataset) -> Labels:
    """The labels of a data set, for a recipe that cannot do without.

    Raises:
        InputError: If it has none, or all its items are of one class.
    """
    if not isinstance(data, StackedImages | Images) or data.labels is None:
        names = data.names if isinstance(data, Images) else ()
        loose = [name for name in names if "/" not in name]
        why = f": {loose[0]} stands in no sub-folder" if len(loose) < len(names) else ""
        hint = "put the images of each class into a sub-folder of its own"
        raise InputError(f"{data.name} has no labels{why}", hint=hint)
    if len(data.classes) < 2:
        hint = f"are the classes inside it? then name {data.name}/{data.classes[0]}"
        raise InputError(f"{data.name} has only one class, {data.classes[0]!r}", hint=hint)
    return Labels(data.labels, data.classes)


def stack_images(
    data: Dataset,
    *,
    size: tuple[int, int] | None = None,
    channels: Literal[1, 3] | None = None,
    options: Options | None = None,
) -> StackedImages:
    """A data set as one array, for networks that take images of one small size.

    Args:
        data: Stacked images, or images, which are read.
        size: Height and width that every image must have; that of the first one if not given.
        channels: 1 for grey (luma of BT.601), 3 for RGB (grey repeated); what the data has if not given, which is 3
            for images.
        options: A recipe's, where its fields ``height``, ``width`` and ``channels`` say what is taken: the error then
            says how to set them for such images.

    Raises:
        InputError: If they are not images, an image is damaged or of another size, or all are too many for memory.
    """
    if isinstance(data, Images):
        images = _read(data, size, channels or 3, options)
    elif isinstance(data, StackedImages):
        _check_size(data.images[0], size, data.name, options)
        if channels in (None, data.images.shape[3]):
            return data
        images = np.stack([_with_channels(image, channels or 3) for image in data.images])
    else:
        raise InputError(f"{data.name} is not a set of images", hint="give a folder of images")
    return StackedImages(data.name, images, data.licence, data.digest, data.labels, data.classes, data.attributions)


def background_of(images: NDArray[np.uint8]) -> Background | None:
    """The background of uint8 [N, H, W, C]: dark or light if the outermost pixels of nearly all are, else None."""
    rim = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    light = np.median(rim.reshape(len(images), -1), axis=1) > _MIDDLE
    if light.mean() > _NEARLY_ALL:
        return "light"
    return "dark" if light.mean() < 1 - _NEARLY_ALL else None


def array_digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Identifies named arrays: ``sha256:<hex>`` over names, types, shapes and little-endian values."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"{name} {array.dtype.name} {array.shape}\0".encode())
        total.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return "sha256:" + total.hexdigest()


def _read(images: Images, size: tuple[int, int] | None, channels: int, options: Options | None) -> NDArray[np.uint8]:
    name, first = images[0]
    height, width = size = size or (first.shape[0], first.shape[1])
    _check_size(first, size, f"{images.name}/{name}", options)
    shape = (len(images), height, width, channels)
    if math.prod(shape) > MOST_BYTES:
        what = f"{len(images)} images of {width}x{height} pixels are more than {MOST_BYTES >> 30} GiB"
        raise InputError(f"{images.name}: {what}", hint="use fewer or smaller ones")
    tensors = np.empty(shape, np.uint8)
    for index in range(len(images)):
        name, pixels = images[index]
        _check_size(pixels, size, f"{images.name}/{name}")
        tensors[index] = _with_channels(pixels, channels)
    return tensors


def _check_size(
    image: NDArray[np.uint8], size: tuple[int, int] | None, where: str, options: Options | None = None
) -> None:
    if size is not None and image.shape[:2] != tuple(size):
        found, wanted = (f"{shape[1]}x{shape[0]}" for shape in (image.shape, size))
        hint = _way_out(image, wanted, options) or "bring all images to one size first"
        raise InputError(f"{where} is {found} pixels, not {wanted}", hint=hint)


def _way_out(image: NDArray[np.uint8], wanted: str, options: Options | None) -> str:
    """How to train on images like this one; nothing where a recipe's options do not say their size."""
    sides = {"height": image.shape[0], "width": image.shape[1]}
    infos = [] if options is None else [info for info in describe(type(options)) if info.name in sides]
    if options is None or len(infos) < len(sides):
        return ""
    is_coloured = bool((image != image[..., :1]).any())
    asked = sides | ({"channels": 3} if is_coloured and getattr(options, "channels", 3) == 1 else {})
    try:
        validate(type(options), {**options.model_dump(), **asked})
    except UsageError:
        ranges = " and ".join(f"{info.name} {info.metavar} ({info.help})" for info in infos)
        return f"bring all images to {wanted}, or to another size that can be set: {ranges}"
    flags = " ".join(f"--set {name}={value}" for name, value in asked.items())
    settings = as_typed(flags, f"options={asked}")
    return f"train at their size with {settings}, or bring all of them to {wanted}"


def _with_channels(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    if image.shape[2] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=2)
    from PIL import Image as PILImage

    return np.asarray(PILImage.fromarray(image).convert("L"))[..., None]


def match_classes(chosen: NDArray[np.int64], true: NDArray[np.int64], k: int) -> list[int]:
    """The class that each category is matched with, no two the same one, such that most items agree.

    By the Hungarian method (Kuhn 1955).

    Args:
        chosen: Category of each item, int [N], from 0 to k − 1.
        true: Its class, likewise.
        k: How many there are of either.
    """
    from scipy.optimize import linear_sum_assignment

    together = np.zeros((k, k), np.int64)
    np.add.at(together, (chosen, true), 1)
    _, classes = linear_sum_assignment(together, maximize=True)
    return [int(index) for index in classes]


class ImageBatches:
    """Images in random order, without end; in each epoch every image comes once.

    Batch ``i`` depends on the images, the arguments and ``i`` alone. The epochs follow each other without a gap, so a
    batch may begin in one and end in the next, and all batches have the same size.

    Args:
        data: Where the images come from; :func:`gansdk.stack_images` makes it of images.
        size: How many images a batch has.
        seed: Where the random numbers start.
        labelled: Whether batches have labels too.
    """

    def __init__(self, data: StackedImages, *, size: int, seed: int, labelled: bool = False) -> None:
        import torch

        self._images = torch.from_numpy(np.ascontiguousarray(data.images.transpose(0, 3, 1, 2)))
        self._labels = torch.from_numpy(labels_of(data).indices) if labelled else None
        self._size, self._seed = size, seed
        self._latest: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def batch(self, index: int, /) -> Mapping[str, Tensor]:
        """The images of one step: ``images`` [N, C, H, W], float in [0, 1], and perhaps ``labels``, int64 [N]."""
        import torch

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
        if self._latest[0] != epoch:
            self._latest = epoch, np.random.default_rng((self._seed, epoch)).permutation(len(self._images))
        return self._latest[1]
