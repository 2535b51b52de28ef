"""The card of a published model: renewed, with what its author wrote here or on the Hub."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from gansdk.cards.card import gather
from gansdk.cards.front_matter import split
from gansdk.cards.rendering import HERE, authors_part, read_card, render, with_images_beside
from gansdk.errors import OutputError, option
from gansdk.files import write_whole
from gansdk.model.config import README
from gansdk.settings import folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gansdk.cards.card import Card
    from gansdk.hub.pushing import RepoTarget
    from gansdk.models.catalog import Catalog
    from gansdk.models.resolved import ResolvedModel
    from gansdk.refs import Hub


Side = Literal["folder", "hub"]
"""Whose text by an author a card has: that of the model's folder or that of the Hub."""

_OF: dict[Side, str] = {"folder": "the README.md of the folder", "hub": "the README.md on the Hub"}
_OTHER: dict[Side, Side] = {"folder": "hub", "hub": "folder"}


class Published(NamedTuple):
    """A card as it goes to the Hub.

    Attributes:
        content: The file.
        agreed: The digest of the author's text, where folder and Hub will have the same; empty where they will not.
    """

    content: bytes
    agreed: str


def published_card(catalog: Catalog, resolved: ResolvedModel, place: RepoTarget, side: Side | None = None) -> Published:
    """The card that goes to the Hub. Its commands name the model as others will.

    Args:
        catalog: Knows methods and tasks.
        resolved: The model.
        place: Where it goes to.
        side: Whose text stays where both have one; None: there is no need to decide.

    Raises:
        OutputError: If there is a need to decide, or a card cannot be renewed.
        ModelError: If a file of the folder cannot be read.
    """
    path = resolved.folder / README
    card = with_images_beside(gather(catalog, resolved), path)
    card = replace(card, name=place.ref.repo.partition("/")[2], ref=str(place.ref))
    texts: dict[Side, str] = {}
    if side != "hub" and (text := read_card(path)) is not None:
        texts["folder"] = text
    if side != "folder" and place.card is not None:
        texts["hub"] = place.card.decode("utf-8", errors="replace")
    parts = {one: _digest(card, one, text) for one, text in texts.items()}
    chosen = _chosen(parts, agreed(resolved.folder, place.ref))
    if chosen is None:
        return Published(render(card).encode(), "")
    with _said_of(chosen):
        text = render(card, _with_room(texts[chosen]))
    return Published(text.encode(), parts[chosen] if parts.get("folder") == parts[chosen] else "")


def _digest(card: Card, side: Side, text: str) -> str:
    """Identifies what an author wrote; empty where that is nothing."""
    with _said_of(side):
        part = authors_part(card, text)
    return hashlib.sha256(repr(part).encode()).hexdigest() if any(part) else ""


def _chosen(parts: Mapping[Side, str], agreed: str) -> Side | None:
    """Whose text is kept; of two that say the same, and where nobody wrote anything, the folder's.

    Args:
        parts: Digests of the texts.
        agreed: That of the text which both had when this folder was last pushed: who still has it changed nothing.
    """
    written: list[Side] = [side for side, digest in parts.items() if digest]
    if len(written) < 2 or parts["folder"] == parts["hub"] or parts["hub"] == agreed:
        return next(iter([*written, *parts]), None)
    if parts["folder"] == agreed:
        return "hub"
    what = "an author's text stands in the README.md of the folder, and another on the Hub; nothing was sent"
    raise OutputError(what, hint=f"look at both, and decide by {option('card', 'folder', 'hub')}")


def _with_room(text: str) -> str:
    """A card that is front matter alone, as the Hub's page makes it, gets room for the generated parts."""
    return text if split(text)[1].strip() else f"{text.rstrip()}\n\n{HERE}\n"


@contextmanager
def _said_of(side: Side) -> Iterator[None]:
    try:
        yield
    except OutputError as error:
        hint = f"put a line {HERE} or marker lines in order, or leave its text out with {option('card', _OTHER[side])}"
        raise OutputError(f"{_OF[side]}: {error.message}", hint=hint) from None


def agreed(folder: Path, ref: Hub) -> str:
    """The digest of the text that both last had; empty where that is not known."""
    try:
        return _file(folder, ref).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def remember(folder: Path, ref: Hub, digest: str) -> None:
    """Notes that both have this text now; empty: that they differ."""
    path = _file(folder, ref)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, digest)


def _file(folder: Path, ref: Hub) -> Path:
    name = hashlib.sha256(f"{folder.resolve()}\0{ref.repo}".encode()).hexdigest()[:32]
    return folders().cache / "pushed" / name
