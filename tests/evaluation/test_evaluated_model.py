"""What is measured, and what it is compared with."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch

from gansdk import ImageOutput
from gansdk.errors import NotApplicableError, UsageError
from gansdk.evaluation.evaluated_model import about_baseline, load_evaluated_model
from gansdk.model.config import Trained, read_config
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions
from gansdk.plugins.declarations import Config

FP32 = LoadOptions(precision="fp32", device="cpu")


def resolved_at(folder, **fields) -> ResolvedModel:
    tiny.write(folder, **fields)
    return ResolvedModel(f"./{folder.name}", folder, read_config(folder), tiny.METHOD)


def gives(model) -> torch.Tensor:
    with torch.inference_mode():
        return model.generator.generate({"image": torch.full((1, 3, 8, 8), 0.4)})


def test_the_baseline_of_a_model_with_two_ends_is_its_start(resolved, tmp_path):
    evaluated_model = load_evaluated_model(resolved, FP32)
    start = load_evaluated_model(resolved_at(tmp_path / "start", seed=1), FP32)
    assert torch.equal(gives(evaluated_model.baseline), gives(start.model))
    assert start.baseline is None
    assert evaluated_model.conditions == {"precision": "fp32", "device": "cpu"}


def test_between_the_ends_there_is_no_baseline(resolved):
    evaluated_model = load_evaluated_model(
        resolved, LoadOptions(precision="fp32", device="cpu", network_interpolation=0.5)
    )
    assert evaluated_model.baseline is None
    assert evaluated_model.conditions["network_interpolation"] == 0.5


def test_one_end_alone_has_nothing_to_blend(tmp_path):
    with pytest.raises(NotApplicableError, match="one checkpoint"):
        load_evaluated_model(resolved_at(tmp_path / "m"), LoadOptions(network_interpolation=0.5))


def test_a_named_baseline_is_described_by_what_it_lacked(tmp_path):
    trained = Trained(recipe="a:b", config="small", seed=0, steps=70, ablated_terms=(("generator", "adversarial"),))
    baseline = resolved_at(tmp_path / "baseline", seed=1, trained=trained)
    evaluated_model = load_evaluated_model(resolved_at(tmp_path / "m"), FP32, baseline)
    assert evaluated_model.about_baseline == "a training by config small of 70 steps without generator/adversarial"
    assert not torch.equal(gives(evaluated_model.baseline), gives(evaluated_model.model))


def test_a_baseline_that_gives_something_else_is_refused(tmp_path):
    wide = tiny.FACTS.generator.model_copy(update={"output": ImageOutput(scale=4)})
    baseline = resolved_at(tmp_path / "baseline", facts=tiny.FACTS.model_copy(update={"generator": wide}))
    with pytest.raises(UsageError, match="cannot be its baseline"):
        load_evaluated_model(resolved_at(tmp_path / "m"), FP32, baseline)


def test_why_there_is_no_baseline():
    said = dataclasses.replace(
        tiny.METHOD, configs={"first": Config("a:b", "a:c", baseline="none: it is a first stage")}
    )
    assert about_baseline(said, "first", has_initial=False) == "none: it is a first stage"
    assert "other end" in about_baseline(said, "first", has_initial=True)
    assert about_baseline(said, "forgotten", has_initial=False).startswith("none: no training without")
    assert about_baseline(None, None, has_initial=False).startswith("none: it was not trained here")
