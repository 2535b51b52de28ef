"""From a ref to a folder of the Hub's cache: the commit first, then config.json, then what it names, each checked."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansdk.errors import DamagedError, HubError, UnreachableError
from gansdk.files import sha256, write_whole
from gansdk.hub.transfers import REQUEST_SECONDS, persist
from gansdk.model.config import ATTRIBUTIONS, CONFIG, read_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gansdk.model.config import ModelConfig
    from gansdk.refs import Hub

_SHA = re.compile(r"[0-9a-f]{40}")
_BESIDES = ("README.md", ATTRIBUTIONS)


@dataclass(frozen=True)
class Revision:
    """One commit of a repository.

    Attributes:
        ref: How it was named.
        sha: Of the commit.
        digests: Its files → what the Hub lists of them: sha256 of large ones, git's name of small ones; None where
            the Hub was not asked.
    """

    ref: Hub
    sha: str
    digests: dict[str, str] | None


@dataclass(frozen=True)
class Pulled:
    """A model that is in the cache; all of its files that were asked for are whole."""

    revision: Revision
    folder: Path
    config: ModelConfig


def resolve(ref: Hub, *, offline: bool = False, note: Callable[[str], None] | None = None) -> Revision:
    """The commit that a ref means. A commit that is cached is not asked for; a branch or tag is, once.

    Raises:
        UnreachableError: If the Hub cannot be asked and nothing is cached.
        HubError: If there is no such repository or revision, or it is not open to this user.
    """
    from huggingface_hub import constants

    cached = _cached(ref)
    is_pinned = bool(_SHA.fullmatch(ref.revision))
    if offline or constants.HF_HUB_OFFLINE:
        if cached is None:
            hint = "pull it once without --offline"
            raise UnreachableError(f"{ref} is not in the cache, and the Hub is not asked offline", hint=hint)
        return cached
    if is_pinned and cached is not None:
        return cached
    try:
        return _asked(ref)
    except UnreachableError as error:
        if cached is None:
            raise
        if note:
            note(f"{error.message}; going on with the cached {cached.sha[:12]}")
        return cached


def pull(
    ref: Hub,
    *,
    names: Iterable[str] | None = None,
    offline: bool = False,
    note: Callable[[str], None] | None = None,
) -> Pulled:
    """Brings a model into the cache: ``config.json`` first, then what is asked for.

    Args:
        ref: A repository, with or without a revision.
        names: Files besides ``config.json``; those that it names, the card and attributions if not given.
        offline: Whether no socket may be opened.
        note: Told when the Hub cannot be reached and what is cached is used.

    Raises:
        HubError: As in `resolve`, or a file is missing in the repository or damaged on its way twice.
        ModelError: If ``config.json`` is none of gansdk's, or of a later format.
    """
    from huggingface_hub import constants

    offline = offline or constants.HF_HUB_OFFLINE
    revision = resolve(ref, offline=offline, note=note)
    folder = _fetch(revision, CONFIG, "", offline=offline).parent
    config = read_config(folder)
    wanted = tuple(names) if names is not None else (*config.files, *_BESIDES)
    if revision.digests is None and not offline and any(not (folder / name).exists() for name in config.files):
        revision = replace(_asked(replace(ref, revision=revision.sha)), ref=ref)
    for name in wanted:
        if name in _BESIDES and names is None and name not in (revision.digests or ()):
            continue
        _fetch(revision, name, config.files.get(name, "").removeprefix("sha256:"), offline=offline)
    if revision.digests is not None:
        _remember(revision)
    return Pulled(revision, folder, config)


def _asked(ref: Hub) -> Revision:
    def ask() -> Any:
        from huggingface_hub import HfApi

        return HfApi().model_info(ref.repo, revision=ref.revision or None, files_metadata=True, timeout=REQUEST_SECONDS)

    info = persist(ask, str(ref))
    files = info.siblings or []
    digests = {file.rfilename: file.lfs.sha256 if file.lfs else file.blob_id or "" for file in files}
    if not _SHA.fullmatch(info.sha or ""):
        raise UnreachableError(f"the Hub did not say which commit {ref} is", hint="try again")
    return Revision(ref, info.sha, digests)


def _cached(ref: Hub) -> Revision | None:
    repo = _repo(ref)
    sha = ref.revision
    if not _SHA.fullmatch(sha):
        try:
            sha = (repo / "refs" / (sha or "main")).read_text("utf-8").strip()
        except OSError:
            return None
    is_there = bool(_SHA.fullmatch(sha)) and (repo / "snapshots" / sha / CONFIG).exists()
    return Revision(ref, sha, None) if is_there else None


def _repo(ref: Hub) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{ref.repo.replace('/', '--')}"


def _fetch(revision: Revision, name: str, digest: str, *, offline: bool) -> Path:
    """A file's place in the cache. It is checked when it has just come; once more and it is given up."""
    path = _repo(revision.ref) / "snapshots" / revision.sha / name
    if path.exists():
        return path
    if offline:
        raise UnreachableError(f"{revision.ref} lacks {name} in the cache", hint=f"gansdk pull {revision.ref}")
    listed = revision.digests or {}
    if revision.digests is not None and name not in listed:
        raise HubError(f"{revision.ref} has no file {name}", hint="look at the repository's page")
    wrong: list[tuple[str, str]] = []
    for _ in range(2):
        path = _download(revision, name)
        pairs = [(one, _digest(path, one)) for one in (digest, listed.get(name, "")) if one]
        wrong = [(expected, got) for expected, got in pairs if expected != got]
        if not wrong:
            return path
        remove(path)
    expected, got = wrong[0]
    hint = f"gansdk pull {revision.ref}"
    raise DamagedError(f"{name} of {revision.ref} came damaged twice: expected {expected}, got {got}", hint=hint)


def _download(revision: Revision, name: str) -> Path:
    def ask() -> str:
        from huggingface_hub import hf_hub_download

        return hf_hub_download(
            revision.ref.repo, name, revision=revision.sha, library_name="gansdk", etag_timeout=REQUEST_SECONDS
        )

    return Path(persist(ask, str(revision.ref)))


def _remember(revision: Revision) -> None:
    """Notes where a branch or tag stands, as the client does when it is asked for one by name."""
    branch = revision.ref.revision or "main"
    if not _SHA.fullmatch(branch) and ".." not in branch:
        mark = _repo(revision.ref) / "refs" / branch
        mark.parent.mkdir(parents=True, exist_ok=True)
        write_whole(mark, revision.sha)


def _digest(path: Path, expected: str) -> str:
    """A file's digest of the kind that is expected: sha256, or the name that git gives small files."""
    if len(expected) == 64:
        return sha256(path).removeprefix("sha256:")
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def remove(path: Path) -> None:
    """Takes a file out of the cache: its blob, and the links to it in all snapshots of the repository."""
    blob = path.resolve()
    snapshots = next(parent for parent in path.parents if parent.name == "snapshots")
    for link in snapshots.rglob("*"):
        if link.is_symlink() and link.resolve() == blob:
            link.unlink()
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)
