"""Writes the list of checks in ``docs/checks.md``, or checks with ``--check`` that it is up to date."""

from __future__ import annotations

import sys

from pages import DOCS, between, main

from gansdk.testing import all_checks

TITLES = {"plugin": "A distribution", "task": "A task", "method": "A method", "model": "A model", "recipe": "A recipe"}


def listing() -> str:
    """One section per kind of target, one paragraph per check."""
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
    return between("checks", listing(), text)


if __name__ == "__main__":
    sys.exit(main(DOCS / "checks.md", page))
