"""Finding models on the Hub by the tags that their cards carry: the library, the method and the tasks.

The pages are read here and not by the client's ``list_models``: that one sleeps as long as a server says, begins again
six times on its own, follows the link to the next page to whatever host with the user's token, and never ends where a
server goes on with empty pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from gansdk.errors import HubError, OptionError, RefError, UnreachableError
from gansdk.files import parse_json
from gansdk.hub.access import ONLINE, Access
from gansdk.hub.listings import get
from gansdk.hub.transfers import UNAUTHORISED, persist, unknown_token
from gansdk.refs import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LIBRARY = "gansdk"
"""The tag of all that may be found."""

MOST = 100
"""How many models a search finds at most."""

_FIELDS = ("sha", "tags", "downloads", "likes", "lastModified", "private", "gated", "cardData")

Parameters = list[tuple[str, str]]


@dataclass(frozen=True)
class SearchResult:
    """A model that a search found, as the Hub and its card describe it.

    Attributes:
        ref: As in ``hub:org/name``.
        sha: Of its newest commit; empty where the Hub does not say.
        tags: Of its card: its method and its tasks are among them, and whatever else its author wrote there.
        licence: As its card names it; empty where it does not.
        downloads: How often it was, lately.
        likes: How many like it.
        modified: When it last changed, in ISO 8601; empty where the Hub does not say.
        private: Whether only its namespace may know of it.
        gated: Whether its files are for people with access only.
    """

    ref: str
    sha: str = ""
    tags: tuple[str, ...] = ()
    licence: str = ""
    downloads: int = 0
    likes: int = 0
    modified: str = ""
    private: bool = False
    gated: bool = False


def search(
    text: str = "", *, task: str = "", method: str = "", limit: int = 20, access: Access = ONLINE
) -> tuple[SearchResult, ...]:
    """Models of gansdk's on the Hub, those first that are downloaded most.

    Args:
        text: What their names contain, as the Hub understands it; empty for all.
        task: A task that they can do, as in ``superres``; empty for any.
        method: The method they are of, as in ``srgan``; empty for any.
        limit: How many at most, 1 to 100.
        access: How the Hub is spoken to.

    Raises:
        OptionError: If the limit is out of range.
        UnreachableError: If the Hub cannot be asked, or must not be.
        HubError: If it refuses.
    """
    if not 1 <= limit <= MOST:
        raise OptionError(f"a search finds 1 to {MOST} models, not {limit}", hint="narrow it with a task or a method")
    if access.is_offline:
        hint = "search while online; `gansdk models` lists what is installed"
        raise UnreachableError("the Hub is not searched offline", hint=hint)
    asked = [("search", text.strip())] if text.strip() else []
    asked += [("filter", tag) for tag in (LIBRARY, task, method) if tag]
    asked += [("sort", "downloads"), ("limit", str(limit)), *(("expand", field) for field in _FIELDS)]
    try:
        return persist(lambda: _found(asked, limit), "a list of models")
    except UnreachableError as error:
        raise UnreachableError(error.message, hint="try again later") from None


def _found(asked: Parameters, limit: int) -> tuple[SearchResult, ...]:
    """Page after page, until there are enough or one brings nothing new: so a server cannot go on for ever."""
    from huggingface_hub import constants

    found: dict[str, SearchResult] = {}
    while True:
        before = len(found)
        response = _asked(f"{constants.ENDPOINT}/api/models", asked)
        found |= {one.ref: one for one in map(_read, _listed(response)) if one is not None}
        following = str(response.links.get("next", {}).get("url", ""))
        if not following or len(found) >= limit or len(found) == before:
            return tuple(found.values())[:limit]
        asked = parse_qsl(following.partition("?")[2], keep_blank_values=True)  # its host may be another


def _asked(url: str, asked: Parameters) -> Any:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return get(url, asked)
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status == UNAUTHORISED:
            raise unknown_token() from None
        if status in (400, 403, 404):
            raise HubError(f"the Hub refuses to search: status {status}", hint="check HF_ENDPOINT") from None
        raise


def _listed(response: Any) -> Sequence[Any]:
    page = parse_json(response.content)
    if not isinstance(page, list):
        raise KeyError("no list")  # `persist` says that this is no answer of a Hub, and asks again
    return page


def _read(entry: Any) -> SearchResult | None:
    """An entry of a page; None for a repository that no ref can name."""
    if not isinstance(entry, dict):
        raise KeyError("no entry")
    try:
        ref = str(parse(f"hub:{entry['id']}"))
    except RefError:
        return None
    tags = tuple(str(tag) for tag in entry.get("tags") or ())
    return SearchResult(
        ref=ref,
        sha=str(entry.get("sha") or ""),
        tags=tags,
        licence=_licence(entry.get("cardData"), tags),
        downloads=_count(entry.get("downloads")),
        likes=_count(entry.get("likes")),
        modified=str(entry.get("lastModified") or ""),
        private=bool(entry.get("private")),
        gated=bool(entry.get("gated")),
    )


def _licence(card: Any, tags: Sequence[str]) -> str:
    """As the card names it: one that the Hub has no word for has its name in a field of its own."""
    fields: Mapping[str, Any] = card if isinstance(card, dict) else {}
    tagged = next((tag.partition(":")[2] for tag in tags if tag.startswith("license:")), "")
    name = str(fields.get("license_name") or "") if tagged == "other" else ""
    return name or ("" if tagged == "unknown" else tagged)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
