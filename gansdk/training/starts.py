"""A model that a training starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansdk.errors import UsageError, as_typed
from gansdk.inference.catalog import Catalog
from gansdk.inference.loading import load_networks
from gansdk.model.config import WEIGHTS
from gansdk.plugins.discovery import discover
from gansdk.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from gansdk.model.config import ModelConfig
    from gansdk.plugins.declarations import Method


@dataclass(frozen=True)
class Start:
    """A model to start from.

    Attributes:
        config: What it declares.
        networks: By name, filled, in eval mode, without gradients.
        digest: Of its weights.
    """

    config: ModelConfig
    networks: Mapping[str, nn.Module]
    digest: str


def load_start(ref: str, method: Method) -> Start:
    """The model that a recipe's option ``start`` names; of one with two ends, its own end.

    Args:
        ref: How the user names it.
        method: The recipe's own method, which it must be of.

    Raises:
        UsageError: If no model is named, or it is of another method.
        GansdkError: If there is no such model, or it does not load.
    """
    if not ref:
        raise UsageError(
            "this config goes on from another model", hint=as_typed("add --set start=REF", 'add options={"start": REF}')
        )
    located = Catalog(discover(), Settings()).locate(ref)
    if located.config.method != method.name:
        what = f"{ref} is a model of {located.config.method!r}, and this training starts from one of {method.name!r}"
        raise UsageError(what, hint="see `gansdk models`")
    networks = load_networks(located, method)
    return Start(located.config, networks, located.config.files[WEIGHTS])
