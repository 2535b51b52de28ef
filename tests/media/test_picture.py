import io

import numpy as np
import pytest
from PIL import Image
from sample_pictures import SRGB, exif_with, image

from gansdk.errors import InputError, OptionError, OutputExistsError, UnknownNameError
from gansdk.media.images import read_picture
from gansdk.media.picture import Picture, to_8_bits
from gansdk.options import PictureReading


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 2), (4, 5, 3), (4, 5, 4)])
def test_arrays_in_and_out(dtype, shape):
    array = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)
    picture = Picture.from_array(array)
    channels = shape[2] if len(shape) == 3 else 1
    assert picture.pixels.shape == (4, 5, 1 if channels < 3 else 3)
    assert (picture.width, picture.height, picture.bits) == (5, 4, 8 * array.itemsize)
    assert (picture.alpha is not None) == (channels in {2, 4})
    assert np.array_equal(np.asarray(picture), array.reshape(4, 5, channels))
    assert np.asarray(picture, np.float32).dtype == np.float32


def test_another_byte_order_and_layout_are_made_ordinary():
    array = np.arange(24, dtype=">u2").reshape(4, 6)[:, ::-2]
    picture = Picture.from_array(array)
    assert picture.pixels.dtype.isnative
    assert picture.pixels.flags.c_contiguous
    assert np.array_equal(picture.pixels[:, :, 0], array)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 5), np.float32),
        np.zeros((4, 5), bool),
        np.zeros((4, 5), np.int32),
        np.zeros(5, np.uint8),
        np.zeros((3, 4, 5), np.uint8),
        np.zeros((1, 3, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_numbers_that_are_no_picture_are_refused(array):
    with pytest.raises(InputError):
        Picture.from_array(array)


def test_alpha_must_fit():
    with pytest.raises(InputError, match="does not fit"):
        Picture(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint16))
    with pytest.raises(InputError, match="does not fit"):
        Picture(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3), np.uint8))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_pillow_images_in_and_out(mode):
    source = image(mode)
    back = Picture.from_image(source).to_image()
    assert back.mode == mode
    assert back.tobytes() == source.tobytes()


def test_deep_pictures_as_pillow_images():
    grey = np.array([[0, 1000, 65535]], np.uint16)
    assert np.array_equal(np.asarray(Picture.from_array(grey).to_image()), grey)
    colours = np.array([[[0, 257, 65535]]], np.uint16)
    assert np.asarray(Picture.from_array(colours).to_image()).tolist() == [[[0, 1, 255]]]


def test_metadata_travels_with_the_pillow_image():
    picture = Picture.from_array(np.zeros((2, 2, 3), np.uint8)).replace(exif=exif_with(1), icc=SRGB)
    assert picture.to_image().info == {"exif": exif_with(1), "icc_profile": SRGB}
    with pytest.raises(TypeError):
        picture.replace(pixel=picture.pixels)


def test_saving_takes_typed_options(tmp_path):
    picture = Picture.from_array(np.full((2, 3), 7, np.uint8))
    path = picture.save(str(tmp_path / "x.png"))
    assert np.array_equal(read_picture(path, PictureReading(), print).pixels, picture.pixels)
    with pytest.raises(UnknownNameError, match="did you mean quality") as caught:
        picture.save(tmp_path / "y.png", qualty=3)
    assert caught.value.exit_code == 2
    with pytest.raises(OptionError, match=r"quality '101' is not one of 1\.\.100"):
        picture.save(tmp_path / "y.png", quality=101)
    with pytest.raises(OutputExistsError):
        picture.save(path)
    assert picture.save(path, on_exists="rename") == tmp_path / "x-2.png"
    assert picture.save(path, on_exists="skip") == path
    assert sorted(one.name for one in tmp_path.iterdir()) == ["x-2.png", "x.png"]


def test_repr_says_what_it_is():
    assert repr(Picture.from_array(np.zeros((2, 3, 4), np.uint16))) == "<Picture 'array' 3×2 16-bit RGB with alpha>"


def test_16_bits_are_rounded_to_8():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(to_8_bits(every), np.rint(every / 257).astype(np.uint8))
    assert to_8_bits(to_8_bits(every)).dtype == np.uint8


def test_an_image_with_a_guess_is_refused_where_strict():
    notes = []
    Picture.from_image(image("CMYK"), note=notes.append)
    assert len(notes) == 1
    with pytest.raises(InputError, match="CMYK"):
        Picture.from_image(image("CMYK"), strict=True)


def test_a_saved_picture_opens_in_pillow():
    buffer = io.BytesIO()
    Picture.from_image(image("RGBA")).to_image().save(buffer, "PNG")
    with Image.open(buffer) as opened:
        assert opened.tobytes() == image("RGBA").tobytes()
