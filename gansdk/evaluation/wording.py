"""Figures for people, in tables and cards alike."""

from __future__ import annotations

from statistics import mean, stdev
from typing import TYPE_CHECKING

from gansdk.model.facts import LatentGeneratorFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gansdk.evaluation.record import Evaluation, Interval, Measurement
    from gansdk.model.facts import Facts


def unjudged(facts: Facts, evaluation: Evaluation | None) -> str:
    """What a reader of a model's figures has to know of its images: that none of them says how good they are.

    A restored image is held against the true one. Of samples only what a network apart sees in them tells; that a
    model's own encoder reads its codes back may be so of pure noise.

    Returns:
        A few words; empty where images were judged, or the model makes none.
    """
    if facts.generator is None:
        return ""
    if evaluation is None or not evaluation.measurements:
        return "not measured"
    is_sampled = isinstance(facts.generator, LatentGeneratorFacts)
    is_judged = any(one.protocol.get("judge") for one in evaluation.measurements)
    return "its images were not judged" if is_sampled and not is_judged else ""


def number(value: float, unit: str = "") -> str:
    """A figure with as many digits as it is worth: ``27.20``, ``0.591``, ``659``."""
    if unit == "dB":
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}"


def signed(value: float, unit: str = "") -> str:
    """A difference, with its sign."""
    text = number(abs(value), unit)
    return f"−{text}" if value < 0 and text.strip("0.") else f"+{text}"


def interval(ends: Interval | None, unit: str = "", show: Callable[[float, str], str] = number) -> str:
    """Both ends, as ``26.51 … 27.96``; empty for none."""
    return "" if ends is None else f"{show(ends[0], unit)} … {show(ends[1], unit)}"


def over_seeds(values: Sequence[float], unit: str = "") -> str:
    """Mean and standard deviation, as ``0.931 ± 0.020``; empty for a single value."""
    if len(values) < 2:
        return ""
    return f"{number(mean(values), unit)} ± {number(stdev(values), unit)}"


def difference(measured: Measurement) -> str:
    """How much higher than its twin's a figure is, with its interval; empty where there is no twin."""
    if measured.difference is None:
        return ""
    text = signed(measured.difference.value, measured.unit)
    ends = interval(measured.difference.interval, measured.unit, signed)
    return f"{text} ({ends})" if ends else text
