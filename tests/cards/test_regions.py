"""What is an author's stays an author's, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansdk.cards.rendering import HERE, fresh, outside, renewed
from gansdk.errors import OutputError

REGIONS = {"title": "# New", "run": "run it", "figures": "31.3", "limits": ""}


def test_a_new_card_has_all_regions_that_say_something():
    text = fresh(REGIONS)
    assert text == (
        "<!-- gansdk:begin title -->\n# New\n<!-- gansdk:end title -->\n\n"
        "<!-- gansdk:begin run -->\nrun it\n<!-- gansdk:end run -->\n\n"
        "<!-- gansdk:begin figures -->\n31.3\n<!-- gansdk:end figures -->\n"
    )
    assert renewed(text, REGIONS) == text


def test_regions_are_renewed_where_they_stand_and_nothing_else_changes():
    text = (
        "before\r\n<!-- gansdk:begin figures -->\nold\n\nold\n<!-- gansdk:end figures -->\nbetween  \n\n"
        "<!-- gansdk:begin title -->\n# Old\n<!-- gansdk:end title -->\n\tafter"
    )
    expected = text.replace("old\n\nold", "31.3").replace("# Old", "# New")
    assert renewed(text, {"title": "# New", "figures": "31.3"}) == expected


def test_a_region_that_is_missing_comes_behind_the_one_before_it():
    text = "mine\n<!-- gansdk:begin title -->\n<!-- gansdk:end title -->\nalso mine\n"
    found = renewed(text, {"title": "a", "run": "b"})
    assert found.index("end title") < found.index("begin run") < found.index("also mine")
    text = "mine\n<!-- gansdk:begin run -->\n<!-- gansdk:end run -->\n"
    found = renewed(text, {"title": "a", "run": "b"})
    assert found.index("mine") < found.index("begin title") < found.index("begin run")


def test_a_region_with_nothing_to_say_any_more_keeps_its_place():
    text = fresh({"title": "a", "run": "b"})
    emptied = renewed(text, {"title": "a", "run": ""})
    assert "<!-- gansdk:begin run -->\n<!-- gansdk:end run -->\n" in emptied
    assert renewed(emptied, {"title": "a", "run": "b"}) == text
    assert renewed(text, {"title": "a"}) == emptied  # a region of another version


def test_what_is_outside_of_all_regions_is_the_authors():
    assert outside(fresh(REGIONS)) == ""
    assert outside(f"one\r\n\n{fresh(REGIONS)}\n  two  \n{HERE}\n") == "one\n  two"
    with pytest.raises(OutputError, match="has no end"):
        outside("<!-- gansdk:begin title -->")


def test_a_card_of_somebody_else_is_not_touched_unless_it_says_where():
    with pytest.raises(OutputError, match="was not made by gansdk") as caught:
        renewed("# Mine\n", REGIONS)
    assert HERE in str(caught.value)
    assert renewed(f"# Mine\n\n{HERE}\n\nend\n", REGIONS) == f"# Mine\n\n{fresh(REGIONS).rstrip()}\n\nend\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!-- gansdk:begin a -->\n", "'a' has no end"),
        ("x\n<!-- gansdk:end a -->\n", "line 2 of the card ends the region 'a', which is not open"),
        ("<!-- gansdk:begin a -->\n<!-- gansdk:begin b -->\n", "line 2 of the card begins the region 'b' inside"),
        ("<!-- gansdk:begin a -->\n<!-- gansdk:end b -->\n", "ends the region 'b'"),
        ("<!-- gansdk:begin a -->\n<!-- gansdk:end a -->\n" * 2, "line 3 of the card begins the region 'a'"),
    ],
)
def test_markers_that_do_not_match_are_named(text, said):
    with pytest.raises(OutputError, match=said) as caught:
        renewed(text, REGIONS)
    assert "\n" not in str(caught.value)


AUTHORS = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), max_size=40)


@given(before=AUTHORS, between=AUTHORS, after=AUTHORS, value=st.integers())
def test_whatever_an_author_writes_around_regions_survives(before, between, after, value):
    first, second = fresh({"title": "a"}), fresh({"figures": "1"})
    text = f"{before}\n{first}{between}\n{second}{after}"
    found = renewed(text, {"title": "b", "figures": str(value)})
    assert found == f"{before}\n{fresh({'title': 'b'})}{between}\n{fresh({'figures': str(value)})}{after}"
