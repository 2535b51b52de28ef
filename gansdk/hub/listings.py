"""What the Hub says: of a repository, its commit, files and card; of all, the models with certain tags.

The pages of a search are not read by the client's ``list_models``: it sleeps as long as a server says, begins
again six times on its own, follows the link to the next page to whatever host with the user's token, and never ends if
a server sends empty pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl

from pydantic import Field, TypeAdapter

from gansdk._version import __version__
from gansdk.errors import (
    DamagedError,
    HubError,
    OptionError,
    RefError,
    UnknownRevisionError,
    UnreachableError,
    nearest,
)
from gansdk.files import MOST_JSON, parse_json
from gansdk.hub.access import ONLINE, Access
from gansdk.hub.layout import SHA, content_digest
from gansdk.hub.transfers import IN_MEMORY, REQUEST_SECONDS, UNAUTHORISED, persist, unknown_token
from gansdk.refs import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gansdk.refs import Hub


_TOLD = 5  # names of branches and tags in a message

LIBRARY = "gansdk"
"""The tag of all that may be found."""

MOST = 100
"""How many models a search finds at most."""

_FIELDS = ("sha", "tags", "downloads", "likes", "lastModified", "private", "gated", "cardData")


@dataclass(frozen=True)
class RepoFile:
    """A file of a repository.

    Attributes:
        size: In bytes.
        digest: sha256 of a large file, git's name of a small one; hex.
    """

    size: Annotated[int, Field(ge=0)]
    digest: str


@dataclass(frozen=True)
class Listing:
    """A commit of a repository.

    Attributes:
        ref: How it was named.
        sha: Of the commit.
        files: By path.
        card: The front matter of its ``README.md``.
        private: Whether only members of its namespace can see it.
        gated: Whether its files need a request for access.
    """

    ref: Hub
    sha: str
    files: Mapping[str, RepoFile]
    card: Mapping[str, Any] = field(default_factory=dict)
    private: bool = False
    gated: bool = False


def ask(ref: Hub) -> Listing:
    """Asks the Hub for the commit that a ref means.

    Raises:
        UnreachableError: If the Hub cannot be asked.
        UnknownRevisionError: If the repository has no such revision; what it has instead becomes the hint.
        HubError: If there is no such repository, or it is not open to this user.
    """

    def question() -> Listing:
        from huggingface_hub import HfApi

        info: Any = HfApi().model_info(
            ref.repo, revision=ref.revision or None, files_metadata=True, timeout=REQUEST_SECONDS
        )
        return Listing(
            ref=ref,
            sha=_TEXT.validate_python(info.sha or ""),
            files=_FILES.validate_python({file.rfilename: _entry(file) for file in info.siblings or []}),
            card=info.card_data.to_dict() if info.card_data else {},
            private=bool(info.private),
            gated=bool(info.gated),
        )

    try:
        listing = persist(question, str(ref))
    except UnknownRevisionError as error:
        raise _suggesting(error, ref) from None
    if not SHA.fullmatch(listing.sha):
        raise UnreachableError(f"the Hub did not say which commit {ref} is", hint="try again")
    return listing


def names(ref: Hub, *, sending: bool = False) -> tuple[dict[str, str], frozenset[str]]:
    """The commits of a repository's tags, by their names, and the names of its branches.

    Args:
        ref: Which one; its revision has no part in this.
        sending: Whether it is asked to change something there.
    """

    def question() -> tuple[dict[str, str], frozenset[str]]:
        from huggingface_hub import HfApi

        refs = HfApi().list_repo_refs(ref.repo)
        tags = _NAMES.validate_python({one.name: one.target_commit for one in refs.tags})
        return tags, frozenset(_TEXT.validate_python(one.name) for one in refs.branches)

    return persist(question, str(ref), sending=sending)


def _suggesting(error: UnknownRevisionError, ref: Hub) -> UnknownRevisionError:
    """The same error, with names that were perhaps meant."""
    try:
        tags, branches = names(ref)
    except HubError:
        return error
    known = sorted({*tags, *branches})
    near = nearest(ref.revision, known)
    some = ", ".join(known[:_TOLD]) + (" …" if len(known) > _TOLD else "")
    return UnknownRevisionError(error.message, hint=f"did you mean {' or '.join(near)}?" if near else f"it has {some}")


def _entry(file: Any) -> dict[str, Any]:
    large = file.lfs
    return {"size": large.size if large else file.size or 0, "digest": large.sha256 if large else file.blob_id or ""}


# the client passes on whatever type the answer had; what does not validate is not an answer of a Hub
_TEXT = TypeAdapter(str)
_NAMES = TypeAdapter(dict[str, str])
_FILES = TypeAdapter(dict[str, RepoFile])


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
    # the answer is kept in memory, so `answered` bounds how much of it may be sent
    response = get_session().get(url, params=list(parameters) or None, headers=headers, extensions={IN_MEMORY: True})
    client.hf_raise_for_status(response)
    return response


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


@dataclass(frozen=True)
class SearchResult:
    """A model that a search found, as the Hub and its card describe it.

    Attributes:
        ref: As in ``hub:org/name``.
        sha: Of its newest commit; empty if the Hub does not say.
        tags: Of its card: its method and its tasks are among them, and whatever else its author wrote there.
        licence: As its card names it; empty if it does not.
        downloads: How often it was downloaded lately.
        likes: How many like it.
        modified: When it last changed, in ISO 8601; empty if the Hub does not say.
        private: Whether only members of its namespace can see it.
        gated: Whether its files need a request for access.
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
    """Models of gansdk's on the Hub, most downloaded first.

    Args:
        text: What their names contain, as the Hub understands it; empty for all.
        task: A task that they can do, as in ``superres``; empty for any.
        method: The method they are of, as in ``srgan``; empty for any.
        limit: How many at most, 1 to 100.
        access: How the Hub is accessed.

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


def _found(asked: list[tuple[str, str]], limit: int) -> tuple[SearchResult, ...]:
    """Page after page, until there are enough or one adds nothing new: so a server cannot continue without end."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    found: dict[str, SearchResult] = {}
    while True:
        before = len(found)
        try:
            response = get(f"{constants.ENDPOINT}/api/models", asked)
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status == UNAUTHORISED:
                raise unknown_token() from None
            if status in (400, 403, 404):
                raise HubError(f"the Hub refuses to search: status {status}", hint="check HF_ENDPOINT") from None
            raise
        page = parse_json(response.content)
        if not isinstance(page, list):
            raise KeyError("no list")  # `persist` says that this is not an answer of a Hub, and asks again
        found |= {result.ref: result for result in map(_read, page) if result is not None}
        following = str(response.links.get("next", {}).get("url", ""))
        if not following or len(found) >= limit or len(found) == before:
            return tuple(found.values())[:limit]
        asked = parse_qsl(following.partition("?")[2], keep_blank_values=True)  # its host may be another


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
