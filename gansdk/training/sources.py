"""The data sets of a run: opened, and described so that they are found again from any folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.data.opening import find_data
from gansdk.data.pictures import Pictures
from gansdk.errors import UnknownNameError, UsageError, entry
from gansdk.plugins.discovery import discover
from gansdk.training.runs import describe_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    from gansdk.data.pictures import Dataset
    from gansdk.training.recipe import Recipe

    Opener = Callable[[str], tuple[str, Dataset]]
    Data = str | PathLike[str]
    """A path or a name, as users give it."""


class OpenedData:
    """Opened data sets, and what a run records of them.

    Args:
        train: What to learn from, as users name it, by the recipe's names.
        tests: What to measure on, by the names that the record shall have.
        opener: How such a text becomes a data set; as :func:`gansdk.open_data` if None.

    Raises:
        InputError: If data is missing or empty.
    """

    def __init__(self, train: Mapping[str, Data], tests: Mapping[str, Data], opener: Opener | None) -> None:
        opener = opener or _open_installed
        found = {name: opener(_text(one)) for name, one in train.items()}
        found_tests = {name: opener(_text(one)) for name, one in tests.items()}
        self.train = {name: data for name, (_, data) in found.items()}
        self.tests = {name: data for name, (_, data) in found_tests.items()}
        self.train_sources = {name: describe_source(*one) for name, one in found.items()}
        self.test_sources = {name: describe_source(*one) for name, one in found_tests.items()}

    def left_out(self) -> Iterator[str]:
        """A line for each set of pictures that has other files among them."""
        for data in (*self.train.values(), *self.tests.values()):
            if isinstance(data, Pictures) and data.others:
                shown = ", ".join(data.others[:3]) + (" …" if len(data.others) > 3 else "")
                yield f"{data.name}: left out what is no picture by its content ({len(data.others)}): {shown}"


def under_recipe_names(recipe: Recipe, data: Mapping[str, Data]) -> dict[str, Data]:
    """Data sets by the recipe's names for them; the name ``""`` means its first.

    Raises:
        UsageError: If one is not the recipe's, missing, or given twice.
    """
    named: dict[str, Data] = {}
    for name, text in data.items():
        meant = name or recipe.sources[0]
        if meant not in recipe.sources:
            raise UnknownNameError("data set", meant, recipe.sources, hint=f"it takes {', '.join(recipe.sources)}")
        if meant in named:
            raise UsageError(f"the data set {meant!r} is given twice", hint="give each once")
        named[meant] = text
    for name in recipe.sources:
        if name not in named:
            raise UsageError(f"the recipe needs a data set {name!r}", hint=f"add {entry('data', name, 'FOLDER')}")
    return named


def _text(data: Data) -> str:
    """It as text; what is a path by its type is so spelled that it is no name of a data set."""
    return data if isinstance(data, str) else str(Path(data).absolute())


def _open_installed(text: str) -> tuple[str, Dataset]:
    return find_data(text, discover().datasets)
