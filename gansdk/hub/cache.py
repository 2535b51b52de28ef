"""The models in the client's cache: listed, verified and removed. Nothing is asked of the Hub.

A repository of another tool has a ``config.json`` too, so its content decides. If that is damaged, what is left of it
and the names of the files beside it decide, so that damage never hides a model. That is why the folders are read here:
the client's ``scan_cache_dir`` leaves out a repository in which one link is broken.
"""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gansdk.errors import HubError, InputError, ModelError, OutputError, UnknownNameError
from gansdk.files import parse_json, read_plain
from gansdk.hub.layout import SHA, SNAPSHOTS, cache_folder, difference, locked, repo_folder
from gansdk.model.config import CONFIG, DIRECTIONS, INITIAL, WEIGHTS, belongs, parse_config
from gansdk.refs import Hub

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from gansdk.model.config import ModelConfig


_USUAL = (WEIGHTS, INITIAL, DIRECTIONS)
_SHORTEST_SHA = 7
_UNFINISHED = "*.incomplete"
_DAMAGED = f"{CONFIG} is damaged"


@dataclass(frozen=True)
class Cached:
    """One commit of a model in the cache, with the files that were fetched.

    Attributes:
        repo: ``org/name``.
        sha: Of the commit.
        folder: Where its files are.
        names: The branches and tags of this commit that the cache knows.
        size: Bytes on disk; what several commits share is counted for each.
        used: When a file of it was last written or read, in seconds since 1970, as far as the disk keeps this.
        config: What it declares; None if that cannot be read.
        problem: Why not; empty if it can be read.
        is_damaged: Whether ``config.json`` has other bytes than it had on the Hub.
    """

    repo: str
    sha: str
    folder: Path
    names: tuple[str, ...]
    size: int
    used: float
    config: ModelConfig | None
    problem: str
    is_damaged: bool

    @property
    def ref(self) -> Hub:
        """The commit, pinned."""
        return Hub(self.repo, self.sha)

    @property
    def missing(self) -> list[str]:
        """Files that the config names and that were not fetched. That is not damage: a task fetches what it needs."""
        paths = {name: self.folder / name for name in (self.config.files if self.config is not None else ())}
        return [name for name, path in paths.items() if not (path.is_symlink() or path.exists())]


@dataclass(frozen=True)
class Checked:
    """A file that was verified.

    Attributes:
        cached: Of which commit.
        name: Path within the repository.
        size: In bytes.
        wrong: What was expected and what was found, if they differ: mostly two digests.
    """

    cached: Cached
    name: str
    size: int
    wrong: tuple[str, str] | None

    @property
    def mend(self) -> str:
        """The command that mends it."""
        known = self.cached.config.files if self.cached.config is not None else {}
        if belongs(self.name, (*known, *_USUAL)):
            return f"gansdk pull {shlex.quote(str(self.cached.ref))}"
        place = (self.cached.repo, self.name, "--revision", self.cached.sha)
        return shlex.join(["hf", "download", *place, "--force-download"])


@dataclass(frozen=True)
class Removed:
    """What was removed from a repository's folder, or would be.

    Attributes:
        commits: Of models.
        leftovers: Of killed downloads.
        freed: Bytes on disk; what other commits share stays and does not count.
    """

    commits: tuple[Cached, ...]
    leftovers: tuple[Path, ...]
    freed: int


def cached(repo: str = "") -> list[Cached]:
    """The commits in the cache that gansdk can read, or could but for damage; by repository, then by last use.

    Args:
        repo: The only one to look at; all if not given.

    Raises:
        InputError: If the cache cannot be read.
    """
    folders = [repo_folder(repo)] if repo else sorted(cache_folder().glob("models--*--*"))
    try:
        found = [commit for folder in folders for commit in _of_repository(folder)]
    except OSError as error:
        what = f"the cache cannot be read: {error.filename}: {error.strerror or error}"
        raise InputError(what, hint=f"see whose {cache_folder()} is") from error
    return sorted(found, key=lambda commit: (commit.repo, -commit.used, commit.sha))


def find(ref: Hub, among: Sequence[Cached]) -> list[Cached]:
    """The commits that a ref means: all of a repository, or those of one revision, which may be a shortened sha.

    Raises:
        UnknownNameError: If there is none; suggests what there is.
    """
    here = [commit for commit in among if commit.repo == ref.repo]
    found = [commit for commit in here if ref.revision in ("", commit.sha, *commit.names)]
    if not found and len(ref.revision) >= _SHORTEST_SHA:
        found = [commit for commit in here if commit.sha.startswith(ref.revision)]
    if not found:
        known = [f"hub:{commit.repo}@{name}" for commit in here for name in (*commit.names, commit.sha[:12])]
        known = known or [f"hub:{commit.repo}" for commit in among]
        raise UnknownNameError("cached model", str(ref), dict.fromkeys(known), hint="see `gansdk cache list`")
    return found


def verify(items: Sequence[Cached]) -> Iterator[Checked]:
    """Compares all files of commits with the digests in their configs, and with those that the Hub gave.

    What several commits share is read once.
    """
    seen: dict[tuple[Path, str], tuple[str, str] | None] = {}
    for commit in items:
        digests = commit.config.files if commit.config is not None else {}
        for path in _files_of(commit.folder):
            name = path.relative_to(commit.folder).as_posix()
            wanted = digests.get(name, "").removeprefix("sha256:")
            key = (path.resolve(), wanted)
            if key not in seen:
                seen[key] = _wrong(path, wanted)
            is_no_json = name == CONFIG and commit.is_damaged
            wrong = seen[key] or (("a config of gansdk's", "something else") if is_no_json else None)
            yield Checked(commit, name, path.stat().st_size if path.exists() else 0, wrong)


def _files_of(snapshot: Path) -> list[Path]:
    """The files of a commit, broken links included."""
    return sorted(path for path in snapshot.rglob("*") if path.is_symlink() or path.is_file())


def _of_repository(folder: Path) -> Iterator[Cached]:
    repo = folder.name.removeprefix("models--").replace("--", "/", 1)
    names: dict[str, list[str]] = {}
    for path in sorted((folder / "refs").rglob("*")):
        if path.is_file():
            sha = path.read_text("utf-8", errors="replace").strip()
            names.setdefault(sha, []).append(path.relative_to(folder / "refs").as_posix())
    for snapshot in (folder / SNAPSHOTS).glob("*"):
        if SHA.fullmatch(snapshot.name) and (read := _read(snapshot)) is not None:
            marks = tuple(names.get(snapshot.name, ()))
            (size, used), (config, problem, is_damaged) = _measure(snapshot), read
            yield Cached(repo, snapshot.name, snapshot, marks, size, used, config, problem, is_damaged)


def _read(snapshot: Path) -> tuple[ModelConfig | None, str, bool] | None:
    """A commit's config, or why there is none, and whether it is damaged; None: it is another tool's commit."""
    path = snapshot / CONFIG
    if not path.is_symlink() and not path.is_file():
        return None
    is_damaged = _wrong(path) is not None
    content, raw = b"", None
    try:
        content = read_plain(path)
        raw = parse_json(content)
    except (OSError, ValueError):  # a broken link, or half a file
        is_damaged = is_damaged or not path.is_symlink()
    if isinstance(raw, dict) and "gansdk" in raw and not is_damaged:
        return _validated(raw)
    ours = all(belongs(file.relative_to(snapshot).as_posix(), _USUAL) for file in _files_of(snapshot))
    return (None, _DAMAGED, True) if is_damaged and (b"gansdk" in content or ours) else None


def _validated(raw: Any) -> tuple[ModelConfig | None, str, bool]:
    try:
        return parse_config(raw, CONFIG), "", False
    except ModelError as error:  # of a later format, say
        return None, str(error), False


def _wrong(path: Path, wanted: str = "") -> tuple[str, str] | None:
    """What is wrong with a file, as `difference` says it; what cannot be read is wrong too."""
    try:
        found = difference(path, [wanted] if wanted else [])
    except OSError as error:
        return "a file", error.strerror or str(error)
    return ("a file", "none") if found is None and not path.exists() else found


def _measure(snapshot: Path) -> tuple[int, float]:
    """Bytes on disk, each blob once, and the time of the last use; a listing reads the config, which is not a use."""
    files = {path.resolve(): path for path in _files_of(snapshot) if path.exists()}
    used = [blob for blob, path in files.items() if path.name != CONFIG] or list(files)
    times = [max(stat.st_atime, stat.st_mtime) for stat in (blob.stat() for blob in used)]
    return _sum(files), max(times, default=snapshot.stat().st_mtime)


def leftovers(repo: str) -> list[Path]:
    """What killed downloads left of a repository's files, which no running process writes to."""
    import filelock

    left = []
    for path in sorted((repo_folder(repo) / "blobs").glob(_UNFINISHED)):
        # a process that writes to a file holds the lock that is named by the digest of the file
        lock = cache_folder() / ".locks" / repo_folder(repo).name / f"{path.name.partition('.')[0]}.lock"
        try:
            if lock.exists():
                with filelock.FileLock(lock, timeout=0):
                    pass
            left.append(path)
        except (OSError, NotImplementedError):  # held, or a system that cannot say
            continue
    return left


def remove(repo: str, sha: str | None = None, *, dry_run: bool = False) -> Removed:
    """Removes a model from the cache. Commits of other tools, and what other commits share, stay.

    Args:
        repo: ``org/name``.
        sha: Of the only commit to remove; all that gansdk can read if not given.
        dry_run: Whether to find out what would go, and remove nothing.

    Raises:
        HubError: If another process is downloading the repository, or the client cannot make sense of its folder.
        OutputError: If it may not be removed.
    """
    with _told(repo), locked(repo):
        left = leftovers(repo)
        if set((repo_folder(repo) / "blobs").glob(_UNFINISHED)) - set(left):
            raise HubError(f"hub:{repo} is being downloaded by another process", hint="try again when that has ended")
        commits = [commit for commit in cached(repo) if sha in (None, commit.sha)]
        removed = Removed(tuple(commits), tuple(left), _freed(repo, commits) + _sum(left))
        if not dry_run:
            _execute(repo, commits, left)
        return removed


def remove_leftovers(repo: str, *, dry_run: bool = False) -> Removed:
    """Removes only what killed downloads left of a repository; raises as `remove`."""
    with _told(repo), locked(repo):
        left = leftovers(repo)
        removed = Removed((), tuple(left), _sum(left))
        if not dry_run:
            _execute(repo, (), left)
        return removed


def _freed(repo: str, commits: Sequence[Cached]) -> int:
    going = {commit.folder for commit in commits}
    staying = [folder for folder in (repo_folder(repo) / SNAPSHOTS).glob("*") if folder not in going]
    kept = {path.resolve() for folder in staying for path in _files_of(folder)}
    return _sum({path.resolve() for folder in going for path in _files_of(folder) if path.exists()} - kept)


def _sum(paths: Collection[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


@contextmanager
def _told(repo: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"hub:{repo} cannot be removed from the cache: {error.strerror or error}"
        raise OutputError(what, hint=f"see whose {repo_folder(repo)} is") from error


def _execute(repo: str, commits: Sequence[Cached], left: Sequence[Path]) -> None:
    folder = repo_folder(repo)
    snapshots, refs = folder / SNAPSHOTS, folder / "refs"
    # looked at beforehand, since the client only logs what it may not delete
    for path in (folder, snapshots, folder / "blobs", refs, *(commit.folder for commit in commits)):
        if path.is_dir() and not os.access(path, os.W_OK):
            raise PermissionError(f"{path} cannot be written to")
    for path in left:
        path.unlink(missing_ok=True)
    if not commits:
        return
    # the client would not look at a repository with broken links, or with names of commits that are not there
    for link in _files_of(snapshots):
        if not link.exists():
            link.unlink(missing_ok=True)
    there = {path.name for path in snapshots.glob("*")}
    for mark in _files_of(refs):
        if mark.read_text("utf-8", errors="replace").strip() not in there:
            mark.unlink(missing_ok=True)
    _delete(folder, commits)


def _delete(folder: Path, commits: Sequence[Cached]) -> None:
    from huggingface_hub import scan_cache_dir

    found = scan_cache_dir(cache_folder())
    # Repositories that were renamed or duplicated have the same commits; the client would take the first it meets.
    mine = [repo for repo in found.repos if repo.repo_path.name == folder.name]
    if not mine:
        raise HubError(f"the Hub's client can make no sense of {folder}", hint="remove the folder yourself")
    replace(found, repos=frozenset(mine)).delete_revisions(*(commit.sha for commit in commits)).execute()
