"""``gansdk bench`` through the installed command, on a network of a few kilobytes."""

from __future__ import annotations

import pytest

QUICK = ("bench", "./model", "--side", "32", "--rounds", "2", "--threads", "1", "--precision", "fp32")


def test_a_table_for_people(with_kinds, model):
    done = with_kinds(*QUICK)
    assert done.code == 0
    header, eager, ours, alone = done.out.splitlines()
    assert header.split()[:4] == ["input", "way", "numbers", "seconds"]
    assert eager.split()[:3] == ["32×32", "eager", "fp32"]
    assert eager.split()[4:7] == ["1.00", "1.00–1.00", "2"]
    assert ours.split()[:3] == ["32×32", "ours", "fp32"]
    assert "network alone" in alone
    assert "the whole call (ours) takes" in alone
    assert "1 CPU threads" in done.err


def test_records_for_programs(with_kinds, model):
    done = with_kinds(*QUICK, "--side", "48", "--json")
    assert [(one["side"], one["way"]) for one in done.records] == [
        (32, "eager"),
        (32, "ours"),
        (32, "network alone"),
        (48, "eager"),
        (48, "ours"),
    ]
    first = done.records[0]
    assert first["model"] == "./model"
    assert first["threads"] == 1
    assert first["rounds"] == 2
    assert first["speed_up"] == 1
    assert first["seconds"] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--side", "8"), "--side '8' is not one of 32..8192"),
        (("--rounds", "none"), "--rounds 'none' is not one of 1..1000"),
        (("--patience", "0"), "--patience '0' is not one of"),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(with_kinds, model, options, said):
    done = with_kinds("bench", "./model", *options)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
