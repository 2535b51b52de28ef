"""Taking models out of the client's cache, and what killed downloads left there; by the client's own rules."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansdk.errors import HubError, OutputError
from gansdk.hub.caching import Cached, cached, files_of
from gansdk.hub.layout import SNAPSHOTS, cache_folder, locked, repo_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_UNFINISHED = "*.incomplete"


@dataclass(frozen=True)
class Removed:
    """What was taken out of a repository's folder, or would be.

    Attributes:
        commits: Of models.
        leftovers: Of killed downloads.
        freed: Bytes on disk; what other commits share stays and does not count.
    """

    commits: tuple[Cached, ...]
    leftovers: tuple[Path, ...]
    freed: int


def leftovers(repo: str) -> list[Path]:
    """What killed downloads left of a repository's files: no running process holds them."""
    unfinished = sorted((repo_folder(repo) / "blobs").glob(_UNFINISHED))
    return [path for path in unfinished if not _is_held(repo, path)]


def remove(repo: str, sha: str | None = None, *, dry_run: bool = False) -> Removed:
    """Takes a model out of the cache. Commits that are another tool's, and what other commits share, stay.

    Args:
        repo: ``org/name``.
        sha: Of the only commit to take; all that gansdk can read if not given.
        dry_run: Whether it is only said what would go.

    Raises:
        HubError: If another process is downloading the repository, or the client cannot make sense of its folder.
        OutputError: If it may not be removed.
    """
    with _told(repo), locked(repo):
        left = leftovers(repo)
        _check_quiet(repo, left)
        commits = [one for one in cached(repo) if sha in (None, one.sha)]
        removed = Removed(tuple(commits), tuple(left), _freed(repo, commits) + _sum(left))
        if not dry_run:
            _execute(repo, commits, left)
        return removed


def remove_leftovers(repo: str, *, dry_run: bool = False) -> Removed:
    """Takes only that out of the cache which killed downloads left of a repository; raises as `remove`."""
    with _told(repo), locked(repo):
        left = leftovers(repo)
        removed = Removed((), tuple(left), _sum(left))
        if not dry_run:
            _execute(repo, (), left)
        return removed


def _is_held(repo: str, path: Path) -> bool:
    """Whether a process writes to a file: then it holds the lock that is named by what the file shall be."""
    import filelock

    lock = cache_folder() / ".locks" / repo_folder(repo).name / f"{path.name.partition('.')[0]}.lock"
    if not lock.exists():
        return False
    try:
        with filelock.FileLock(lock, timeout=0):
            return False
    except (OSError, NotImplementedError):  # held, or there is no telling
        return True


def _check_quiet(repo: str, left: Sequence[Path]) -> None:
    if set((repo_folder(repo) / "blobs").glob(_UNFINISHED)) - set(left):
        raise HubError(f"hub:{repo} is being downloaded by another process", hint="try again when that has ended")


def _freed(repo: str, commits: Sequence[Cached]) -> int:
    going = {one.folder for one in commits}
    staying = [folder for folder in (repo_folder(repo) / SNAPSHOTS).glob("*") if folder not in going]
    kept = {path.resolve() for folder in staying for path in files_of(folder)}
    blobs = {path.resolve() for folder in going for path in files_of(folder) if path.exists()}
    return _sum(blobs - kept)


def _sum(paths: Sequence[Path] | set[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


@contextmanager
def _told(repo: str) -> Iterator[None]:
    """Says in one line what the operating system does not let one do."""
    try:
        yield
    except OSError as error:
        what = f"hub:{repo} cannot be removed from the cache: {error.strerror or error}"
        raise OutputError(what, hint=f"see whose {repo_folder(repo)} is") from error


def _execute(repo: str, commits: Sequence[Cached], left: Sequence[Path]) -> None:
    _check_allowed(repo, commits)
    for path in left:
        path.unlink(missing_ok=True)
    if commits:
        _drop_what_leads_nowhere(repo)
        _delete(repo, commits)


def _check_allowed(repo: str, commits: Sequence[Cached]) -> None:
    """Looks beforehand, since the client only logs what it may not delete."""
    folder = repo_folder(repo)
    for path in (folder, folder / SNAPSHOTS, folder / "blobs", folder / "refs", *(one.folder for one in commits)):
        if path.is_dir() and not os.access(path, os.W_OK):
            raise PermissionError(f"{path} cannot be written to")


def _drop_what_leads_nowhere(repo: str) -> None:
    """Removes links to nothing, and names of commits that are not there: the client would not look at the rest."""
    folder = repo_folder(repo)
    for link in files_of(folder / SNAPSHOTS):
        if not link.exists():
            link.unlink(missing_ok=True)
    there = {path.name for path in (folder / SNAPSHOTS).glob("*")}
    for mark in files_of(folder / "refs"):
        if mark.read_text("utf-8", errors="replace").strip() not in there:
            mark.unlink(missing_ok=True)


def _delete(repo: str, commits: Sequence[Cached]) -> None:
    from huggingface_hub import scan_cache_dir

    folder = repo_folder(repo)
    found = scan_cache_dir(cache_folder())
    # Repositories that were renamed or duplicated have the same commits; the client would take the first it meets.
    mine = [one for one in found.repos if one.repo_path.name == folder.name]
    if not mine:
        what = f"the Hub's client can make no sense of {folder}"
        raise HubError(what, hint="remove the folder yourself")
    replace(found, repos=frozenset(mine)).delete_revisions(*(one.sha for one in commits)).execute()
