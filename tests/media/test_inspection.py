"""What is looked at before a decoder opens a file."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from sample_images import (
    SIZE,
    attempt,
    chunk,
    encoded,
    exif_with,
    greedy_exif,
    pil_image,
    quietly,
    raw_png,
    read,
    refused,
)

from gansdk.media.tiff import is_overdrawn

# --- EXIF data that declares far more than it holds --------------------------------------------------------------


def avif_with(exif):
    """Put in place afterwards: Pillow looks into EXIF data while it writes such a file, too."""
    empty = (b"Exif\0\0II*\0\x08\0\0\0\0\0" + bytes(len(exif)))[: len(exif)]
    return encoded(pil_image("RGB"), "AVIF", quality=100, exif=empty).replace(empty, exif)


def heic_with(exif):
    from pillow_heif import from_pillow

    buffer = io.BytesIO()
    from_pillow(pil_image("RGB").resize((64, 48))).save(buffer, exif=exif)
    return buffer.getvalue()


def jpeg_with(exif):
    """Pillow looks into EXIF data while it opens such a file."""
    plain = encoded(pil_image("RGB"), "JPEG", quality=95)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]


def tiff_with(exif):
    """EXIF data is a TIFF file; here with an image in front of its entries."""
    block = bytearray(exif[6:])
    order = "<" if block.startswith(b"II") else ">"
    entries = [(256, 4, 1, 2), (257, 4, 1, 2), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(277, 3, 1, 1), (278, 4, 1, 2), (279, 4, 1, 4)]
    for n, (tag, kind, count, value) in enumerate(entries):
        struct.pack_into(
            order + "HHI" + ("HH" if kind == 3 else "I"),
            block,
            10 + 12 * n,
            tag,
            kind,
            count,
            value,
            *([0] if kind == 3 else []),
        )
    return bytes(block)


CARRIERS = {
    "JPEG": jpeg_with,
    "PNG": lambda exif: encoded(pil_image("RGB"), "PNG", exif=exif),
    "PNG text": lambda exif: raw_png(
        2, 1, 8, 0, [b"ab"], chunk(b"tEXt", b"Raw profile type exif\0\nexif\n%8d\n" % len(exif) + exif.hex().encode())
    ),
    "WebP": lambda exif: encoded(pil_image("RGB"), "WEBP", lossless=True, exif=exif),
    "AVIF": avif_with,
    "HEIC": heic_with,
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("block", [greedy_exif("<", 5), greedy_exif(">", 5), greedy_exif("<", 5, inside=0x8769)])
def test_greedy_exif_data_is_left_out_before_it_is_walked(carrier, block):
    content = carrier(block)
    code = (
        "import resource, sys, time; from gansdk.media.reading import read_image; from gansdk.options import *\n"
        "import PIL.Image, PIL.ImageCms, PIL.PngImagePlugin, PIL.AvifImagePlugin, gansdk.media.conversion, pyvips\n"
        "data, started = sys.stdin.buffer.read(), time.process_time()\n"
        "image = read_image(data, ImageReading(), print)\n"
        "assert image.exif is None and time.process_time() - started < 2\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    *notes, _ = done.stdout.decode().splitlines()
    assert notes == ["the given bytes: its EXIF data declares far more than it holds and is left out"]
    refused(content, "declares far more than it holds", strict=True)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_greedy_tiff_file_is_refused(order, compression):
    refused(tiff_with(greedy_exif(order, 5)), "declares far more in its directories than it holds")


def test_greedy_exif_data_given_by_hand_is_left_out_of_a_result(tmp_path):
    image = quietly(pil_image("RGB")).replace(exif=greedy_exif(kind=5))
    assert quietly(image.save(tmp_path / "x.png")).exif is None


def test_values_that_overlap_a_little_are_no_greed():
    block = bytearray(greedy_exif())
    struct.pack_into("<H", block, 14, 2)  # two entries share one value, as some makers do
    assert not is_overdrawn(bytes(block))
    assert not is_overdrawn(exif_with(6))
    assert is_overdrawn(greedy_exif())
    assert is_overdrawn(greedy_exif(inside=0x8825))


def test_directories_in_a_ring_end():
    block = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    assert not is_overdrawn(block)
    assert quietly(encoded(pil_image("RGB"), "PNG")).exif is None
    attempt(encoded(pil_image("RGB"), "PNG", exif=b"Exif\0\0" + block))


# --- chunks of PNG ----------------------------------------------------------------------------------------------


def spoiled(name, content):
    return chunk(name, content)[:-4] + b"oops"


BAD = {
    "wrong checksum": (b"tEXt", spoiled(b"tEXt", b"Comment\0hello")),
    "wrong checksum of tRNS": (b"tRNS", spoiled(b"tRNS", bytes(6))),
    "short gAMA": (b"gAMA", chunk(b"gAMA", b"\0")),
    "short cHRM": (b"cHRM", chunk(b"cHRM", bytes(9))),
    "short pHYs": (b"pHYs", chunk(b"pHYs", bytes(3))),
    "unknown packing": (b"zTXt", chunk(b"zTXt", b"Comment\0\7rubbish")),
    "bad packing": (b"iTXt", chunk(b"iTXt", b"Comment\0\1\0\0\0rubbish")),
    "a bomb": (b"zTXt", chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**24)))),
    "a bomb of a profile": (b"iCCP", chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(2**24)))),
}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("name", "bad"), BAD.values(), ids=BAD)
def test_a_damaged_ancillary_chunk_is_a_note(name, bad, bits):
    rows = [bytes(range(3 * bits // 8))]
    content = raw_png(1, 1, bits, 2, rows, bad)
    image, notes = read(content)
    assert image.pixels.ravel().tolist() == np.frombuffer(rows[0], ">u1" if bits == 8 else ">u2").tolist()
    assert image.alpha is None
    assert notes == [f"the given bytes: damaged chunks beside its pixels are left out ({name.decode()})"]
    refused(content, "damaged chunks", strict=True)


def test_a_damaged_ancillary_chunk_behind_the_pixels_is_a_note():
    content = raw_png(1, 1, 8, 0, [b"a"])
    content = content[:-12] + chunk(b"zTXt", b"Comment\0\7rubbish") + content[-12:]
    assert "zTXt" in read(content)[1][0]


def test_a_damaged_critical_chunk_is_an_error():
    refused(raw_png(1, 1, 8, 3, [b"\0"], spoiled(b"PLTE", b"abc")), "damaged")


def test_apples_own_png_is_named():
    content = raw_png(4, 4, 8, 6, [bytes(16)] * 4)
    refused(content[:8] + chunk(b"CgBI", b"P\0 \2") + content[8:], "CgBI.*not supported")


# --- gain maps --------------------------------------------------------------------------------------------------


def with_segment(content, marker, payload):
    return content[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + content[2:]


def gain_mapped(name):
    plain = encoded(pil_image("RGB"), "JPEG", quality=95)
    if name == "hdrgm":
        packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:hdrgm="x" hdrgm:Version="1.0"/>'
        return with_segment(plain, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet) + plain
    if name == "ISO 21496-1":
        return with_segment(plain, 0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0") + plain
    if name == "iPhone":
        behind = with_segment(plain, 0xE1, b"http://ns.adobe.com/xap/1.0/\0urn:com:apple:photo:2020:aux:hdrgainmap")
        return with_segment(plain, 0xE2, b"MPF\0") + behind
    content = avif_with(exif_with(1))
    return content.replace(b"Exif", b"tmap", 1)


@pytest.mark.parametrize("name", ["hdrgm", "ISO 21496-1", "iPhone", "AVIF"])
def test_a_gain_map_that_is_dropped_is_said(name):
    _, notes = read(gain_mapped(name), strict=True)
    assert [note.partition(": ")[2] for note in notes] == [
        "its gain map, which makes it brighter on HDR screens, is left out"
    ]


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "AVIF", "TIFF", "BMP"])
def test_every_byte_of_a_header_may_be_wrong(kind):
    content = encoded(pil_image("RGB"), kind, **({"exif": exif_with(6)} if kind not in {"BMP", "TIFF"} else {}))
    for at in range(min(len(content), 500)):
        for value in (0, 255):
            attempt(content[:at] + bytes([value]) + content[at + 1 :], max_pixels=10**6)


def test_a_profile_in_a_bmp_file_is_said_to_be_left_out():
    plain = encoded(pil_image("RGB"), "BMP")
    header = struct.pack("<I", 124) + plain[18:54] + bytes(16) + b"DEBM" + bytes(64)
    content = plain[:10] + struct.pack("<I", 14 + 124) + header + plain[54:]
    image, notes = read(content)
    assert (image.width, image.height) == SIZE
    assert "its colour profile is left out" in notes[0]
    refused(content, "colour profile", strict=True)
