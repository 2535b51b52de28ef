"""What is measured, and what it is compared with."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch

from gansdk import ImageOutput
from gansdk.errors import NotApplicableError, UsageError
from gansdk.evaluation.evaluator import about_twin, load_subject
from gansdk.model.config import Trained, read_config
from gansdk.models.resolved import Located
from gansdk.options import LoadOptions
from gansdk.plugins.declarations import Config

FP32 = LoadOptions(precision="fp32", device="cpu")


def located_at(folder, **fields) -> Located:
    tiny.write(folder, **fields)
    return Located(f"./{folder.name}", folder, read_config(folder))


def gives(model) -> torch.Tensor:
    with torch.inference_mode():
        return model.generator.generate({"image": torch.full((1, 3, 8, 8), 0.4)})


def test_the_twin_of_a_model_with_two_ends_is_its_start(located, tmp_path):
    subject = load_subject(located, tiny.METHOD, FP32)
    start = load_subject(located_at(tmp_path / "start", seed=1), tiny.METHOD, FP32)
    assert torch.equal(gives(subject.twin), gives(start.model))
    assert start.twin is None
    assert subject.protocol == {"precision": "fp32", "device": "cpu"}


def test_between_the_ends_there_is_no_twin(located):
    subject = load_subject(located, tiny.METHOD, LoadOptions(precision="fp32", device="cpu", blend=0.5))
    assert subject.twin is None
    assert subject.protocol["blend"] == 0.5


def test_one_end_alone_has_nothing_to_blend(tmp_path):
    with pytest.raises(NotApplicableError, match="one end"):
        load_subject(located_at(tmp_path / "m"), tiny.METHOD, LoadOptions(blend=0.5))


def test_a_named_twin_is_described_by_what_it_lacked(tmp_path):
    trained = Trained(recipe="a:b", config="small", seed=0, steps=70, silenced=(("generator", "adversarial"),))
    twin = located_at(tmp_path / "twin", seed=1, trained=trained)
    subject = load_subject(located_at(tmp_path / "m"), tiny.METHOD, FP32, (twin, tiny.METHOD))
    assert subject.about_twin == "a training by config small of 70 steps without generator/adversarial"
    assert not torch.equal(gives(subject.twin), gives(subject.model))


def test_a_twin_that_gives_something_else_is_refused(tmp_path):
    wide = tiny.FACTS.generator.model_copy(update={"output": ImageOutput(scale=4)})
    twin = located_at(tmp_path / "twin", facts=tiny.FACTS.model_copy(update={"generator": wide}))
    with pytest.raises(UsageError, match="cannot be its twin"):
        load_subject(located_at(tmp_path / "m"), tiny.METHOD, FP32, (twin, tiny.METHOD))


def test_why_there_is_no_twin():
    said = dataclasses.replace(tiny.METHOD, configs={"first": Config("a:b", "a:c", twin="none: it is a first stage")})
    assert about_twin(said, "first", has_start=False) == "none: it is a first stage"
    assert "other end" in about_twin(said, "first", has_start=True)
    assert about_twin(said, "forgotten", has_start=False).startswith("none: no training without")
    assert about_twin(None, None, has_start=False).startswith("none: it was not trained here")
