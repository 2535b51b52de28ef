"""What the Hub says of a repository, in one request: its commit, its files, and its card's front matter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, TypeAdapter

from gansdk.errors import HubError, UnknownRevisionError, UnreachableError, nearest
from gansdk.hub.layout import SHA
from gansdk.hub.transfers import REQUEST_SECONDS, persist

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.refs import Hub

_TOLD = 5  # names of branches and tags in a message


@dataclass(frozen=True)
class Entry:
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
    files: Mapping[str, Entry]
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
_FILES = TypeAdapter(dict[str, Entry])
