import io

import numpy as np
import pytest
from PIL import Image
from sample_pictures import SRGB, exif_with, image

from gansdk.errors import InputError, OptionError, OutputError, OutputExistsError, UnknownNameError
from gansdk.media.image import Picture, to_8_bits
from gansdk.media.reading import read_picture
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
        np.full((4, 5), 255.0),
        np.full((4, 5), -0.1),
        np.full((4, 5), np.nan),
        np.array([[0, np.inf]]),
        np.zeros((4, 5), complex),
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


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 16), (8, 16, 2), (8, 8, 4)])
def test_floats_from_0_to_1_are_the_numbers_that_they_were_made_of(kind, shape):
    whole = np.arange(256).repeat(np.prod(shape) // 256).reshape(shape).astype(np.uint8)
    assert np.array_equal(np.asarray(Picture.from_array(whole / 255)), np.atleast_3d(whole))
    picture = Picture.from_array((whole / 255).astype(kind))
    assert np.array_equal(np.asarray(picture), np.atleast_3d(whole))
    assert Picture.from_array(np.array([[-1e-6, 1 + 1e-6]], np.float32)).pixels.tolist() == [[[0], [255]]]


def test_tensors_have_their_channels_first():
    torch = pytest.importorskip("torch")
    whole = torch.arange(96, dtype=torch.uint8).reshape(4, 4, 6)
    for tensor in (whole, (whole / 255).requires_grad_(), (whole / 255).double(), (whole / 255).bfloat16()):
        array = np.asarray(Picture.from_tensor(tensor))
        assert np.abs(array.transpose(2, 0, 1).astype(int) - whole.numpy()).max() <= (tensor.dtype == torch.bfloat16)
    assert Picture.from_tensor(whole[0]).pixels.shape == (4, 6, 1)
    with pytest.raises(InputError, match=r"channels come first in a tensor; give it permute\(2, 0, 1\)"):
        Picture.from_tensor(torch.zeros(20, 30, 3))


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


def test_a_file_object_takes_what_a_file_would(tmp_path):
    picture = Picture.from_array(np.asarray(image("RGB")))
    picture.save(tmp_path / "a.png")
    file = io.BytesIO()
    assert picture.save(file) is None
    assert file.getvalue() == (tmp_path / "a.png").read_bytes()
    picture.save(tmp_path / "a.webp", quality=50)
    assert picture.to_bytes("webp", quality=50) == (tmp_path / "a.webp").read_bytes()
    with (tmp_path / "named.jpg").open("wb") as named:
        picture.save(named)
    assert (tmp_path / "named.jpg").read_bytes() == picture.to_bytes("jpg")
    with (tmp_path / "without").open("wb") as named:
        picture.save(named)
    assert (tmp_path / "without").read_bytes() == picture.to_bytes()


def test_what_takes_no_bytes_is_one_error(tmp_path):
    picture = Picture.from_array(np.asarray(image("RGB")))
    (tmp_path / "there").write_bytes(b"")
    closed = io.BytesIO()
    closed.close()
    with (tmp_path / "text").open("w") as text, (tmp_path / "there").open("rb") as to_read:
        for file in (text, to_read, closed):
            with pytest.raises(OutputError, match="give a file that is open for writing in binary mode"):
                picture.save(file)
    with pytest.raises(OptionError, match="format 'bmp' is not one of"):
        picture.to_bytes("bmp")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_a_notebook_shows_it_and_never_more_than_fits(mode):
    small = Picture.from_image(Image.new(mode, (6, 5)))
    with Image.open(io.BytesIO(small._repr_png_())) as shown:
        assert shown.size == (6, 5)
    large = Picture.from_image(Image.new(mode, (3000, 600)))
    with Image.open(io.BytesIO(large._repr_png_())) as shown:
        assert (shown.format, shown.width) == ("PNG", 1024)


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
