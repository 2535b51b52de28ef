"""Cards of a small model with records of every kind."""

from __future__ import annotations

import dataclasses

import pytest
import tiny

from gansdk.cards.card import Card
from gansdk.evaluation.record import Estimate, Evaluation, Measurement, Variant
from gansdk.evaluation.restoration import JPEG, PHOTOGRAPHS
from gansdk.model.config import Attributions, Credit, Trained, TrainingData, read_config
from gansdk.tasks.superres import SUPERRES


def measured(metric: str, data: str, value: float, **fields) -> Measurement:
    return Measurement(metric=metric, data=data, protocol={"scale": 2, "kernel": "k"}, value=value, **fields)


FULL = Evaluation(
    measurements=(
        measured(
            "psnr-y", "Set5", 31.2345, unit="dB", interval=(30.111, 32.222), references={"bicubic": 28.8}, count=5
        ),
        measured("fd-lite0", "BSD100", 612.34, better="lower", references={"bicubic": 745.1, "floor": 265.4}),
        measured(
            "ssim-y",
            "Set5",
            0.87654,
            baseline=Estimate(value=0.9),
            difference=Estimate(value=-0.02346, interval=(-0.03, -0.01)),
        ),
        measured("psnr-y", PHOTOGRAPHS, 30.5, unit="dB", references={"bicubic": 29.0}),
        measured("psnr-y", JPEG, 26.25, unit="dB", references={"bicubic": 27.5}),
    ),
    baseline="none: it is a test",
    ablation=(
        Variant(name="vgg", steps=7, options={"content": "vgg"}, measurements=(measured("fd-lite0", "X", 701.2),)),
        Variant(name="pixel", steps=7, options={"content": "pixel"}, measurements=(measured("fd-lite0", "X", 799.9),)),
    ),
)

TRAINED = Trained(
    recipe="a:b",
    config="small",
    options={"steps": 70, "loss": "l1"},
    seed=3,
    steps=70,
    seconds=4200,
    data=(TrainingData(name="photos", licence="CC-BY-4.0", items=2, digest="sha256:" + "0" * 64),),
    commit="abc123",
    versions={"gansdk": "0.1.0", "torch": "2.4"},
)

CREDITS = Attributions(
    data={"photos": (Credit(item="one.jpg", licence="CC-BY-4.0", author="Jo | Doe <jo@example.org>", source="there"),)}
)


@pytest.fixture
def card(tmp_path):
    """A card with everything that a model of one end can have."""
    tiny.write(tmp_path / "m", trained=TRAINED, licence="Apache-2.0", summary="a test model")
    method = dataclasses.replace(tiny.METHOD, about="It is **tiny**.", checkpoints=("before", "after"))
    return Card(
        name="tiny-x2",
        ref="builtin:tiny-x2",
        config=read_config(tmp_path / "m"),
        method=method,
        tasks=(SUPERRES,),
        evaluation=FULL,
        attributions=CREDITS,
        images=("card-strip.webp", "card-trials.webp"),
    )
