"""What a user gives as data, a name or a path, as a data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gansdk.data.pictures import Attribution, open_pictures
from gansdk.data.places import find_file, find_split, route
from gansdk.data.stacked import StackedImages, array_digest
from gansdk.errors import InputError, PluginError, UnknownNameError, nearest
from gansdk.plugins.declarations import resolve
from gansdk.plugins.discovery import discover

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from gansdk.data.pictures import Pictures
    from gansdk.plugins.datasets import NamedDataset


TEST = "test"
"""What data sets call the split that nobody trains on."""


class Found(NamedTuple):
    """A data set, and the text by which it is found again from any folder."""

    place: str
    data: StackedImages | Pictures


def open_data(text: str | os.PathLike[str]) -> StackedImages | Pictures:
    """Opens a data set that the core or an installed plugin knows by name, or a folder or zip archive of pictures.

    Args:
        text: ``mnist``; ``mnist:test`` for another split than the first; or a path. A plain word that is a name means
            the data set also where a folder of that name is at hand, so that it means the same everywhere;
            ``./mnist`` is the folder, and so is every :class:`os.PathLike`.

    Raises:
        UnknownNameError: If the data set has no such split.
        InputError: If there is no such data set, folder or archive, its files are not here, or they are damaged.
    """
    return find_data(text, discover().datasets).data


def find_data(given: str | os.PathLike[str], named: Mapping[str, NamedDataset]) -> Found:
    """As :func:`open_data`, with these data sets known by name."""
    text = os.fspath(given)
    name, _, split = text.partition(":")
    if name in named and isinstance(given, str):
        chosen = split or next(iter(named[name].splits))
        return Found(f"{name}:{chosen}", _open_named(named[name], chosen))
    path = Path(text)
    if path.name == text and not os.path.exists(text):  # noqa: PTH110 - which takes a word that is too long for a file
        near = nearest(name, named)
        known = ", ".join(sorted(named)) or "none"
        hint = f"did you mean {' or '.join(near)}?" if near else f"data sets by name: {known}"
        raise InputError(f"there is no folder, zip archive or data set {text!r}", hint=hint)
    return Found(str(path.resolve()), open_pictures(path))


def test_splits(digests: Collection[str], named: Mapping[str, NamedDataset]) -> list[str]:
    """The test splits of those named data sets that somebody learned from, as ``mnist:test``; on this disk or not.

    Args:
        digests: What identifies the splits that were learned from.
        named: Data sets by name.
    """
    return [
        f"{name}:{TEST}"
        for name, dataset in named.items()
        if TEST in dataset.splits
        and dataset.splits[TEST].digest not in digests
        and any(split.digest in digests for split in dataset.splits.values())
    ]


def open_split(dataset: NamedDataset, name: str, folder: Path) -> StackedImages:
    """Reads one split out of a folder that has all its files, and holds it against its declaration.

    Raises:
        InputError: If a file is missing, cut short or damaged, or holds something else than it should.
        PluginError: If the data set's reader does not give what it must.
    """
    split = dataset.splits[name]
    paths = {key: find_file(folder / file) for key, file in split.files.items()}
    arrays: Mapping[str, NDArray[Any]] = resolve(dataset.reader)(paths)
    where = f"{dataset.name}:{name} in {folder}"
    for key, array in arrays.items():
        if len(array) != split.items:
            raise InputError(f"{where} has {len(array)} {key} instead of {split.items}")
    if array_digest(arrays) != split.digest:
        raise InputError(f"{where} holds something else than it should (its digest differs)")
    return _stacked(dataset, name, arrays)


def _open_named(dataset: NamedDataset, name: str) -> StackedImages:
    if name not in dataset.splits:
        hint = f"it has {', '.join(dataset.splits)}"
        raise UnknownNameError(f"split of {dataset.name}", name, dataset.splits, hint=hint)
    folder = find_split(dataset, dataset.splits[name])
    try:
        return open_split(dataset, name, folder)
    except InputError as error:
        raise InputError(error.message, hint=f"get it again: {route(dataset)}") from None


def _stacked(dataset: NamedDataset, split: str, arrays: Mapping[str, NDArray[Any]]) -> StackedImages:
    images, labels = arrays.get("images"), arrays.get("labels")
    if images is None or images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise PluginError(f"the reader of data set {dataset.name!r} gives no images, uint8 [N, H, W] or [N, H, W, C]")
    name = f"{dataset.name}:{split}"
    return StackedImages(
        name=name,
        images=images if images.ndim == 4 else images[..., None],
        licence=dataset.licence,
        digest=dataset.splits[split].digest,
        labels=labels.astype(np.int64) if labels is not None else None,
        classes=dataset.classes,
        attributions=(Attribution(name, dataset.licence, dataset.author),),
    )
