"""A published model with what it makes of an image, by another engine: the whole way, as a user goes it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from command import Gansdk
from PIL import Image as PILImage
from skimage import data as photographs

import gansdk
from gansdk_srgan import METHOD

REFERENCE = Path(os.environ.get("GANSDK_DATA", "absent")).parent / "reference"
NAME = "realesr-animevideov3-x4"
TOLERANCE = 1e-4

pytestmark = pytest.mark.skipif(
    not (REFERENCE / f"{NAME}.pth").is_file(),
    reason="the published model is not here; GANSDK_DATA names the folder beside it",
)


@pytest.fixture(scope="module", params=["pth", "safetensors"])
def model(request, tmp_path_factory):
    """It, imported by the installed command."""
    folder = tmp_path_factory.mktemp("public")
    command = Gansdk(home=folder / "home", cwd=folder)
    done = command("import", REFERENCE / f"{NAME}.{request.param}", "-o", "model", "--licence", "BSD-3-Clause")
    assert done.code == 0, done.err
    assert "SRVGGNetCompact of Real-ESRGAN" in done.err
    assert "channels 3, scale 4, features 64, convolutions 16" in done.err
    return folder / "model"


def expected():
    return np.load(REFERENCE / "expected.npy")


def test_in_fp32_it_gives_the_expected_numbers(model):
    from gansdk.models.loading import load_model
    from gansdk.models.resolved import ResolvedModel

    network = load_model(ResolvedModel.at(model, METHOD)).networks["generator"]
    image = torch.from_numpy(np.array(PILImage.open(REFERENCE / "input.png"))).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        numbers = network(image).clamp(0, 1)[0].permute(1, 2, 0).numpy()
    assert np.abs(numbers - expected()).max() <= TOLERANCE


def test_run_superres_writes_them_rounded(model):
    command = Gansdk(home=model.parent / "home", cwd=model.parent)
    place = model.parent / "large.png"
    done = command(
        "run", "superres", REFERENCE / "input.png", "-m", "./model/", "-o", place, "--precision", "fp32",
        "--on-exists", "overwrite",
    )  # fmt: skip
    assert done.code == 0, done.err
    with PILImage.open(place) as large:
        difference = np.abs(np.asarray(large) / 255 - expected())
    assert difference.max() <= 0.5 / 255 + TOLERANCE


def test_tiled_it_is_bit_for_bit_the_whole(model):
    sharpen = gansdk.pipeline("superres", model=model, device="cpu", precision="fp32")
    photo = photographs.chelsea()[:171, 100:307]
    whole = sharpen(photo, tile="off").pixels
    for tile in (100, 128):  # with rims of 18, windows of 64 pixels and more at the ends too
        assert np.array_equal(sharpen(photo, tile=tile).pixels, whole)


def test_where_bf16_was_measured_it_keeps_to_the_gate(model):
    config = gansdk.pipeline("superres", model=model, device="cpu").resolved.config
    if "bf16" not in config.facts.safe_precisions:
        pytest.skip("this CPU does not compute in bf16, so it was not measured")
    photo = photographs.coffee()[100:180, 200:300]
    full, reduced = (
        gansdk.pipeline("superres", model=model, device="cpu", precision=one)(photo).pixels.astype(int)
        for one in ("fp32", "bf16")
    )
    assert np.percentile(np.abs(full - reduced), 99.9) <= 2
