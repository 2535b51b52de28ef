"""What only a machine with a CUDA GPU can show. ``pytest tests/test_gpu.py`` there; elsewhere it is skipped."""

import hashlib

import adversary
import numpy as np
import pytest
import torch
from PIL import Image as PILImage

import gansdk as sdk
from gansdk.models.runtime import plain_arithmetic
from gansdk.training import trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")

LATENTS = ("infogan-mnist", "infogan-fashion")


@pytest.fixture
def photo():
    rng = np.random.default_rng(0)
    coarse = PILImage.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
    return np.asarray(coarse.resize((160, 120), PILImage.Resampling.BICUBIC))


def on_both(task, model, *inputs, **options):
    """What a shipped model gives on a CPU and on a GPU."""
    pipelines = (sdk.pipeline(task, f"builtin:{model}", device=one, precision="fp32") for one in ("cpu", "cuda"))
    return tuple(pipeline(*inputs, **options) for pipeline in pipelines)


def assert_alike(on_cpu, on_gpu):
    """Pixels that differ by a step of 8 bits at most, and hardly ever by that."""
    apart = np.abs(on_cpu.pixels.astype(int) - on_gpu.pixels.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3


def test_auto_takes_it_and_doctor_names_it(gansdk):
    assert "device cuda:0" in gansdk("doctor").out


@pytest.mark.parametrize("transposed", [False, True])
def test_a_convolution_in_fp32_is_one(transposed):
    torch.manual_seed(0)
    images, kernel = torch.randn(8, 64, 32, 32), torch.randn(64, 64, 4, 4)
    convolve = torch.nn.functional.conv_transpose2d if transposed else torch.nn.functional.conv2d
    exact = convolve(images.double(), kernel.double())
    with plain_arithmetic(torch.device("cuda")):
        ours = convolve(images.cuda(), kernel.cuda()).cpu().double()
    assert (ours - exact).norm() / exact.norm() < 1e-6


@pytest.mark.parametrize("model", ["srresnet-x4", "srgan-x4"])
def test_a_photo_comes_out_as_on_a_cpu(model, photo):
    assert_alike(*on_both("superres", model, photo))


@pytest.mark.parametrize("model", LATENTS)
def test_samples_come_out_as_on_a_cpu(model):
    assert_alike(*on_both("generate", model, n=100, seed=1))


@pytest.mark.parametrize("model", LATENTS)
def test_samples_repeat_themselves_and_do_not_depend_on_how_many_are_asked_for(model):
    pipeline = sdk.pipeline("generate", f"builtin:{model}", device="cuda")
    ten, again, hundred = (pipeline(n=n, seed=1).pixels for n in (10, 10, 100))
    assert np.array_equal(ten, again)
    assert np.array_equal(ten, hundred[:10])


@pytest.mark.parametrize("model", LATENTS)
def test_codes_are_read_as_on_a_cpu(model):
    digit = sdk.pipeline("generate", f"builtin:{model}", device="cpu")(n=1, seed=2).pixels[0]
    on_cpu, on_gpu = on_both("encode", model, digit)
    for part in ("class", "style", "features"):
        assert np.allclose(on_cpu[part], on_gpu[part], rtol=1e-4, atol=1e-5)


def test_a_photo_too_large_for_the_memory_that_there_is_comes_out_in_tiles(gansdk):
    """A process that may take so little runs out of memory in the middle of a tile that was planned for all of it."""
    code = """
import numpy as np, torch, gansdk
photo = np.random.default_rng(0).integers(0, 256, (640, 640, 3), np.uint8)
whole = gansdk.pipeline("superres", "builtin:srresnet-x4", device="cuda", precision="fp32")(photo).pixels
torch.cuda.empty_cache()
torch.cuda.set_per_process_memory_fraction(2**30 / torch.cuda.get_device_properties(0).total_memory)
tiled = gansdk.pipeline("superres", "builtin:srresnet-x4", device="cuda", precision="fp32")(photo).pixels
print(np.abs(whole.astype(int) - tiled.astype(int)).max())
"""
    assert int(gansdk.python(code)) <= 1


def weights(run):
    return hashlib.sha256((run / "model" / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_training_repeats_itself_and_resumes_to_the_same_weights(tmp_path, precision):
    photos = str(adversary.write_images(tmp_path / "photos"))

    def train(name, steps):
        options = {"steps": steps, "width": 32}
        trainer.train(
            adversary.METHOD,
            "small",
            tmp_path / name,
            data={"photos": photos},
            options=options,
            device="cuda",
            precision=precision,
        )

    train("one", 40)
    train("other", 40)
    train("half", 20)
    trainer.resume(tmp_path / "half", methods={"tiny": adversary.METHOD}, steps=40)
    assert weights(tmp_path / "one") == weights(tmp_path / "other") == weights(tmp_path / "half")


def test_infogan_resumes_to_the_same_weights(gansdk, tmp_path):
    """Transposed convolutions and batch-norm, whose gradients have no order unless one is asked for."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for at in range(256):
        PILImage.fromarray(rng.integers(0, 256, (28, 28), np.uint8)).save(tmp_path / "images" / f"{at}.png")
    common = ("train", "infogan", "--config", "small", "--data", tmp_path / "images", "--device", "cuda")
    for name, steps in (("one", 60), ("other", 60), ("half", 30)):
        done = gansdk(*common, "--set", f"steps={steps}", "-o", tmp_path / name)
        assert done.code == 0, done.err
    assert gansdk("resume", tmp_path / "half", "--steps", 60).code == 0
    assert weights(tmp_path / "one") == weights(tmp_path / "other") == weights(tmp_path / "half")
