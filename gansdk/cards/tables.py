"""Tables and other shapes of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A table without the columns in which nothing stands.

    Args:
        header: What stands above the columns.
        rows: Of the same length.
        left: So many columns hold words; the others hold figures, to the right.
    """
    kept = [at for at in range(len(header)) if any(row[at] for row in rows)]
    rule = ["---" if at < left else "--:" for at in kept]
    lines = [[cell(header[at]) for at in kept], rule, *([cell(row[at]) for at in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """A text that cannot end its cell, its row or its page."""
    return plain(text).replace("|", "\\|")


def plain(text: str) -> str:
    """A text of a record among words: on one line, and no HTML, so that it cannot look like what was made here."""
    return " ".join(text.split()).replace("<", "&lt;")


def folded(summary: str, text: str) -> str:
    """Something that is there for who wants to see it."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def sentence(text: str) -> str:
    """A summary as a sentence."""
    text = plain(text)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""
