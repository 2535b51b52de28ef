"""Flags that stand everywhere, and text for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansdk.cli.output import EVERYWHERE, Flags, Output, bytes_text, hoist, seconds_text, table
from gansdk.errors import GansdkError


@pytest.mark.parametrize(
    ("arguments", "flags", "rest"),
    [
        (["models", "--json"], Flags(json=True), ["models"]),
        (["--json", "models", "--quiet"], Flags(json=True, quiet=True), ["models"]),
        (["--verbose", "run", "x", "--offline"], Flags(verbose=True, offline=True), ["run", "x"]),
        (["run", "--", "--json"], Flags(), ["run", "--", "--json"]),
        (["--json=1"], Flags(), ["--json=1"]),
        ([], Flags(), []),
    ],
)
def test_flags_are_taken_out_wherever_they_stand_up_to_two_hyphens(arguments, flags, rest):
    assert hoist(arguments) == (flags, rest)


@given(st.lists(st.sampled_from([*EVERYWHERE, "--", "x", "-o"])))
def test_what_is_left_keeps_its_order(arguments):
    _, rest = hoist(arguments)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    assert rest == [one for one in arguments[:end] if one not in EVERYWHERE] + arguments[end:]


def test_columns_are_aligned_and_lines_have_no_blanks_at_the_end():
    assert list(table([["a", "bb"], ["ccc", ""]])) == ["a    bb", "ccc"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (250_000, "250 kB"), (3_100_000, "3.1 MB"), (2.5e9, "2.5 GB")],
)
def test_sizes(count, text):
    assert bytes_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.7, "1 min 0 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds, text):
    assert seconds_text(seconds) == text


def test_an_error_names_its_input_once(capsys):
    output = Output(Flags())
    output.error(GansdkError("it is broken", hint="mend it"), "a.png")
    output.error(GansdkError("a.png is broken"), "a.png")
    output.error(GansdkError("it is broken"), "-")
    output.error(GansdkError("it is broken"))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "gansdk: a.png: it is broken; mend it",
        "gansdk: a.png is broken",
        "gansdk: it is broken",
        "gansdk: it is broken",
    ]
