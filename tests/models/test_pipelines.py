"""A task bound to a model: results, threads, gradients, the second try in fp32, a network put in another's place."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sketch
import tiny
import torch
from PIL import Image as PILImage
from torch import nn

import gansdk
from gansdk.errors import CancelledError, InputError, ModelError, NotApplicableError, OptionError, UnknownNameError
from gansdk.models.context import Context
from gansdk.models.pipelines import Pipeline
from gansdk.models.resolved import ResolvedModel
from gansdk.models.runtime import NonFiniteError
from gansdk.models.writing import Export, write_model
from gansdk.options import ImageReading, LoadOptions
from gansdk.plugins.declarations import Slot, Task
from gansdk.tasks.encode import ENCODE
from gansdk.tasks.superres import SUPERRES

CPU = LoadOptions(device="cpu", precision="fp32")


def resolved(folder) -> ResolvedModel:
    return ResolvedModel.at(folder, tiny.METHOD, sketch.METHOD)


@pytest.fixture
def folder(tmp_path):
    tiny.write(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def sharpen(folder):
    return Pipeline(SUPERRES, resolved(folder), CPU)


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
        Pipeline(SUPERRES, resolved(folder), CPU)


SALIENCY = Task(
    name="saliency",
    summary="which pixels matter",
    unsupported_reason=lambda facts: None,
    slots=(Slot("image", "photo"),),
    outputs={"record": "record"},
    options="tiny:NoOptions",
    function="tiny:saliency",
    needs_gradients=True,
)


def test_a_task_may_differentiate_through_the_generator(folder):
    pipe = Pipeline(SALIENCY, resolved(folder), CPU)
    total = pipe(photo(12, 10))["total"]
    image = (torch.from_numpy(photo(12, 10)).permute(2, 0, 1)[None].float() / 255).requires_grad_()
    tiny.trained_networks()["generator"](image).sum().backward()
    assert total == pytest.approx(float(image.grad.abs().sum()), rel=1e-4)
    assert pipe.placement.precision == "fp32"


def test_a_model_that_a_training_replaced_since_it_was_found_is_read_again(folder):
    found = resolved(folder)
    tiny.write(folder, seed=1)
    newer = Pipeline(SUPERRES, found, CPU)
    assert newer.resolved == resolved(folder) != found
    assert (newer(photo()).pixels == Pipeline(SUPERRES, resolved(folder), CPU)(photo()).pixels).all()
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="not a safetensors file"):
        Pipeline(SUPERRES, resolved(folder), CPU)


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
    pipe = Pipeline(SUPERRES, resolved(folder), LoadOptions(device="cpu", precision="bf16"))
    expected = Pipeline(SUPERRES, resolved(folder), CPU)(photo())

    class Overflowing:
        def generate(self, source):
            raise NonFiniteError("the network gave NaN or infinity on cpu in bf16")

    pipe.model = gansdk.Model(tiny.FACTS, generator=Overflowing())
    notes = []
    call, reading = pipe.call_options(), ImageReading()
    result = pipe.run((photo(),), call, reading, Context(note=notes.append))
    assert np.array_equal(result.pixels, expected.pixels)
    assert notes == ["bf16 gave no finite result; computing once more in fp32"]


def test_a_network_that_gives_nan_in_fp32_is_one_error(folder):
    broken = tiny.trained_networks()
    nn.init.constant_(broken["generator"][0].bias, float("nan"))
    write_model(folder, tiny.METHOD, Export(tiny.FACTS, {"width": 8}, broken))
    with pytest.raises(NonFiniteError, match="NaN or infinity"):
        Pipeline(SUPERRES, resolved(folder), CPU)(photo())


class Place(os.PathLike):
    """A path that is neither a text nor a Path."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


def test_an_image_is_the_same_however_it_is_given(sharpen, tmp_path):
    array = photo()
    PILImage.fromarray(array).save(tmp_path / "a.png")
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    expected = sharpen(array).pixels
    with (tmp_path / "a.png").open("rb") as file:
        for given in (
            str(tmp_path / "a.png"),
            Place(tmp_path / "a.png"),
            (tmp_path / "a.png").read_bytes(),
            io.BytesIO((tmp_path / "a.png").read_bytes()),
            file,
            PILImage.fromarray(array),
            array / 255,
            (array / 255).astype(np.float32),
            tensor,
            (tensor / 255).requires_grad_(),
            gansdk.Image(array),
        ):
            assert np.array_equal(sharpen(given).pixels, expected)


def test_several_at_once_are_each_what_it_is_alone(sharpen):
    arrays = [photo(), photo(20, 30), photo(9, 50)]
    alone = [sharpen(array).pixels for array in arrays]
    for batch in (arrays, tuple(arrays)):
        together = sharpen(batch)
        assert isinstance(together, list)
        assert all(np.array_equal(a.pixels, b) for a, b in zip(together, alone, strict=True))
    stacked = np.stack([photo()] * 2)
    for batch in (stacked, stacked / 255, torch.from_numpy(stacked).permute(0, 3, 1, 2)):
        assert [np.array_equal(one.pixels, alone[0]) for one in sharpen(batch)] == [True, True]
    gallery = gansdk.Gallery(stacked, 2)
    assert [one.pixels.shape for one in sharpen(gallery)] == [(80, 100, 3)] * 2
    assert sharpen([]) == []


def test_which_of_several_is_wrong_is_named(sharpen, tmp_path):
    with pytest.raises(InputError, match=r"input \[1\]: list is not an image"):
        sharpen([photo(), [1, 2]])
    with pytest.raises(InputError, match=r"input \[1\]: floats from 0 to 255"):
        sharpen([photo(), np.array([[0.0, 255.0]])])
    with pytest.raises(InputError, match="there is no file gone"):
        sharpen([photo(), "gone"])
    with pytest.raises(OptionError, match="superres takes photo; 2 given"):
        sharpen([photo()], [photo()])
    with pytest.raises(OptionError, match="superres takes photo; 2 given"):
        sharpen([photo()], photo())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (io.StringIO("text"), "gives text; open it in binary mode"),
        (torch.zeros(30, 40, 3), "channels come first in a tensor"),
        (3, "int is not an image; give a path, bytes, a binary file object, a Pillow image, a numpy array or a tensor"),
        (np.array([[np.nan]]), "floats from nan to nan are not an image"),
    ],
)
def test_what_is_no_image_says_what_would_be(sharpen, given, said):
    with pytest.raises(InputError, match=said):
        sharpen(given)


def test_a_closed_file_is_one_error(sharpen):
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(InputError, match="cannot read the given stream"):
        sharpen(closed)


@pytest.fixture
def encode(tmp_path):
    sketch.write(tmp_path / "sketch")
    return Pipeline(ENCODE, resolved(tmp_path / "sketch"), CPU)


def test_readings_of_several_have_the_notes_of_each(encode):
    plain = np.random.default_rng(0).integers(0, 256, (10, 8), dtype=np.uint8)
    large = np.random.default_rng(0).integers(0, 256, (20, 16), dtype=np.uint8)
    batch = [plain, large, plain]
    told = []
    readings = encode(batch, batch=2, progress=lambda done, total: told.append((done, total)))
    assert [len(one.notes) for one in readings] == [0, 1, 0]
    assert readings[1].notes[0].startswith("input [1]: fitted")
    for reading, image in zip(readings, batch, strict=True):
        alone = encode(image)
        assert all(np.allclose(reading[name], alone[name], atol=1e-6) for name in alone)
    assert told == [(0, 3), (2, 3), (3, 3)]


def test_a_notebook_shows_a_reading_as_a_table(encode):
    reading = encode(np.zeros((20, 16), np.uint8))
    table = reading._repr_html_()
    assert table.startswith("<table><tr><th>class</th><td>")
    assert f"<td>{reading.notes[0]}</td>" in table


def test_progress_is_told_between_tiles_and_ends_at_the_end(sharpen):
    told = []
    sharpen(photo(), tile=32, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 2000)
    assert told[-1] == (2000, 2000)
    assert len(told) > 3
    assert told == sorted(told)
    told.clear()
    sharpen([photo(), photo()], tile=32, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 2)
    assert told[-1] == (2, 2)
    assert told == sorted(told)
    assert any(0 < done < 1 for done, _ in told)


class Stopped(Exception):
    pass


def test_what_progress_raises_ends_the_call_and_comes_out_of_it(sharpen):
    def stop(done, total):
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        sharpen(photo(), tile=32, progress=stop)
    with pytest.raises(Stopped):
        sharpen([photo(), photo()], progress=stop)
    sharpen(photo())  # it goes on as if nothing had been


@pytest.mark.parametrize("given", [photo(), [photo()] * 5], ids=["one", "several"])
def test_a_call_is_cancelled_from_another_thread(sharpen, given):
    cancel, told = threading.Event(), []

    def watch(done, total):
        told.append(done / total)
        thread = threading.Thread(target=cancel.set)
        if len(told) == 2:
            thread.start()
            thread.join()

    with pytest.raises(CancelledError, match="the call was cancelled"):
        sharpen(given, tile=32, progress=watch, cancel=cancel)
    assert len(told) == 2
    with pytest.raises(CancelledError):
        sharpen("there is no such file", cancel=cancel)
    cancel.clear()
    sharpen(given, cancel=cancel)


def test_a_device_may_be_torchs_own(folder):
    for device in (torch.device("cpu"), torch.device("cpu", 0), "cpu"):
        assert LoadOptions(device=device).device == "cpu"
    assert LoadOptions(device=torch.device("cuda", 1)).device == "cuda:1"
    with pytest.raises(OptionError, match="no device"):
        gansdk.pipeline("superres", Place(folder), device=torch.device("meta"))


def test_a_pipeline_says_in_a_line_what_it_is(sharpen):
    assert repr(sharpen).startswith("<Pipeline superres with ")
    for value in (sharpen, sharpen.model, sharpen.resolved, sharpen.resolved.config):
        assert len(repr(value)) < 300
