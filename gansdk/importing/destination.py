"""Where a model that comes from elsewhere shall stand, decided before anything is read."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from gansdk.errors import GansdkError, OutputError, OutputExistsError, as_typed, option
from gansdk.media.writing import free_name
from gansdk.model.config import belongs, read_config

if TYPE_CHECKING:
    from pathlib import Path


_ENDINGS = (".tar", ".pth", ".pt", ".ckpt", ".bin", ".safetensors")


def beside(file: Path) -> Path:
    """The folder beside a file of weights that is called like it."""
    name = file.name
    while name.lower().endswith(_ENDINGS) and name.rpartition(".")[0]:
        name = name.rpartition(".")[0]
    return file.with_name(name if name != file.name else f"{name}-model")


def destination(folder: Path, on_exists: str) -> Path | None:
    """The folder to write, or None if there is a model that shall stay.

    Args:
        folder: Where the model is wanted.
        on_exists: ``error``, ``skip``, ``overwrite`` or ``rename``.

    Raises:
        OutputExistsError: If a model is there, or anything else but an empty folder, which is never replaced.
        OutputError: If the folder cannot be made.
    """
    _check_writable(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return folder
    if on_exists == "rename":
        return free_name(folder)
    if not _is_model_alone(folder):
        what = f"{folder} exists already and is no model alone; it stays as it is"
        raise OutputExistsError(what, hint=as_typed("name another folder with -o", "name another folder"))
    if on_exists == "skip":
        return None
    if on_exists == "error":
        raise OutputExistsError(
            f"{folder} exists already", hint=f"use {option('on_exists', 'overwrite', 'skip', 'rename')}"
        )
    return folder


def _is_model_alone(folder: Path) -> bool:
    """Whether a folder holds a model and nothing that would be lost with it."""
    try:
        files = read_config(folder).files
    except GansdkError:
        return False
    return all(belongs(path.name, files) for path in folder.iterdir())


def _check_writable(folder: Path) -> None:
    parent = next(one for one in folder.absolute().parents if one.exists())
    if not parent.is_dir():
        raise OutputError(
            f"{parent} is a file, so there can be no {folder}",
            hint=as_typed("name another folder with -o", "name another folder"),
        )
    if not os.access(parent, os.W_OK):
        another = as_typed(f" with -o, as in -o {shlex.quote('./' + folder.name)}", "")
        hint = f"name another one{another}"
        raise OutputError(f"the folder {parent} cannot be written to", hint=hint)
