import pytest
from sample_images import SIZE, encoded, pil_image

from gansdk.media import formats


def test_every_kind_is_known_by_its_first_bytes():
    for kind, name in (
        (formats.PNG, "PNG"),
        (formats.JPEG, "JPEG"),
        (formats.JPEG, "MPO"),
        (formats.WEBP, "WEBP"),
        (formats.TIFF, "TIFF"),
        (formats.GIF, "GIF"),
        (formats.BMP, "BMP"),
        (formats.PPM, "PPM"),
        (formats.AVIF, "AVIF"),
    ):
        assert formats.identify(encoded(pil_image("RGB"), name)[: formats.HEAD]) is kind


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"heic\0\0\0\0mif1heic", formats.HEIF),
        (b"mif1\0\0\0\0mif1heic", formats.HEIF),
        (b"mif1\0\0\0\0mif1avif", formats.AVIF),
        (b"avis\0\0\0\0msf1avis", formats.AVIF),
        (b"isom\0\0\0\0isommp42", None),
    ],
)
def test_brands_tell_heic_from_avif(brands, kind):
    assert formats.identify((len(brands) + 8).to_bytes(4) + b"ftyp" + brands) is kind


@pytest.mark.parametrize(
    "head", [b"", b"B", b"BMW is a car", b"P5", b"P7\n", b"RIFF\0\0\0\0WAVE", b"\xff\xd8", b"\0" * 64]
)
def test_what_only_looks_like_one(head):
    assert formats.identify(head) is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08"}),
    ],
)
def test_sizes_that_headers_declare(name, options):
    head = encoded(pil_image("RGB"), name, **options)[: formats.HEAD]
    assert formats.declared_size(formats.identify(head), head) == SIZE
    assert formats.declared_size(formats.identify(head), head[:9]) is None


@pytest.mark.parametrize(
    ("head", "bits"),
    [
        (b"P5 3 4 255\n", 8),
        (b"P6\n# 1 2 65535\n3 4\n# x\n65535\n", 16),
        (b"P2 3 4 1023\n", 16),
        (b"P4\n3 4\n99999", 8),
        (b"P6 3", 8),
    ],
)
def test_bits_that_ppm_declares(head, bits):
    assert formats.declared_bits(formats.PPM, head) == bits


def test_endings():
    assert formats.kind_by_ending(".JPEG") is formats.JPEG
    assert formats.kind_by_ending(".txt") is None
    assert formats.kind_by_ending("") is None
