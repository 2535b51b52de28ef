"""The data sets that the core knows by name: MNIST, and the clothes that are made like it. Nothing is read here."""

from __future__ import annotations

from pathlib import Path

from gansdk.plugins.datasets import DataSplit, NamedDataset

_ROUTE = "python scripts/fetch_datasets.py FOLDER {}"
_READER = "gansdk.data.idx:read_idx_files"


def _split(prefix: str, items: int, digest: str) -> DataSplit:
    files = {"images": f"{prefix}-images-idx3-ubyte", "labels": f"{prefix}-labels-idx1-ubyte"}
    return DataSplit(files=files, items=items, digest=f"sha256:{digest}")


MNIST = NamedDataset(
    name="mnist",
    summary="handwritten digits, grey, 28x28",
    licence="CC-BY-SA-3.0",
    author="Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
    splits={
        "train": _split("train", 60_000, "41dd0b467e9ad6a51dbb09dabe5a10ccfa0d0ddf033ba3648e43ef370618eb67"),
        "test": _split("t10k", 10_000, "2151497096fb0a0d88196136bae45614b406603a3671c532f8246ee5b2287403"),
    },
    classes=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    route=_ROUTE.format("mnist"),
    reader=_READER,
)

FASHION_MNIST = NamedDataset(
    name="fashion-mnist",
    summary="articles of clothing, grey, 28x28",
    licence="MIT",
    author="Zalando SE",
    splits={
        "train": _split("train", 60_000, "9f4ac9c3ab7940ca69f06717fb56661b42180940280d5bc617b74ff9a788d4e4"),
        "test": _split("t10k", 10_000, "de5bfd3f4377cba9caa21ba89e42c83bcf651f45d73b766aad855d850f8fe0c8"),
    },
    classes=(
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    route=_ROUTE.format("fashion-mnist"),
    reader=_READER,
    folders=(Path("/usr/share/datasets/fashion-mnist"),),  # of Debian's package dataset-fashion-mnist
)
