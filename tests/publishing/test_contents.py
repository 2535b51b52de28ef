"""What of a folder goes to the Hub, and what keeps it here."""

from __future__ import annotations

import pickle
import re
from typing import TYPE_CHECKING

import pytest
import torch

from gansdk.errors import ModelError
from gansdk.models.resolved import ResolvedModel
from gansdk.publishing.contents import contents

if TYPE_CHECKING:
    from pathlib import Path

    from hub.server import Hub

    from gansdk.models.catalog import Catalog

FORMAT = ["attributions.json", "card-strip.webp", "config.json", "model.safetensors"]


def test_the_files_of_the_format_go_and_hidden_ones_stay(model: Path) -> None:
    (model / ".DS_Store").write_bytes(b"1")
    (model / ".git").mkdir()
    assert sorted(contents(ResolvedModel.at(model))) == FORMAT
    (model / "README.md").write_text("mine")
    assert sorted(contents(ResolvedModel.at(model))) == sorted([*FORMAT, "README.md"])


def put(folder: Path, name: str) -> None:
    path = folder / name
    if name.endswith("/"):
        path.mkdir()
    elif name == "zipped":
        torch.save({"a": torch.zeros(1)}, path)
    elif name == "pickled":
        path.write_bytes(pickle.dumps({"a": 1}))
    else:
        path.write_bytes(b"x")


PICKLE, CHECKPOINT, OTHER = "is a pickle", "is a training checkpoint", "is not part of a model"


@pytest.mark.parametrize(
    ("name", "told"),
    {
        "weights.pth": PICKLE,
        "zipped": PICKLE,
        "pickled": PICKLE,
        "last.ckpt": CHECKPOINT,
        "state/": CHECKPOINT,
        "checkpoint-500/": CHECKPOINT,
        "notes.txt": OTHER,
        "other.safetensors": OTHER,
        "samples/": OTHER,
        "card.png": OTHER,
        "empty": OTHER,
    }.items(),
)
def test_what_is_no_part_of_a_model_is_named_and_nothing_goes(model: Path, name: str, told: str) -> None:
    put(model, name)
    with pytest.raises(ModelError, match=rf"{re.escape(name.rstrip('/'))} {told}.*; nothing was sent; move it"):
        contents(ResolvedModel.at(model))


def test_the_worst_of_several_is_named(model: Path) -> None:
    for name in ("a.txt", "last.ckpt", "weights.pth"):
        put(model, name)
    with pytest.raises(ModelError, match=r"weights\.pth is a pickle.*; nor may .*, .* go;"):
        contents(ResolvedModel.at(model))


def test_a_pickle_under_a_name_of_the_format_is_found(model: Path) -> None:
    (model / "model.safetensors").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ModelError, match=r"model\.safetensors is a pickle, whatever its name says"):
        contents(ResolvedModel.at(model))


def test_of_a_model_on_the_hub_its_own_files_go(hub: Hub, model: Path, catalog: Catalog) -> None:
    files = {path.name: path.read_bytes() for path in model.iterdir()}
    hub.repo("org/m", {**files, "notes.txt": b"1"})
    found = contents(catalog.locate("hub:org/m"))
    assert {name: path.read_bytes() for name, path in found.items()} == files
    (catalog.locate("hub:org/m").folder / "notes.txt").write_text("another tool's")
    assert sorted(contents(catalog.locate("hub:org/m"))) == FORMAT
