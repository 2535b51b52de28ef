"""What a user gives as data, a name or a path, as a data set."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gansdk.data.folders import Attribution, open_images
from gansdk.data.stacked import StackedImages, array_digest
from gansdk.errors import InputError, PluginError, UnknownNameError, nearest
from gansdk.plugins.declarations import resolve
from gansdk.plugins.registry import discover
from gansdk.settings import DATA, data_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from gansdk.data.folders import Images
    from gansdk.plugins.declarations import DataSplit, NamedDataset


TEST = "test"
"""What data sets call the split that is not trained on."""


class OpenedDataset(NamedTuple):
    """A data set, and the text by which it is found again from any folder."""

    place: str
    data: StackedImages | Images


def open_data(text: str | os.PathLike[str]) -> StackedImages | Images:
    """Opens a data set that the core or an installed plugin knows by name, or a folder or zip archive of images.

    Args:
        text: ``mnist``; ``mnist:test`` for another split than the first; or a path. A plain word that is a name means
            the data set also where a folder of that name is at hand, so that it means the same everywhere;
            ``./mnist`` is the folder, and so is every :class:`os.PathLike`.

    Raises:
        UnknownNameError: If the data set has no such split.
        InputError: If there is no such data set, folder or archive, its files are not here, or they are damaged.
    """
    return find_data(text, discover().datasets).data


def find_data(given: str | os.PathLike[str], named: Mapping[str, NamedDataset]) -> OpenedDataset:
    """As :func:`open_data`, with these data sets known by name."""
    text = os.fspath(given)
    name, _, split = text.partition(":")
    if name in named and isinstance(given, str):
        chosen = split or next(iter(named[name].splits))
        return OpenedDataset(f"{name}:{chosen}", _open_named(named[name], chosen))
    path = Path(text)
    if path.name == text and not os.path.exists(text):  # noqa: PTH110 - which takes a word that is too long for a file
        near = nearest(name, named)
        known = ", ".join(sorted(named)) or "none"
        hint = f"did you mean {' or '.join(near)}?" if near else f"data sets by name: {known}"
        raise InputError(f"there is no folder, zip archive or data set {text!r}", hint=hint)
    return OpenedDataset(str(path.resolve()), open_images(path))


def test_splits(digests: Collection[str], named: Mapping[str, NamedDataset]) -> list[str]:
    """The test splits of those named data sets whose other splits have these digests, as ``mnist:test``.

    They need not be on this disk.
    """
    return [
        f"{name}:{TEST}"
        for name, dataset in named.items()
        if TEST in dataset.splits
        and dataset.splits[TEST].digest not in digests
        and any(split.digest in digests for split in dataset.splits.values())
    ]


def open_split(dataset: NamedDataset, name: str, folder: Path) -> StackedImages:
    """Reads one split out of a folder that has all its files, and compares it with its declaration.

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
    images, labels = arrays.get("images"), arrays.get("labels")
    if images is None or images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise PluginError(f"the reader of data set {dataset.name!r} gives no images, uint8 [N, H, W] or [N, H, W, C]")
    full_name = f"{dataset.name}:{name}"
    return StackedImages(
        name=full_name,
        images=images if images.ndim == 4 else images[..., None],
        licence=dataset.licence,
        digest=split.digest,
        labels=labels.astype(np.int64) if labels is not None else None,
        classes=dataset.classes,
        attributions=(Attribution(full_name, dataset.licence, dataset.author),),
    )


def _open_named(dataset: NamedDataset, name: str) -> StackedImages:
    if name not in dataset.splits:
        hint = f"it has {', '.join(dataset.splits)}"
        raise UnknownNameError(f"split of {dataset.name}", name, dataset.splits, hint=hint)
    folder = find_split(dataset, dataset.splits[name])
    try:
        return open_split(dataset, name, folder)
    except InputError as error:
        raise InputError(error.message, hint=f"get it again: {route(dataset)}") from None


def find_split(dataset: NamedDataset, split: DataSplit) -> Path:
    """The folder that has all files of a split; the hint of the error for none says what gets them."""
    data = data_folder()
    own = data / dataset.name if data is not None else None
    what = f"{dataset.name} is not in {own}" if own is not None else f"{dataset.name} is not here: {DATA} is not set"
    for folder in (*([own] if own is not None else []), *dataset.folders):
        lacking = [file for file in split.files.values() if not find_file(folder / file).exists()]
        if not lacking:
            return folder
        if len(lacking) < len(split.files):
            what = f"there is no file {folder / lacking[0]}"
    raise InputError(what, hint=f"get it: {route(dataset)}")


def find_file(path: Path) -> Path:
    """A file as it is declared, or gzipped, whichever is there."""
    packed = path.with_name(f"{path.name}.gz")
    return packed if packed.is_file() and not path.is_file() else path


def route(dataset: NamedDataset) -> str:
    """The command line that gets a data set here."""
    folder = data_folder()
    if folder is None:
        return f"{dataset.route}; export {DATA}=FOLDER"
    return dataset.route.replace("FOLDER", shlex.quote(str(folder)))
