"""Data sets that have a name, as a plugin hands them over: cheap, like all its values; reading is an import string."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansdk.errors import PluginError
from gansdk.plugins.declarations import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class DataSplit:
    """One part of a named data set.

    Attributes:
        files: Names of its files in the data set's folder, by what the reader calls them. Each may also stand there
            gzipped, with ``.gz`` after its name.
        items: How many items it has.
        digest: Of the arrays that are read, by :func:`gansdk.array_digest`. A file's own digest would differ from
            mirror to mirror with how it is packed; pixels do not.
    """

    files: Mapping[str, str]
    items: int
    digest: str


@dataclass(frozen=True)
class NamedDataset:
    """Labelled images that a user names, ``mnist`` or ``mnist:test``, where a folder of pictures would stand.

    Attributes:
        name: As in ``mnist``.
        summary: One line for listings.
        licence: SPDX expression, or ``unstated``.
        author: Who made it, for the cards of models that learn from it.
        splits: By name; the first is meant where none is named.
        route: One command line that gets it; ``FOLDER`` in it is what ``GANSDK_DATA`` is set to.
        reader: Import string of ``read(paths, /) -> Mapping[str, NDArray]``. It gets the paths of a split's files and
            gives ``images``, uint8 [N, H, W] or [N, H, W, C], and, where there are any, ``labels``, integers [N]. An
            :class:`~gansdk.InputError` says what is wrong with a file.
        classes: What the labels mean, from 0 on; empty where there are none.
        folders: Where it may stand besides ``$GANSDK_DATA/<name>``: where a system's packages put it.
    """

    name: str
    summary: str
    licence: str
    splits: Mapping[str, DataSplit]
    route: str
    reader: str
    author: str = ""
    classes: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        check_name("data set", self.name)
        if not self.licence:
            hint = "write 'unstated' where nobody does"
            raise PluginError(f"data set {self.name!r} states no licence", hint=hint)
        if not self.splits:
            raise PluginError(f"data set {self.name!r} has no splits")
        for split in self.splits:
            check_name(f"data set {self.name!r}: split", split)
