"""Trained feature networks for losses and evaluators. None of them ships; each is read from a file that a user has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.errors import InputError, ModelError
from gansdk.settings import data_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


LITE0 = "efficientnet_lite0"
"""The name of EfficientNet-Lite0's file, here so that naming it does not import torch."""

_HINT = "python scripts/fetch_backbones.py FOLDER gets it; then set GANSDK_DATA to the folder that holds trunks/"


def find(name: str) -> Path:
    """The file that a name means: a path that exists, else a file in ``$GANSDK_DATA/trunks``.

    Args:
        name: A path, or a file's name with or without ``.safetensors``.

    Raises:
        InputError: If there is no such file; the hint says how to get those that gansdk knows.
    """
    given, folder = Path(name), data_folder()
    if given.is_file():
        return given
    if folder is None or given.name != name:
        raise InputError(f"there is no file {name}", hint=_HINT if not given.suffix else "name a safetensors file")
    path = folder / "trunks" / (name if given.suffix else f"{name}.safetensors")
    if not path.is_file():
        raise InputError(f"there is no file {path}", hint=_HINT)
    return path


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Fills a network strictly and freezes it: eval mode, no gradients of its weights, channels last.

    Raises:
        ModelError: If keys or shapes differ.
    """
    import torch

    try:
        network.load_state_dict(dict(tensors), strict=True)  # torch supplies the counters that old batch-norms lack
    except RuntimeError as error:
        detail = str(error).splitlines()[-1].strip()
        raise ModelError(f"{path} does not fit {type(network).__name__}: {detail}", hint="name another file") from None
    network.eval().requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # which torch takes and its stubs lack
