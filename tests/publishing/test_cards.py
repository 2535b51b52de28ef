"""Whose words stand in a published card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gansdk.cards.front_matter import split
from gansdk.cards.rendering import HERE
from gansdk.errors import OutputError
from gansdk.hub.pushing import RepoTarget
from gansdk.models.resolved import ResolvedModel
from gansdk.publishing.contents import published_card
from gansdk.refs import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gansdk.models.catalog import Catalog
    from gansdk.publishing.contents import Side

REF = parse("hub:org/m")


@pytest.fixture
def made(catalog: Catalog, model: Path) -> Callable[..., str]:
    """Makes the card for the Hub, from what the README files here and there say."""

    def make(here: str | None = None, there: str | None = None, side: Side | None = None) -> str:
        if here is not None:
            (model / "README.md").write_bytes(here.encode())
        place = RepoTarget(REF, card=None if there is None else there.encode())
        return published_card(catalog, ResolvedModel.at(model), place, side).content.decode()

    return make


def test_a_new_card_names_the_model_as_others_will(made: Callable[..., str]) -> None:
    text = made()
    assert "# m\n" in text
    assert "--model hub:org/m" in text
    assert "./" not in text
    assert "![" in text
    assert "(card-strip.webp)" in text


def test_words_on_one_side_are_kept(made: Callable[..., str], model: Path) -> None:
    fresh = made()
    mine = fresh + "\n## Mine\n\nIt was hard.\n"
    assert made(None, mine) == mine
    assert made(fresh, mine) == mine
    assert made(mine, fresh) == mine
    assert made(mine, None) == mine
    assert (model / "README.md").read_bytes() == mine.encode()


def test_the_folders_own_card_is_renewed_for_the_hub(made: Callable[..., str]) -> None:
    here = made().replace("hub:org/m", "./mine").replace("# m\n", "# mine\n")
    assert made(here + "\nMine.\n") == made(here) + "\nMine.\n"
    assert made(here) == made()


def test_the_same_words_on_both_sides_are_fine_wherever_they_stand(made: Callable[..., str]) -> None:
    fresh = made()
    before, behind = fresh.replace("---\n\n", "---\n\nMine.\n\n", 1), fresh + "\r\nMine.  \r\n"
    assert made(before, behind) == before


def test_different_words_must_be_decided_on(made: Callable[..., str]) -> None:
    fresh = made()
    mine, theirs = fresh + "\nMine.\n", fresh + "\nTheirs.\n"
    with pytest.raises(OutputError, match=r"nothing was sent; look at both, and decide by card=\"folder\" or \"hub\""):
        made(mine, theirs)
    assert made(mine, theirs, "folder") == mine
    assert made(mine, theirs, "hub") == theirs


def test_fields_and_tags_of_an_authors_count_as_words(made: Callable[..., str]) -> None:
    fresh = made()
    there = fresh.replace("tags:\n", "language: en\ntags:\n- sharp\n")
    found = split(made(fresh, there))[0]
    assert found["language"] == "en"
    assert "sharp" in found["tags"]
    with pytest.raises(OutputError, match="decide by"):
        made(fresh.replace("tags:\n", "language: de\ntags:\n"), there)


def test_front_matter_alone_as_the_hub_makes_it_gets_the_rest(made: Callable[..., str]) -> None:
    assert split(made(None, "---\nlicense: mit\n---\n"))[1].strip() == split(made())[1].strip()
    assert split(made(None, "---\nlicense: mit\nlanguage: en\n---\n"))[0]["language"] == "en"
    assert split(made(None, ""))[1].strip() == split(made())[1].strip()


def test_somebody_elses_card_is_not_written_over(made: Callable[..., str]) -> None:
    with pytest.raises(OutputError, match=r"README\.md on the Hub: .*not made by gansdk.*card=\"folder\""):
        made(None, "# Theirs\n\nWords.\n")
    assert "Words." in made(None, f"# Theirs\n\nWords.\n\n{HERE}\n")
    assert "Words." not in made(None, "# Theirs\n\nWords.\n", "folder")
    with pytest.raises(OutputError, match=r"README\.md of the folder: .*no YAML.*card=\"hub\""):
        made("---\na: [\n---\n")
