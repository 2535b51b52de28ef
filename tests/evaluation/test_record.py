"""``evaluation.json``: round trip, merging, damage."""

from __future__ import annotations

import pytest

from gansdk.errors import ModelError
from gansdk.evaluation.record import Estimate, Evaluation, Measurement, Variant, read_evaluation


def measured(metric: str, data: str, value: float, **fields) -> Measurement:
    return Measurement(metric=metric, data=data, protocol={}, value=value, **fields)


def test_it_is_read_as_it_was_written(tmp_path):
    full = measured("psnr-y", "Set5", 30.0, interval=(29.0, 31.0), values={"a": 30.0}, baseline=Estimate(value=31.0))
    evaluation = Evaluation(measurements=(full,), baseline="end 0", ablation=(Variant(name="x", measurements=(full,)),))
    (tmp_path / "evaluation.json").write_text(evaluation.to_json(), "utf-8")
    assert read_evaluation(tmp_path) == evaluation
    assert read_evaluation(tmp_path / "nowhere") is None


def test_newer_figures_take_the_place_of_older_ones_in_their_order():
    old = Evaluation(measurements=(measured("a", "X", 1), measured("b", "X", 2, version=1)), baseline="old")
    new = Evaluation(measurements=(measured("b", "X", 3, version=2), measured("a", "Y", 4)))
    merged = old.merged(new)
    assert [(one.metric, one.data, one.value) for one in merged.measurements] == [
        ("a", "X", 1),
        ("b", "X", 3),
        ("a", "Y", 4),
    ]
    assert merged.baseline == "old"


def test_a_baseline_figure_stays_beside_the_same_figure_measured_again():
    baseline = Estimate(value=0.5)
    known = measured("a", "X", 1, baseline=baseline), measured("b", "X", 2, baseline=baseline)
    old = Evaluation(measurements=known, baseline="another training")
    again = Evaluation(measurements=(measured("a", "X", 1), measured("c", "X", 3)), baseline="none was given")
    merged = old.merged(again)
    assert {one.metric: one.baseline for one in merged.measurements} == {"a": baseline, "b": baseline, "c": None}
    assert merged.baseline == "another training"
    other = old.merged(
        Evaluation(measurements=(measured("a", "X", 9), measured("b", "X", 8)), baseline="none was given")
    )
    assert [one.baseline for one in other.measurements] == [None, None]
    assert other.baseline == "none was given"


def test_rows_of_an_ablation_are_merged_by_name():
    old = Evaluation(
        measurements=(measured("a", "X", 1),), ablation=(Variant(name="p", measurements=(measured("a", "X", 5),)),)
    )
    rows = (Variant(name="p", steps=9, measurements=(measured("b", "X", 6),)), Variant(name="q"))
    merged = old.merged(Evaluation(ablation=rows))
    assert merged.measurements == old.measurements
    assert [(row.name, row.steps, len(row.measurements)) for row in merged.ablation] == [("p", 9, 2), ("q", 0, 0)]


@pytest.mark.parametrize("text", ["{", '{"measurements": [{"metric": "a"}]}', '{"unheard": 1}', "[]"])
def test_damage_is_one_line(tmp_path, text):
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        read_evaluation(tmp_path)
    assert "\n" not in str(caught.value)
    assert "evaluation.json" in str(caught.value)


def test_what_is_shown_of_it_is_short_however_many_items_there_are():
    many = {f"image {at}": float(at) for at in range(1000)}
    figure = measured("psnr-y", "Set5", 31.3229, values=many, baseline=Estimate(value=30.0, values=many))
    assert repr(figure) == "Measurement(metric='psnr-y', data='Set5', value=31.3229, interval=None)"
    shown = repr(Evaluation(measurements=(figure,) * 40))
    assert shown.startswith("Evaluation(psnr-y on Set5=31.32, ")
    assert len(shown) < 150
