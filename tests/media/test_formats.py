"""Formats by name and by ending."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from gansdk.errors import OptionError
from gansdk.media.formats import file_format, format_by_ending
from gansdk.media.medium import target_of, writing_of
from gansdk.media.records import ARRAYS
from gansdk.media.stills import ANIMATION
from gansdk.media.stills import IMAGES as STILLS
from gansdk.options import AnimationWriting, ArraysWriting, ImageWriting, describe

IMAGES = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff"}


MADE = {"images": STILLS, "latents": ARRAYS}
SWEPT = {"images": ANIMATION, "latents": ARRAYS}


@pytest.mark.parametrize(
    ("group", "further"),
    [
        (ImageWriting, {}),
        (writing_of(MADE), {".npz": "npz"}),
        (AnimationWriting, {".gif": "gif"}),
        (writing_of(SWEPT), {".gif": "gif", ".npz": "npz"}),
    ],
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
    with pytest.raises(OptionError, match=r"a\.png ends in .png, but format is jpg"):
        file_format(Path("a.png"), ImageWriting(format="jpg"))


def test_an_unknown_ending_is_a_wrong_call():
    with pytest.raises(OptionError, match=r"a\.heic does not end in a format") as caught:
        file_format(Path("a.heic"), ImageWriting())
    assert caught.value.exit_code == 2
    assert 'format="png", "jpg", "webp" or "tiff"' in caught.value.hint


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
    assert target_of(output, SWEPT, writing_of(SWEPT)(format=given)).kind == kind


def test_a_folder_gets_single_images_where_a_task_gives_them_and_arrays_where_they_are_asked_for():
    group = writing_of(MADE)
    for output, given, kind in (
        ("out/", None, "folder"),
        ("out/", "webp", "folder"),
        ("out/", "npz", "arrays"),
        ("x.webp", None, "image"),
    ):
        assert target_of(output, MADE, group(format=given)).kind == kind
    target = target_of("x.npz", MADE, group(on_exists="skip", quality=50))
    assert (target.output, target.writing) == ("latents", ArraysWriting(on_exists="skip"))


def test_what_a_task_does_not_give_is_refused():
    with pytest.raises(
        OptionError, match=r"x\.npz does not end in a format that can be written; end it in \.png, .*\.gif, or"
    ):
        target_of("x.npz", {"images": ANIMATION}, AnimationWriting())
    with pytest.raises(OptionError, match=r"x\.webp ends in .webp, but format is gif"):
        target_of("x.webp", SWEPT, writing_of(SWEPT)(format="gif"))


def test_a_group_of_several_media_can_be_sent_elsewhere():
    writing = writing_of(SWEPT)(format="npz", fps=3)
    assert pickle.loads(pickle.dumps(writing)) == writing
