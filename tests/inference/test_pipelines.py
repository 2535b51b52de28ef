"""A task bound to a model: results, threads, gradients, the second try in fp32, a network put in another's place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tiny
import torch
from torch import nn

import gansdk
from gansdk.errors import ModelError, NotApplicableError, OptionError, UnknownNameError
from gansdk.inference.context import Context
from gansdk.inference.loading import write_model
from gansdk.inference.located import Located
from gansdk.inference.pipelines import Pipeline
from gansdk.inference.runtime import NonFiniteError
from gansdk.model.export import Export
from gansdk.options import LoadOptions, PictureReading
from gansdk.plugins.declarations import Slot, Task
from gansdk.tasks.superres import SUPERRES

CPU = LoadOptions(device="cpu", precision="fp32")


def located(folder) -> Located:
    return Located.at(folder)


@pytest.fixture
def folder(tmp_path):
    tiny.write(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def sharpen(folder):
    return Pipeline(SUPERRES, located(folder), tiny.METHOD, CPU)


def photo(height=40, width=50):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_call_is_the_networks_arithmetic(sharpen):
    result = sharpen(photo())
    image = torch.from_numpy(photo()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        expected = tiny.trained_networks()["generator"](image)[0].permute(1, 2, 0).clamp(0, 1) * 255
    assert result.pixels.shape == (80, 100, 3)
    assert np.abs(result.pixels - expected.numpy()).max() <= 0.5 + 1e-3


def test_the_same_call_gives_the_same_bytes_from_any_thread(sharpen):
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: sharpen(photo(), tile=32).pixels.tobytes(), range(12)))
    assert len(set(results)) == 1


def test_options_are_validated_and_unknown_ones_refused(sharpen):
    assert sharpen(photo(), scale=1.5, max_pixels=10_000).pixels.shape == (60, 75, 3)
    with pytest.raises(UnknownNameError, match="there is no option 'tiles'; did you mean tile"):
        sharpen(photo(), tiles=3)
    with pytest.raises(OptionError, match="tile '7' is not one of"):
        sharpen(photo(), tile=7)
    with pytest.raises(OptionError, match="exclude each other"):
        sharpen(photo(), scale=2, longest=100)
    with pytest.raises(OptionError, match="superres takes photo; 2 given"):
        sharpen(photo(), photo())


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(folder):
    facts = tiny.FACTS.model_copy(update={"generator": None})
    tiny.write(folder, facts=facts)
    (folder / "model.safetensors").unlink()
    with pytest.raises(NotApplicableError, match="cannot do superres: it has no generator"):
        Pipeline(SUPERRES, located(folder), tiny.METHOD, CPU)


SALIENCY = Task(
    name="saliency",
    summary="which pixels matter",
    misfit=lambda facts: None,
    slots=(Slot("photo", "picture"),),
    outputs=("record",),
    options="tiny:NoOptions",
    function="tiny:saliency",
    needs_gradients=True,
)


def test_a_task_may_differentiate_through_the_generator(folder):
    pipe = Pipeline(SALIENCY, located(folder), tiny.METHOD, CPU)
    total = pipe(photo(12, 10))["total"]
    image = (torch.from_numpy(photo(12, 10)).permute(2, 0, 1)[None].float() / 255).requires_grad_()
    tiny.trained_networks()["generator"](image).sum().backward()
    assert total == pytest.approx(float(image.grad.abs().sum()), rel=1e-4)
    assert pipe.placement.precision == "fp32"


def test_a_model_that_a_training_replaced_since_it_was_found_is_read_again(folder):
    found = located(folder)
    tiny.write(folder, seed=1)
    newer = Pipeline(SUPERRES, found, tiny.METHOD, CPU)
    assert newer.located == located(folder) != found
    assert (newer(photo()).pixels == Pipeline(SUPERRES, located(folder), tiny.METHOD, CPU)(photo()).pixels).all()
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="no safetensors file"):
        Pipeline(SUPERRES, located(folder), tiny.METHOD, CPU)


def test_other_tasks_run_inside_inference_mode(folder, sharpen):
    seen = []

    class Watching:
        def generate(self, source):
            seen.append(torch.is_inference_mode_enabled())
            return source["image"].repeat_interleave(2, 2).repeat_interleave(2, 3)

    sharpen.model = gansdk.Model(tiny.FACTS, generator=Watching())
    sharpen(photo())
    assert seen == [True]
    assert not torch.is_inference_mode_enabled()


def test_another_callable_in_a_networks_place_needs_no_change_of_the_plugin(sharpen):
    """What a second engine will do: the method assembles over whatever is called."""
    calls = {"generator": lambda image: torch.nn.functional.interpolate(image, scale_factor=2, mode="nearest")}
    sharpen.model = tiny.assemble(calls, tiny.FACTS)
    expected = photo().repeat(2, 0).repeat(2, 1)
    assert np.array_equal(sharpen(photo()).pixels, expected)


def test_reduced_precision_that_fails_is_tried_once_in_fp32(folder):
    pipe = Pipeline(SUPERRES, located(folder), tiny.METHOD, LoadOptions(device="cpu", precision="bf16"))
    expected = Pipeline(SUPERRES, located(folder), tiny.METHOD, CPU)(photo())

    class Overflowing:
        def generate(self, source):
            raise NonFiniteError("the network gave NaN or infinity on cpu in bf16")

    pipe.model = gansdk.Model(tiny.FACTS, generator=Overflowing())
    notes = []
    call, reading = pipe.call_options(), PictureReading()
    result = pipe.run((photo(),), call, reading, Context(note=notes.append))
    assert np.array_equal(result.pixels, expected.pixels)
    assert notes == ["bf16 gave no finite result; computing once more in fp32"]


def test_a_network_that_gives_nan_in_fp32_is_one_error(folder):
    broken = tiny.trained_networks()
    nn.init.constant_(broken["generator"][0].bias, float("nan"))
    write_model(folder, tiny.METHOD, Export(tiny.FACTS, {"width": 8}, broken))
    with pytest.raises(NonFiniteError, match="NaN or infinity"):
        Pipeline(SUPERRES, located(folder), tiny.METHOD, CPU)(photo())
