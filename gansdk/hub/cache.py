"""What of the client's cache gansdk can read, and whether it is as it should be. Nobody is asked, and nothing changed.

A repository of another tool has a ``config.json`` too, so its content decides. One that is damaged says nothing any
more; then what is left of it and the names of the files beside it decide, so that damage never hides a model.
"""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gansdk.errors import HubError, InputError, ModelError, OutputError, UnknownNameError
from gansdk.files import parse_json, read_plain
from gansdk.hub.layout import SHA, SNAPSHOTS, cache_folder, locked, repo_folder
from gansdk.hub.pulling import difference
from gansdk.model.config import CONFIG, DIRECTIONS, INITIAL, WEIGHTS, belongs, parse_config
from gansdk.refs import Hub

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gansdk.model.config import ModelConfig


_USUAL = (WEIGHTS, INITIAL, DIRECTIONS)
_SHORTEST_SHA = 7


@dataclass(frozen=True)
class Cached:
    """One commit of a model in the cache, with whatever of its files was fetched.

    Attributes:
        repo: ``org/name``.
        sha: Of the commit.
        folder: Where its files are.
        names: Branches and tags that stand there, as far as the cache knows.
        size: Bytes on disk; what several commits share is counted for each.
        used: When a file of it was last written or read, in seconds since 1970, as far as the disk keeps this.
        config: What it declares; None where that cannot be read.
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
        """Files that the config names and that were not fetched. No damage: a task brings what it needs."""
        return [name for name in (self.config.files if self.config is not None else ()) if not _is_there(self, name)]


@dataclass(frozen=True)
class Checked:
    """A file that was looked at.

    Attributes:
        cached: Of which commit.
        name: Path within the repository.
        size: In bytes.
        wrong: What was expected and what was found, where they differ: mostly two digests.
    """

    cached: Cached
    name: str
    size: int
    wrong: tuple[str, str] | None

    @property
    def mend(self) -> str:
        """The command that mends it."""
        one = self.cached
        known = one.config.files if one.config is not None else {}
        if belongs(self.name, (*known, *_USUAL)):
            return f"gansdk pull {shlex.quote(str(one.ref))}"
        return shlex.join(["hf", "download", one.repo, self.name, "--revision", one.sha, "--force-download"])


def cached(repo: str = "") -> list[Cached]:
    """The commits in the cache that gansdk can read, or could but for damage; by repository, then by last use.

    Args:
        repo: The only one to look at; all if not given.

    Raises:
        InputError: If the cache cannot be read.
    """
    folders = [repo_folder(repo)] if repo else sorted(cache_folder().glob("models--*--*"))
    try:
        found = [one for folder in folders for one in _of_repository(folder)]
    except OSError as error:
        what = f"the cache cannot be read: {error.filename}: {error.strerror or error}"
        raise InputError(what, hint=f"see whose {cache_folder()} is") from error
    return sorted(found, key=lambda one: (one.repo, -one.used, one.sha))


def find(ref: Hub, among: Sequence[Cached]) -> list[Cached]:
    """Those that a ref means: all commits of a repository, or those of one revision, which may be a shortened commit.

    Raises:
        UnknownNameError: If there is none; suggests what there is.
    """
    here = [one for one in among if one.repo == ref.repo]
    found = [one for one in here if ref.revision in ("", one.sha, *one.names)]
    if not found and len(ref.revision) >= _SHORTEST_SHA:
        found = [one for one in here if one.sha.startswith(ref.revision)]
    if not found:
        known = [f"hub:{one.repo}@{name}" for one in here for name in (*one.names, one.sha[:12])]
        known = known or [f"hub:{one.repo}" for one in among]
        raise UnknownNameError("cached model", str(ref), dict.fromkeys(known), hint="see `gansdk cache list`")
    return found


def verify(items: Sequence[Cached]) -> Iterator[Checked]:
    """Looks at all files of commits: at what the config says of each, and at what the Hub said when it came.

    What several commits share is read once.
    """
    seen: dict[tuple[Path, str], tuple[str, str] | None] = {}
    for one in items:
        digests = one.config.files if one.config is not None else {}
        for path in files_of(one.folder):
            name = path.relative_to(one.folder).as_posix()
            wanted = digests.get(name, "").removeprefix("sha256:")
            key = (path.resolve(), wanted)
            if key not in seen:
                seen[key] = _wrong(path, wanted)
            is_no_json = name == CONFIG and one.is_damaged
            wrong = seen[key] or (("a config of gansdk's", "something else") if is_no_json else None)
            yield Checked(one, name, _size(path), wrong)


def files_of(snapshot: Path) -> list[Path]:
    """The files of a commit, links to nothing included."""
    return sorted(path for path in snapshot.rglob("*") if path.is_symlink() or path.is_file())


def _of_repository(folder: Path) -> Iterator[Cached]:
    repo = folder.name.removeprefix("models--").replace("--", "/", 1)
    names = _names(folder / "refs")
    for snapshot in (folder / SNAPSHOTS).glob("*"):
        if SHA.fullmatch(snapshot.name) and (read := _read(snapshot)) is not None:
            config, problem, is_damaged = read
            size, used = _measure(snapshot)
            standing = tuple(names.get(snapshot.name, ()))
            yield Cached(repo, snapshot.name, snapshot, standing, size, used, config, problem, is_damaged)


def _names(refs: Path) -> dict[str, list[str]]:
    """Branches and tags by the commit where they stand."""
    found: dict[str, list[str]] = {}
    for path in sorted(refs.rglob("*")):
        if path.is_file():
            sha = path.read_text("utf-8", errors="replace").strip()
            found.setdefault(sha, []).append(path.relative_to(refs).as_posix())
    return found


def _read(snapshot: Path) -> tuple[ModelConfig | None, str, bool] | None:
    """A commit's config, or why there is none, and whether it is damaged; None: it is another tool's commit."""
    path = snapshot / CONFIG
    if not path.is_symlink() and not path.is_file():
        return None
    wrong = _wrong(path)
    content = _content(path)
    raw = _parsed(content)
    if isinstance(raw, dict) and "gansdk" in raw:
        return _validated(raw, snapshot, is_damaged=wrong is not None)
    is_damaged = wrong is not None or (raw is None and not path.is_symlink())
    if is_damaged and (b"gansdk" in content or _are_ours(snapshot)):
        return None, f"{CONFIG} is damaged", True
    return None


def _validated(raw: Any, snapshot: Path, *, is_damaged: bool) -> tuple[ModelConfig | None, str, bool]:
    if is_damaged:
        return None, f"{CONFIG} is damaged", True
    try:
        return parse_config(raw, CONFIG), "", False
    except ModelError as error:  # of a later format, say
        return None, str(error), False


def _content(path: Path) -> bytes:
    try:
        return read_plain(path)
    except (OSError, ValueError):  # a link to nothing, say
        return b""


def _parsed(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return None


def _are_ours(snapshot: Path) -> bool:
    return all(belongs(path.relative_to(snapshot).as_posix(), _USUAL) for path in files_of(snapshot))


def _wrong(path: Path, wanted: str = "") -> tuple[str, str] | None:
    """What is wrong with a file, as `difference` says it; what cannot be read is wrong too."""
    try:
        found = difference(path, [wanted] if wanted else [])
    except OSError as error:
        return "a file", error.strerror or str(error)
    return ("a file", "none") if found is None and not path.exists() else found


def _is_there(one: Cached, name: str) -> bool:
    path = one.folder / name
    return path.is_symlink() or path.exists()


def _measure(snapshot: Path) -> tuple[int, float]:
    """Bytes on disk, each blob once, and the time of the last use, of which listing the config is none."""
    files = {path.resolve(): path for path in files_of(snapshot) if path.exists()}
    size = sum(_size(path) for path in files)
    others = [blob for blob, path in files.items() if path.name != CONFIG]
    times = [max(stat.st_atime, stat.st_mtime) for stat in (blob.stat() for blob in others or files)]
    return size, max(times, default=snapshot.stat().st_mtime)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


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
