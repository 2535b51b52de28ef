"""The exemplar plugin, installed as it is or broken in one place."""

from __future__ import annotations

import importlib
import itertools
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "exemplar"
NAME = "gansdk-plugin-exemplar"
MODEL = Path("pretrained") / "exemplar-x2"

_numbers = itertools.count()


@dataclass(frozen=True)
class Change:
    """One change to the exemplar.

    Attributes:
        file: Of its package, ``METADATA``, or a file of its model, which is made before the change.
        old: What stands in it exactly once; empty for a file that is new.
        new: What stands there instead.
    """

    file: str
    old: str
    new: str


def install(folder: Path, change: Change | None = None) -> None:
    """Puts the exemplar, with one change, and the model that it builds, into a folder that is put on the path.

    Its package gets a name of its own, so that several can be imported by one process.
    """
    package = f"exemplar_{next(_numbers)}"
    shutil.copytree(SOURCE, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    info = folder / "gansdk_plugin_exemplar-1.0.dist-info"
    info.mkdir()
    (folder / package / "METADATA").rename(info / "METADATA")
    (info / "entry_points.txt").write_text(f"[gansdk]\nexemplar = {package}\n", "utf-8")
    path = (
        info / "METADATA"
        if change and change.file == "METADATA"
        else folder / package / (change.file if change else "")
    )
    if change is not None and not change.file.startswith("pretrained"):
        _apply(path, change)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    model = importlib.import_module(f"{package}.model")
    model.build(folder / package / MODEL, importlib.import_module(package).METHOD)
    if change is not None and change.file.startswith("pretrained"):
        _apply(path, change)


def _apply(path: Path, change: Change) -> None:
    text = path.read_text("utf-8") if path.exists() else ""
    assert text.count(change.old) == 1 or not change.old, (change.old, text.count(change.old))
    path.write_text(text.replace(change.old, change.new) if change.old else change.new, "utf-8")
