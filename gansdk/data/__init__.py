"""Data sets to train and to measure on: by name, folders, archives and streams of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gansdk.plugins.declarations import NamedDataset


@hookimpl
def gansdk_datasets() -> Iterable[NamedDataset]:
    """The data sets that every installation knows by name; none of them comes along."""
    return [MNIST, FASHION_MNIST]
