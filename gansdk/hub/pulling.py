"""From a ref to a folder of the Hub's cache: the commit first, then config.json, then what is needed, each checked."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.errors import DamagedError, HubError, ModelError, UnreachableError, nearest
from gansdk.files import write_whole
from gansdk.hub.access import ONLINE, Access
from gansdk.hub.layout import SHA, blob_of, file_digest, locked, remove, repo_folder, snapshot_folder
from gansdk.hub.listings import ask
from gansdk.hub.transfers import REQUEST_SECONDS, bar, persist
from gansdk.model.config import CONFIG, README, belongs, parse_config, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gansdk.hub.listings import Listing
    from gansdk.model.config import ModelConfig
    from gansdk.refs import Hub


_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FOREIGN = (".pth", ".pt", ".ckpt", ".safetensors", ".bin")


@dataclass(frozen=True)
class Snapshot:
    """One commit of a repository, as the cache has it or will have it. Plain data.

    Attributes:
        ref: How it was named.
        sha: Of the commit.
        access: How the Hub is spoken to for more of its files.
        listing: What the Hub says of it; None where it was not asked.
    """

    ref: Hub
    sha: str
    access: Access = ONLINE
    listing: Listing | None = None

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return snapshot_folder(self.ref.repo, self.sha)


def resolve(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> Snapshot:
    """The commit that a ref means. A commit that is cached is not asked for; a branch or tag is, once.

    Args:
        ref: A repository, with or without a revision.
        access: How the Hub is spoken to.
        note: Told when the Hub cannot be reached and what is cached is used.

    Raises:
        UnreachableError: If the Hub cannot be asked and nothing is cached.
        HubError: If there is no such repository or revision, or it is not open to this user.
    """
    sha = _cached_sha(ref)
    if access.is_offline or (sha and SHA.fullmatch(ref.revision)):
        if not sha:
            what = f"{ref} is not in the cache, and the Hub is not asked offline"
            raise UnreachableError(what, hint="pull it once while online")
        return Snapshot(ref, sha, access)
    try:
        listing = ask(ref)
    except UnreachableError as error:
        if not sha:
            raise
        if note:
            note(f"{error.message}; going on with the cached {sha[:12]}")
        return Snapshot(ref, sha, access)
    return Snapshot(ref, listing.sha, access, listing)


def config_of(snapshot: Snapshot) -> ModelConfig:
    """What a model declares, from its ``config.json``, which is fetched if it is not cached, or damaged there.

    Raises:
        HubError: If the repository has none, or none of gansdk's; where it has weights that can be imported, the
            hint is the line that does it.
        ModelError: If it is of a later format, or damaged.
    """
    if snapshot.listing is not None and CONFIG not in snapshot.listing.files:
        raise foreign(snapshot)
    path = fetch(snapshot, CONFIG, again=True)  # it is small, and weights are held against it
    _remember(snapshot)
    try:
        raw = read_json(path)
    except ModelError as error:
        raise ModelError(error.message, hint=_pull(snapshot)) from None
    if not isinstance(raw, dict) or "gansdk" not in raw:
        raise foreign(snapshot)
    return parse_config(raw, f"{CONFIG} of {snapshot.ref}")


def ensure_files(snapshot: Snapshot, files: Mapping[str, str], *, again: bool = False) -> None:
    """Brings files of a model into the cache. What comes is checked; once more and it is given up.

    Args:
        snapshot: Of which commit.
        files: By name, what ``config.json`` says of each (``sha256:…``), or nothing.
        again: Whether what is cached already is checked too, and mended.

    Raises:
        UnreachableError: If a file that is not cached cannot be had.
        HubError: If the repository has none of that name.
        DamagedError: If a file came damaged twice.
        OutputError: If the disk is full.
    """
    is_missing = any(not (snapshot.folder / name).exists() for name in files)
    if is_missing and snapshot.listing is None and not snapshot.access.is_offline:
        snapshot = _listed(snapshot)
    for name, digest in files.items():
        fetch(snapshot, name, digest.removeprefix("sha256:"), again=again)


def pull(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> tuple[Snapshot, ModelConfig]:
    """Brings a whole model into the cache, card, images and attributions too; what is cached is checked and mended.

    Args:
        ref: A repository, with or without a revision.
        access: How the Hub is spoken to.
        note: Told when the Hub cannot be reached and what is cached is used.

    Raises:
        HubError: As in `resolve`, `config_of` and `bring`.
        ModelError: As in `config_of`.
    """
    snapshot = resolve(ref, access, note)
    config = config_of(snapshot)
    ensure_all_files(snapshot, config, again=True)
    return snapshot, config


def ensure_all_files(snapshot: Snapshot, config: ModelConfig, *, again: bool = False) -> None:
    """Brings all that the format knows of a model into the cache: evaluation, card, images and attributions too.

    Where the Hub cannot be asked what there is, what is cached is all. Raises as `bring`.
    """
    if snapshot.listing is None and not snapshot.access.is_offline and not (snapshot.folder / README).exists():
        with suppress(UnreachableError):
            snapshot = _listed(snapshot)
    ensure_files(snapshot, config.files, again=again)
    listed = snapshot.listing.files if snapshot.listing is not None else _cached_names(snapshot)
    besides = [name for name in listed if belongs(name)]
    ensure_files(snapshot, dict.fromkeys(besides, ""), again=again)


def fetch_file(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> tuple[Snapshot, Path]:
    """One file of a repository, whatever else that holds; arguments as for `pull`.

    Raises:
        HubError: As in `resolve` and `bring`.
    """
    snapshot = resolve(ref, access, note)
    ensure_files(snapshot, {ref.file: ""})
    _remember(snapshot)
    return snapshot, snapshot.folder / ref.file


def fetch(snapshot: Snapshot, name: str, digest: str = "", *, again: bool = False) -> Path:
    """A file's place in the cache. It is held against what the Hub lists, and against ``digest`` where one is given.

    Args:
        snapshot: Of which commit.
        name: Path within the repository.
        digest: sha256, in hex.
        again: Whether a file that is cached already is checked too.

    Raises:
        GansdkError: As in `bring`.
    """
    path = snapshot.folder / name
    listed = snapshot.listing.files.get(name) if snapshot.listing is not None else None
    wanted = [one for one in (digest, listed.digest if listed is not None else "") if one]
    if path.exists():
        wrong = difference(path, wanted) if again else None
        if wrong is None:
            return path
        if snapshot.access.is_offline:
            hint = f"while online: {_pull(snapshot)}"
            raise DamagedError(f"{name} of {snapshot.ref} {_told(wrong)} in the cache", hint=hint)
        _remove_if_wrong(snapshot, path, wanted)
    _check_offered(snapshot, name)
    for _ in range(2):
        path = _download(snapshot, name)
        wrong = _remove_if_wrong(snapshot, path, wanted)
        if wrong is None:
            return path
    raise DamagedError(f"{name} of {snapshot.ref} came damaged twice: {_told(wrong)}", hint=_pull(snapshot))


def difference(path: Path, wanted: Iterable[str] = ()) -> tuple[str, str] | None:
    """What was expected of a cached file's content and what it has; None if it is as it should be.

    Args:
        path: In a snapshot. Where it is a link, its target is named by what the Hub said of it, which is checked too.
        wanted: Digests in hex.
    """
    name = blob_of(path).name
    named = [name] if path.is_symlink() and _DIGEST.fullmatch(name) else []
    try:
        pairs = [(expected, file_digest(path, expected)) for expected in dict.fromkeys([*wanted, *named])]
    except FileNotFoundError:  # another process has just removed it
        return "a file", "none"
    return next(((expected, got) for expected, got in pairs if expected != got), None)


def _remove_if_wrong(snapshot: Snapshot, path: Path, wanted: Iterable[str]) -> tuple[str, str] | None:
    """Takes a file out of the cache if it is not what is wanted; another process may have mended it meanwhile."""
    if difference(path, wanted) is None:
        return None
    with locked(snapshot.ref.repo):
        wrong = difference(path, wanted)
        if wrong is not None:
            remove(path)
        return wrong


def _pull(snapshot: Snapshot) -> str:
    """The command that brings a model whole."""
    return f"gansdk pull {shlex.quote(str(snapshot.ref))}"


def _told(wrong: tuple[str, str] | None) -> str:
    expected, got = wrong or ("", "")
    return f"expected {expected}, got {got}"


def _listed(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, listing=ask(replace(snapshot.ref, revision=snapshot.sha)))


def _cached_names(snapshot: Snapshot) -> list[str]:
    return [path.name for path in snapshot.folder.iterdir()]


def _check_offered(snapshot: Snapshot, name: str) -> None:
    if snapshot.access.is_offline:
        what = f"{snapshot.ref} lacks {name} in the cache, and the Hub is not asked offline"
        raise UnreachableError(what, hint=_pull(snapshot))
    if snapshot.listing is not None and name not in snapshot.listing.files:
        meant = nearest(name, snapshot.listing.files)
        hint = f"did you mean {' or '.join(meant)}?" if meant else "look at the repository's page"
        raise HubError(f"{snapshot.ref} has no file {name}", hint=hint)


def _download(snapshot: Snapshot, name: str) -> Path:
    def question() -> str:
        from huggingface_hub import hf_hub_download

        return hf_hub_download(
            snapshot.ref.repo,
            name,
            revision=snapshot.sha,
            library_name="gansdk",
            etag_timeout=REQUEST_SECONDS,
            tqdm_class=bar(name, shown=snapshot.access.bars),
        )

    return Path(persist(question, str(snapshot.ref)))


def _cached_sha(ref: Hub) -> str:
    """The commit that the cache knows under this name, if it has what is asked for first; empty if not."""
    sha = ref.revision
    if not SHA.fullmatch(sha):
        try:
            sha = (repo_folder(ref.repo) / "refs" / (sha or "main")).read_text("utf-8").strip()
        except OSError:
            return ""
    return sha if SHA.fullmatch(sha) and (snapshot_folder(ref.repo, sha) / (ref.file or CONFIG)).exists() else ""


def _remember(snapshot: Snapshot) -> None:
    """Notes where a branch or tag stands, as the client does when it is asked for one by name."""
    branch = snapshot.ref.revision or "main"
    if snapshot.listing is None or snapshot.sha.startswith(branch) or ".." in branch:
        return
    mark = repo_folder(snapshot.ref.repo) / "refs" / branch
    if mark.is_file() and mark.read_text("utf-8", errors="replace") == snapshot.sha:
        return
    mark.parent.mkdir(parents=True, exist_ok=True)
    write_whole(mark, snapshot.sha)


def foreign(snapshot: Snapshot) -> HubError:
    """Of a repository without a model of gansdk's: what can be done with it."""
    files = snapshot.listing.files if snapshot.listing is not None else {}
    weights = [name for ending in _FOREIGN for name in files if name.endswith(ending)]
    what = f"{snapshot.ref} holds no model of gansdk's"
    if not weights:
        return HubError(what, hint="see `gansdk models search` for those that are")
    revision = snapshot.ref.revision or snapshot.sha
    line = shlex.join(["gansdk", "import", str(replace(snapshot.ref, revision=revision, file=weights[0]))])
    more = f" (or another of its {len(weights)} files of weights)" if len(weights) > 1 else ""
    return HubError(what, hint=f"its weights may be imported: {line}{more}")
