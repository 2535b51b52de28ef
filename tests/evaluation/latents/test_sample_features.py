"""Samples of any size against real images, in the features of EfficientNet-Lite0: closed forms and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gansdk
from gansdk.backbones import lite0
from gansdk.data.stacked import StackedImages
from gansdk.evaluation import METRICS, codes, sample_metrics
from gansdk.evaluation.evaluated_model import EvaluatedModel
from gansdk.evaluation.evaluators import frechet_distance, pooled_features
from gansdk.evaluation.protocol import SEED
from gansdk.evaluation.record import unevaluated
from gansdk.evaluation.run import evaluate
from gansdk.models.latents import draw

CPU = torch.device("cpu")
COUNT = 12
(SPEC,) = (spec for spec in METRICS if spec.name == "fd-lite0-samples")


class Waves:
    """Draws waves whose strength is the noise; it has no code and no encoder."""

    def __init__(self, channels: int) -> None:
        self._channels = channels

    def generate(self, source, /) -> torch.Tensor:
        angle = torch.arange(40) * source["z"][:, :1, None]
        plane = 0.5 + 0.4 * torch.sin(angle + source["z"][:, 1:2, None])
        return plane[:, None].expand(-1, self._channels, 32, -1)


def facts(*, channels: int = 3, height: int = 32) -> gansdk.Facts:
    image = gansdk.ImageSpec(channels=channels, height=height, width=40)
    source = gansdk.LatentSource(variables=(gansdk.Noise(name="z", n=2),))
    return gansdk.Facts(generator=gansdk.LatentGeneratorFacts(source=source, output=image))


def images(pixels: np.ndarray) -> StackedImages:
    return StackedImages("real", pixels, "CC0-1.0", "sha256:0")


@pytest.fixture
def network(monkeypatch):
    """The evaluator with random weights, which need no file, and a minimum that few images reach."""
    torch.manual_seed(0)
    network = lite0.EfficientNetLite0().eval().requires_grad_(False)
    monkeypatch.setattr(lite0, "load_lite0", lambda: network)
    monkeypatch.setattr(sample_metrics, "LITE0_MINIMUM", COUNT)
    return network


@pytest.mark.parametrize("channels", [1, 3])
def test_the_distance_is_that_of_the_pooled_features(network, channels):
    model = gansdk.Model(facts(channels=channels), generator=Waves(channels))
    real = np.random.default_rng(0).integers(0, 256, (COUNT, 32, 40, channels), dtype=np.uint8)
    evaluation = evaluate(EvaluatedModel(model, CPU), {"real": images(real)}, [SPEC])
    (found,) = evaluation.measurements
    samples = sample_metrics.generate(model, draw(model.facts.generator.source, SEED, range(COUNT)))
    fake, true = pooled_features(network, samples), pooled_features(network, real)
    assert found.value == pytest.approx(frechet_distance(fake, true), rel=1e-6)
    assert found.references == {"floor": pytest.approx(frechet_distance(true[::2], true[1::2]), rel=1e-6)}
    assert (found.count, found.protocol["evaluator"]) == (COUNT, "EfficientNet-Lite0")
    assert unevaluated(model.facts, evaluation) == ""


def test_a_models_own_samples_are_at_distance_0_and_other_images_are_not(network):
    model = gansdk.Model(facts(), generator=Waves(3))
    own = sample_metrics.generate(model, draw(model.facts.generator.source, SEED, range(COUNT)))
    data = {"own": images(own), "dark": images(own // 2)}
    same, darker = evaluate(EvaluatedModel(model, CPU), data, [SPEC]).measurements
    assert same.value == pytest.approx(0, abs=1e-6)
    assert darker.value > 100 * abs(same.value)


def test_grey_is_repeated(network):
    grey = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)
    coloured = np.repeat(grey, 3, axis=3)
    np.testing.assert_allclose(pooled_features(network, grey), pooled_features(network, coloured), atol=1e-6)


def test_too_few_images_are_left_out_with_the_reason(network):
    model, notes = gansdk.Model(facts(), generator=Waves(3)), []
    real = images(np.zeros((COUNT - 1, 32, 40, 3), np.uint8))
    assert evaluate(EvaluatedModel(model, CPU), {"real": real}, [SPEC], note=notes.append).measurements == ()
    assert notes == [f"fd-lite0-samples: left out on real: it needs {COUNT} images or more"]


def test_facts_say_which_samples_fit():
    assert codes.features_unsupported_reason(facts()) is None
    assert codes.features_unsupported_reason(facts(channels=1)) is None
    assert "smaller than 32x32" in codes.features_unsupported_reason(facts(height=28))
    assert "2 channels" in codes.features_unsupported_reason(facts(channels=2))
    assert "does not generate from a latent" in codes.features_unsupported_reason(gansdk.Facts())
