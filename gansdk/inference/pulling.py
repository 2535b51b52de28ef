"""A model of the Hub, brought here before it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.hub.access import Access
from gansdk.inference.catalog import Catalog
from gansdk.inference.context import warn
from gansdk.plugins.discovery import discover
from gansdk.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def pull(ref: str, *, offline: bool = False) -> Path:
    """Brings a whole model from the Hub into the client's cache; what is there already is checked and mended.

    Args:
        ref: As in ``hub:org/name@v1``, or an alias of one.
        offline: Whether no connection may be opened; what is cached is checked.

    Returns:
        Its folder in the cache, which is shared with other tools and not to be written to.

    Raises:
        UsageError: If the ref names no model on the Hub.
        HubError: If there is none, it is not open to this user, or it cannot be had whole.
        ModelError: If its config is of a later format or damaged.

    Warns:
        UserWarning: If the Hub cannot be reached and what is cached of a branch or tag is used.
    """
    return Catalog(discover(), Settings(), Access(offline=offline), warn).pull(ref).folder
