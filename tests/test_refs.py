"""Texts that name models."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gansdk.errors import RefError
from gansdk.refs import Alias, Builtin, Folder, Hub, meant, meant_by_missing_folder, parse

EXAMPLES = {
    "builtin:srgan-x4": Builtin("srgan-x4"),
    "hub:org/name": Hub("org/name"),
    "hub:org/name@main": Hub("org/name", "main"),
    "hub:org/name@refs/pr/3": Hub("org/name", "refs/pr/3"),
    "hub:org/name:psnr.safetensors": Hub("org/name", "", "psnr.safetensors"),
    "hub:org/name@v1.0:ends/psnr.safetensors": Hub("org/name", "v1.0", "ends/psnr.safetensors"),
    "hub:org/name:a@b:c": Hub("org/name", "", "a@b:c"),
    "./model": Folder("./model"),
    ".": Folder("."),
    "..": Folder(".."),
    ".hidden": Folder(".hidden"),
    "RUN/": Folder("RUN/"),
    "org/name": Folder("org/name"),
    "/abs/with:colon": Folder("/abs/with:colon"),
    "a/b:c": Folder("a/b:c"),
    "~": Folder("~"),
    "~/models/a": Folder("~/models/a"),
    r"C:\models\a": Folder(r"C:\models\a"),
    "c:/models": Folder("c:/models"),
    r"\\server\share\model": Folder(r"\\server\share\model"),
    r"runs\one": Folder(r"runs\one"),
    "portraits": Alias("portraits"),
    "sr_2.1+x-y": Alias("sr_2.1+x-y"),
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_kind_is_told_apart(text):
    assert parse(text) == EXAMPLES[text]
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "builtin:NAME"),
        ("  ", "builtin:NAME"),
        ("a\0b/", "builtin:NAME"),
        ("two words", "builtin:NAME"),
        ("-x", "builtin:NAME"),
        ("builtin:", "gansdk models"),
        ("builtin:Not_A_Name", "gansdk models"),
        ("hub:name", "hub:ORG/NAME"),
        ("hub:a/b/c", "hub:ORG/NAME"),
        ("hub:org/name@", "hub:ORG/NAME"),
        ("hub:org/name@a b", "hub:ORG/NAME"),
        ("hub:org/name:", "hub:ORG/NAME"),
        ("hub:org/name:../secret", "hub:ORG/NAME"),
        ("hub:org/name:/etc/passwd", "hub:ORG/NAME"),
        ("hf-hub:org/name", "did you mean hub:org/name?"),
        ("https://huggingface.co/org/name", "did you mean hub:org/name?"),
        ("local-dir:model", "builtin:NAME"),
    ],
)
def test_what_is_no_ref_says_what_to_write(text, hint):
    with pytest.raises(RefError) as error:
        parse(text)
    assert hint in error.value.hint
    assert "\0" not in str(error.value)


@given(st.one_of(st.text(), st.from_regex(r"\A(builtin:|hub:)?[-a-zA-Z0-9@:/\\.~ ]{0,20}\Z")))
def test_any_text_is_a_ref_that_round_trips_or_a_ref_error(text):
    try:
        ref = parse(text)
    except RefError:
        return
    assert parse(str(ref)) == ref
    assert str(ref) == text


def test_a_folder_keeps_its_place_when_the_working_directory_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = parse("./runs/../model").absolute()
    assert folder.path.is_absolute()
    assert parse(str(folder)) == folder
    assert folder.path.resolve() == tmp_path / "model"


def test_the_home_folder_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse("~/a").path == tmp_path / "a"
    with pytest.raises(RefError, match="no such home folder"):
        _ = parse("~nobody-of-this-name/a").path


def test_a_wrong_name_is_answered_with_what_was_probably_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    known = {"aliases": ["portraits"], "builtins": ["srresnet-x4"]}
    assert meant("srresnet-x4", **known) == "did you mean builtin:srresnet-x4?"
    assert meant("srresnet", **known) == "did you mean builtin:srresnet-x4?"
    assert meant("portrait", **known) == "did you mean portraits?"
    assert meant("model", **known) == "for the folder write ./model"
    assert meant("zzz", **known) == ""


def test_a_missing_folder_that_looks_like_a_repository_mentions_the_hub():
    assert meant_by_missing_folder("org/name") == "for a model on the Hub write hub:org/name"
    assert "hub:" not in meant_by_missing_folder("./org/name")
