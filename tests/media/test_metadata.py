"""XMP, IPTC, texts and print resolution on their way from file to file, as ExifTool's formats have them."""

import io
import struct

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image as PILImage
from PIL import PngImagePlugin
from sample_images import encoded, pil_image, quietly, read, refused

from gansdk.media.reading import read_image
from gansdk.media.writing import write_image
from gansdk.options import ImageReading, ImageWriting

FORMATS = ["png", "jpg", "webp", "tiff"]

XMP = (
    b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" tiff:Orientation="6" exif:PixelXDimension="4000" hdrgm:Version="1.0"
 xmp:Rating="5" tiff:Make="Maker"><dc:rights><rdf:Alt><rdf:li xml:lang="x-default">J\xc3\xbcrgen &amp; Co.</rdf:li>
 </rdf:Alt></dc:rights><xmp:Thumbnails><rdf:Alt/></xmp:Thumbnails><tiff:ImageWidth>9</tiff:ImageWidth>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
    + b" " * 99
)
KEPT = ["Jürgen &amp; Co.", 'xmp:Rating="5"', 'tiff:Make="Maker"']
GONE = ["tiff:Orientation", "PixelXDimension", "hdrgm:Version", "Thumbnails", "ImageWidth"]

IPTC = b"\x1c\x02\x50\x00\x07Someone\x1c\x02\x74\x00\x04mine"


def photoshop(data=IPTC):
    return b"8BIM\x04\x25\0\0\0\0\0\x03abc\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data


def jpeg_with_iptc():
    block = b"Photoshop 3.0\0" + photoshop()
    return encoded(pil_image("RGB"), "JPEG", quality=95, extra=b"\xff\xed" + struct.pack(">H", len(block) + 2) + block)


def written(image, path, **options):
    notes = []
    write_image(image, path, ImageWriting(**options), notes.append)
    return path, [note.partition(": ")[2] for note in notes]


def xmp_in(path):
    """A file's XMP packet, as libvips or tifffile finds it."""
    if path.suffix == ".tiff":
        with tifffile.TiffFile(path) as file:
            tag = file.pages[0].tags.get(700)
            return None if tag is None else bytes(tag.value).decode()
    opened = pyvips.Image.new_from_file(str(path))
    return opened.get("xmp-data").decode() if "xmp-data" in opened.get_fields() else None


def iptc_in(path):
    if path.suffix == ".tiff":
        with tifffile.TiffFile(path) as file:
            return file.pages[0].tags[33723].value
    with PILImage.open(path) as opened:
        if path.suffix == ".png":
            lines = opened.text["Raw profile type iptc"].split("\n")
            return bytes.fromhex("".join(lines[3:]))[12:][: len(IPTC)]
        return opened.info["photoshop"][0x0404]


def with_xmp(kind):
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return encoded(pil_image("RGB"), kind, pnginfo=text)
    if kind == "TIFF":
        return encoded(pil_image("RGB"), kind, tiffinfo={700: XMP})
    if kind == "HEIC":
        from pillow_heif import from_pillow

        buffer = io.BytesIO()
        from_pillow(pil_image("RGB").resize((64, 48))).save(buffer, xmp=XMP)
        return buffer.getvalue()
    return encoded(pil_image("RGB"), kind, xmp=XMP)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIC"])
def test_xmp_goes_from_every_format_to_every_format(tmp_path, kind, ending, bits):
    image, _ = read(with_xmp(kind))  # what it says of a gain map is noted
    if bits == 16 and ending in {"png", "tiff"}:
        image = image.replace(pixels=image.pixels.astype(np.uint16) * 257)
    place, notes = written(image, tmp_path / f"x.{ending}")
    packet = xmp_in(place)
    assert notes == []
    assert all(text in packet for text in KEPT)
    assert not any(text in packet for text in GONE)
    assert packet.startswith("<?xpacket begin=")
    assert read(place)[0].xmp == image.xmp  # and cleaning it again changes nothing
    stripped, _ = written(image, tmp_path / f"stripped.{ending}", metadata="strip")
    assert xmp_in(stripped) is None


def test_xmp_that_told_of_a_gain_map_alone_is_gone():
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a xmlns="http://ns.adobe.com/hdr-gain-map/1.0/">1</a></x:xmpmeta>'
    assert quietly(encoded(pil_image("RGB"), "WEBP", xmp=packet)).xmp is None


@pytest.mark.parametrize(
    "packet",
    [
        b"rubbish",
        b"<a",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a d="x">&b;</a>',
        b"<a>" * 20_000 + b"</a>" * 20_000,
        b"<a>" + b"<b/>" * 150_000 + b"</a>",
    ],
)
def test_xmp_that_cannot_be_read_is_left_out_with_a_note(packet):
    content = encoded(pil_image("RGB"), "WEBP", lossless=True, xmp=packet)
    image, notes = read(content)
    assert image.xmp is None
    assert "its XMP data is damaged or too long" in notes[0]
    refused(content, "XMP", strict=True)


@pytest.mark.parametrize("ending", FORMATS)
def test_iptc_is_kept_or_its_loss_said(tmp_path, ending):
    raw = PngImagePlugin.PngInfo()
    raw.add_text("Raw profile type iptc", f"\niptc\n{len(photoshop()):8}\n{photoshop().hex()}\n", zip=True)
    sources = [
        jpeg_with_iptc(),
        encoded(pil_image("RGB"), "PNG", pnginfo=raw),
        encoded(pil_image("RGB"), "TIFF", tiffinfo={33723: IPTC}),
        encoded(pil_image("RGB"), "TIFF", tiffinfo={34377: photoshop()}),
    ]
    for n, source in enumerate(sources):
        place, notes = written(quietly(source), tmp_path / f"{n}.{ending}")
        assert notes == (["webp cannot hold its IPTC data; left out"] if ending == "webp" else [])
        assert ending == "webp" or iptc_in(place) == IPTC


@pytest.mark.parametrize("order", "<>")
def test_iptc_that_a_tiff_file_calls_numbers(tmp_path, order):
    data = IPTC + bytes(-len(IPTC) % 4)
    numbers = np.frombuffer(data, f"{order}u4")
    tags = [(33723, "I", len(numbers), numbers.tolist(), True)]
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 5), np.uint8), byteorder=order, extratags=tags)
    assert quietly(tmp_path / "x.tif").iptc == data


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", FORMATS)
def test_texts_are_kept_or_their_loss_said(tmp_path, ending, bits):
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "masterpiece, cat\nSteps: 20")
    text.add_itxt("workflow", '{"nodes": "猫"}')
    text.add_text("Copyright", "© Someone", zip=True)
    text.add_text("Software", "another")
    text.add_text("Thumb::Image::Width", "9")
    image = quietly(encoded(pil_image("RGB"), "PNG", pnginfo=text)).replace(name="k.png")
    if bits == 16 and ending in {"png", "tiff"}:
        image = image.replace(pixels=image.pixels.astype(np.uint16) * 257)
    notes = []
    options = ImageWriting()
    write_image(image, tmp_path / f"x.{ending}", options, notes.append, provenance="gansdk 1")
    if ending != "png":
        assert f"k.png: {ending} cannot hold its texts (parameters, workflow, Copyright, Software); left out" in notes
        return
    with PILImage.open(tmp_path / "x.png") as opened:
        opened.load()
        assert opened.text == {
            "parameters": "masterpiece, cat\nSteps: 20",
            "workflow": '{"nodes": "猫"}',
            "Copyright": "© Someone",
            "Software": "gansdk 1",
        }
    assert notes == []
    stripped, _ = written(image, tmp_path / "stripped.png", metadata="strip")
    with PILImage.open(stripped) as opened:
        opened.load()
        assert opened.text == {}


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_comments_are_kept_where_there_is_a_place_for_them(tmp_path, kind):
    image = quietly(encoded(pil_image("RGB"), kind, comment="Grüße".encode()))
    assert image.text == {"Comment": "Grüße"}
    place, _ = written(image, tmp_path / "x.jpg")
    with PILImage.open(place) as opened:
        assert opened.info["comment"].decode() == "Grüße"
    place, _ = written(image, tmp_path / "x.png")
    with PILImage.open(place) as opened:
        opened.load()
        assert opened.text == {"Comment": "Grüße"}
    assert written(image, tmp_path / "x.webp")[1] == ["webp cannot hold its texts (Comment); left out"]


def test_what_is_too_long_for_jpeg_is_left_out_with_a_note(tmp_path):
    image = quietly(pil_image("RGB")).replace(
        xmp=XMP + bytes(70_000), iptc=IPTC + bytes(70_000), text={"Comment": "x" * 70_000}
    )
    _, notes = written(image, tmp_path / "x.jpg")
    assert notes == [f"jpg cannot hold its {what}; left out" for what in ("XMP data", "IPTC data", "texts (Comment)")]


def resolution_in(path):
    if path.suffix == ".webp":
        with PILImage.open(path) as opened:
            return float(opened.getexif()[282])
    return pyvips.Image.new_from_file(str(path)).xres * 25.4


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_print_resolution_is_kept(tmp_path, kind, ending, bits):
    image = quietly(encoded(pil_image("RGB"), kind, dpi=(300, 300)))
    if bits == 16 and ending in {"png", "tiff"}:
        image = image.replace(pixels=image.pixels.astype(np.uint16) * 257)
    place, _ = written(image, tmp_path / f"x.{ending}")
    assert resolution_in(place) == pytest.approx(300, abs=0.01)


def test_print_resolution_in_centimetres():
    content = bytearray(encoded(pil_image("RGB"), "JPEG", dpi=(118, 118)))
    content[13] = 2
    assert quietly(bytes(content)).dpi == pytest.approx((299.72, 299.72))


def test_no_print_resolution_is_made_up(tmp_path):
    exif = PILImage.Exif()
    exif[271] = "Maker"  # of which Pillow makes 72 dots per inch
    for content in (
        encoded(pil_image("RGB"), "JPEG", exif=exif),
        encoded(pil_image("RGB"), "PNG"),
        encoded(pil_image("RGB"), "BMP"),
    ):
        image = quietly(content)
        place, _ = written(image, tmp_path / "x.png", on_exists="overwrite")
        assert image.dpi is None or content[:2] == b"BM"  # Pillow always writes one there
        with PILImage.open(place) as opened:
            assert ("dpi" in opened.info) == (content[:2] == b"BM")


def test_extended_xmp_is_said_to_be_left_out():
    plain = encoded(pil_image("RGB"), "JPEG", quality=95)
    part = b"http://ns.adobe.com/xmp/extension/\0" + bytes(50)
    content = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part + plain[2:]
    notes = []
    read_image(content, ImageReading(strict=True), notes.append)
    assert notes == ["the given bytes: its extended XMP data is left out"]
