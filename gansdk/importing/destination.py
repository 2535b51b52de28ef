"""The folder that an imported or unpacked model is written to, chosen before anything is read."""

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
    """The folder to write, or None if the model there stays.

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
    try:
        files = read_config(folder).files
        is_model = all(belongs(path.name, files) for path in folder.iterdir())
    except GansdkError:
        is_model = False
    if not is_model:
        what = f"{folder} exists already and holds other things than a model; it stays as it is"
        raise OutputExistsError(what, hint=as_typed("name another folder with -o", "name another folder"))
    if on_exists == "skip":
        return None
    if on_exists == "error":
        raise OutputExistsError(
            f"{folder} exists already", hint=f"use {option('on_exists', 'overwrite', 'skip', 'rename')}"
        )
    return folder


def _check_writable(folder: Path) -> None:
    parent = next(parent for parent in folder.absolute().parents if parent.exists())
    if not parent.is_dir():
        another = as_typed("name another folder with -o", "name another folder")
        raise OutputError(f"{parent} is a file, so there can be no {folder}", hint=another)
    if not os.access(parent, os.W_OK):
        another = as_typed(f" with -o, as in -o {shlex.quote('./' + folder.name)}", "")
        raise OutputError(f"the folder {parent} cannot be written to", hint=f"name another one{another}")
