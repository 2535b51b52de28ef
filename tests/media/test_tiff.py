"""Pages of TIFF files, each for itself."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image as PILImage
from sample_images import pil_image, quietly, read, refused, scene

FLOAT, DEEP = np.linspace(0, 1, 60, dtype=np.float32).reshape(4, 5, 3), (scene().astype(np.uint16) * 257)


def written(*pages, **options):
    """A TIFF file of arrays; each may come with options of its own."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **options) as file:
        for page in pages:
            array, own = page if isinstance(page, tuple) else (page, {})
            file.write(array, photometric=own.pop("photometric", "rgb"), metadata=None, **own)
    return buffer.getvalue()


@pytest.mark.parametrize(("order", "is_big"), [("<", False), ("<", True), (">", False)])
@pytest.mark.parametrize("array", [scene(), DEEP], ids=["8 bits", "16 bits"])
def test_a_page_that_cannot_be_read_spoils_only_itself(array, order, is_big):
    for pages in ([array, FLOAT], [FLOAT, array], [FLOAT, FLOAT, array, FLOAT]):
        content = written(*pages, byteorder=order, bigtiff=is_big)
        assert f"frame=0 to {len(pages) - 1}" in refused(content, f"has {len(pages)} pages").hint
        for n, page in enumerate(pages):
            if page is array:
                assert np.array_equal(quietly(content, frame=n).pixels, array)
            else:
                refused(content, "floating-point numbers, whose range is not stated", frame=n)


def test_packed_pages_behind_one_that_cannot_be_read(tmp_path):
    frames = [pil_image("RGB", seed) for seed in range(2)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw")
    content = bytearray(buffer.getvalue())
    at = content.index(struct.pack("<HHI", 262, 3, 1))  # the first page's colours become unknown
    content[at + 8] = 77
    (tmp_path / "x.tif").write_bytes(content)
    assert np.array_equal(quietly(tmp_path / "x.tif", frame=1).pixels, np.asarray(frames[1]))
    refused(tmp_path / "x.tif", "not supported", frame=0)


@pytest.mark.parametrize("kind", [{"subfiletype": 1}, {"subfiletype": 2 | 1}, {"extratags": [(255, 3, 1, 2, True)]}])
def test_reduced_copies_and_masks_are_no_choice(kind):
    big, small = scene(), scene()[::2, ::2].copy()
    content = written(big, (small, dict(kind)), (small[::2].copy(), dict(kind)))
    assert np.array_equal(quietly(content).pixels, big)
    refused(content, "has no page 1; it has 1", frame=1)
    two = written((small, dict(kind)), big, big[::-1].copy())
    refused(two, "has 2 pages")
    assert np.array_equal(quietly(two, frame=1).pixels, big[::-1])


def test_a_raw_file_gives_its_reduced_copy_with_a_note():
    content = written((scene(), {"subfiletype": 1, "subifds": 1}), (scene(1)[:, :, 0], {"photometric": "minisblack"}))
    image, notes = read(content)
    assert np.array_equal(image.pixels, scene())
    assert "only a reduced copy" in notes[0]
    refused(content, "only a reduced copy", strict=True)


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.full((4, 5), -6, np.int8), "signed numbers"),
        (np.full((4, 5, 3), -6, np.int8), "signed numbers"),
        (np.full((4, 5), -6, np.int16), "signed numbers"),
        (np.full((4, 5, 3), -6, np.int16), "signed numbers"),
        (np.zeros((4, 5), np.float64), "floating-point numbers"),
        (np.zeros((4, 5, 3), np.float16), "floating-point numbers"),
        (np.zeros((4, 5), np.complex64), "complex numbers"),
    ],
)
def test_numbers_that_are_no_pixels_are_not_taken_for_some(array, what):
    photometric = "rgb" if array.ndim == 3 else "minisblack"
    refused(written((array, {"photometric": photometric})), f"holds {what}, whose range is not stated")


def test_more_channels_than_a_colour_has(capfd):
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    refused(written((np.ones((4, 5, 8), np.uint8), options)), "holds 8 channels, whose colours are not stated")
    assert capfd.readouterr().err == ""


def retagged(content, tag, value):
    """A TIFF file with another number under a tag of its first directory."""
    data = bytearray(content)
    at = data.index(struct.pack("<HHI", tag, 3, 1))
    struct.pack_into("<H", data, at + 8, value)
    return bytes(data)


CMYKA = np.dstack([scene(4), scene(1)])
UNSUPPORTED = {
    "CMYK with alpha": (
        written((CMYKA, {"photometric": "separated", "extrasamples": ["unassalpha"]})),
        "8-bit CMYK with alpha",
    ),
    "Zstd": (retagged(written(DEEP), 259, 50000), "16-bit RGB with Zstd compression"),
    "JPEG XL": (retagged(written(scene()), 259, 50002), "8-bit RGB with JPEG XL compression"),
    "LERC": (retagged(written(scene()), 259, 34887), "8-bit RGB with LERC compression"),
    "big-endian BigTIFF": (written(scene(), byteorder=">", bigtiff=True), "8-bit RGB in a big-endian BigTIFF file"),
    "32 bits": (written(scene().astype(np.uint32)), "32-bit RGB"),
    "raw": (written((scene(1)[:, :, 0], {"photometric": "cfa"})), "8-bit raw camera data"),
    "unknown colours": (retagged(written(scene()), 262, 77), "8-bit colours of kind 77"),
    "unknown compression": (retagged(written(scene()), 259, 4242), "8-bit RGB with unknown .4242. compression"),
}


@pytest.mark.parametrize(("content", "what"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_is_whole_but_unsupported_is_called_that(content, what):
    error = refused(content, f"is {what}, a variant of TIFF that is not supported")
    assert "damaged" not in str(error)


def test_what_is_cut_short_is_called_damaged():
    content = written(scene())
    refused(content[:-20], "cut short, damaged")
    buffer = io.BytesIO()
    PILImage.fromarray(scene()).save(buffer, "TIFF", compression="tiff_lzw")
    refused(buffer.getvalue()[:200], "cut short, damaged")
