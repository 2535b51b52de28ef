"""Small files of a commit, in memory: nobody asked to keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.errors import DamagedError, HubError
from gansdk.files import MOST_JSON
from gansdk.hub.digests import content_digest
from gansdk.hub.getting import get
from gansdk.hub.transfers import persist

if TYPE_CHECKING:
    from gansdk.hub.listings import Listing


def read(listing: Listing, name: str) -> bytes:
    """The content of a file that is listed, checked against the listing.

    Raises:
        UnreachableError: If it cannot be had.
        HubError: If it is not open to this user.
        DamagedError: If it came damaged twice.
    """

    def question() -> bytes:
        from huggingface_hub import hf_hub_url

        content: bytes = get(hf_hub_url(listing.ref.repo, name, revision=listing.sha)).content
        return content

    if listing.files[name].size > MOST_JSON:
        what = f"{name} of {listing.ref} has {listing.files[name].size} bytes, more than {MOST_JSON}"
        raise HubError(what, hint="look at the repository's page")
    expected, got = listing.files[name].digest, ""
    for _ in range(2):
        content = persist(question, str(listing.ref))
        got = content_digest(content, expected)
        if got == expected:
            return content
    what = f"{name} of {listing.ref} came damaged twice: expected {expected}, got {got}"
    raise DamagedError(what, hint="try again")
