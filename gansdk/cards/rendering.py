"""A card as a file: new, or renewed with all that its author wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from gansdk.cards.figures import applicable
from gansdk.cards.front_matter import authors_fields, front_matter, split
from gansdk.cards.sections import sections
from gansdk.errors import InputError, OutputError
from gansdk.files import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gansdk.cards.card import Card


def render(card: Card, before: str | None = None) -> str:
    """The text of a card; the same text from the same records.

    Args:
        card: What is known of the model.
        before: The card as it is: its author's sections and fields stay. None for a new one.

    Raises:
        OutputError: If the card was not made by gansdk and does not say where the generated parts shall stand, or its
            front matter or markers are damaged.
    """
    parts = sections(card)
    if before is None:
        return f"---\n{front_matter(card)}\n---\n\n{fresh(parts)}"
    fields, text = split(before)
    return f"---\n{front_matter(card, fields)}\n---\n{renewed(text, parts)}"


def authors_part(card: Card, text: str) -> tuple[str, dict[str, Any]]:
    """What in a card is its author's: the words outside of the regions, and fields of the front matter.

    Args:
        card: What is known of the model.
        text: The card as it is.

    Raises:
        OutputError: As in `render`.
    """
    fields, body = split(text)
    return outside(body), authors_fields(card, fields)


def read_card(path: Path) -> str | None:
    """A card that is there, or None.

    Raises:
        InputError: If it cannot be read as text.
    """
    if not path.exists():
        return None
    try:
        return read_plain(path).decode()  # an author's line ends are the author's
    except (OSError, ValueError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeError) else getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read as text: {why}", hint="give another file with -o") from None


def with_images_beside(card: Card, path: Path) -> Card:
    """The card with those images that stand beside its file."""
    return replace(card, images=tuple(name for name in applicable(card.config) if (path.parent / name).is_file()))


HERE = "<!-- gansdk:here -->"

_MARKER = re.compile(r"^<!-- gansdk:(begin|end) ([a-z-]+) -->[ \t]*\r?$", re.MULTILINE)
_HERE = re.compile(r"^<!-- gansdk:here -->[ \t]*\r?$", re.MULTILINE)


class _Piece(NamedTuple):
    """A stretch of a card: a region's name and content, or an author's text (name empty)."""

    name: str
    text: str


def fresh(regions: Mapping[str, str]) -> str:
    """The text of a new card: the regions in their order, without those that are empty."""
    return "\n".join(_wrapped(name, content) for name, content in regions.items() if content)


def renewed(text: str, regions: Mapping[str, str]) -> str:
    """A card with its regions renewed and everything else as it was.

    A region that it lacks is put behind the one before it in the order of ``regions``; one for which there is nothing
    to say any more keeps its place and is empty.

    Args:
        text: The card as it is.
        regions: What shall stand in them, by name, in their usual order.

    Raises:
        OutputError: If it has no regions and no line that says where they shall stand, or its markers do not match.
    """
    pieces = _parsed(text)
    if not any(piece.name for piece in pieces):
        if not _HERE.search(text):
            what = "the card was not made by gansdk, so it is left as it is"
            raise OutputError(what, hint=f"put a line {HERE} where the generated parts shall stand, or give -o")
        return _HERE.sub(lambda _: fresh(regions).rstrip("\n"), text, count=1)
    present = [piece.name for piece in pieces if piece.name]
    pieces = [_Piece(one.name, regions.get(one.name, "")) if one.name else one for one in pieces]
    for name, content in regions.items():
        if name not in present and content:
            pieces = _inserted(pieces, _Piece(name, content), list(regions))
    return "".join(_wrapped(*piece) if piece.name else piece.text for piece in pieces)


def outside(text: str) -> str:
    """What an author wrote into a card, outside of all regions: line by line, without those that are blank.

    Raises:
        OutputError: If its markers do not match.
    """
    lines = [line.rstrip() for piece in _parsed(text) if not piece.name for line in piece.text.splitlines()]
    return "\n".join(line for line in lines if line and line != HERE)


def _wrapped(name: str, content: str) -> str:
    inside = f"{content.strip()}\n" if content.strip() else ""
    return f"<!-- gansdk:begin {name} -->\n{inside}<!-- gansdk:end {name} -->\n"


def _inserted(pieces: list[_Piece], new: _Piece, order: list[str]) -> list[_Piece]:
    before = order[: order.index(new.name)]
    places = [at for at, piece in enumerate(pieces) if piece.name in before]
    if places:
        at = max(places, key=lambda place: before.index(pieces[place].name)) + 1
        return [*pieces[:at], _Piece("", "\n"), new, *pieces[at:]]
    first = next(at for at, piece in enumerate(pieces) if piece.name)
    return [*pieces[:first], new, _Piece("", "\n"), *pieces[first:]]


def _parsed(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    at, opened, line, counted = 0, "", 1, 0
    begun: set[str] = set()
    for marker in _MARKER.finditer(text):
        kind, name = marker.groups()
        end = marker.end() + (1 if text[marker.end() : marker.end() + 1] == "\n" else 0)
        line, counted = line + text.count("\n", counted, marker.start()), marker.start()
        if kind == "begin":
            if opened or name in begun:
                what = f"line {line} of the card begins the region {name!r} inside another, or a second time"
                raise OutputError(what, hint="mend the marker lines, or give another file with -o")
            pieces.append(_Piece("", text[at : marker.start()]))
            opened = name
            begun.add(name)
        else:
            if opened != name:
                what = f"line {line} of the card ends the region {name!r}, which is not open"
                raise OutputError(what, hint="mend the marker lines, or give another file with -o")
            pieces.append(_Piece(name, text[at : marker.start()]))
            opened = ""
        at = end
    if opened:
        what = f"the card's region {opened!r} has no end"
        raise OutputError(what, hint="mend the marker lines, or give another file with -o")
    return [*pieces, _Piece("", text[at:])]
