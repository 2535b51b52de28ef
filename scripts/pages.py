"""Pages of ``docs/`` that code makes, as a whole or between two marks: writes them, or tells that they are stale."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parent.parent / "docs"


def between(mark: str, made: str, text: str) -> str:
    """A page's text with something else between ``<!-- mark -->`` and ``<!-- /mark -->``."""
    return re.sub(rf"(?<=<!-- {mark} -->\n).*(?=<!-- /{mark} -->)", lambda _: f"\n{made}\n", text, flags=re.DOTALL)


def main(page: Path, renewed: Callable[[str], str]) -> int:
    """What a script does: writes the page as it should be, or with ``--check`` says whether it is.

    Args:
        page: The file.
        renewed: From its text as it is to its text as it should be.

    Returns:
        The exit code: 1 if ``--check`` was given and the page is stale.
    """
    text = page.read_text("utf-8") if page.exists() else ""
    if "--check" not in sys.argv[1:]:
        page.write_text(renewed(text), "utf-8")
    elif renewed(text) != text:
        print(f"{page} is out of date; run {sys.executable} {sys.argv[0]}", file=sys.stderr)
        return 1
    return 0
