import io
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import ImageCms
from PIL.ExifTags import IFD
from sample_images import SRGB, camera_exif, encoded, exif_with, pil_image, quietly

from gansdk.errors import InputError, OutputError, OutputExistsError
from gansdk.media.encoding import write_webp
from gansdk.media.image import Image
from gansdk.media.writing import check_fits, write_image
from gansdk.options import ImageWriting

ENDINGS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tiff": "TIFF"}


def image(channels=3, dtype=np.uint8, size=(40, 30)):
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    numbers = np.dstack([rows * (3 + n) + columns * 2 for n in range(channels)]) % 256
    return Image.from_array((numbers * (257 if dtype == np.uint16 else 1)).astype(dtype), name="source")


def write(source, target, provenance=None, **options):
    notes = []
    place = write_image(source, target, ImageWriting(**options), notes.append, provenance=provenance)
    return place, notes


# --- formats ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_image_into_every_format(tmp_path, ending, dtype, channels):
    source = image(channels, dtype)
    place, notes = write(source, tmp_path / f"x.{ending}", quality=100, background="white" if ending == "jpg" else None)
    is_reduced = dtype == np.uint16 and (ending in {"jpg", "webp"} or (ending == "tiff" and channels == 2))
    assert notes == (
        [f"source: {ending} holds 8 bits per channel here; the result's 16 are rounded"] if is_reduced else []
    )
    with PILImage.open(place) as opened:
        assert opened.format == ENDINGS[ending]
    back = quietly(place)
    assert back.bits == (8 if is_reduced else 8 * np.dtype(dtype).itemsize)
    assert (back.width, back.height) == (source.width, source.height)
    assert (back.alpha is None) == (source.alpha is None or ending == "jpg")
    if ending != "jpg":
        shown = np.asarray(back).astype(float) / np.iinfo(back.pixels.dtype).max
        wanted = np.asarray(source).astype(float) / np.iinfo(dtype).max
        assert np.abs(shown[:, :, -1] - wanted[:, :, -1]).max() <= 1 / 255
        assert np.abs(shown[:, :, :1] - wanted[:, :, :1]).max() <= 1 / 255
    assert (back.pixels.shape[2] == 1) == (channels < 3 and ending != "webp")


def test_quality_and_full_colour_of_jpeg(tmp_path):
    sizes = {}
    for quality in (50, 89, 90, 100):
        place, _ = write(image(), tmp_path / f"{quality}.jpg", quality=quality)
        with PILImage.open(place) as opened:
            opened.load()
            assert opened.layer[0][1:3] == ((1, 1) if quality >= 90 else (2, 2))
            assert "progressive" not in opened.info
        sizes[quality] = place.stat().st_size
    assert sizes[50] < sizes[89] < sizes[90] < sizes[100]


def test_noise_that_jpeg_makes_longer_than_it_was(tmp_path):
    noise = Image(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8))
    assert write(noise, tmp_path / "x.jpg", quality=100)[0].stat().st_size > noise.pixels.nbytes


def test_webp_at_quality_100_keeps_every_number(tmp_path):
    source = image(4)
    place, _ = write(source, tmp_path / "x.webp", quality=100)
    assert np.array_equal(np.asarray(quietly(place)), np.asarray(source))
    place, _ = write(source, tmp_path / "y.webp", quality=99)
    assert not np.array_equal(np.asarray(quietly(place)), np.asarray(source))


@pytest.mark.parametrize(("ending", "longest"), [("webp", 16383), ("jpg", 65500)])
def test_the_longest_side_is_known_before_work(ending, longest):
    check_fits(image(), ending, ImageWriting(), (longest, 1))
    with pytest.raises(OutputError, match=f"{longest + 1}×1 pixels are too many for {ending}") as caught:
        check_fits(image(), ending, ImageWriting(), (longest + 1, 1))
    assert "png" in caught.value.hint
    check_fits(image(), "png", ImageWriting(), (longest + 1, 1))
    check_fits(image(), "tiff", ImageWriting(), (longest + 1, 1))
    long = Image(np.zeros((1, longest, 1), np.uint8))
    assert write(long, io.BytesIO(), format=ending) == (None, [])


def test_more_than_tiff_can_address_is_known_before_work():
    check_fits(image(), "tiff", ImageWriting(), (30_000, 40_000))
    with pytest.raises(OutputError, match="40000×40000 pixels are too many for tiff") as caught:
        check_fits(image(), "tiff", ImageWriting(), (40_000, 40_000))
    assert "png" in caught.value.hint
    check_fits(image(), "png", ImageWriting(), (40_000, 40_000))


def test_what_the_encoder_of_webp_refuses_is_one_line():
    # What an image shows is too much for the format near 100 megapixels only; a long side is a quick stand-in.
    with pytest.raises(OutputError, match="webp cannot hold 16384×1 pixels at quality 92"):
        write_webp(Image(np.zeros((1, 16384, 3), np.uint8)), io.BytesIO(), 92)


def test_transparent_images_ask_for_a_background_where_jpg_has_none(tmp_path):
    source = image(4)
    for call in (
        lambda: check_fits(source, "jpg", ImageWriting()),
        lambda: write(source, tmp_path / "x.jpg"),
    ):
        with pytest.raises(InputError, match="source is transparent and jpg cannot be") as caught:
            call()
        assert 'background="white"' in caught.value.hint
    assert list(tmp_path.iterdir()) == []
    check_fits(source, "jpg", ImageWriting(background="white"))
    opaque = source.replace(alpha=np.full((30, 40), 255, np.uint8))
    place, _ = write(opaque, tmp_path / "x.jpg")
    assert quietly(place).alpha is None


def test_a_background_goes_behind_in_every_format(tmp_path):
    source = Image(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))
    for ending in ENDINGS:
        place, _ = write(source, tmp_path / f"x.{ending}", background="#ff8000", quality=100)
        back = quietly(place)
        assert back.alpha is None
        assert np.abs(back.pixels.astype(int) - [255, 128, 0]).max() <= 2


# --- metadata ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_metadata_is_kept_or_stripped_and_colour_stays(tmp_path, ending):
    source = image().replace(exif=exif_with(1), icc=SRGB)
    kept = quietly(write(source, tmp_path / f"kept.{ending}", provenance="gansdk 1 ref")[0])
    exif = PILImage.Exif()
    exif.load(kept.exif)
    assert exif[0x010F] == "Maker"
    assert exif.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
    assert kept.icc == SRGB
    place, _ = write(source, tmp_path / f"stripped.{ending}", metadata="strip", provenance="gansdk 1 ref")
    stripped = quietly(place)
    assert (stripped.exif, stripped.icc) == (None, SRGB)
    assert b"gansdk 1 ref" not in place.read_bytes()
    assert b"gansdk 1 ref" in (tmp_path / f"kept.{ending}").read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_camera_said_survives_from_jpeg(tmp_path, ending):
    photo = encoded(pil_image("RGB"), "JPEG", exif=camera_exif(orientation=6))
    with PILImage.open(io.BytesIO(photo)) as opened:
        assert (0x0201 in opened.getexif().get_ifd(IFD.IFD1), opened.width) == (True, 23)
    place, notes = write(quietly(photo), tmp_path / f"x.{ending}", provenance="gansdk 1 ref")
    assert notes == []
    for _ in range(2):  # read as it stands, then once more from what was written of that
        with PILImage.open(place) as opened:
            exif = opened.getexif()
            part, gps, interop = (exif.get_ifd(one) for one in (0x8769, 0x8825, 0xA005))
            assert (opened.width, exif.get(0x0112, 1), exif.get_ifd(IFD.IFD1)) == (14, 1, {})
            assert opened.info.get("Software", exif.get(0x0131)) == "gansdk 1 ref"
        assert (exif[0x010F], exif[0x0110]) == ("Maker of cameras", "Model 5")
        assert exif[0x013B].encode("latin-1").decode() == "Jürgen"
        assert (part[0x9003], part[0x829A], part[0x9204]) == ("2024:05:06 07:08:09", 1 / 250, -1.5)
        assert (part[0x927C], part[0x9286]) == (b"private\0note" * 9, b"ASCII\0\0\0a comment")
        assert part[0xA432][3].denominator == 0
        assert interop == {1: "R98"}
        assert (gps[1], gps[2]) == ("N", (52, 31, 12.25))
        assert not {0xA002, 0xA003} & set(part)
        if ending != "tiff":
            assert not {0x0100, 0x0101, 0x02BC} & set(exif)
        back = quietly(place)
        assert b"\xff\xd8\xff" not in back.exif
        place, _ = write(back, tmp_path / f"again.{ending}", provenance="gansdk 1 ref", on_exists="overwrite")


@pytest.mark.parametrize("ending", ENDINGS)
def test_provenance_without_other_metadata(tmp_path, ending):
    place, _ = write(image(), tmp_path / f"x.{ending}", provenance="gansdk 1 ref")
    with PILImage.open(place) as opened:
        opened.load()
        assert opened.info.get("Software", opened.getexif().get(0x0131)) == "gansdk 1 ref"


def test_exif_of_a_caller_is_made_true_first(tmp_path):
    place, _ = write(image().replace(exif=exif_with(6)), tmp_path / "x.jpg")
    assert quietly(place).width == 40
    place, notes = write(image().replace(exif=b"rubbish"), tmp_path / "y.jpg")
    assert quietly(place).exif is None
    assert "damaged" in notes[0]


def test_exif_too_long_for_jpg_is_left_out_with_a_note(tmp_path):
    exif = PILImage.Exif()
    exif[0x010F] = "x" * 66000
    source = image().replace(exif=exif.tobytes())
    place, notes = write(source, tmp_path / "x.jpg", provenance="gansdk")
    assert "too long for jpg" in notes[0]
    assert b"xxxx" not in (quietly(place).exif or b"")
    assert b"xxxx" in quietly(write(source, tmp_path / "x.png")[0]).exif
    nearly = PILImage.Exif()
    nearly[0x010F] = "x" * (65533 - 50)
    place, notes = write(image().replace(exif=nearly.tobytes()), tmp_path / "y.jpg", provenance="gansdk")
    assert notes == []
    assert b"xxxx" in quietly(place).exif


def test_grey_in_webp_is_converted_through_its_profile(tmp_path):
    linear = linear_grey_profile()
    source = Image(np.full((8, 8, 1), 55, np.uint8), icc=linear)
    back = quietly(write(source, tmp_path / "x.webp", quality=100)[0])
    assert back.icc is None
    wanted = 255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055)  # sRGB's curve for this much light
    assert np.abs(back.pixels - wanted).max() <= 2
    assert quietly(write(source, tmp_path / "x.png")[0]).icc == linear


def linear_grey_profile():
    """An ICC profile (version 2) for grey whose numbers are proportional to light."""

    def text(signature, body):
        return signature + bytes(4) + body

    curve = text(b"curv", (0).to_bytes(4))
    white = text(b"XYZ ", b"".join(round(v * 65536).to_bytes(4) for v in (0.9642, 1.0, 0.8249)))
    words = text(b"desc", (2).to_bytes(4) + b"g\0" + bytes(78 + 4))
    rights = text(b"text", b"none\0")
    tags, body, at = b"", b"", 128 + 4 + 12 * 4
    for name, content in ((b"desc", words), (b"cprt", rights), (b"wtpt", white), (b"kTRC", curve)):
        tags += name + (at + len(body)).to_bytes(4) + len(content).to_bytes(4)
        body += content + bytes(-len(content) % 4)
    whole = (4).to_bytes(4) + tags + body
    header = (128 + len(whole)).to_bytes(4) + b"lcms" + b"\2\x10\0\0" + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    header += bytes(28) + b"".join(round(v * 65536).to_bytes(4) for v in (0.9642, 1.0, 0.8249))
    profile = header.ljust(128, b"\0") + whole
    ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return profile


# --- where it goes ----------------------------------------------------------------------------------------------


def test_what_happens_where_something_stands(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(b"old")
    with pytest.raises(OutputExistsError) as caught:
        write(image(), path)
    assert 'on_exists="overwrite"' in caught.value.hint
    assert write(image(), path, on_exists="skip") == (None, [])
    assert path.read_bytes() == b"old"
    assert write(image(), path, on_exists="rename")[0] == tmp_path / "x-2.png"
    assert write(image(), path, on_exists="rename")[0] == tmp_path / "x-3.png"
    assert write(image(), path, on_exists="overwrite")[0] == path
    assert quietly(path).width == 40


@pytest.mark.parametrize("on_exists", ["error", "skip", "rename", "overwrite"])
def test_a_file_that_comes_meanwhile_is_not_lost(tmp_path, monkeypatch, on_exists):
    path = tmp_path / "x.png"

    def write_while_another_comes(_image, file, software):
        path.write_bytes(b"came first")
        file.write(b"whole")

    monkeypatch.setattr("gansdk.media.encoding.write_png", write_while_another_comes)
    if on_exists == "error":
        with pytest.raises(OutputExistsError):
            write(image(), path)
    else:
        place, _ = write(image(), path, on_exists=on_exists)
        assert place == {"skip": None, "rename": tmp_path / "x-2.png", "overwrite": path}[on_exists]
    assert path.read_bytes() == (b"whole" if on_exists == "overwrite" else b"came first")
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        write(image(), tmp_path, on_exists="overwrite")
    with pytest.raises(OutputError, match="there is no folder"):
        write(image(), tmp_path / "absent" / "x.png")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="is not a folder"):
        write(image(), tmp_path / "file" / "x.png")


def drain(descriptor):
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()


@pytest.mark.parametrize("ending", ENDINGS)
def test_streams_get_whole_images(ending):
    buffer = io.BytesIO()
    assert write(image(), buffer, format=ending) == (None, [])
    assert quietly(buffer.getvalue()).width == 40
    read_end, write_end = os.pipe()
    received = []
    reader = threading.Thread(target=lambda: received.append(drain(read_end)))
    reader.start()
    with os.fdopen(write_end, "wb") as pipe:
        write(image(), pipe, format=ending)
    reader.join()
    assert received == [buffer.getvalue()]


def test_a_stream_that_fails():
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OutputError, match="No space left"):  # noqa: PTH123
        write(image(), full)
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb", buffering=0) as pipe, pytest.raises(BrokenPipeError):
        write(image(), pipe)


NOISE = (
    "import sys; import numpy as np; from pathlib import Path; from gansdk.media.image import Image\n"
    "from gansdk.errors import OutputError\n"
    "noise = np.random.default_rng(0).integers(0, 2**BITS, (HEIGHT, 1000, 3), f'uint{BITS}')\n"
)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_leaves_nothing(tmp_path, ending, bits):
    code = NOISE.replace("HEIGHT", "400").replace("BITS", str(bits)) + (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: Image.from_array(noise).save(sys.argv[1])\n"
        "except OutputError as error: print(error.message)"
    )
    path = tmp_path / f"x.{ending}"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == f"cannot write {path}: File too large\n"
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", [None, b"the old file"])
def test_a_killed_process_leaves_no_half_image(tmp_path, before):
    path = tmp_path / "x.png"
    if before is not None:
        path.write_bytes(before)
    code = (
        NOISE.replace("HEIGHT", "8000").replace("BITS", "8")
        + "Image.from_array(noise).save(sys.argv[1], on_exists='overwrite')"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path])
    try:
        while not any(one.stat().st_size > 1_000_000 for one in tmp_path.glob(".*")):
            assert process.poll() is None, "it was done before it could be killed"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (path.read_bytes() if path.exists() else None) == before
    assert {one.name for one in tmp_path.iterdir() if not one.name.startswith(".")} == ({"x.png"} if before else set())
