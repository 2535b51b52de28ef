"""The models that ship: they are what their facts, their evaluation and their records say."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

import gansdk
from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.evaluation.code_metrics import slant
from gansdk.evaluation.evaluators import PRETRAINED, load_evaluator
from gansdk.evaluation.record import Measurement, read_evaluation
from gansdk.evaluation.restoration import PREFIX
from gansdk.model.config import read_config
from gansdk_infogan import METHOD
from gansdk_infogan.model import networks
from gansdk_infogan.options import NetworkOptions
from gansdk_infogan.recipe import name_categories

MODELS = {model.name: model.folder for model in METHOD.models}
DATA = Path(os.environ.get("GANSDK_DATA", "absent"))
EVALUATED_BY = {"infogan-mnist": MNIST, "infogan-fashion": FASHION_MNIST}
FEWEST = {"infogan-mnist": 0.9, "infogan-fashion": 0.3}
"""Of 300 samples, the share that must be what they were asked to be: far above chance, below what was measured."""


def measured(name: str) -> dict[str, Measurement]:
    evaluation = read_evaluation(MODELS[name])
    assert evaluation is not None
    return {one.metric: one for one in evaluation.measurements if not one.data.startswith(PREFIX)}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_ships_is_small_licensed_and_traceable(name: str) -> None:
    folder = MODELS[name]
    assert all(path.stat().st_size <= 8_000_000 for path in folder.iterdir())
    config = read_config(folder)
    assert config.licence
    assert config.summary
    assert config.trained is not None
    assert config.trained.commit
    assert not config.trained.ablated_terms
    assert all(used.licence and used.digest and used.items == 60_000 for used in config.trained.data)
    built = networks(NetworkOptions.model_validate(config.network))
    assert sum(parameter.numel() for network in built.values() for parameter in network.parameters()) <= 2_000_000


@pytest.mark.parametrize("name", MODELS)
def test_its_words_are_those_that_labelled_images_give(name: str) -> None:
    known = EVALUATED_BY[name]
    if not (DATA / known.name).is_dir():
        pytest.skip(f"needs {known.name} in GANSDK_DATA")
    data = gansdk.open_data(f"{known.name}:train")
    assert data.labels is not None
    encode = gansdk.pipeline("encode", model=f"builtin:{name}", device="cpu", precision="fp32")
    images = torch.from_numpy(data.images[:2000].transpose(0, 3, 1, 2).copy()).float() / 255
    words = name_categories(
        lambda some: encode.model.encoder.encode(some)["class"], images, gansdk.Labels(data.labels, data.classes)
    )
    (code,) = (variable for variable in encode.resolved.config.facts.encoder.variables if variable.name == "class")
    assert tuple(words) == code.labels


@pytest.mark.parametrize("name", MODELS)
def test_its_record_has_all_figures_each_with_the_baselines(name: str) -> None:
    figures = measured(name)
    assert set(figures) == {
        "code-information",
        "code-recovery",
        "code-effect",
        "clustering-accuracy",
        "code-fidelity",
        "fd-classifier",
    }
    assert not any(one.seen for one in figures.values())
    needs_words = {"code-fidelity"}  # which a baseline often has none of
    assert all(one.baseline is not None for name, one in figures.items() if name not in needs_words)
    assert figures["code-information"].value > 2.2
    assert figures["code-recovery"].value > 0.99
    assert figures["code-effect"].value >= 0.8
    baseline = figures["fd-classifier"].baseline
    assert baseline is not None
    assert figures["fd-classifier"].value <= 1.2 * baseline.value


@pytest.mark.parametrize("name", MODELS)
def test_samples_are_what_they_are_asked_to_be(name: str) -> None:
    known = EVALUATED_BY[name]
    evaluator = load_evaluator(PRETRAINED / f"{known.name}.safetensors", known.classes, torch.device("cpu"))
    generate = gansdk.pipeline("generate", model=f"builtin:{name}", device="cpu", precision="fp32")
    right = 0
    for word in known.classes:
        images = generate(n=30, seed=5, set={"class": word}).pixels
        right += int((evaluator.predict(images).probabilities.argmax(1) == evaluator.classes.index(word)).sum())
    share = right / (30 * len(known.classes))
    assert share > FEWEST[name]
    assert share == pytest.approx(measured(name)["code-fidelity"].value, abs=0.08)


def test_a_code_leans_digits() -> None:
    effect = measured("infogan-mnist")["code-effect"].protocol["model"]
    code = max(("style.0", "style.1"), key=lambda one: abs(float(effect.split(f"{one}: slant ")[1][:5])))
    traverse = gansdk.pipeline("traverse", model="builtin:infogan-mnist", device="cpu", precision="fp32")
    swept = traverse(code=code, steps=5, rows=12, seed=3).pixels.reshape(12, 5, 28, 28)
    leans = np.array([[slant(image / 255) for image in row] for row in swept])
    checkpoints = leans[:, -1] - leans[:, 0]
    assert max((checkpoints > 0).sum(), (checkpoints < 0).sum()) >= 11


@pytest.mark.parametrize("name", MODELS)
def test_the_same_call_gives_the_same_images(name: str) -> None:
    generate = gansdk.pipeline("generate", model=f"builtin:{name}", device="cpu", precision="fp32")
    first, second = (generate(n=6, seed=1).pixels for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(generate(n=3, seed=1).pixels, first[:3])


@pytest.mark.skipif(not (DATA / "mnist").is_dir(), reason="needs MNIST in GANSDK_DATA")
def test_it_reads_a_digit_that_somebody_wrote(tmp_path: Path) -> None:
    data = gansdk.open_data("mnist:test")
    assert data.labels is not None
    encode = gansdk.pipeline("encode", model="builtin:infogan-mnist", device="cpu", precision="fp32")
    right = 0
    for at in range(60):
        path = tmp_path / f"{at}.png"
        PILImage.fromarray(data.images[at, :, :, 0]).save(path)
        right += encode(str(path)).label("class") == data.classes[data.labels[at]]
    assert right / 60 > 0.8
