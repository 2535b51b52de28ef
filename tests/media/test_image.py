import io

import numpy as np
import pytest
from PIL import Image as PILImage
from sample_images import SRGB, exif_with, pil_image

from gansdk.errors import InputError, OptionError, OutputError, OutputExistsError, UnknownNameError
from gansdk.media.image import Image, to_8_bits
from gansdk.media.reading import read_image
from gansdk.options import ImageReading


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 2), (4, 5, 3), (4, 5, 4)])
def test_arrays_in_and_out(dtype, shape):
    array = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)
    image = Image.from_array(array)
    channels = shape[2] if len(shape) == 3 else 1
    assert image.pixels.shape == (4, 5, 1 if channels < 3 else 3)
    assert (image.width, image.height, image.bits) == (5, 4, 8 * array.itemsize)
    assert (image.alpha is not None) == (channels in {2, 4})
    assert np.array_equal(np.asarray(image), array.reshape(4, 5, channels))
    assert np.asarray(image, np.float32).dtype == np.float32


def test_another_byte_order_and_layout_are_made_ordinary():
    array = np.arange(24, dtype=">u2").reshape(4, 6)[:, ::-2]
    image = Image.from_array(array)
    assert image.pixels.dtype.isnative
    assert image.pixels.flags.c_contiguous
    assert np.array_equal(image.pixels[:, :, 0], array)


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
def test_numbers_that_are_no_image_are_refused(array):
    with pytest.raises(InputError):
        Image.from_array(array)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(16, 16), (8, 16, 2), (8, 8, 4)])
def test_floats_from_0_to_1_are_the_numbers_that_they_were_made_of(kind, shape):
    whole = np.arange(256).repeat(np.prod(shape) // 256).reshape(shape).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.from_array(whole / 255)), np.atleast_3d(whole))
    image = Image.from_array((whole / 255).astype(kind))
    assert np.array_equal(np.asarray(image), np.atleast_3d(whole))
    assert Image.from_array(np.array([[-1e-6, 1 + 1e-6]], np.float32)).pixels.tolist() == [[[0], [255]]]


def test_tensors_have_their_channels_first():
    torch = pytest.importorskip("torch")
    whole = torch.arange(96, dtype=torch.uint8).reshape(4, 4, 6)
    for tensor in (whole, (whole / 255).requires_grad_(), (whole / 255).double(), (whole / 255).bfloat16()):
        array = np.asarray(Image.from_tensor(tensor))
        assert np.abs(array.transpose(2, 0, 1).astype(int) - whole.numpy()).max() <= (tensor.dtype == torch.bfloat16)
    assert Image.from_tensor(whole[0]).pixels.shape == (4, 6, 1)
    with pytest.raises(InputError, match=r"channels come first in a tensor; give it permute\(2, 0, 1\)"):
        Image.from_tensor(torch.zeros(20, 30, 3))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_image_is_a_tensor_of_one_item_from_0_to_1(channels, dtype):
    torch = pytest.importorskip("torch")
    array = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (4, 5, channels), dtype, endpoint=True)
    tensor = Image.from_array(array).to_tensor()
    assert (tensor.dtype, tensor.shape, tensor.device.type) == (torch.float32, (1, channels, 4, 5), "cpu")
    expected = array.astype(np.float64) / np.iinfo(dtype).max
    assert np.allclose(tensor[0].numpy().transpose(1, 2, 0), expected, rtol=0, atol=1e-7)


def test_every_8_bit_number_comes_back_from_a_tensor():
    torch = pytest.importorskip("torch")
    array = np.arange(256, dtype=np.uint8).reshape(8, 8, 4)
    image = Image.from_array(array)
    assert np.array_equal(np.asarray(Image.from_tensor(image.to_tensor())), array)
    assert image.to_tensor("meta").device == torch.device("meta")
    with pytest.raises(InputError, match="is a batch, not an image; give one of its items"):
        Image.from_tensor(torch.zeros(2, 3, 4, 5))


def test_alpha_must_fit():
    with pytest.raises(InputError, match="does not fit"):
        Image(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint16))
    with pytest.raises(InputError, match="does not fit"):
        Image(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3), np.uint8))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_pillow_images_in_and_out(mode):
    source = pil_image(mode)
    back = Image.from_pil(source).to_pil()
    assert back.mode == mode
    assert back.tobytes() == source.tobytes()


def test_deep_images_as_pillow_images():
    grey = np.array([[0, 1000, 65535]], np.uint16)
    assert np.array_equal(np.asarray(Image.from_array(grey).to_pil()), grey)
    colours = np.array([[[0, 257, 65535]]], np.uint16)
    assert np.asarray(Image.from_array(colours).to_pil()).tolist() == [[[0, 1, 255]]]


def test_metadata_travels_with_the_pillow_image():
    image = Image.from_array(np.zeros((2, 2, 3), np.uint8)).replace(exif=exif_with(1), icc=SRGB)
    assert image.to_pil().info == {"exif": exif_with(1), "icc_profile": SRGB}
    with pytest.raises(TypeError):
        image.replace(pixel=image.pixels)


def test_saving_takes_typed_options(tmp_path):
    image = Image.from_array(np.full((2, 3), 7, np.uint8))
    path = image.save(str(tmp_path / "x.png"))
    assert np.array_equal(read_image(path, ImageReading(), print).pixels, image.pixels)
    with pytest.raises(UnknownNameError, match="did you mean quality") as caught:
        image.save(tmp_path / "y.png", qualty=3)
    assert caught.value.exit_code == 2
    with pytest.raises(OptionError, match=r"quality '101' is not one of 1\.\.100"):
        image.save(tmp_path / "y.png", quality=101)
    with pytest.raises(OutputExistsError):
        image.save(path)
    assert image.save(path, on_exists="rename") == tmp_path / "x-2.png"
    assert image.save(path, on_exists="skip") == path
    assert sorted(one.name for one in tmp_path.iterdir()) == ["x-2.png", "x.png"]


def test_a_file_object_takes_what_a_file_would(tmp_path):
    image = Image.from_array(np.asarray(pil_image("RGB")))
    image.save(tmp_path / "a.png")
    file = io.BytesIO()
    assert image.save(file) is None
    assert file.getvalue() == (tmp_path / "a.png").read_bytes()
    image.save(tmp_path / "a.webp", quality=50)
    assert image.to_bytes("webp", quality=50) == (tmp_path / "a.webp").read_bytes()
    with (tmp_path / "named.jpg").open("wb") as named:
        image.save(named)
    assert (tmp_path / "named.jpg").read_bytes() == image.to_bytes("jpg")
    with (tmp_path / "without").open("wb") as named:
        image.save(named)
    assert (tmp_path / "without").read_bytes() == image.to_bytes()


def test_what_takes_no_bytes_is_one_error(tmp_path):
    image = Image.from_array(np.asarray(pil_image("RGB")))
    (tmp_path / "there").write_bytes(b"")
    closed = io.BytesIO()
    closed.close()
    with (tmp_path / "text").open("w") as text, (tmp_path / "there").open("rb") as to_read:
        for file in (text, to_read, closed):
            with pytest.raises(OutputError, match="give a file that is open for writing in binary mode"):
                image.save(file)
    with pytest.raises(OptionError, match="format 'bmp' is not one of"):
        image.to_bytes("bmp")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_a_notebook_shows_it_and_never_more_than_fits(mode):
    small = Image.from_pil(PILImage.new(mode, (6, 5)))
    with PILImage.open(io.BytesIO(small._repr_png_())) as shown:
        assert shown.size == (6, 5)
    large = Image.from_pil(PILImage.new(mode, (3000, 600)))
    with PILImage.open(io.BytesIO(large._repr_png_())) as shown:
        assert (shown.format, shown.width) == ("PNG", 1024)


def test_repr_says_what_it_is():
    assert repr(Image.from_array(np.zeros((2, 3, 4), np.uint16))) == "<Image 'array' 3×2 16-bit RGB with alpha>"


def test_16_bits_are_rounded_to_8():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(to_8_bits(every), np.rint(every / 257).astype(np.uint8))
    assert to_8_bits(to_8_bits(every)).dtype == np.uint8


def test_an_image_with_a_guess_is_refused_where_strict():
    notes = []
    Image.from_pil(pil_image("CMYK"), note=notes.append)
    assert len(notes) == 1
    with pytest.raises(InputError, match="CMYK"):
        Image.from_pil(pil_image("CMYK"), strict=True)


def test_a_saved_image_opens_in_pillow():
    buffer = io.BytesIO()
    Image.from_pil(pil_image("RGBA")).to_pil().save(buffer, "PNG")
    with PILImage.open(buffer) as opened:
        assert opened.tobytes() == pil_image("RGBA").tobytes()
