"""``encode``: what a model reads off an image, written once for every encoder."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import sketch
import torch

from gansdk import Categorical, Context, Continuous, Facts, Image
from gansdk.errors import ComputationError, InputError, UnknownNameError
from gansdk.models.latents import Encoding
from gansdk.models.loading import load_model
from gansdk.tasks.encode import ENCODE, EncodeOptions, run, run_many, unsupported_reason
from gansdk.tasks.generate import GENERATE


@pytest.fixture
def encode(sketched):
    return sketched(ENCODE)


def image(seed: int = 0, height: int = 10, width: int = 8, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def test_only_a_model_with_an_encoder_fits():
    assert unsupported_reason(sketch.FACTS) is None
    assert unsupported_reason(Facts()) == "it has no encoder"


def test_the_parts_are_those_of_the_network(encode):
    found = encode(image())
    network = load_model(encode.resolved).networks["recogniser"]
    with torch.no_grad():
        said = network(torch.from_numpy(image()).float().reshape(1, 80) / 255)[0]
    assert list(found) == ["class", "style", "features"]
    np.testing.assert_allclose(found["class"], said[:3].softmax(0), atol=1e-6)
    np.testing.assert_allclose(found["style"], said[3:5].tanh(), atol=1e-6)
    assert found.label("class") == ["zero", "one", "two"][int(said[:3].argmax())]


def test_it_shows_in_a_line_what_was_read(encode):
    found = encode(image())
    first, second = found["style"]
    likeliest = f"{found.label('class')} ({found['class'].max():.0%})"
    assert repr(found) == f"<Encoding class={likeliest}, style=[{first:.3g}, {second:.3g}], features=[5]>"


def test_what_was_done_to_a_image_stands_with_what_was_read(encode):
    assert encode(image()).notes == ()
    large, empty = image(height=20, width=16, channels=3), np.zeros((10, 8), np.uint8)
    found = encode(Image.from_array(large, name="large.png"))
    assert found.notes == ("large.png: made grey, fitted from 16×20 into 8×10",)
    assert "notes" not in found.record()
    assert encode(empty).notes == ("the given array: all of one colour, so what is read off it means nothing",)


def test_a_record_has_labels_and_every_digit_of_float32(encode):
    found = encode(image())
    record = found.record()
    assert list(record) == ["generator", "class", "style", "features"]
    assert record["generator"] == encode.fingerprint()
    assert record["class"]["label"] == found.label("class")
    assert record["class"]["index"] == int(found["class"].argmax())
    np.testing.assert_array_equal(np.array(record["class"]["probabilities"], np.float32), found["class"])
    np.testing.assert_array_equal(np.array(record["features"], np.float32), found["features"])


def test_one_part_alone(encode):
    assert list(encode(image(), variable="style")) == ["style"]
    with pytest.raises(UnknownNameError, match="no variable 'stile'; did you mean style"):
        encode(image(), variable="stile")
    with pytest.raises(UnknownNameError, match="this model gives class, style, features"):
        encode(image(), variable="hair")


def test_many_give_what_each_gives_alone(encode):
    model, images = encode.model, [Image.from_array(image(seed)) for seed in range(5)]
    with torch.inference_mode():
        together = run_many(model, [{"image": one} for one in images], EncodeOptions(), Context())
        for one, found in zip(images, together, strict=True):
            alone = run(model, {"image": one}, EncodeOptions(), Context())
            for name in alone:
                np.testing.assert_allclose(found[name], alone[name], atol=1e-6)


def test_other_images_are_brought_to_what_the_encoder_takes_or_refused(encode):
    large = image(height=40, width=32, channels=3)
    assert set(encode(large)) == {"class", "style", "features"}
    with pytest.raises(InputError, match=r"the model takes 8×10 pixels, grey; it is 32×40, RGB"):
        encode(large, strict=True)
    deep = image().astype(np.uint16) * 257
    np.testing.assert_allclose(encode(deep)["style"], encode(image())["style"], atol=1e-6)


def test_an_encoder_that_does_not_give_what_it_declares_is_found_out(encode):
    class Liar:
        def encode(self, data, /):
            return {"class": torch.zeros(len(data), 4)}

    model = dataclasses.replace(encode.model, encoder=Liar())
    with pytest.raises(ComputationError, match="declares class as 1×3 and gave 1×4"):
        run(model, {"image": Image.from_array(image())}, EncodeOptions(variable="class"), Context())
    with pytest.raises(ComputationError, match="declares style as 1×2 and gave nothing"):
        run(model, {"image": Image.from_array(image())}, EncodeOptions(variable="style"), Context())


def test_what_it_reads_is_a_latent_again(encode, sketched, tmp_path):
    read = [encode(image(seed)) for seed in range(4)]
    arrays = {name: np.stack([one[name] for one in read]) for name in ("class", "style")}
    whose = np.array([encode.fingerprint()] * 4)  # one for each record, as `gansdk map encode` writes them
    np.savez(tmp_path / "read.npz", noise=np.zeros((4, 4), np.float32), generator=whose, **arrays)
    gallery = sketched(GENERATE)(latents=tmp_path / "read.npz")
    assert len(gallery) == 4
    np.testing.assert_array_equal(gallery.arrays["class"], arrays["class"])


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([0.01, 0.98, 0.01], "class three: .98"),
        ([0.47, 0.04, 0.49], "class eight or one: .49, .47"),
        ([0.4, 0.25, 0.35], "class one or eight or three: .40, .35, .25"),
        ([0.0, 1.0, 0.0], "class three: 1.00"),
    ],
)
def test_what_it_is_not_sure_of_is_said(shares, said):
    variables = (Categorical(name="class", k=3, labels=("one", "three", "eight")), Continuous(name="style", n=2))
    numbers = {"class": np.float32(shares), "style": np.float32([-0.312, 1.2])}
    found = Encoding(variables, numbers)
    assert found.words() == f"{said}; style -0.312 1.2"


def test_features_are_for_searching_and_not_for_reading(encode):
    assert list(encode(image()).record()) == ["generator", "class", "style", "features"]
    assert list(encode(image()).shown()) == ["class", "style"]
    assert list(encode(image(), variable="features").shown()) == ["features"]
    assert encode(image()).words().endswith("; 5 features, which --variable features prints")
