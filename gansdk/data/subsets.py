"""A labelled subset of a data set, for learning from few labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gansdk.data.stacked import array_digest, labels_of
from gansdk.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gansdk.data.stacked import StackedImages


class LabelledSubset(NamedTuple):
    """As many images of each class, with their labels, and all other images without any label."""

    labelled: StackedImages
    unlabelled: StackedImages


def labelled_subset(data: StackedImages, *, per_class: int, seed: int) -> LabelledSubset:
    """Draws images of each class whose labels are known, and takes the labels from the rest.

    The draw depends on the labels, ``per_class`` and ``seed`` alone. A larger ``per_class`` keeps the images of a
    smaller one. Both halves have digests of their own, over the data set's digest and the images drawn.

    Raises:
        InputError: If the data has no labels, or a class has no more images than are asked for.
    """
    labels, classes = labels_of(data)
    random = np.random.default_rng(seed)
    chosen: list[NDArray[np.int64]] = []
    for index, name in enumerate(classes):
        rows = random.permutation(np.flatnonzero(labels == index))
        if not 0 < per_class < len(rows):
            what = f"{data.name} has {len(rows)} images of class {name!r}, and {per_class} of each shall be labelled"
            raise InputError(what, hint="ask for at least 1, and fewer than there are")
        chosen.append(rows[:per_class])
    drawn = np.sort(np.concatenate(chosen))
    rest = np.setdiff1d(np.arange(len(data)), drawn)
    labelled = replace(_rows(data, drawn, f"{per_class} labels per class, seed {seed}"), labels=labels[drawn])
    unlabelled = _rows(data, rest, f"without {per_class} labels per class, seed {seed}")
    return LabelledSubset(labelled, replace(unlabelled, labels=None, classes=()))


def _rows(data: StackedImages, rows: NDArray[np.int64], what: str) -> StackedImages:
    whole = np.frombuffer(data.digest.encode(), np.uint8)
    attributions = tuple(data.attributions[row] for row in rows) if len(data.attributions) == len(data) else ()
    return replace(
        data,
        name=f"{data.name} ({what})",
        images=data.images[rows],
        digest=array_digest({"data": whole, "rows": rows}),
        attributions=attributions or data.attributions,
    )
