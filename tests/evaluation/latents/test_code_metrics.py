"""What is measured of codes, on a model whose codes have a known meaning: closed forms."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import slider
import torch

from gansdk.data.stacked import StackedImages
from gansdk.evaluation import METRICS, codes
from gansdk.evaluation.evaluated_model import EvaluatedModel
from gansdk.evaluation.run import evaluate
from gansdk.model.facts import Facts

CPU = torch.device("cpu")
BY_NAME = {metric.name: metric for metric in METRICS}


def measured(*names, data=None, baseline=None, note=print):
    evaluated_model = EvaluatedModel(slider.model(), CPU, baseline=baseline, about_baseline="one that is deaf")
    found = evaluate(evaluated_model, data or {}, [BY_NAME[name] for name in names], note=note)
    return {one.metric: one for one in found.measurements}


def bars(count: int = 200, *, labelled: bool = True, shuffled: bool = False) -> StackedImages:
    """Upright bars, labelled by where they stand; shuffled, the labels mean other places."""
    random = np.random.default_rng(0)
    places = random.integers(slider.PLACES, size=count)
    source = {"class": torch.from_numpy(places), "style": torch.zeros(count, 2)}
    images = (slider.Bars().generate(source).permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)
    names = slider.CLASS.labels
    labels = (places + 1) % slider.PLACES if shuffled else places
    return StackedImages("bars", images, "CC0-1.0", "sha256:0", labels if labelled else None, names if labelled else ())


def test_information_is_the_bound_in_nats():
    found = measured("code-information", "code-recovery", baseline=slider.model(deaf=True))
    information, recovery = found["code-information"], found["code-recovery"]
    assert information.value == pytest.approx(log(9 / 12) + log(4), abs=1e-6)
    assert information.baseline.value == pytest.approx(0, abs=1e-6)
    assert information.references == {"at most": pytest.approx(log(4))}
    assert (recovery.value, recovery.references["chance"], recovery.count) == (1.0, 0.25, 5000)
    assert recovery.baseline.value == pytest.approx(0.25, abs=0.02)
    low, high = recovery.baseline.interval
    assert low < 0.25 < high
    assert {information.data, recovery.data} == {"fresh samples"}


def test_the_effect_is_that_of_the_code_that_moves_least():
    found = measured("code-effect")["code-effect"]
    assert found.value == 0.0
    first, second = found.protocol["model"].split("; ")
    assert first.startswith("style.0: slant +1.00")
    assert second == "style.1: slant +0.00, stroke width +0.00, breadth +0.00, brightness +0.00"


@pytest.mark.parametrize(("shuffled", "by_words"), [(False, 1.0), (True, 0.0)])
def test_accuracy_is_taken_after_matching_and_beside_it_by_the_models_words(shuffled, by_words):
    data = bars(shuffled=shuffled)
    found = measured("clustering-accuracy", data={"bars": data}, baseline=slider.model(deaf=True))[
        "clustering-accuracy"
    ]
    assert (found.value, found.count) == (1.0, 200)
    assert found.references == {"by its own words": by_words}
    assert (
        found.baseline.value == np.bincount(data.labels).max() / 200
    )  # one category, matched with the commonest class


def test_what_cannot_be_tried_is_left_out_with_the_reason():
    notes = []
    every = ("clustering-accuracy", "code-fidelity", "fd-classifier")
    assert not measured(*every, data={"bars": bars(labelled=False)}, note=notes.append)
    assert any("clustering-accuracy: left out on bars: bars has no labels" in note for note in notes)
    assert any("fd-classifier: left out on bars: there is no evaluator of such data" in note for note in notes)
    small = StackedImages("small", np.zeros((4, 8, 8, 1), np.uint8), "CC0-1.0", "sha256:1", np.arange(4), tuple("abcd"))
    measured("clustering-accuracy", data={"small": small}, note=notes.append)
    assert "8" in notes[-1]
    assert "left out on small" in notes[-1]
    assert not measured("clustering-accuracy", note=notes.append)
    assert notes[-1] == "clustering-accuracy: left out: no data were given"


def test_facts_say_what_can_be_measured():
    ours, nothing = slider.FACTS, Facts()
    unsupported_reasons = (
        codes.recovery_unsupported_reason,
        codes.traversal_unsupported_reason,
        codes.fidelity_unsupported_reason,
        codes.clustering_unsupported_reason,
    )
    assert [unsupported_reason(ours) for unsupported_reason in unsupported_reasons] == [None] * 4
    assert all(unsupported_reason(nothing) for unsupported_reason in unsupported_reasons)
    blind = ours.model_copy(update={"encoder": None})
    assert codes.recovery_unsupported_reason(blind) == "its encoder reads no categorical code of its latent"
    assert codes.traversal_unsupported_reason(blind) is None
