"""Writes ``docs/cli.md`` from the commands themselves, or checks with ``--check`` that it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from gansdk.cli.reference import page

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text("utf-8") == text:
            return 0
        print(f"{PAGE} is out of date; run {sys.executable} {__file__}", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
