"""A repository as a push finds it, and what it would change there. Nothing is written here, to the Hub or to disk."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gansdk.errors import HubError, ModelError, RefError, UnreachableError, option
from gansdk.files import parse_json
from gansdk.hub.access import ONLINE, Access
from gansdk.hub.digests import content_digest, file_digest
from gansdk.hub.layout import SHA
from gansdk.hub.listings import Listing, ask, names
from gansdk.hub.reading import read
from gansdk.hub.transfers import persist
from gansdk.model.config import CONFIG, README, belongs, parse_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gansdk.hub.listings import Entry
    from gansdk.model.config import ModelConfig
    from gansdk.refs import Hub

State = Literal["new", "changed", "same", "removed"]

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Change:
    """What a push does to one file.

    Attributes:
        name: Its name.
        size: In bytes, of the file as it will be; of one that is removed, as it is.
        state: What happens to it.
    """

    name: str
    size: int
    state: State


@dataclass(frozen=True)
class Place:
    """A repository as a push finds it.

    Attributes:
        ref: Which one, without a revision.
        listing: Its main branch; None where the repository is yet to be made.
        tags: Commits by the tags that they have.
        branches: Their names.
        config: What the model declares that an earlier push put there; None where there is none that can be read.
        card: Its ``README.md``; None where it has none.
    """

    ref: Hub
    listing: Listing | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    branches: frozenset[str] = frozenset()
    config: ModelConfig | None = None
    card: bytes | None = None

    @property
    def pushed(self) -> frozenset[str]:
        """The files that belong to the model that an earlier push put there."""
        if self.listing is None or self.config is None:
            return frozenset()
        ours = self.config.files
        return frozenset(name for name in self.listing.files if belongs(name, ours))


def find(ref: Hub, access: Access = ONLINE) -> Place:
    """Looks at a repository that a model shall go to.

    Args:
        ref: Which one, without a revision.
        access: How the Hub is spoken to.

    Raises:
        UnreachableError: If the Hub cannot be asked.
        HubError: If it is not open to this user, or holds a model of another program.
    """
    from huggingface_hub import HfApi

    if access.is_offline:
        raise UnreachableError(f"nothing can be pushed to {ref} offline", hint="push it while online")
    with _said_of_a_push():
        if not persist(lambda: HfApi().repo_exists(ref.repo), str(ref), sending=True):
            return Place(ref)
        listing = ask(ref)
        tags, branches = names(ref, sending=True)
        config = _config(ref, _content(listing, CONFIG))
        return Place(ref, listing, tags, branches, config, _content(listing, README))


def compare(place: Place, files: Mapping[str, bytes | Path]) -> tuple[Change, ...]:
    """What a push would do, file by file.

    Args:
        place: Where to.
        files: All that the model consists of, by name.
    """
    there = place.listing.files if place.listing is not None else {}
    changes = [Change(name, size(content), state(content, there.get(name))) for name, content in sorted(files.items())]
    gone = sorted(place.pushed - files.keys())
    return (*changes, *(Change(name, there[name].size, "removed") for name in gone))


def check(place: Place, changes: tuple[Change, ...], *, private: bool, tag: str) -> None:
    """Refuses what could not be done to the end.

    Args:
        place: Where to.
        changes: What would be done.
        private: Whether only the namespace may see the repository.
        tag: What the commit shall be called; empty for nothing.

    Raises:
        RefError: As in `check_tag`.
        HubError: If the tag is another commit's, or the repository is public already.
    """
    check_tag(tag)
    if private and place.listing is not None and not place.listing.private:
        hint = f"make it private on its page, or push without {option('private')}"
        raise HubError(f"{place.ref} is public already", hint=hint)
    if not tag:
        return
    if tag in place.branches or tag == "main":
        raise HubError(f"{tag} is a branch of {place.ref}", hint="choose another tag")
    if tag not in place.tags:
        return
    is_new = any(change.state != "same" for change in changes)
    if place.listing is None or is_new or place.tags[tag] != place.listing.sha:
        what = f"{place.ref} has the tag {tag} already, on the commit {place.tags[tag][:12]}"
        raise HubError(what, hint="choose another tag, as those who use that one rely on it")


def check_tag(tag: str) -> None:
    """Refuses a name that no tag can have; empty is none at all.

    Raises:
        RefError: If no commit can be called that.
    """
    if tag and (not _TAG.fullmatch(tag) or SHA.fullmatch(tag)):
        raise RefError(f"{tag!r} can be no tag", hint="tags are letters, digits and . _ + -, as in v1")


def state(content: bytes | Path, entry: Entry | None) -> State:
    """How a file relates to the one of its name on the Hub."""
    if entry is None:
        return "new"
    if size(content) != entry.size:
        return "changed"
    like = entry.digest
    digest = content_digest(content, like) if isinstance(content, bytes) else file_digest(content, like)
    return "same" if digest == entry.digest else "changed"


def size(content: bytes | Path) -> int:
    """Bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _content(listing: Listing, name: str) -> bytes | None:
    return read(listing, name) if name in listing.files else None


def _config(ref: Hub, content: bytes | None) -> ModelConfig | None:
    if content is None:
        return None
    try:
        raw = parse_json(content)
    except ValueError:
        raw = None
    if not isinstance(raw, dict) or "gansdk" not in raw:
        raise HubError(f"{ref} holds a model of another program's", hint="push to a repository of its own")
    try:
        return parse_config(raw, f"{CONFIG} of {ref}")
    except ModelError:  # of a later format: what belongs to it is not known, and stays
        return None


@contextmanager
def _said_of_a_push() -> Iterator[None]:
    try:
        yield
    except UnreachableError as error:
        raise UnreachableError(error.message, hint="push again: nothing was written yet") from None
