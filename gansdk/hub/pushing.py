"""Puts a model on the Hub in one commit: all of it arrives, or nothing changes.

Large files are stored first, invisible at first, then one commit names them all. It is made on top of the commit
that was looked at or not at all, so that two who push at a time never mix. The answer of a commit may get lost: before
it is asked for again, and before it is said to have failed, the history is looked at.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gansdk.errors import HubError, ModelError, RefError, UnreachableError, option
from gansdk.files import parse_json
from gansdk.hub.access import ONLINE, Access
from gansdk.hub.layout import SHA, content_digest, file_digest
from gansdk.hub.listings import Listing, ask, names, read
from gansdk.hub.transfers import SHOWN_FROM, persist
from gansdk.model.config import CONFIG, README, belongs, parse_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gansdk.hub.listings import RepoFile
    from gansdk.model.config import ModelConfig
    from gansdk.refs import Hub


_MAIN = "main"
_NEW = {".gitattributes"}
"""What a repository has that was just made."""


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
class RepoTarget:
    """A repository as a push finds it.

    Attributes:
        ref: Which one, without a revision.
        listing: Its main branch; None if the repository does not exist yet.
        tags: Commits by the tags that they have.
        branches: Their names.
        config: What the model declares that an earlier push put there; None if there is none that can be read.
        card: Its ``README.md``; None if it has none.
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


def find(ref: Hub, access: Access = ONLINE) -> RepoTarget:
    """Looks at the repository that a model is pushed to.

    Raises:
        UnreachableError: If the Hub cannot be asked.
        HubError: If it is not open to this user, or holds a model of another program.
    """
    from huggingface_hub import HfApi

    if access.is_offline:
        raise UnreachableError(f"nothing can be pushed to {ref} offline", hint="push it while online")
    try:
        if not persist(lambda: HfApi().repo_exists(ref.repo), str(ref), sending=True):
            return RepoTarget(ref)
        listing = ask(ref)
        tags, branches = names(ref, sending=True)
        config = _config(ref, read(listing, CONFIG)) if CONFIG in listing.files else None
        card = read(listing, README) if README in listing.files else None
        return RepoTarget(ref, listing, tags, branches, config, card)
    except UnreachableError as error:
        raise UnreachableError(error.message, hint="push again: nothing was written yet") from None


def compare(place: RepoTarget, files: Mapping[str, bytes | Path]) -> tuple[Change, ...]:
    """What a push would do, file by file."""
    there = place.listing.files if place.listing is not None else {}
    changes = [
        Change(name, _size(content), _state(content, there.get(name))) for name, content in sorted(files.items())
    ]
    gone = sorted(place.pushed - files.keys())
    return (*changes, *(Change(name, there[name].size, "removed") for name in gone))


def check(place: RepoTarget, changes: tuple[Change, ...], *, private: bool, tag: str) -> None:
    """Refuses what could not be done to the end: the tag is another commit's, or the repository is public already."""
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
    """Refuses a name that no tag can have; empty is none at all."""
    if tag and (not _TAG.fullmatch(tag) or SHA.fullmatch(tag)):
        raise RefError(f"{tag!r} cannot be a tag", hint="tags are letters, digits and . _ + -, as in v1")


def _state(content: bytes | Path, entry: RepoFile | None) -> State:
    """How a file relates to the one of its name on the Hub."""
    if entry is None:
        return "new"
    if _size(content) != entry.size:
        return "changed"
    like = entry.digest
    digest = content_digest(content, like) if isinstance(content, bytes) else file_digest(content, like)
    return "same" if digest == entry.digest else "changed"


def _size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _config(ref: Hub, content: bytes) -> ModelConfig | None:
    try:
        raw = parse_json(content)
    except ValueError:
        raw = None
    if not isinstance(raw, dict) or "gansdk" not in raw:
        raise HubError(f"{ref} holds a model of another program", hint="push to a repository of its own")
    try:
        return parse_config(raw, f"{CONFIG} of {ref}")
    except ModelError:  # of a later format: what belongs to it is not known, and stays
        return None


def check_login(ref: Hub) -> None:
    """Refuses a push without a login."""
    from huggingface_hub import get_token

    if get_token() is None:
        namespace = ref.repo.partition("/")[0]
        hint = f"`hf auth login` with a token that may write for {namespace}"
        raise HubError(f"pushing to hub:{ref.repo} needs a login", hint=hint)


def send(
    place: RepoTarget,
    files: Mapping[str, bytes | Path],
    changes: tuple[Change, ...],
    message: str,
    *,
    private: bool = False,
    tag: str = "",
    access: Access = ONLINE,
) -> str:
    """Makes the changes that `compare` found.

    Args:
        place: Where to; it is created if it does not exist.
        files: All that the model consists of, by name.
        changes: What is done.
        message: Of the commit; its first line is the title.
        private: Whether a repository that is made can be seen by its namespace only.
        tag: Of the commit; empty for none.
        access: How the Hub is accessed.

    Returns:
        The commit that has all of it; where nothing changes, the one that has it already.

    Raises:
        UnreachableError: If the Hub fails to the end.
        HubError: If it refuses, or somebody else was faster.
    """
    check_login(place.ref)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cards without front matter, arguments of the client's own libraries
        listing = place.listing if place.listing is not None else _made(place.ref, private=private)
        sent = {change.name: files[change.name] for change in changes if change.state in ("new", "changed")}
        gone = [change.name for change in changes if change.state == "removed"]
        sha = _commit(listing, sent, gone, message, access) if sent or gone else listing.sha
        if tag and place.tags.get(tag) != sha:
            _tag(place.ref, tag, sha)
    return sha


def page(ref: Hub) -> str:
    """The address of a repository's page."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{ref.repo}"


def _made(ref: Hub, *, private: bool) -> Listing:
    """A new repository, which is empty."""
    from huggingface_hub import HfApi

    persist(lambda: HfApi().create_repo(ref.repo, private=private, exist_ok=True), str(ref), sending=True)
    listing = ask(ref)
    if set(listing.files) - _NEW or (private and not listing.private):
        raise _overtaken(ref)
    return listing


def _commit(base: Listing, sent: Mapping[str, bytes | Path], gone: list[str], message: str, access: Access) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.utils.tqdm import disable_progress_bars

    additions = [CommitOperationAdd(name, content) for name, content in sent.items()]
    for addition in additions:
        is_shown = access.bars and addition.upload_info.size >= SHOWN_FROM and sys.stderr.isatty()
        with nullcontext() if is_shown else disable_progress_bars():
            _upload(base.ref, addition)
    operations = [*additions, *(CommitOperationDelete(name, is_folder=False) for name in gone)]
    return _committed(base, operations, message, lambda: _landed(base, sent, gone))


def _upload(ref: Hub, addition: Any) -> None:
    """Stores one file if it is a large one: alone, since what the client does in other threads has no time-outs."""
    from huggingface_hub import HfApi

    def question() -> None:
        try:
            HfApi().preupload_lfs_files(ref.repo, [addition], num_threads=1, free_memory=False)
        except (ValueError, RuntimeError) as error:
            told = _not_stored(ref, addition.path_in_repo, error)
            if told is None:
                raise
            raise told from None

    persist(question, str(ref), sending=True)


def _not_stored(ref: Hub, name: str, error: Exception) -> HubError | None:
    """Why a file was not stored, where the transport is not to blame."""
    from huggingface_hub.errors import HfHubHTTPError

    reason = error if isinstance(error, ValueError) else error.__cause__
    if isinstance(reason, ValueError) and not isinstance(reason, json.JSONDecodeError):
        what = f"the Hub does not take {name} for {ref}: {' '.join(str(reason).split())}"
        return HubError(what, hint="push again")
    if isinstance(reason, HfHubHTTPError) and "/objects/verify" in str(reason.response.url):
        # Somebody else said that it was stored: a network's sign-in page, say.
        return UnreachableError(f"the Hub did not take {name} for {ref}: it did not arrive", hint="push again")
    return None


def _committed(base: Listing, operations: list[Any], message: str, landed: Callable[[], str]) -> str:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    title, _, rest = message.strip().partition("\n")
    was_asked = False

    def question() -> str:
        nonlocal was_asked
        if was_asked and (sha := landed()):
            return sha
        was_asked = True
        try:
            made = HfApi().create_commit(
                base.ref.repo,
                operations,
                commit_message=title,
                commit_description=rest.strip(),
                revision=_MAIN,
                parent_commit=base.sha,
            )
        except HfHubHTTPError as error:
            if error.response.status_code in (409, 412) and (sha := landed()):
                return sha
            raise
        except ValueError as error:
            if "README.md" not in str(error):
                raise
            what = f"the Hub refuses the card of {base.ref}: {' '.join(str(error).split())}"
            raise HubError(what, hint="mend the front matter of README.md") from None
        return str(made.oid)

    try:
        return persist(question, str(base.ref), sending=True)
    except UnreachableError:
        with suppress(UnreachableError):
            if sha := landed():
                return sha
        raise


def _landed(base: Listing, sent: Mapping[str, bytes | Path], gone: list[str]) -> str:
    """The commit on top of what was looked at, if it is ours; empty where there is none.

    Raises:
        HubError: If it is somebody else's.
    """
    from huggingface_hub import HfApi

    history = persist(lambda: HfApi().list_repo_commits(base.ref.repo, revision=_MAIN), str(base.ref), sending=True)
    commits = [commit.commit_id for commit in history]
    if commits[:1] == [base.sha]:
        return ""
    if base.sha in commits:
        following = commits[commits.index(base.sha) - 1]
        files = ask(replace(base.ref, revision=following)).files
        kept = {name: entry for name, entry in base.files.items() if name not in sent and name not in gone}
        others = {name: entry for name, entry in files.items() if name not in sent}
        if kept == others and all(_state(content, files.get(name)) == "same" for name, content in sent.items()):
            return following
    raise _overtaken(base.ref)


def _tag(ref: Hub, tag: str, sha: str) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    def question() -> None:
        try:
            HfApi().create_tag(ref.repo, tag=tag, revision=sha)
        except HfHubHTTPError as error:
            if error.response.status_code != 409:
                raise
            if names(ref, sending=True)[0].get(tag) != sha:
                what = f"the model is on the Hub as {ref}@{sha}, but the tag {tag} became another commit's meanwhile"
                raise HubError(what, hint="push again with another tag") from None

    try:
        persist(question, str(ref), sending=True)
    except UnreachableError as error:
        what = f"the model is on the Hub as {ref}@{sha}, but without the tag {tag}: {error.message}"
        raise UnreachableError(what, hint="push again: only the tag is made") from None


def _overtaken(ref: Hub) -> HubError:
    return HubError(f"{ref} was changed meanwhile; nothing of yours was written", hint="look at it, and push again")
