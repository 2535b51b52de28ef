"""A commit of a repository: from a ref to its place in the cache, its config, its files, each checked, and its sizes.

The commit comes first, then ``config.json``, then the files that a caller needs.
"""

from __future__ import annotations

import math
import re
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansdk.errors import DamagedError, HubError, ModelError, UnreachableError, nearest
from gansdk.files import MOST_JSON, parse_json, read_plain, write_whole
from gansdk.hub.access import ONLINE, Access
from gansdk.hub.layout import SHA, difference, locked, remove_file, repo_folder, snapshot_folder
from gansdk.hub.listings import ask, read
from gansdk.hub.transfers import REQUEST_SECONDS, bar, persist
from gansdk.model.config import CONFIG, README, belongs, parse_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gansdk.hub.listings import Listing
    from gansdk.model.config import ModelConfig
    from gansdk.refs import Hub


_FOREIGN = (".pth", ".pt", ".ckpt", ".safetensors", ".bin")
_UNIT = re.compile(r"\[([^\[\]]+)\]$")


@dataclass(frozen=True)
class Snapshot:
    """One commit of a repository, as the cache has it or will have it. Plain data.

    Attributes:
        ref: How it was named.
        sha: Of the commit.
        access: How the Hub is asked for more of its files.
        listing: What the Hub says of it; None if it was not asked.
    """

    ref: Hub
    sha: str
    access: Access = ONLINE
    listing: Listing | None = None

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return snapshot_folder(self.ref.repo, self.sha)

    def listed(self) -> Snapshot:
        """The same with what the Hub lists, which is asked for this very commit."""
        return replace(self, listing=ask(replace(self.ref, revision=self.sha)))


@dataclass(frozen=True)
class Stated:
    """A figure that a card's front matter states. How it was measured is in the card's text."""

    metric: str
    data: str
    value: float
    unit: str = ""


@dataclass(frozen=True)
class Described:
    """A model on the Hub.

    Attributes:
        snapshot: Its commit, and what the Hub lists of it if it was asked.
        config: What it declares.
        sizes: In bytes, of the files that its config names; None if neither Hub nor cache has told.
        stated: The figures in its card's front matter.
    """

    snapshot: Snapshot
    config: ModelConfig
    sizes: Mapping[str, int | None]
    stated: tuple[Stated, ...] = ()


def resolve(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> Snapshot:
    """The commit that a ref means. A commit that is cached is not asked for; a branch or tag is, once.

    Args:
        ref: A repository, with or without a revision.
        access: How the Hub is accessed.
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
            note(f"{error.message}; continuing with the cached {sha[:12]}")
        return Snapshot(ref, sha, access)
    return Snapshot(ref, listing.sha, access, listing)


def config_of(snapshot: Snapshot) -> ModelConfig:
    """What a model declares, from its ``config.json``, which is fetched if it is not cached, or damaged there.

    Raises:
        HubError: If the repository has none, or none of gansdk's; if it has weights that can be imported, the hint is
            the line that does it.
        ModelError: If it is of a later format, or damaged.
    """
    if snapshot.listing is not None and CONFIG not in snapshot.listing.files:
        raise _foreign(snapshot)
    path = _fetch(snapshot, CONFIG, again=True)  # it is small, and weights are checked against it
    _remember(snapshot)
    try:
        content = read_plain(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", hint=_pull(snapshot)) from None
    return _parsed(snapshot, content, _pull(snapshot))


def ensure_files(snapshot: Snapshot, files: Mapping[str, str], *, again: bool = False) -> None:
    """Fetches files of a model into the cache. Each is checked; one that comes damaged is fetched once more.

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
        snapshot = snapshot.listed()
    for name, digest in files.items():
        _fetch(snapshot, name, digest.removeprefix("sha256:"), again=again)


def ensure_all_files(snapshot: Snapshot, config: ModelConfig, *, again: bool = False) -> None:
    """Fetches all files of a model that the format knows: evaluation, card, images and attributions too.

    If the Hub cannot be asked what there is, what is cached is all. Raises as `ensure_files`.
    """
    if snapshot.listing is None and not snapshot.access.is_offline and not (snapshot.folder / README).exists():
        with suppress(UnreachableError):
            snapshot = snapshot.listed()
    ensure_files(snapshot, config.files, again=again)
    listed = snapshot.listing.files if snapshot.listing is not None else [one.name for one in snapshot.folder.iterdir()]
    ensure_files(snapshot, {name: "" for name in listed if belongs(name)}, again=again)


def pull(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> tuple[Snapshot, ModelConfig]:
    """Fetches a whole model into the cache; what is cached is checked and mended. Arguments as for `resolve`.

    Raises:
        HubError: As in `resolve`, `config_of` and `ensure_files`.
        ModelError: As in `config_of`.
    """
    snapshot = resolve(ref, access, note)
    config = config_of(snapshot)
    ensure_all_files(snapshot, config, again=True)
    return snapshot, config


def fetch_file(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> tuple[Snapshot, Path]:
    """One file of a repository, whatever else that holds; arguments as for `resolve`.

    Raises:
        HubError: As in `resolve` and `ensure_files`.
    """
    snapshot = resolve(ref, access, note)
    ensure_files(snapshot, {ref.file: ""})
    _remember(snapshot)
    return snapshot, snapshot.folder / ref.file


def describe(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> Described:
    """Asks the Hub for a commit and for its ``config.json``; nothing comes into the cache.

    What is cached is not asked for again, and offline it is all there is. Arguments as for `resolve`.

    Raises:
        UnreachableError: If the Hub cannot be asked and nothing is cached.
        HubError: If there is no such repository or revision, it is not open to this user, or holds no model.
        DamagedError: If the config came damaged twice.
        ModelError: If the config is of a later format, or wrong.
    """
    snapshot = resolve(ref, access, note)
    if (snapshot.folder / CONFIG).exists():
        config = config_of(snapshot)
        is_whole = all((snapshot.folder / name).exists() for name in config.files)
        is_pinned = SHA.fullmatch(snapshot.ref.revision)
        if snapshot.listing is None and not snapshot.access.is_offline and is_pinned and not is_whole:
            with suppress(HubError):  # a cached commit is not asked for; only the sizes are wanted
                snapshot = snapshot.listed()
    else:
        listing = snapshot.listing
        if listing is None or CONFIG not in listing.files or listing.files[CONFIG].size > MOST_JSON:
            raise _foreign(snapshot)
        config = _parsed(snapshot, read(listing, CONFIG), "tell its author")
    card = snapshot.listing.card if snapshot.listing is not None else {}
    sizes = {name: _size(snapshot, name) for name in config.files}
    return Described(snapshot, config, sizes, tuple(stated(card)))


def stated(card: Mapping[str, Any]) -> Iterator[Stated]:
    """The figures of a card's ``model-index``. Anybody may have written it, so what is not a figure is left out."""
    for model in _mappings(card.get("model-index")):
        for result in _mappings(model.get("results")):
            data = result.get("dataset")
            name = str(data.get("name") or data.get("type") or "") if isinstance(data, dict) else ""
            for metric in _mappings(result.get("metrics")):
                value = metric.get("value")
                if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf:
                    unit = _UNIT.search(str(metric.get("name") or ""))
                    yield Stated(str(metric.get("type") or ""), name, float(value), unit[1] if unit else "")


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _size(snapshot: Snapshot, name: str) -> int | None:
    if snapshot.listing is not None and name in snapshot.listing.files:
        return snapshot.listing.files[name].size
    path = snapshot.folder / name
    return path.stat().st_size if path.exists() else None


def _fetch(snapshot: Snapshot, name: str, digest: str = "", *, again: bool = False) -> Path:
    """A file's place in the cache. Its bytes are compared with what the Hub lists, and with ``digest`` if given.

    Args:
        snapshot: Of which commit.
        name: Path within the repository.
        digest: sha256, in hex.
        again: Whether a file that is cached already is checked too.
    """
    path = snapshot.folder / name
    listed = snapshot.listing.files.get(name) if snapshot.listing is not None else None
    wanted = [known for known in (digest, listed.digest if listed is not None else "") if known]
    if path.exists():
        wrong = difference(path, wanted) if again else None
        if wrong is None:
            return path
        if snapshot.access.is_offline:
            what = f"{name} of {snapshot.ref} expected {wrong[0]}, got {wrong[1]} in the cache"
            raise DamagedError(what, hint=f"while online: {_pull(snapshot)}")
        _remove_if_wrong(snapshot, path, wanted)
    if snapshot.access.is_offline:
        what = f"{snapshot.ref} lacks {name} in the cache, and the Hub is not asked offline"
        raise UnreachableError(what, hint=_pull(snapshot))
    if snapshot.listing is not None and listed is None:
        meant = nearest(name, snapshot.listing.files)
        hint = f"did you mean {' or '.join(meant)}?" if meant else "look at the repository's page"
        raise HubError(f"{snapshot.ref} has no file {name}", hint=hint)
    expected = got = ""
    for _ in range(2):
        path = _download(snapshot, name)
        wrong = _remove_if_wrong(snapshot, path, wanted)
        if wrong is None:
            return path
        expected, got = wrong
    what = f"{name} of {snapshot.ref} came damaged twice: expected {expected}, got {got}"
    raise DamagedError(what, hint=_pull(snapshot))


def _remove_if_wrong(snapshot: Snapshot, path: Path, wanted: Iterable[str]) -> tuple[str, str] | None:
    """Removes a file from the cache if it is not what is wanted; another process may have mended it meanwhile."""
    if difference(path, wanted) is None:
        return None
    with locked(snapshot.ref.repo):
        wrong = difference(path, wanted)
        if wrong is not None:
            remove_file(path)
        return wrong


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


def _pull(snapshot: Snapshot) -> str:
    """The command that fetches the whole model."""
    return f"gansdk pull {shlex.quote(str(snapshot.ref))}"


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
    """Notes the commit of a branch or tag, as the client does when it is asked for one by name."""
    branch = snapshot.ref.revision or "main"
    if snapshot.listing is None or snapshot.sha.startswith(branch) or ".." in branch:
        return
    mark = repo_folder(snapshot.ref.repo) / "refs" / branch
    if mark.is_file() and mark.read_text("utf-8", errors="replace") == snapshot.sha:
        return
    mark.parent.mkdir(parents=True, exist_ok=True)
    write_whole(mark, snapshot.sha)


def _parsed(snapshot: Snapshot, content: bytes, hint: str) -> ModelConfig:
    place = f"{CONFIG} of {snapshot.ref}"
    try:
        raw = parse_json(content)
    except ValueError as error:
        raise ModelError(f"{place} cannot be read as JSON: {error}", hint=hint) from None
    if not isinstance(raw, dict) or "gansdk" not in raw:
        raise _foreign(snapshot)
    return parse_config(raw, place)


def _foreign(snapshot: Snapshot) -> HubError:
    """For a repository without a model of gansdk's: what can be done with it."""
    files = snapshot.listing.files if snapshot.listing is not None else {}
    weights = [name for ending in _FOREIGN for name in files if name.endswith(ending)]
    what = f"{snapshot.ref} holds no model of gansdk's"
    if not weights:
        return HubError(what, hint="see `gansdk models search` for those that are")
    revision = snapshot.ref.revision or snapshot.sha
    line = shlex.join(["gansdk", "import", str(replace(snapshot.ref, revision=revision, file=weights[0]))])
    more = f" (or another of its {len(weights)} files of weights)" if len(weights) > 1 else ""
    return HubError(what, hint=f"its weights may be imported: {line}{more}")
