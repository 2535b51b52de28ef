"""Writes the list of checks in ``docs/plugins.md``, or checks with ``--check`` that it is up to date."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from gansdk.testing import all_checks

PAGE = Path(__file__).parent.parent / "docs" / "plugins.md"
TITLES = {"plugin": "A distribution", "method": "A method", "model": "A model", "recipe": "A recipe"}


def listing() -> str:
    """One section per kind of subject, one paragraph per check."""
    lines: list[str] = []
    for kind, title in TITLES.items():
        lines += [f"### {title}", ""]
        for check in all_checks():
            if check.kind == kind:
                needs = f" Needs {' and '.join(f'`{one}`' for one in check.needs)}." if check.needs else ""
                lines += [f"- **`{check.id}`**: {check.title}. {check.why}{needs}"]
        lines.append("")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with the list as it should be."""
    return re.sub(r"(?<=<!-- checks -->\n).*(?=<!-- /checks -->)", lambda _: f"\n{listing()}\n", text, flags=re.DOTALL)


def main() -> int:
    text = PAGE.read_text("utf-8")
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(text), "utf-8")
    elif page(text) != text:
        print(f"{PAGE} is out of date; run {sys.executable} {__file__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
