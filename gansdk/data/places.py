"""Where the files of named data sets stand, and what gets those that stand nowhere. Nothing is read here."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gansdk.errors import InputError
from gansdk.settings import DATA, data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gansdk.plugins.datasets import DataSplit, NamedDataset


def find_split(dataset: NamedDataset, split: DataSplit) -> Path:
    """The folder that has all files of a split.

    Raises:
        InputError: If none has; the hint says what gets them.
    """
    places = list(_places(dataset))
    what = f"{dataset.name} is not here: {DATA} is not set"
    if data_folder() is not None:
        what = f"{dataset.name} is not in {places[0]}"
    for folder in places:
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


def _places(dataset: NamedDataset) -> Iterator[Path]:
    if (data := data_folder()) is not None:
        yield data / dataset.name
    yield from dataset.folders
