"""Figures as people read them."""

from __future__ import annotations

import pytest

from gansdk.evaluation.record import Estimate, Measurement, difference, interval, number, signed


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(27.1985, "dB", "27.20"), (0.59064, "", "0.591"), (659.45, "", "659"), (3.8789, "", "3.879")],
)
def test_a_number_has_as_many_digits_as_it_is_worth(value, unit, text):
    assert number(value, unit) == text


def test_a_difference_has_a_sign_unless_it_is_none():
    assert (signed(1.5, "dB"), signed(-1.5, "dB"), signed(-0.0001)) == ("+1.50", "−1.50", "+0.000")
    measured = Measurement(
        metric="m", data="d", protocol={}, unit="dB", value=1, difference=Estimate(value=-1, interval=(-2, 0.5))
    )
    assert difference(measured) == "−1.00 (−2.00 … +0.50)"
    assert difference(measured.model_copy(update={"difference": None})) == ""


def test_an_interval_has_both_ends():
    assert interval((26.514, 27.958), "dB") == "26.51 … 27.96"
    assert interval(None) == ""
