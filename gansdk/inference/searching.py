"""Models on the Hub, found by their names and by what they can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.hub import searching
from gansdk.hub.access import Access
from gansdk.plugins.discovery import discover

if TYPE_CHECKING:
    from gansdk.hub.searching import Found


def search(
    text: str = "", *, task: str = "", method: str = "", limit: int = 20, offline: bool = False
) -> tuple[Found, ...]:
    """Models of gansdk's on the Hub, those first that are downloaded most.

    Args:
        text: What their names contain, as the Hub understands it; empty for all.
        task: A task that they can do, as in ``superres``; empty for any.
        method: The method they are of, as in ``srgan``, installed here or not; empty for any.
        limit: How many at most, 1 to 100.
        offline: Whether no connection may be opened; then nothing can be searched.

    Raises:
        UnknownNameError: If no plugin here brings the task.
        OptionError: If the limit is out of range.
        HubError: If the Hub refuses, cannot be asked, or must not be.
    """
    if task:
        discover().task(task)
    return searching.search(text, task=task, method=method, limit=limit, access=Access(offline=offline))
