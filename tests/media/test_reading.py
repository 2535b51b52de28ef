import io
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage
from sample_images import SIZE, SRGB, attempt, deep, encoded, exif_with, pil_image, quietly, raw_png, read, refused

from gansdk.errors import InputError
from gansdk.media.image import Image
from gansdk.media.reading import check_readable

# --- limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF"])
def test_the_limit_of_pixels_names_itself_and_can_be_lifted(kind):
    content = encoded(pil_image("RGB"), kind)
    pixels = SIZE[0] * SIZE[1]
    error = refused(content, f"23×14 pixels, more than {pixels - 1}", max_pixels=pixels - 1)
    assert f"max_pixels={pixels}" in error.hint
    assert read(content, max_pixels=pixels)[0].width == SIZE[0]


def test_a_bomb_is_refused_before_memory_is_taken():
    # 60000 × 60000 grey pixels would take 3.6 GB; the file has a few hundred bytes.
    bomb = raw_png(60000, 60000, 8, 0, [b"\0" * 10])
    code = (
        "import resource, sys; from gansdk.media.reading import read_image; from gansdk.options import *;"
        "import PIL.Image, PIL.PngImagePlugin, gansdk.media.conversion; from gansdk.errors import InputError\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "try: read_image(sys.stdin.buffer, ImageReading(), print)\n"
        "except InputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=bomb, capture_output=True, check=True)
    assert "60000×60000 pixels" in done.stdout.decode()
    assert done.stderr == b""


def test_pillows_own_limit_neither_hinders_nor_is_changed(monkeypatch):
    monkeypatch.setattr(PILImage, "MAX_IMAGE_PIXELS", 20)
    for kind in ("PNG", "JPEG", "TIFF", "BMP", "PPM", "AVIF"):
        assert quietly(encoded(pil_image("RGB"), kind)).width == SIZE[0]
    assert quietly(encoded(pil_image("RGB"), "TIFF", compression="tiff_lzw")).width == SIZE[0]
    for kind in ("WEBP", "GIF"):  # these decoders ask it themselves; the answer is one of our errors at worst
        content = encoded(pil_image("RGB"), kind)
        result = attempt(content)
        assert isinstance(result, Image) or "more pixels" in result.message
    assert PILImage.MAX_IMAGE_PIXELS == 20


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_zero_sizes(size):
    refused(raw_png(*size, 8, 0, []), f"has no pixels .{size[0]}×{size[1]}")
    refused(b"GIF89a" + struct.pack("<HH", *size) + b"\0\0\0;", "has no pixels")
    refused(PILImage.new("RGB", size), "has no pixels")
    refused(np.zeros((size[1], size[0], 3), np.uint8), "has no pixels")


def animated(kind, count=3):
    frames = [pil_image("RGB", seed).convert("RGB") for seed in range(count)]
    return encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )


@pytest.mark.parametrize(("kind", "word"), [("GIF", "frame"), ("PNG", "frame"), ("WEBP", "frame"), ("TIFF", "page")])
def test_several_frames_need_a_choice(kind, word):
    content = animated(kind)
    error = refused(content, f"has 3 {word}s")
    assert "frame=0 to 2" in error.hint
    refused(content, f"has no {word} 3; it has 3", frame=3)
    for frame in range(3):
        image = quietly(content, frame=frame)
        with PILImage.open(io.BytesIO(content)) as reference:
            reference.seek(frame)
            assert np.array_equal(image.pixels, np.asarray(reference.convert("RGB")))


def test_a_still_image_has_frame_0_only():
    content = encoded(pil_image("RGB"), "PNG")
    assert quietly(content, frame=0).width == SIZE[0]
    assert "leave out frame" in refused(content, "no frame 1; it has 1", frame=1).hint


def test_a_phones_photo_with_images_behind_it_is_that_photo():
    photo = pil_image("RGB")
    content = encoded(photo, "MPO", save_all=True, append_images=[pil_image("RGB", 1)], quality=95)
    with PILImage.open(io.BytesIO(content)) as opened:
        assert opened.n_frames == 2
    assert np.array_equal(quietly(content).pixels, quietly(encoded(photo, "JPEG", quality=95)).pixels)


# --- bad input --------------------------------------------------------------------------------------------------


def test_files_that_are_no_images(tmp_path):
    missing = tmp_path / "missing.png"
    assert "check its name" in refused(missing, f"there is no file {missing}").hint
    refused(tmp_path, "is a folder")
    (tmp_path / "empty.png").write_bytes(b"")
    refused(tmp_path / "empty.png", "empty.png is empty")
    refused(b"", "is empty")
    (tmp_path / "notes.png").write_text("just words\n")
    assert "PNG, JPEG" in refused(tmp_path / "notes.png", "notes.png is text by its content").hint
    (tmp_path / "noise.jpg").write_bytes(bytes(range(1, 256)))
    refused(tmp_path / "noise.jpg", "noise.jpg is not an image by its content")
    refused("nul\0byte.png", "cannot read")
    refused(42, "int is not an image")
    for path in (missing, tmp_path, tmp_path / "empty.png"):
        with pytest.raises(InputError):
            check_readable(path)
    check_readable(tmp_path / "notes.png")


def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "x.png"
    pil_image("RGB").save(path)
    pil_image("RGB").save(tmp_path / "y.png")
    path.chmod(0)
    code = (
        "import io, os, sys; from gansdk.media.reading import *; from gansdk.errors import InputError\n"
        "from gansdk.options import ImageReading\n"
        "read_image(io.BytesIO(Path(sys.argv[2]).read_bytes()), ImageReading(), print)  # imports what it needs\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "for call in (lambda p: read_image(p, ImageReading(), print), check_readable):\n"
        "    try: call(Path(sys.argv[1]))\n"
        "    except InputError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "y.png"], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("may not be read; check its permissions") == 2


@pytest.mark.parametrize(
    "start", [b"%!PS-Adobe-3.0 EPSF-3.0\n", b"8BPS\0\1", b"\0\0\1\0\1\0", b"\0\0\0\x0cjP  \r\n\x87\n"]
)
def test_formats_outside_the_list_are_not_even_tried(start):
    refused(start + bytes(500), "not an image by its content|text by its content")


def test_content_decides_and_a_wrong_ending_is_said(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(pil_image("RGB"), "JPEG"))
    image, notes = read(path)
    assert image.width == SIZE[0]
    assert notes == [f"{path}: is JPEG by its content, not what .png says; read as JPEG"]
    refused(path, "is JPEG by its content", strict=True)
    for name in ("photo", "photo.part", "photo.JPEG"):
        (tmp_path / name).write_bytes(path.read_bytes())
        quietly(tmp_path / name)


CUT = {
    "png": encoded(pil_image("RGB"), "PNG"),
    "png grey": encoded(pil_image("L"), "PNG"),
    "jpeg": encoded(pil_image("RGB"), "JPEG", quality=90),
    "progressive": encoded(pil_image("RGB"), "JPEG", quality=90, progressive=True),
    "webp": encoded(pil_image("RGB"), "WEBP"),
    "lossless webp": encoded(pil_image("RGBA"), "WEBP", lossless=True),
    "tiff": encoded(pil_image("RGB"), "TIFF"),
    "lzw tiff": encoded(pil_image("RGB"), "TIFF", compression="tiff_lzw"),
    "gif": encoded(pil_image("P"), "GIF"),
    "bmp": encoded(pil_image("RGB"), "BMP"),
    "ppm": encoded(pil_image("RGB"), "PPM"),
    "avif": encoded(pil_image("RGB"), "AVIF"),
    "16-bit png": encoded(PILImage.fromarray(deep()), "PNG"),
}


@pytest.mark.parametrize("content", CUT.values(), ids=CUT)
def test_a_file_that_was_cut_anywhere_is_refused_or_whole(content):
    whole = np.asarray(quietly(content))
    refusals = 0
    for end in range(1, len(content), max(1, len(content) // 150)):
        result = attempt(content[:end])
        if isinstance(result, InputError):
            refusals += 1
        else:
            assert np.array_equal(np.asarray(result), whole), end
    assert refusals > 80


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(CUT)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_damaged_bytes_give_a_image_or_one_line(name, changes):
    content = bytearray(CUT[name])
    for place, value in changes:
        content[int(place * len(content))] = value
    result = attempt(bytes(content), max_pixels=10**6)
    assert isinstance(result, InputError) or result.width * result.height <= 10**6


# --- sources ----------------------------------------------------------------------------------------------------


def test_every_kind_of_source_gives_the_same_image(tmp_path):
    source = pil_image("RGBA")
    content = encoded(source, "PNG")
    path = tmp_path / "blå – 写真.png"
    path.write_bytes(content)
    read_end, write_end = os.pipe()
    os.write(write_end, content)
    os.close(write_end)
    with path.open("rb") as file, os.fdopen(read_end, "rb") as pipe:
        sources = [path, str(path), content, memoryview(content), io.BytesIO(content), file, pipe, source]
        images = [quietly(one) for one in [*sources, np.asarray(source)]]
    images.append(quietly(images[0]))
    for image in images:
        assert np.array_equal(np.asarray(image), np.asarray(source))
    assert images[0].name == str(path)
    assert images[-1] is images[0]


def test_a_path_that_cannot_be_rewound(tmp_path):
    fifo = tmp_path / "fifo.png"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: Path(fifo).write_bytes(encoded(pil_image("RGB"), "PNG")))
    writer.start()
    assert np.array_equal(quietly(fifo).pixels, np.asarray(pil_image("RGB")))
    writer.join()


def test_an_endless_stream_ends():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return bytes(size)

    refused(Endless(), "is longer than", max_pixels=100)
    refused(io.StringIO("text"), "gives text")


def test_a_pillow_image_is_not_changed():
    source = pil_image("RGB")
    source.info.update(exif=exif_with(6), icc_profile=SRGB)
    before = source.copy()
    image = Image.from_pil(source, name="mine")
    assert (image.width, image.height, image.name, image.icc) == (*SIZE[::-1], "mine", SRGB)
    assert source == before


def test_an_opened_pillow_image_goes_the_way_of_a_file(tmp_path):
    pil_image("RGB").save(tmp_path / "x.jpg", exif=exif_with(8), quality=95)
    with PILImage.open(tmp_path / "x.jpg") as opened:
        image = Image.from_pil(opened)
    assert np.array_equal(image.pixels, quietly(tmp_path / "x.jpg").pixels)
    content = encoded(pil_image("RGB"), "JPEG")
    with PILImage.open(io.BytesIO(content[:-60])) as opened:
        refused(opened, "cut short")


# --- HEIC -------------------------------------------------------------------------------------------------------


def heic(mode="RGB", **options):
    from pillow_heif import from_pillow

    buffer = io.BytesIO()
    from_pillow(PILImage.linear_gradient("L").resize((64, 48)).convert(mode)).save(buffer, quality=95, **options)
    return buffer.getvalue()


def test_heic_is_read_by_its_extra():
    opens = dict(PILImage.OPEN)
    PILImage.OPEN.pop("HEIF", None)  # imageio registers it for the whole process, wherever a test has imported that
    try:
        image = quietly(heic(icc_profile=SRGB))
        assert "HEIF" not in PILImage.OPEN  # and gansdk does not
    finally:
        PILImage.OPEN.update(opens)
    expected = np.asarray(PILImage.linear_gradient("L").resize((64, 48)).convert("RGB"))
    assert np.abs(image.pixels.astype(int) - expected).max() < 12
    assert image.icc == SRGB


def test_a_turned_heic_is_turned_once():
    from pillow_heif import from_pillow

    source = PILImage.linear_gradient("L").resize((64, 48)).convert("RGB")
    buffer = io.BytesIO()
    from_pillow(source).save(buffer, quality=95, exif=exif_with(6))
    image = quietly(buffer.getvalue())
    assert (image.width, image.height) == (48, 64)
    expected = np.asarray(source.transpose(PILImage.Transpose.ROTATE_270))
    assert np.abs(image.pixels.astype(int) - expected).max() < 12


def test_heic_shows_its_main_image_and_other_ones_on_request():
    from pillow_heif import from_pillow

    heif = from_pillow(PILImage.new("RGB", (64, 48), "red"))
    heif.add_from_pillow(PILImage.new("RGB", (32, 48), "blue"))
    buffer = io.BytesIO()
    heif.save(buffer, primary_index=1)
    assert quietly(buffer.getvalue()).width == 32
    assert quietly(buffer.getvalue(), frame=0).width == 64
    refused(buffer.getvalue(), "no frame 2; it has 2", frame=2)


def test_heic_without_its_extra_says_what_to_install(monkeypatch):
    content = heic()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    error = refused(content, "is HEIC, which this installation cannot read")
    assert 'pip install "gansdk[heic]"' in error.hint


def test_a_cut_heic_is_refused():
    content = heic()
    for end in (20, len(content) // 2, len(content) - 5):
        refused(content[:end], "cut short, damaged")
