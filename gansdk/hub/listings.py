"""What the Hub says of a repository, in one request: its commit, its files, and its card's front matter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, TypeAdapter

from gansdk._version import __version__
from gansdk.errors import DamagedError, HubError, UnknownRevisionError, UnreachableError, nearest
from gansdk.files import MOST_JSON
from gansdk.hub.layout import SHA, content_digest
from gansdk.hub.transfers import IN_MEMORY, REQUEST_SECONDS, persist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gansdk.refs import Hub


_TOLD = 5  # names of branches and tags in a message


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
        private: Whether only its namespace may know of it.
        gated: Whether files are for people with access only.
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
    """It, with names that were perhaps meant."""
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


# what the client hands on is of whatever type the answer was; what does not validate is no answer of a Hub's
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
    # whoever asks wants it in memory, however much is sent; `answered` holds it to that
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
