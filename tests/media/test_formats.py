"""Formats by name and by ending."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansdk.errors import OptionError
from gansdk.media.formats import file_format, format_by_ending
from gansdk.media.results import kind_of
from gansdk.options import AnimationWriting, GalleryWriting, ImageWriting, describe

IMAGES = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff"}


@pytest.mark.parametrize(
    ("group", "further"),
    [(ImageWriting, {}), (GalleryWriting, {".npz": "npz"}), (AnimationWriting, {".gif": "gif", ".npz": "npz"})],
)
def test_what_an_output_ends_in_is_what_the_option_takes(group, further):
    assert format_by_ending(group) == IMAGES | further
    (offered,) = (info.metavar.split("|") for info in describe(group) if info.name == "format")
    assert set(offered) == set(format_by_ending(group).values())
    for ending, name in format_by_ending(group).items():
        assert file_format(Path(f"a{ending}"), group()) == file_format(None, group(format=name)) == name


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("a.png", None, "png"),
        ("a.JPG", None, "jpg"),
        ("a.jpeg", None, "jpg"),
        ("a.tif", None, "tiff"),
        ("a.webp", None, "webp"),
        ("a", None, "png"),
        (None, None, "png"),
        ("a.jpeg", "jpg", "jpg"),
        ("a.xyz", "webp", "webp"),
        (None, "tiff", "tiff"),
    ],
)
def test_the_format_is_picked(name, given, wanted):
    assert file_format(Path(name) if name else None, ImageWriting(format=given)) == wanted


def test_a_name_and_a_format_that_disagree_are_a_wrong_call():
    with pytest.raises(OptionError, match=r"a\.png ends as png does, and format says jpg"):
        file_format(Path("a.png"), ImageWriting(format="jpg"))


def test_an_unknown_ending_is_a_wrong_call():
    with pytest.raises(OptionError, match=r"a\.heic names no format") as caught:
        file_format(Path("a.heic"), ImageWriting())
    assert caught.value.exit_code == 2
    assert 'format="png", "jpg", "webp" or "tiff"' in caught.value.hint


SWEPT = ("image", "animation", "arrays")


@pytest.mark.parametrize(
    ("output", "given", "kind"),
    [
        (None, None, "image"),
        (None, "webp", "animation"),
        ("-", "gif", "animation"),
        ("x", "gif", "animation"),
        ("x.gif", None, "animation"),
        ("x.webp", "webp", "animation"),
        ("x.tif", None, "image"),
        ("out/", None, "image"),
        ("out/", "gif", "animation"),
        (None, "npz", "arrays"),
        ("x.npz", None, "arrays"),
    ],
)
def test_a_named_format_means_what_an_ending_does(output, given, kind):
    assert kind_of(output, SWEPT, AnimationWriting(format=given)) == kind


def test_a_folder_gets_single_images_where_a_task_gives_them_and_arrays_where_they_are_asked_for():
    kinds = ("image", "folder", "arrays")
    assert kind_of("out/", kinds, GalleryWriting()) == "folder"
    assert kind_of("out/", kinds, GalleryWriting(format="webp")) == "folder"
    assert kind_of("out/", kinds, GalleryWriting(format="npz")) == "arrays"
    assert kind_of("x.webp", kinds, GalleryWriting()) == "image"


def test_what_a_task_does_not_give_is_refused():
    with pytest.raises(OptionError, match="this task gives no arrays; it gives image or animation"):
        kind_of("x.npz", SWEPT[:2], AnimationWriting())
    with pytest.raises(OptionError, match=r"x\.webp ends as webp does, and format says gif"):
        kind_of("x.webp", SWEPT, AnimationWriting(format="gif"))
