"""Renders ``cards/<model>/`` for every model that ships here, or checks with ``--check`` that none is stale.

The text comes from the model's own records, the images from its weights; a card's text names the weights, so new
ones make it stale. ``--check`` looks at the text and whether the images are there; it runs no model.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.cards.card import applicable, gather
from gansdk.cards.rendering import read_card, render, with_images_beside
from gansdk.files import write_whole
from gansdk.models.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gansdk.models.resolved import ResolvedModel

ROOT = Path(__file__).parent.parent
CARDS = ROOT / "cards"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if a card is stale")
    check = parser.parse_args().check
    catalog = Catalog.installed_here()
    stale = []
    for resolved, path in shipped(catalog):
        if not check:
            renew(catalog, resolved, path)
        elif is_stale(catalog, resolved, path):
            stale.append(path)
    for path in stale:
        print(f"{path.relative_to(ROOT)} is stale; run {sys.executable} {__file__}", file=sys.stderr)
    return 1 if stale else 0


def shipped(catalog: Catalog) -> Iterator[tuple[ResolvedModel, Path]]:
    """The models of the plugins in this repository, and where their cards stand."""
    for installed in catalog.installed():
        if installed.model.folder.is_relative_to(ROOT):
            yield catalog.locate(installed.ref), CARDS / installed.model.name / "README.md"


def is_stale(catalog: Catalog, resolved: ResolvedModel, path: Path) -> bool:
    """Whether a card is missing, says something else than the model's records, or lacks an image."""
    before = read_card(path)
    card = with_images_beside(gather(catalog, resolved), path)
    return before is None or before != render(card, before) or set(applicable(card.config)) > set(card.images)


def renew(catalog: Catalog, resolved: ResolvedModel, path: Path) -> None:
    from gansdk.cards.images import make_images
    from gansdk.options import LoadOptions

    path.parent.mkdir(parents=True, exist_ok=True)
    make_images(path.parent, resolved, LoadOptions(device="cpu", precision="fp32"))
    write_whole(path, render(with_images_beside(gather(catalog, resolved), path), read_card(path)))


if __name__ == "__main__":
    sys.exit(main())
