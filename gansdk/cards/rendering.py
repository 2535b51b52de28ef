"""A card as a file: new, or renewed with all that its author wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gansdk.cards.exhibits import applicable
from gansdk.cards.front_matter import authors_fields, front_matter, split
from gansdk.cards.regions import fresh, outside, renewed
from gansdk.cards.sections import sections
from gansdk.errors import InputError
from gansdk.files import read_plain

if TYPE_CHECKING:
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


def with_pictures_beside(card: Card, path: Path) -> Card:
    """The card with those pictures that stand beside its file."""
    return replace(card, pictures=tuple(name for name in applicable(card.config) if (path.parent / name).is_file()))
