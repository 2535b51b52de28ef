"""What there is to know of a model on the Hub before any of it is in the cache: two questions, and no weights."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gansdk.errors import HubError, ModelError
from gansdk.files import MOST_JSON, parse_json
from gansdk.hub.access import ONLINE, Access
from gansdk.hub.layout import SHA
from gansdk.hub.listings import ask, read
from gansdk.hub.pulling import config_of, foreign, resolve
from gansdk.model.config import CONFIG, parse_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gansdk.hub.pulling import Snapshot
    from gansdk.model.config import ModelConfig
    from gansdk.refs import Hub


_UNIT = re.compile(r"\[([^\[\]]+)\]$")


@dataclass(frozen=True)
class Stated:
    """A figure that a card's front matter states. How it was measured stands in the card's text."""

    metric: str
    data: str
    value: float
    unit: str = ""


@dataclass(frozen=True)
class Described:
    """A model on the Hub.

    Attributes:
        snapshot: Its commit, and what the Hub lists of it where it was asked.
        config: What it declares.
        sizes: In bytes, of the files that its config names; None where neither Hub nor cache has told.
        stated: The figures in its card's front matter.
    """

    snapshot: Snapshot
    config: ModelConfig
    sizes: Mapping[str, int | None]
    stated: tuple[Stated, ...] = ()


def describe(ref: Hub, access: Access = ONLINE, note: Callable[[str], None] | None = None) -> Described:
    """Asks the Hub for a commit and for its ``config.json``; nothing comes into the cache.

    What is cached is not asked for again, and offline it is all there is.

    Args:
        ref: A repository, with or without a revision.
        access: How the Hub is spoken to.
        note: Told when the Hub cannot be reached and what is cached is used.

    Raises:
        UnreachableError: If the Hub cannot be asked and nothing is cached.
        HubError: If there is no such repository or revision, it is not open to this user, or holds no model.
        DamagedError: If the config came damaged twice.
        ModelError: If the config is of a later format, or wrong.
    """
    snapshot = resolve(ref, access, note)
    if (snapshot.folder / CONFIG).exists():
        config = config_of(snapshot)
        snapshot = _with_listing(snapshot, config)
    else:
        config = _config(snapshot)
    card = snapshot.listing.card if snapshot.listing is not None else {}
    sizes = {name: _size(snapshot, name) for name in config.files}
    return Described(snapshot, config, sizes, tuple(stated(card)))


def stated(card: Mapping[str, Any]) -> Iterator[Stated]:
    """The figures of a card's ``model-index``, which may be of anybody's making: what is no figure is passed over."""
    for model in _several(card.get("model-index")):
        for result in _several(model.get("results")):
            data = result.get("dataset")
            name = str(data.get("name") or data.get("type") or "") if isinstance(data, dict) else ""
            for metric in _several(result.get("metrics")):
                value = metric.get("value")
                if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf:
                    unit = _UNIT.search(str(metric.get("name") or ""))
                    yield Stated(str(metric.get("type") or ""), name, float(value), unit[1] if unit else "")


def _several(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _with_listing(snapshot: Snapshot, config: ModelConfig) -> Snapshot:
    """A cached commit, which is not asked for, is where it is not whole: its sizes are wanted. It can do without."""
    is_whole = all((snapshot.folder / name).exists() for name in config.files)
    is_pinned = SHA.fullmatch(snapshot.ref.revision)
    if snapshot.listing is not None or snapshot.access.is_offline or is_whole or not is_pinned:
        return snapshot
    try:
        return replace(snapshot, listing=ask(snapshot.ref))
    except HubError:
        return snapshot


def _config(snapshot: Snapshot) -> ModelConfig:
    try:
        raw = parse_json(_content(snapshot))
    except ValueError as error:
        what = f"{CONFIG} of {snapshot.ref} cannot be read as JSON: {error}"
        raise ModelError(what, hint="tell its author") from None
    if not isinstance(raw, dict) or "gansdk" not in raw:
        raise foreign(snapshot)
    return parse_config(raw, f"{CONFIG} of {snapshot.ref}")


def _content(snapshot: Snapshot) -> bytes:
    """The ``config.json`` of a commit that was listed."""
    listing = snapshot.listing
    if listing is None or CONFIG not in listing.files or listing.files[CONFIG].size > MOST_JSON:
        raise foreign(snapshot)
    return read(listing, CONFIG)


def _size(snapshot: Snapshot, name: str) -> int | None:
    if snapshot.listing is not None and name in snapshot.listing.files:
        return snapshot.listing.files[name].size
    path = snapshot.folder / name
    return path.stat().st_size if path.exists() else None
