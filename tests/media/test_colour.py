"""Colour that files state without a profile, as littleCMS sees what comes out."""

import io
import struct
import zlib

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image as PILImage
from PIL import ImageCms
from sample_images import SRGB, chunk, encoded, exif_with, quietly, raw_png, read, refused

from gansdk.media.colour import of_codes, of_gamma, profile

P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
COLOUR, ITS_SRGB = (230, 120, 60), (247, 112, 38)


def seen(image):
    """The first pixel in sRGB, through the profile that the image has."""
    pil_image = PILImage.fromarray(image.pixels[:, :, 0] if image.pixels.shape[2] == 1 else image.pixels)
    if image.icc is None:
        return pil_image.convert("RGB").getpixel((0, 0))
    given = ImageCms.ImageCmsProfile(io.BytesIO(image.icc))
    return ImageCms.profileToProfile(pil_image, given, ImageCms.createProfile("sRGB"), outputMode="RGB").getpixel(
        (0, 0)
    )


def png(*chunks, colour=COLOUR):
    return raw_png(4, 4, 8, 2, [bytes(colour) * 4] * 4, *chunks)


def grey_png(value, *chunks):
    return raw_png(4, 4, 8, 0, [bytes([value]) * 4] * 4, *chunks)


def gama(value):
    return chunk(b"gAMA", struct.pack(">I", value))


def chrm(numbers=P3):
    return chunk(b"cHRM", struct.pack(">8I", *(round(number * 100_000) for number in numbers)))


def avif(codes, **options):
    """An AVIF file that states other code points than Pillow writes."""
    content = encoded(PILImage.new("RGB", (32, 32), COLOUR), "AVIF", quality=100, subsampling="4:4:4", **options)
    at = content.index(b"nclx") + 4
    return content[:at] + struct.pack(">HH", *codes) + content[at + 4 :]


def heic(codes):
    from pillow_heif import from_pillow

    buffer = io.BytesIO()
    stated = {"color_primaries": codes[0], "transfer_characteristics": codes[1]}
    from_pillow(PILImage.new("RGB", (64, 48), COLOUR)).save(buffer, quality=100, chroma=444, **stated)
    return buffer.getvalue()


STATED = {
    "cICP": png(chunk(b"cICP", bytes([12, 13, 0, 1]))),
    "cICP before a profile": png(chunk(b"cICP", bytes([12, 13, 0, 1])), chunk(b"iCCP", b"x\0\0" + zlib.compress(SRGB))),
    "cHRM": png(chrm()),
    "gAMA and cHRM": png(gama(45455), chrm()),
    "nclx of AVIF": avif((12, 13)),
    "nclx of HEIC": heic((12, 13)),
}


@pytest.mark.parametrize("content", STATED.values(), ids=STATED)
def test_p3_without_a_profile_is_carried_over(content):
    assert seen(quietly(content, strict=True)) == pytest.approx(ITS_SRGB, abs=3 if b"ftyp" in content[:12] else 1)


def test_p3_in_a_tiff_file(tmp_path):
    ratio = [(round(number * 10000), 10000) for number in P3]
    tags = [(318, 5, 2, sum(ratio[:2], ()), True), (319, 5, 6, sum(ratio[2:], ()), True)]
    tifffile.imwrite(tmp_path / "x.tif", np.full((4, 4, 3), COLOUR, np.uint8), photometric="rgb", extratags=tags)
    assert seen(quietly(tmp_path / "x.tif")) == pytest.approx(ITS_SRGB, abs=1)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tiff"])
def test_the_result_has_it_in_every_format(tmp_path, ending):
    place = quietly(STATED["cICP"]).save(tmp_path / f"x.{ending}", quality=100)
    with PILImage.open(place) as opened:
        given = ImageCms.ImageCmsProfile(io.BytesIO(opened.info["icc_profile"]))
        converted = ImageCms.profileToProfile(opened, given, ImageCms.createProfile("sRGB"))
        assert converted.getpixel((0, 0)) == pytest.approx(ITS_SRGB, abs=3)


@pytest.mark.parametrize("content", [png(gama(100_000), colour=(128,) * 3), grey_png(128, gama(100_000))])
def test_linear_light(content):
    assert seen(quietly(content, strict=True)) == (188, 188, 188)


def test_video_of_linear_light_by_code():
    assert seen(quietly(png(chunk(b"cICP", bytes([1, 8, 0, 1])), colour=(128,) * 3))) == (188, 188, 188)


SRGB_ALIKE = {
    "sRGB": chunk(b"sRGB", b"\0") + gama(45455) + chrm(),  # which goes before gAMA and cHRM
    "gAMA": gama(45455),
    "gAMA 0.45": gama(45000),
    "cHRM": chrm((0.3127, 0.3290, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)),
    "cICP": chunk(b"cICP", bytes([1, 13, 0, 1])),
    "cICP of video": chunk(b"cICP", bytes([1, 1, 0, 1])),
    "cICP unspecified": chunk(b"cICP", bytes([2, 2, 0, 1])),
}


@pytest.mark.parametrize("chunks", SRGB_ALIKE.values(), ids=SRGB_ALIKE)
def test_what_amounts_to_srgb_gets_no_profile(chunks):
    assert quietly(png(chunks), strict=True).icc is None


def test_a_profile_goes_before_gamma_and_chromaticities():
    profiled = encoded(PILImage.new("RGB", (4, 4), COLOUR), "PNG", icc_profile=SRGB)
    content = profiled[:33] + gama(100_000) + chrm() + profiled[33:]
    assert quietly(content).icc == SRGB


@pytest.mark.parametrize(("code", "name"), [(16, "PQ"), (18, "HLG")])
@pytest.mark.parametrize(
    "make", [lambda c: png(chunk(b"cICP", bytes([*c, 0, 1]))), avif, heic], ids=["png", "avif", "heic"]
)
def test_hdr_is_said_and_refused_with_strict(code, name, make):
    _, notes = read(make((9, code)))
    assert f"it is HDR ({name})" in notes[0]
    assert "leave out strict" in refused(make((9, code)), f"HDR .{name}", strict=True).hint


@pytest.mark.parametrize("numbers", [(0,) * 8, (0.3127, 0.3290, *(0.64, 0.33) * 3), (0.1, 0.05, *P3[2:])])
def test_impossible_colours_are_left_out_with_a_note(numbers):
    image, notes = read(png(chrm(numbers)))
    assert image.icc is None
    assert "impossible" in notes[0]
    refused(png(chrm(numbers)), "impossible", strict=True)


def segments(*parts):
    return [b"\xff\xe2" + struct.pack(">H", len(part) + 14) + b"ICC_PROFILE\0" + part for part in parts]


def test_a_profile_that_lacks_a_segment_is_left_out_with_a_note():
    plain = encoded(PILImage.new("RGB", (16, 16), COLOUR), "JPEG", quality=95)
    half = len(SRGB) // 2
    first, second = segments(b"\1\2" + SRGB[:half], b"\2\2" + SRGB[half:])
    assert quietly(plain[:2] + first + second + plain[2:]).icc == SRGB
    for rest in (first, second):
        image, notes = read(plain[:2] + rest + plain[2:])
        assert image.icc is None
        assert "colour profile lacks a part" in notes[0]
        refused(plain[:2] + rest + plain[2:], "colour profile", strict=True)


def test_a_profile_of_png_that_cannot_be_unpacked_is_left_out_with_a_note():
    content = png(chunk(b"iCCP", b"x\0\0rubbish"))
    assert "iCCP" in read(content)[1][0]
    refused(content, "iCCP", strict=True)


def test_adobe_rgb_as_cameras_state_it():
    exif = PILImage.Exif()
    exif.get_ifd(0x8769)[0xA001] = 65535
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    content = encoded(PILImage.new("RGB", (16, 16), (100, 200, 100)), "JPEG", quality=100, subsampling=0, exif=exif)
    # Adobe RGB (1998) by its specification: gamma 563/256, matrices in closed form.
    linear = (np.array([100, 200, 100]) / 255) ** (563 / 256)
    adobe = np.array([[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]])
    srgb = np.array([[3.24045, -1.53714, -0.49853], [-0.96927, 1.87601, 0.04156], [0.05564, -0.20403, 1.05723]])
    light = np.clip(srgb @ adobe @ linear, 0, 1)
    expected = 255 * np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    assert seen(quietly(content)) == pytest.approx(expected, abs=2)
    assert quietly(encoded(PILImage.new("RGB", (16, 16)), "JPEG", exif=exif_with(1))).icc is None


@pytest.mark.parametrize("colour", [(230, 120, 60), (10, 200, 30), (250, 250, 250), (0, 0, 255)])
def test_the_profile_of_p3_agrees_with_that_of_libvips(colour):
    theirs = ImageCms.ImageCmsProfile(io.BytesIO(bytes(pyvips.Image.profile_load("p3"))))
    ours = ImageCms.ImageCmsProfile(io.BytesIO(profile(of_codes(12, 13), 3)))
    one = PILImage.new("RGB", (1, 1), colour)
    left, right = (
        ImageCms.profileToProfile(one, given, ImageCms.createProfile("sRGB")).getpixel((0, 0))
        for given in (ours, theirs)
    )
    assert left == pytest.approx(right, abs=2)  # theirs is shorter, its curve a table


def test_the_same_colour_gives_the_same_bytes():
    assert profile(of_gamma(P3, 0.5), 3) == profile(of_gamma(P3, 0.5), 3)
