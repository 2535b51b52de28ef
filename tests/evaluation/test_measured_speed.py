"""How fast a model is, by its tasks and facts."""

from __future__ import annotations

import dataclasses

import pytest
import tiny

from gansdk import Facts
from gansdk.errors import NotApplicableError
from gansdk.evaluation.benchmark import SpeedOptions, measure_speed
from gansdk.model.config import read_config
from gansdk.models import runtime
from gansdk.models.catalog import Catalog
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions
from gansdk.plugins.registry import Contributions, PluginSource, discover
from gansdk.settings import Settings

QUICK = SpeedOptions(side=(64, 32), rounds=1)


def unseen(_size: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def catalog():
    source = PluginSource("gansdk-plugin-tiny", "0.1", "tiny")
    return Catalog(discover().add(Contributions(source, methods=(tiny.METHOD,))), Settings())


@pytest.fixture
def resolved(tmp_path):
    tiny.write(tmp_path / "m")
    return ResolvedModel("./m", tmp_path / "m", read_config(tmp_path / "m"), tiny.METHOD)


def ways(catalog, resolved, load=LoadOptions(device="cpu"), options=QUICK):  # noqa: B008 - frozen
    found = list(measure_speed(catalog, resolved, load, options, progress=unseen))
    return [(speed.side, speed.way, speed.precision) for speed in found]


def test_sizes_from_small_to_large_the_network_alone_with_the_smallest(catalog, resolved):
    expected = [(32, "eager", "fp32"), (32, "ours", "fp32"), (32, "network alone", "fp32")]
    assert ways(catalog, resolved) == [*expected, (64, "eager", "fp32"), (64, "ours", "fp32")]


def test_where_automatic_is_reduced_fp32_stands_beside_it(catalog, resolved, monkeypatch):
    monkeypatch.setattr(runtime, "has_native", lambda _device, precision: precision == "bf16")
    safe = resolved.config.facts.model_copy(update={"safe_precisions": ("bf16",)})
    reduced = dataclasses.replace(resolved, config=resolved.config.model_copy(update={"facts": safe}))
    assert ways(catalog, reduced)[:4] == [
        (32, "eager", "fp32"),
        (32, "ours", "fp32"),
        (32, "ours", "bf16"),
        (32, "network alone", "bf16"),
    ]


def test_sides_are_brought_to_what_the_network_takes(catalog, resolved):
    generator = tiny.FACTS.generator
    source = generator.source.model_copy(update={"size": generator.source.size.model_copy(update={"multiple": 24})})
    facts = Facts(generator=generator.model_copy(update={"source": source}))
    coarse = dataclasses.replace(resolved, config=resolved.config.model_copy(update={"facts": facts}))
    assert {side for side, _, _ in ways(catalog, coarse)} == {48, 72}


def test_a_model_that_makes_no_image_from_an_image_is_refused(catalog, resolved):
    nothing = dataclasses.replace(resolved, config=resolved.config.model_copy(update={"facts": Facts()}))
    with pytest.raises(NotApplicableError, match="makes no image from an image"):
        ways(catalog, nothing)
