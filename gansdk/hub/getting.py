"""What is read from the Hub without going through its cache: an answer in memory, asked for once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk._version import __version__
from gansdk.hub.transfers import IN_MEMORY

if TYPE_CHECKING:
    from collections.abc import Sequence


def get(url: str, parameters: Sequence[tuple[str, str]] = ()) -> Any:
    """One GET through the client's session, with the user's token; to be asked within `persist`.

    The token goes to no other host: a redirect to one is followed without it.

    Args:
        url: On the Hub itself. Never one that a server handed over.
        parameters: The query; names may be repeated.

    Returns:
        An ``httpx2.Response`` of status 200, its body read.
    """
    from huggingface_hub import get_session, utils

    client: Any = utils  # its types leave these functions out
    headers = client.build_hf_headers(library_name="gansdk", library_version=__version__)
    # whoever asks wants it in memory, however much is sent; `answered` holds it to that
    response = get_session().get(url, params=list(parameters) or None, headers=headers, extensions={IN_MEMORY: True})
    client.hf_raise_for_status(response)
    return response
