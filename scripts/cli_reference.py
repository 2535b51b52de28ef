"""Writes ``docs/cli.md`` from the commands themselves, or checks with ``--check`` that it is up to date."""

from __future__ import annotations

import sys

from pages import DOCS, main

from gansdk.cli.reference import page

if __name__ == "__main__":
    sys.exit(main(DOCS / "cli.md", lambda _: page()))
