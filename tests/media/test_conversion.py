import io
import struct
import threading
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image as PILImage
from PIL import ImageCms, ImageOps, PngImagePlugin
from sample_images import SIZE, SRGB, chunk, deep, encoded, exif_with, pil_image, quietly, raw_png, read

from gansdk.errors import InputError

# --- what comes out of each mode and kind ---------------------------------------------------------------------

EXACT = [
    *[(mode, "PNG", {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")],
    *[(mode, "TIFF", {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")],
    *[(mode, "TIFF", {"compression": "tiff_lzw"}) for mode in ("L", "RGB", "RGBA")],
    *[(mode, "WEBP", {"lossless": True, "exact": True}) for mode in ("RGB", "RGBA")],
    *[(mode, "BMP", {}) for mode in ("1", "L", "P", "RGB")],
    *[(mode, "PPM", {}) for mode in ("1", "L", "RGB")],
    ("P", "GIF", {}),
]


@pytest.mark.parametrize(("mode", "kind", "options"), EXACT)
def test_lossless_files_give_the_numbers_that_went_in(mode, kind, options):
    source = pil_image(mode)
    image = quietly(encoded(source, kind, **options))
    wanted = {"1": "L", "P": "RGB"}.get(mode, mode)
    expected = np.asarray(source.convert(wanted)).reshape(SIZE[1], SIZE[0], -1)
    assert np.array_equal(np.asarray(image), expected)
    assert (image.alpha is not None) == (mode in {"LA", "RGBA"})
    assert (image.width, image.height, image.bits) == (*SIZE, 8)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"quality": 95}), ("AVIF", {})])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossy_files_give_what_pillow_decodes(mode, kind, options):
    content = encoded(pil_image(mode), kind, **options)
    with PILImage.open(io.BytesIO(content)) as reference:
        wanted = "L" if reference.mode == "L" else "RGB"
        assert np.array_equal(
            np.asarray(quietly(content)), np.asarray(reference.convert(wanted)).reshape(SIZE[1], SIZE[0], -1)
        )


@pytest.mark.parametrize("mode", ["La", "RGBa", "RGBX", "PA", "YCbCr", "HSV", "CMYK", "LAB"])
def test_other_modes_of_pillow_images(mode):
    if mode == "LAB":
        to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        smooth = PILImage.linear_gradient("L").resize(SIZE).convert("RGB")
        image, _ = read(ImageCms.applyTransform(smooth, to_lab))
        assert np.abs(image.pixels.astype(int) - np.asarray(smooth)).max() <= 3
        return
    source = pil_image(mode)
    image, notes = read(source)
    wanted = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}.get(mode, "RGB")
    assert np.array_equal(np.asarray(image), np.asarray(source.convert(wanted)))
    assert bool(notes) == (mode == "CMYK")


def test_a_palette_with_transparency_becomes_rgb_with_alpha():
    source = pil_image("P")
    for transparency in (7, bytes(range(0, 250, 5))):
        image = quietly(encoded(source, "PNG", transparency=transparency))
        with PILImage.open(io.BytesIO(encoded(source, "PNG", transparency=transparency))) as reference:
            assert np.array_equal(np.asarray(image), np.asarray(reference.convert("RGBA")))
    gif = quietly(encoded(source, "GIF", transparency=7))
    assert np.array_equal(gif.alpha == 0, np.asarray(source) == 7)


@pytest.mark.parametrize(("bits", "step"), [(1, 255), (2, 85), (4, 17), (8, 1)])
def test_a_grey_that_png_calls_transparent(bits, step):
    values = np.arange(8) % 2**bits
    packed = b"".join(format(value, f"0{bits}b").encode() for value in values)
    row = int(packed, 2).to_bytes(len(packed) // 8)
    image = quietly(raw_png(8, 1, bits, 0, [row], chunk(b"tRNS", b"\0\1")))
    assert image.pixels.ravel().tolist() == (values * step).tolist()
    assert image.alpha.ravel().tolist() == [0 if value == 1 else 255 for value in values]


def test_a_colour_that_png_calls_transparent():
    row = bytes([1, 2, 3, 1, 2, 4, 1, 2, 3])
    image = quietly(raw_png(3, 1, 8, 2, [row], chunk(b"tRNS", bytes([0, 1, 0, 2, 0, 3]))))
    assert image.alpha.tolist() == [[0, 255, 0]]


# --- 16 bits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["bright", "dark"])
def test_16_bit_grey_keeps_every_bit(tmp_path, dark):
    grey = deep(dark)
    contents = [encoded(PILImage.fromarray(grey), "PNG"), encoded(PILImage.fromarray(grey), "TIFF")]
    contents.append(b"P5\n# a comment\n%d %d\n65535\n" % SIZE + grey.astype(">u2").tobytes())
    for n, order in enumerate("<>"):
        for photometric, numbers in (("minisblack", grey), ("miniswhite", 65535 - grey)):
            for compression in (None, "zlib"):
                path = tmp_path / f"{n}{photometric}{compression}.tif"
                data = numbers.astype(f"{order}u2")
                tifffile.imwrite(path, data, byteorder=order, photometric=photometric, compression=compression)
                if (order, photometric) != (">", "miniswhite"):  # Pillow knows no such file
                    contents.append(path.read_bytes())
    for content in contents:
        image = quietly(content)
        assert image.bits == 16
        assert np.array_equal(image.pixels[:, :, 0], grey)


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B"])
def test_16_bit_pillow_images_in_every_byte_order(mode):
    grey = deep()
    order = ">" if mode.endswith("B") else "<"
    source = PILImage.frombytes(mode, SIZE, grey.astype(f"{order}u2").tobytes())
    image = quietly(source)
    assert image.pixels.dtype == np.uint16
    assert image.pixels.dtype.isnative
    assert np.array_equal(image.pixels[:, :, 0], grey)


def test_a_16_bit_grey_that_png_calls_transparent():
    row = np.array([1000, 1001, 1000], ">u2").tobytes()
    image = quietly(raw_png(3, 1, 16, 0, [row], chunk(b"tRNS", struct.pack(">H", 1000))))
    assert image.pixels.ravel().tolist() == [1000, 1001, 1000]
    assert image.alpha.ravel().tolist() == [0, 65535, 0]


def test_12_bit_grey_is_stretched_to_16():
    values = [0, 1, 2048, 4095]
    packed = int("".join(f"{value:012b}" for value in values), 2).to_bytes(6)
    entries = [(256, 4), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 6)]
    table = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in entries)
    content = b"II*\0" + struct.pack("<I", 14) + packed + struct.pack("<H", len(entries)) + table + bytes(4)
    image = quietly(content)
    assert image.pixels.ravel().tolist() == [round(value * 65535 / 4095) for value in values]


def test_16_bit_colours_of_ppm_are_read_in_8_bits_with_a_note():
    numbers = np.random.default_rng(2).integers(0, 65536, (SIZE[1], SIZE[0], 3)).astype(np.uint16)
    content = b"P6\n%d %d\n65535\n" % SIZE + numbers.astype(">u2").tobytes()
    image, notes = read(content)
    assert np.abs(image.pixels.astype(float) - numbers / 257).max() <= 1
    assert [note.partition(": ")[2] for note in notes] == ["16 bits per channel are read as 8"]
    with pytest.raises(InputError, match="16 bits per channel") as caught:
        read(content, strict=True)
    assert "leave out strict" in caught.value.hint


def test_10_bit_avif_is_recognised():
    # The box that configures the codec, with its flag for more than 8 bits set (AV1-ISOBMFF 2.3.3).
    content = bytearray(encoded(pil_image("RGB"), "AVIF"))
    at = content.index(b"av1C") + 6
    assert quietly(bytes(content)).bits == 8
    content[at] |= 0x40
    with pytest.raises(InputError, match=r"10 bits per channel|damaged"):
        read(bytes(content), strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int16])
def test_numbers_without_a_known_range_are_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 5), dtype), photometric="minisblack")
    with pytest.raises(InputError, match="range is not stated") as caught:
        read(tmp_path / "x.tif")
    assert "grey" in caught.value.hint


# --- orientation and metadata -----------------------------------------------------------------------------------


FORMATS = [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("JPEG", {"quality": 95}), ("AVIF", {})]


@pytest.mark.parametrize(("kind", "options"), FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_are_baked_in_and_reset(kind, options, orientation):
    content = encoded(pil_image("RGB"), kind, exif=exif_with(orientation), **options)
    image = quietly(content)
    with PILImage.open(io.BytesIO(content)) as opened:
        opened.load()
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert (image.width < image.height) == (orientation >= 5)
    assert np.array_equal(image.pixels, expected)
    left = PILImage.Exif()
    left.load(image.exif)
    assert left.get(0x0112, 1) == 1
    assert left[0x010F] == "Maker"
    assert left.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_alpha_turns_with_its_colours(orientation):
    content = encoded(pil_image("RGBA"), "PNG", exif=exif_with(orientation))
    with PILImage.open(io.BytesIO(content)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    assert np.array_equal(np.asarray(quietly(content)), expected)


@pytest.mark.parametrize("form", ['tiff:Orientation="6"', "<tiff:Orientation>6</tiff:Orientation>"])
def test_an_orientation_in_xmp_counts_where_exif_has_none(form):
    tiff = "http://ns.adobe.com/tiff/1.0/"
    inner = f"<rdf>{form}</rdf>" if form.startswith("<") else f"<rdf {form}/>"
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:tiff="{tiff}">{inner}</x:xmpmeta>'
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet)
    turned = np.asarray(pil_image("RGB").transpose(PILImage.Transpose.ROTATE_270))
    assert np.array_equal(quietly(encoded(pil_image("RGB"), "PNG", pnginfo=text)).pixels, turned)
    webp = encoded(pil_image("RGB"), "WEBP", lossless=True, xmp=packet.encode())
    assert np.array_equal(quietly(webp).pixels, turned)
    both = encoded(pil_image("RGB"), "WEBP", lossless=True, xmp=packet.encode(), exif=exif_with(1))
    assert np.array_equal(quietly(both).pixels, np.asarray(pil_image("RGB")))


def test_exif_in_a_text_of_png():
    block = exif_with(6)
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n")
    image = quietly(encoded(pil_image("RGB"), "PNG", pnginfo=text))
    assert np.array_equal(image.pixels, np.asarray(pil_image("RGB").transpose(PILImage.Transpose.ROTATE_270)))
    assert b"Maker" in image.exif


def test_damaged_exif_is_left_out_with_a_note():
    content = encoded(pil_image("RGB"), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    image, notes = read(content)
    assert image.exif is None
    assert "EXIF data is damaged" in notes[0]
    with pytest.raises(InputError, match="EXIF"):
        read(content, strict=True)


def test_no_python_warning_escapes_and_filters_stay_as_they_were():
    corrupt = bytearray(exif_with(1))
    corrupt[-8:] = b"\xff" * 8
    struct.pack_into(">H", corrupt, 14, 999)
    contents = [
        encoded(pil_image("RGB"), "JPEG", exif=bytes(corrupt)),
        encoded(pil_image("P"), "PNG", transparency=b"\1\2"),
    ]
    filters = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=read, args=(content,)) for content in contents * 8]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert caught == []
    assert warnings.filters == filters


# --- colour -----------------------------------------------------------------------------------------------------


def grey_profile():
    """A profile for grey, made by changing what the header of another says it is for."""
    return SRGB[:16] + b"GRAY" + SRGB[20:]


@pytest.mark.parametrize(("kind", "options"), [*FORMATS, ("PNG", {"optimize": True})])
def test_a_profile_that_fits_is_kept(kind, options):
    assert quietly(encoded(pil_image("RGB"), kind, icc_profile=SRGB, **options)).icc == SRGB


def test_a_profile_for_grey_is_kept_with_grey_and_a_palette_keeps_its_rgb_profile():
    assert quietly(encoded(pil_image("L"), "PNG", icc_profile=grey_profile())).icc == grey_profile()
    assert quietly(encoded(pil_image("P"), "PNG", icc_profile=SRGB)).icc == SRGB


@pytest.mark.parametrize(
    ("mode", "profile", "text"),
    [
        ("L", SRGB, "is for RGB pixels"),
        ("RGB", grey_profile(), "is for grey pixels"),
        ("RGB", b"rubbish", "is damaged"),
    ],
    ids=["rgb for grey", "grey for rgb", "rubbish"],  # not the profiles themselves: they hold the time they were made
)
def test_a_profile_that_does_not_fit_is_left_out_with_a_note(mode, profile, text):
    image, notes = read(encoded(pil_image(mode), "TIFF", icc_profile=profile))
    assert image.icc is None
    assert text in notes[0]


def test_cmyk_without_a_profile_is_converted_by_formula_with_a_note():
    source = pil_image("CMYK")
    image, notes = read(encoded(source, "TIFF"))
    assert np.array_equal(image.pixels, np.asarray(source.convert("RGB")))
    assert "without a profile" in notes[0]
    jpeg, _ = read(encoded(source, "JPEG", quality=95))
    assert np.abs(jpeg.pixels.astype(int) - image.pixels).mean() < 12


def test_cmyk_with_a_broken_profile_is_converted_by_formula():
    broken = SRGB[:16] + b"CMYK" + SRGB[20:]
    image, notes = read(encoded(pil_image("CMYK"), "TIFF", icc_profile=broken))
    assert image.icc is None
    assert "profile is damaged" in notes[0]
    assert np.array_equal(image.pixels, np.asarray(pil_image("CMYK").convert("RGB")))
