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
from gansdk.models.resolved import Located
from gansdk.options import LoadOptions
from gansdk.plugins.registry import Brought, Source, discover
from gansdk.settings import Settings

QUICK = SpeedOptions(side=(64, 32), rounds=1)


def unseen(_size: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def catalog():
    source = Source("gansdk-plugin-tiny", "0.1", "tiny")
    return Catalog(discover().add(Brought(source, methods=(tiny.METHOD,))), Settings())


@pytest.fixture
def located(tmp_path):
    tiny.write(tmp_path / "m")
    return Located("./m", tmp_path / "m", read_config(tmp_path / "m"))


def ways(catalog, located, load=LoadOptions(device="cpu"), options=QUICK):  # noqa: B008 - frozen
    found = list(measure_speed(catalog, located, load, options, progress=unseen))
    return [(speed.side, speed.way, speed.precision) for speed in found]


def test_sizes_from_small_to_large_the_network_alone_with_the_smallest(catalog, located):
    expected = [(32, "eager", "fp32"), (32, "ours", "fp32"), (32, "network alone", "fp32")]
    assert ways(catalog, located) == [*expected, (64, "eager", "fp32"), (64, "ours", "fp32")]


def test_where_automatic_is_reduced_fp32_stands_beside_it(catalog, located, monkeypatch):
    monkeypatch.setattr(runtime, "has_native", lambda _device, precision: precision == "bf16")
    safe = located.config.facts.model_copy(update={"safe_precisions": ("bf16",)})
    reduced = dataclasses.replace(located, config=located.config.model_copy(update={"facts": safe}))
    assert ways(catalog, reduced)[:4] == [
        (32, "eager", "fp32"),
        (32, "ours", "fp32"),
        (32, "ours", "bf16"),
        (32, "network alone", "bf16"),
    ]


def test_sides_are_brought_to_what_the_network_takes(catalog, located):
    generator = tiny.FACTS.generator
    source = generator.source.model_copy(update={"size": generator.source.size.model_copy(update={"multiple": 24})})
    facts = Facts(generator=generator.model_copy(update={"source": source}))
    coarse = dataclasses.replace(located, config=located.config.model_copy(update={"facts": facts}))
    assert {side for side, _, _ in ways(catalog, coarse)} == {48, 72}


def test_a_model_that_makes_no_picture_from_a_picture_is_refused(catalog, located):
    nothing = dataclasses.replace(located, config=located.config.model_copy(update={"facts": Facts()}))
    with pytest.raises(NotApplicableError, match="makes no picture from a picture"):
        ways(catalog, nothing)
