"""The client's cache on disk, which all tools of the user share, and whether a file in it has the right bytes.

A repository's folder has ``refs/BRANCH`` (a sha), ``blobs/DIGEST`` (content) and ``snapshots/SHA/NAME`` (links to
blobs, or the files themselves on systems without links).
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.files import sha256
from gansdk.hub.access import import_client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


SHA = re.compile(r"[0-9a-f]{40}")
"""What a commit looks like."""

SNAPSHOTS = "snapshots"

_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = 64
_LOCK_SECONDS = 600


def cache_folder() -> Path:
    """The whole cache, whether it exists or not."""
    import_client()
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def repo_folder(repo: str) -> Path:
    """The folder of a repository ``org/name`` in the cache, whether it exists or not."""
    return cache_folder() / f"models--{repo.replace('/', '--')}"


def snapshot_folder(repo: str, sha: str) -> Path:
    """Where the files of a commit are."""
    return repo_folder(repo) / SNAPSHOTS / sha


@contextmanager
def locked(repo: str) -> Iterator[None]:
    """A block in which no other process of gansdk takes a file of this repository out of the cache."""
    import filelock

    folder = cache_folder() / ".locks" / repo_folder(repo).name
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / "gansdk.lock", timeout=_LOCK_SECONDS):
        yield


def blob_of(path: Path) -> Path:
    """What a file of a snapshot links to, which is named by its content; itself, if it is not a link.

    One step and no more: with Xet, a blob is a link in turn, to a store of the whole cache with names of another kind.
    """
    return Path(os.path.abspath(path.parent / path.readlink())) if path.is_symlink() else path  # noqa: PTH100 - resolve() goes on


def remove_file(path: Path) -> None:
    """Takes a file of a snapshot out of the cache: its blob, and the links to it in all snapshots of the repository."""
    blob = blob_of(path)
    snapshots = next(parent for parent in path.parents if parent.name == SNAPSHOTS)
    for link in snapshots.rglob("*"):
        if link.is_symlink() and blob_of(link) == blob:
            link.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def content_digest(content: bytes, like: str) -> str:
    """The digest of bytes, of the kind that ``like`` is: sha256, or the name that git gives small files; hex."""
    if len(like) == _SHA256:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def file_digest(path: Path, like: str) -> str:
    """The same of a file's content."""
    return sha256(path).removeprefix("sha256:") if len(like) == _SHA256 else content_digest(path.read_bytes(), like)


def difference(path: Path, wanted: Iterable[str] = ()) -> tuple[str, str] | None:
    """What was expected of a cached file's content and what it has; None if it is as it should be.

    Args:
        path: In a snapshot. If it is a link, its target is named by what the Hub said of it, which is checked too.
        wanted: Digests in hex.
    """
    name = blob_of(path).name
    named = [name] if path.is_symlink() and _DIGEST.fullmatch(name) else []
    try:
        pairs = [(expected, file_digest(path, expected)) for expected in dict.fromkeys([*wanted, *named])]
    except FileNotFoundError:  # another process has just removed it
        return "a file", "none"
    return next(((expected, got) for expected, got in pairs if expected != got), None)
