"""Renders ``cards/<model>/`` for every model that ships here, or checks with ``--check`` that none is stale.

The text comes from the model's own records, the pictures from its weights; a card's text names the weights, so new
ones make it stale. ``--check`` looks at the text and whether the pictures are there; it runs no model.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.cards.card import gather
from gansdk.cards.figures import applicable
from gansdk.cards.rendering import read_card, render, with_pictures_beside
from gansdk.files import write_whole
from gansdk.models.catalog import Catalog
from gansdk.plugins.registry import discover
from gansdk.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gansdk.models.resolved import Located

ROOT = Path(__file__).parent.parent
CARDS = ROOT / "cards"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if a card is stale")
    check = parser.parse_args().check
    catalog = Catalog(discover(), Settings())
    stale = []
    for located, path in shipped(catalog):
        if not check:
            renew(catalog, located, path)
        elif is_stale(catalog, located, path):
            stale.append(path)
    for path in stale:
        print(f"{path.relative_to(ROOT)} is stale; run {sys.executable} {__file__}", file=sys.stderr)
    return 1 if stale else 0


def shipped(catalog: Catalog) -> Iterator[tuple[Located, Path]]:
    """The models of the plugins in this repository, and where their cards stand."""
    for installed in catalog.installed():
        if installed.model.folder.is_relative_to(ROOT):
            yield catalog.locate(installed.ref), CARDS / installed.model.name / "README.md"


def is_stale(catalog: Catalog, located: Located, path: Path) -> bool:
    """Whether a card is missing, says something else than the model's records, or lacks a picture."""
    before = read_card(path)
    card = with_pictures_beside(gather(catalog, located), path)
    return before is None or before != render(card, before) or set(applicable(card.config)) > set(card.pictures)


def renew(catalog: Catalog, located: Located, path: Path) -> None:
    from gansdk.cards.images import make_pictures
    from gansdk.options import LoadOptions

    path.parent.mkdir(parents=True, exist_ok=True)
    make_pictures(path.parent, located, catalog.method(located), LoadOptions(device="cpu", precision="fp32"))
    write_whole(path, render(with_pictures_beside(gather(catalog, located), path), read_card(path)))


if __name__ == "__main__":
    sys.exit(main())
