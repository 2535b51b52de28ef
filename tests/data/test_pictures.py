"""Folders and archives of images."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from gansdk.data.folders import open_images
from gansdk.errors import InputError


def paint(path: Path, value: int, size: tuple[int, int] = (6, 4), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = (value, value // 2, 0) if mode == "RGB" else value
    PILImage.new(mode, size, colour).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    paint(root / "b.png", 200)
    paint(root / "a.jpg", 10)
    paint(root / "deeper" / "c.webp", 90)
    paint(root / ".hidden" / "d.png", 1)
    PILImage.new("RGB", (3, 3)).save(root / "misnamed.txt", format="PNG")
    (root / "notes.txt").write_text("no image")
    (root / "really-text.png").write_text("no image either")
    return root


def zipped(folder: Path, path: Path, under: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, f"{under}{file.relative_to(folder).as_posix()}")
    return path


def test_a_folder_gives_its_images_by_content_in_the_order_of_their_names(folder: Path) -> None:
    images = open_images(folder)
    assert images.names == ("a.jpg", "b.png", "deeper/c.webp", "misnamed.txt")
    assert images.others == ("notes.txt", "really-text.png")
    assert images.name == "photos"
    assert len(images) == 4
    name, pixels = images[1]
    assert name == "b.png"
    assert pixels.dtype == np.uint8
    assert pixels.shape == (4, 6, 3)
    assert (pixels == [200, 100, 0]).all()


@pytest.mark.parametrize("under", ["", "test/"])
def test_an_archive_gives_what_the_folder_gives(folder: Path, tmp_path: Path, under: str) -> None:
    archive = zipped(folder, tmp_path / "set.zip", under)
    images, same = open_images(archive / under.strip("/")), open_images(folder)
    assert images.name == "set" + ("/test" if under else "")
    assert images.names == same.names
    assert images.digest == same.digest
    for index in range(len(same)):
        np.testing.assert_array_equal(images[index][1], same[index][1])


def test_the_digest_follows_names_and_bytes(folder: Path) -> None:
    before = open_images(folder).digest
    assert open_images(folder).digest == before
    (folder / "b.png").rename(folder / "b2.png")
    renamed = open_images(folder).digest
    paint(folder / "b2.png", 201)
    assert len({before, renamed, open_images(folder).digest}) == 3


def test_all_kinds_of_images_become_upright_8_bit_rgb(tmp_path: Path) -> None:
    paint(tmp_path / "grey.png", 77, mode="L")
    PILImage.fromarray(np.full((4, 6), 77 * 257, np.uint16)).save(tmp_path / "grey16.png")
    PILImage.new("RGBA", (6, 4), (0, 0, 0, 0)).save(tmp_path / "glass.png")
    turned = PILImage.new("RGB", (6, 4))
    exif = PILImage.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    images = open_images(tmp_path)
    by_name = dict(images[index] for index in range(len(images)))
    for name, value in {"grey.png": 77, "grey16.png": 77, "glass.png": 255}.items():
        np.testing.assert_array_equal(by_name[name], np.full((4, 6, 3), value, np.uint8))
    assert by_name["turned.jpg"].shape == (6, 4, 3)


def test_licences_and_authors_come_from_the_list_beside_the_images(folder: Path) -> None:
    assert open_images(folder).licence == "unstated"
    entries = {
        "a.jpg": {"licence": "CC-BY-4.0", "author": "A. Uthor", "source": "somewhere"},
        "b.png": {"licence": "MIT AND CC0-1.0"},
    }
    (folder / "LICENCES.json").write_text(json.dumps({"images": entries}))
    images = open_images(folder)
    assert images.licence == "CC-BY-4.0 AND CC0-1.0 AND MIT AND unstated"
    assert images.attributions[0].author == "A. Uthor"
    assert [attribution.image for attribution in images.attributions] == list(images.names)


@pytest.mark.parametrize("text", ["{", "[]", '{"images": {"a.jpg": {"license": "MIT"}}}', '{"images": [1]}'])
def test_a_broken_list_of_licences_is_named(folder: Path, text: str) -> None:
    (folder / "LICENCES.json").write_text(text)
    with pytest.raises(InputError, match=r"LICENCES\.json is not a list of licences"):
        open_images(folder)


def test_what_holds_no_images_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder or zip archive") as caught:
        open_images(tmp_path / "absent")
    assert caught.value.hint
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="holds no images") as caught:
        open_images(tmp_path)
    assert caught.value.hint
    (tmp_path / "bad.zip").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="cannot be read as a zip archive"):
        open_images(tmp_path / "bad.zip")


def test_an_inner_folder_that_is_not_there_holds_no_images(folder: Path, tmp_path: Path) -> None:
    archive = zipped(folder, tmp_path / "set.zip")
    with pytest.raises(InputError, match="holds no images"):
        open_images(archive / "val")


def test_an_inner_folder_that_stands_deeper_is_suggested(folder: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    shutil.copytree(folder, outer / "all" / "train")
    archive = zipped(outer, tmp_path / "set.zip")
    with pytest.raises(InputError, match="holds no images") as caught:
        open_images(archive / "train")
    assert caught.value.hint == f"did you mean {archive / 'all/train'}?"


def test_a_truncated_image_is_named_when_it_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    PILImage.fromarray(noise).save(tmp_path / "cut.jpg")
    whole = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    images = open_images(tmp_path)
    with pytest.raises(InputError, match=r"/cut\.jpg is cut short"):
        images[0]
