"""What ships of the evaluators, and what they say of images; those that need the data sets are skipped without them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gansdk import array_digest, open_data
from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.data.stacked import StackedImages
from gansdk.errors import InputError, ModelError
from gansdk.evaluation.evaluators import PRETRAINED, EvaluatorNetwork, evaluator_for, load_evaluator
from gansdk.files import sha256

CPU = torch.device("cpu")
SETS = pytest.mark.parametrize("known", [MNIST, FASHION_MNIST], ids=lambda known: known.name)
LEAST = {"mnist": 0.992, "fashion-mnist": 0.91}


def noise(count: int, *, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28, channels), dtype=np.uint8)


def stacked(digest: str) -> StackedImages:
    return StackedImages("any", noise(2), "CC0-1.0", digest)


def evaluator(known) -> EvaluatorNetwork:
    return load_evaluator(PRETRAINED / f"{known.name}.safetensors", known.classes, CPU)


@pytest.fixture
def copied(tmp_path):
    """The weights of an evaluator, with their record beside them, that a test may damage."""
    for ending in ("safetensors", "json"):
        shutil.copy(PRETRAINED / f"mnist.{ending}", tmp_path)
    return tmp_path / "mnist.safetensors"


@SETS
def test_the_record_is_that_of_the_weights_and_of_the_data(known):
    record = json.loads((PRETRAINED / f"{known.name}.json").read_text())
    weights = PRETRAINED / f"{known.name}.safetensors"
    assert record["weights"] == sha256(weights)
    assert record["digests"] == {name: split.digest for name, split in known.splits.items()}
    assert (record["licence"], record["author"]) == (known.licence, known.author)
    assert record["count"] == known.splits["test"].items
    assert record["accuracy"] >= LEAST[known.name]
    assert weights.stat().st_size <= 2**20


@SETS
def test_an_evaluator_is_found_by_the_digest_of_any_split(known):
    found = [evaluator_for(stacked(split.digest), CPU) for split in known.splits.values()]
    assert [one.name for one in found] == [known.name] * 2
    assert found[0].classes == known.classes
    assert found[0] is found[1]


def test_another_set_has_no_evaluator_whatever_its_name():
    data = StackedImages("mnist:test", noise(2), "CC0-1.0", array_digest({"images": noise(2)}))
    assert evaluator_for(data, CPU) is None


def test_looking_at_many_is_looking_at_each():
    images = noise(253)  # more than a batch
    whole = evaluator(MNIST).predict(images)
    assert whole.features.shape == (253, 128)
    assert whole.probabilities.shape == (253, 10)
    assert whole.features.dtype == whole.probabilities.dtype == np.float32
    for index in (0, 7, 252):
        alone = evaluator(MNIST).predict(images[index : index + 1])
        np.testing.assert_allclose(alone.features[0], whole.features[index], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(alone.probabilities[0], whole.probabilities[index], rtol=1e-4, atol=1e-5)


@SETS
def test_probabilities_are_those_of_the_last_layer_on_the_features(known):
    looked = evaluator(known).predict(noise(20))
    np.testing.assert_allclose(looked.probabilities.sum(axis=1), 1, rtol=1e-5)
    tensors = load_file(PRETRAINED / f"{known.name}.safetensors")
    weight, bias = (tensors[f"logits.1.{name}"].numpy().astype(np.float64) for name in ("weight", "bias"))
    raised = np.exp(looked.features @ weight.T + bias)
    np.testing.assert_allclose(looked.probabilities, raised / raised.sum(axis=1, keepdims=True), rtol=1e-3, atol=1e-6)
    assert looked.features.min() >= 0


def test_an_evaluator_tells_a_drawn_zero_from_a_drawn_one():
    """By the closed form of a ring and of a stroke, so that it holds where the data set is not."""
    rows, columns = np.mgrid[:28, :28] - 13.5
    ring = np.abs(np.hypot(rows / 9, columns / 6) - 1) < 0.25
    stroke = (np.abs(columns + rows / 6) < 1.6) & (np.abs(rows) < 10)
    images = 255 * np.stack([ring, stroke])[..., None].astype(np.uint8)
    look = evaluator(MNIST).predict(images)
    assert [evaluator(MNIST).classes[index] for index in look.probabilities.argmax(axis=1)] == ["zero", "one"]


def test_loading_and_looking_leave_the_random_numbers_of_a_training_alone(copied):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    load_evaluator(copied, MNIST.classes, CPU).predict(noise(2))
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("shape", [(2, 28, 28, 3), (2, 32, 32, 1), (28, 28, 1)])
def test_images_of_another_shape_are_refused_with_both_shapes(shape):
    found = "x".join(map(str, shape[1:]))
    with pytest.raises(InputError, match=f"evaluator of mnist takes images of 28x28x1, not {found}; bring"):
        evaluator(MNIST).predict(np.zeros(shape, np.uint8))


def test_other_weights_are_refused(copied):
    save_file({"logits.1.bias": torch.zeros(10)}, copied)
    with pytest.raises(ModelError, match=r"mnist\.safetensors is not the file that its record names"):
        load_evaluator(copied, MNIST.classes, CPU)


def test_weights_that_were_cut_short_are_refused_in_one_line(copied):
    copied.write_bytes(copied.read_bytes()[:-1])
    with pytest.raises(ModelError, match="is not the file that its record names") as caught:
        load_evaluator(copied, MNIST.classes, CPU)
    assert "\n" not in str(caught.value)


def test_weights_that_are_missing_are_named(copied):
    copied.unlink()
    with pytest.raises(ModelError, match=f"there is no file {copied}"):
        load_evaluator(copied, MNIST.classes, CPU)


@pytest.mark.parametrize("content", ["", "{}", '{"name": "mnist", "surprise": 1}'])
def test_a_damaged_record_is_refused_in_one_line(copied, content):
    copied.with_suffix(".json").write_text(content)
    with pytest.raises(ModelError, match=r"mnist\.json(:| cannot be read as JSON)") as caught:
        load_evaluator(copied, MNIST.classes, CPU)
    assert "\n" not in str(caught.value)


def test_a_record_that_is_missing_is_named(copied):
    copied.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match=r"mnist\.json cannot be read: No such file"):
        load_evaluator(copied, MNIST.classes, CPU)


def test_weights_for_other_classes_do_not_fit(copied):
    with pytest.raises(ModelError, match="does not fit"):
        load_evaluator(copied, ("cat", "dog"), CPU)


@SETS
def test_the_recorded_accuracy_is_that_on_the_test_split(known):
    try:
        data = open_data(f"{known.name}:test")
    except InputError as error:
        pytest.skip(f"needs {known.name} in $GANSDK_DATA: {error.message}")
    found = evaluator_for(data, CPU)
    assert found is not None
    assert found.count == len(data)
    predicted = found.predict(data.images).probabilities.argmax(axis=1)
    # Another processor may round one image to the other side, which is 1e-4.
    assert np.mean(predicted == data.labels) == pytest.approx(found.accuracy, abs=1.5e-4)
