"""``generate``: images out of nothing, written once for every generator from a latent."""

from __future__ import annotations

import numpy as np
import pytest
import sketch
import torch
from PIL import Image as PILImage

from gansdk import Facts, ImageGeneratorFacts, ImageOutput, ImageSource
from gansdk.errors import InputError, NotApplicableError, OptionError, UnknownNameError
from gansdk.models.loading import load_model
from gansdk.tasks.generate import GENERATE, GenerateOptions, extent, pieces, unsupported_reason


@pytest.fixture
def generate(sketched):
    return sketched(GENERATE)


def test_only_a_generator_from_a_latent_fits():
    enlarging = ImageGeneratorFacts(source=ImageSource(), output=ImageOutput(), receptive_field=0)
    assert unsupported_reason(sketch.FACTS) is None
    assert unsupported_reason(Facts()) == "it has no generator"
    assert unsupported_reason(Facts(generator=enlarging)) == "its generator does not start from a latent"


def test_images_are_those_of_their_latents(generate):
    gallery = generate(n=3, seed=5)
    network = load_model(generate.resolved).networks["generator"]
    latent = {name: torch.from_numpy(array) for name, array in gallery.arrays.items()}
    with torch.no_grad():
        expected = sketch.Decoder(network).generate(latent).permute(0, 2, 3, 1) * 255
    np.testing.assert_allclose(gallery.pixels, expected.numpy(), atol=0.51)
    assert gallery.pixels.shape == (3, 10, 8, 1)


def test_the_first_ten_of_a_hundred_are_the_ten(generate):
    ten, hundred, later = generate(n=10, seed=1), generate(n=100, seed=1), generate(n=5, first=7, seed=1)
    np.testing.assert_array_equal(ten.pixels, hundred.pixels[:10])
    np.testing.assert_array_equal(later.pixels, hundred.pixels[7:12])
    assert not np.array_equal(generate(n=10, seed=2).pixels, ten.pixels)


def test_codes_are_held_and_all_else_stays(generate):
    free, held = generate(n=4), generate(n=4, set={"class": "two", "style.1": -1.5})
    assert (held.arrays["class"] == 2).all()
    assert (held.arrays["style"][:, 1] == -1.5).all()
    np.testing.assert_array_equal(held.arrays["noise"], free.arrays["noise"])
    assert np.array_equal(generate(n=4, set={"class": 2, "style.1": "-1.5"}).pixels, held.pixels)


@pytest.mark.parametrize(
    "style",
    [
        [1, -0.5],
        (1, -0.5),
        np.array([1, -0.5], np.float32),
        [np.float64(1), np.float32(-0.5)],
        torch.tensor([1, -0.5]),
        "1,-0.5",
    ],
)
@pytest.mark.parametrize("category", [2, 2.0, np.int64(2), np.float32(2), [2], "two"])
def test_codes_are_set_to_what_python_has_for_numbers(generate, style, category):
    held = generate(n=2, set={"style": style, "class": category}).arrays
    np.testing.assert_array_equal(held["style"], np.array([[1, -0.5]] * 2, np.float32))
    assert held["class"].tolist() == [2, 2]


def test_latents_that_were_kept_give_the_same_images(generate, tmp_path):
    gallery = generate(n=20, seed=9)
    gallery.save(tmp_path / "kept.npz")
    np.testing.assert_array_equal(generate(latents=tmp_path / "kept.npz").pixels, gallery.pixels)
    np.testing.assert_array_equal(generate(latents=tmp_path / "kept.npz", first=3, n=2).pixels, gallery.pixels[3:5])


def test_another_models_latents_are_refused(generate, sketched, tmp_path):
    generate(n=2).save(tmp_path / "kept.npz")
    with pytest.raises(NotApplicableError, match="latents of another generator"):
        sketched(GENERATE, seed=1)(latents=tmp_path / "kept.npz")


def test_weights_of_a_category_are_a_latent_too(generate, tmp_path):
    gallery = generate(n=3)
    one_hot = np.eye(3, dtype=np.float32)[gallery.arrays["class"]]
    np.savez(tmp_path / "weights.npz", **{**gallery.arrays, "class": one_hot}, **gallery.notes)
    np.testing.assert_array_equal(generate(latents=tmp_path / "weights.npz").pixels, gallery.pixels)


def test_latents_that_do_not_say_whose_they_are_have_to_be_allowed(generate, tmp_path):
    gallery = generate(n=3)
    np.savez(tmp_path / "bare.npz", **gallery.arrays)
    with pytest.raises(NotApplicableError, match=r"does not say which generator.*any_generator=True"):
        generate(latents=tmp_path / "bare.npz")
    found = generate(latents=tmp_path / "bare.npz", any_generator=True)
    np.testing.assert_array_equal(found.pixels, gallery.pixels)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"set": {"clas": 1}}, "there is no code 'clas'"),
        ({"set": {"class": 3}}, "class takes one of"),
        ({"set": {"class": 1.5}}, "class takes one of"),
        ({"set": {"style": [[1, 0], [0, 1]]}}, "style takes 2 numbers"),
        ({"set": {"style": [1, 0, 1]}}, "style takes 2 numbers"),
        ({"n": 0}, "n '0' is not one of"),
        ({"n": 1_000_001}, "is not one of"),
        ({"truncation": 0}, "truncation '0' is not one of"),
        ({"latents": "x.npz", "truncation": 1}, "latents and truncation exclude each other"),
    ],
)
def test_wrong_options_are_refused(generate, options, said):
    with pytest.raises(OptionError, match=said):
        generate(**options)


def test_an_option_that_is_not_there_is_answered_with_those_that_are(generate):
    every = "any_generator, columns, first, latents, n, seed, set, truncation"
    with pytest.raises(UnknownNameError, match=f"there is no option 'm'; there are {every}$"):
        generate(m=4)
    with pytest.raises(UnknownNameError, match=r"there is no option 'colums'; did you mean columns\?$"):
        generate(colums=4)


def test_wrong_files_of_latents_are_refused(generate, tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        generate(latents=tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(InputError, match=r"not a complete \.npz file"):
        generate(latents=tmp_path / "text.npz")
    np.savez(tmp_path / "pickled.npz", noise=np.array([{}], object))
    with pytest.raises(InputError, match=r"not a complete \.npz file"):
        generate(latents=tmp_path / "pickled.npz")
    generate(n=4).save(tmp_path / "four.npz")
    with pytest.raises(OptionError, match="holds 4 latents, not 3 from number 2 on"):
        generate(latents=tmp_path / "four.npz", first=2, n=3)


def test_pieces_are_the_whole():
    found = list(pieces(GenerateOptions(n=600, first=10, seed=3)))
    assert [(call.first, call.n, call.seed) for call, _ in found] == [(10, 256, 3), (266, 256, 3), (522, 88, 3)]
    assert [number for _, numbers in found for number in numbers] == list(range(10, 610))


def test_a_grid_shows_all_of_them(generate, tmp_path):
    gallery = generate(n=7, columns=3)
    gallery.save(tmp_path / "grid.png")
    with PILImage.open(tmp_path / "grid.png") as image:
        shown = np.asarray(image)
    zoom = 7  # 8 pixels are brought to 56
    bottom_right = shown[-10 * zoom :, shown.shape[1] - 3 * 8 * zoom - 4 :][:, : 8 * zoom]
    np.testing.assert_array_equal(bottom_right[::zoom, ::zoom], gallery.pixels[6, :, :, 0])


@pytest.mark.parametrize("call", [{"n": 5}, {"n": 7, "columns": 9}, {"n": 3, "columns": 1, "first": 1000}])
def test_how_large_the_grid_will_be_is_known_before(generate, call):
    grid = generate(**call).grid()
    assert extent(sketch.FACTS, GenerateOptions(**call), "image", None) == (grid.width, grid.height)
    assert extent(sketch.FACTS, GenerateOptions(**call), "folder", None) == (8, 10)
