"""``gansdk import``, as a user calls it."""

from __future__ import annotations

import foreign
import pytest
from hostile import FILES, TRACE, saved
from PIL import Image as PILImage


@pytest.fixture
def theirs(with_kinds):
    """A stranger's file in the working directory."""
    (with_kinds.cwd / "theirs.pth").write_bytes(saved({"params": foreign.published(6)}))
    return "theirs.pth"


def test_an_imported_model_is_shown_and_runs_like_any_other(with_kinds, theirs):
    done = with_kinds("import", theirs, "--licence", "CC-BY-4.0", "--summary", "a stranger's")
    assert (done.code, done.out) == (0, "")
    assert "theirs.pth is Tiny of strangers, found under params: width 6" in done.err
    assert "theirs.pth → theirs, for kinds, superres; use it with --model theirs/" in done.err
    shown = with_kinds("models", "show", "theirs/")
    assert "theirs/  a stranger's" in shown.out
    assert "licence   CC-BY-4.0" in shown.out
    assert "Tiny of strangers, stored in float32 and int64" in shown.out
    assert "from theirs.pth, under params" in shown.out
    PILImage.new("RGB", (20, 30), "teal").save(with_kinds.cwd / "photo.png")
    done = with_kinds("run", "superres", "photo.png", "--model", "theirs/", "-o", "large.png")
    assert done.code == 0
    with PILImage.open(with_kinds.cwd / "large.png") as large:
        assert large.size == (40, 60)


def test_json_says_what_was_recognised(with_kinds, theirs):
    done = with_kinds("import", theirs, "-o", "m", "--no-measure", "--json")
    (record,) = done.records
    assert record == {
        "input": theirs,
        "output": "m",
        "ref": "m/",
        "skipped": False,
        "method": "tiny",
        "layout": "Tiny of strangers",
        "table": "params",
        "left_out": [],
        "network": {"width": 6},
        "tasks": ["kinds", "superres"],
        "safe_precisions": [],
        "licence": "",
    }


def test_what_is_there_is_kept_unless_told_otherwise(with_kinds, theirs):
    assert with_kinds("import", theirs, "--no-measure", "--quiet").code == 0
    again = with_kinds("import", theirs, "--no-measure")
    assert again.code == 1
    assert again.error == "gansdk: theirs exists already; use --on-exists overwrite, skip or rename"
    skipped = with_kinds("import", theirs, "--no-measure", "--on-exists", "skip")
    assert (skipped.code, skipped.error) == (0, "theirs.pth: skipped, theirs exists")
    renamed = with_kinds("import", theirs, "--no-measure", "--on-exists", "rename", "--json")
    assert renamed.records[0]["ref"] == "theirs-2/"


def test_the_licence_is_asked_for_and_what_was_left_out_is_said(with_kinds):
    tables = {"netG": foreign.published(), "netD": {"a.weight": foreign.published()["last.bias"]}}
    (with_kinds.cwd / "both.pth").write_bytes(saved(tables))
    done = with_kinds("import", "both.pth", "--no-measure")
    assert "both.pth holds more than this, which was left out: netD" in done.err
    assert "its licence is not stated; say it with --licence" in done.err


@pytest.mark.parametrize("name", ["payload", "text"])
def test_a_file_that_is_no_weights_is_one_line_and_exit_code_1(name, with_kinds):
    (with_kinds.cwd / "w.pth").write_bytes(FILES[name][0]())
    done = with_kinds("import", "w.pth")
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("gansdk: w.pth ")
    assert [path.name for path in with_kinds.cwd.iterdir()] == ["w.pth"], TRACE


def test_weights_of_a_model_folder_need_no_import(with_kinds, model):
    done = with_kinds("import", "model/model.safetensors")
    what = "model/model.safetensors is of a gansdk model already, of the method tiny"
    assert (done.code, done.out, done.error) == (1, "", f"gansdk: {what}; use it with --model {model}/")


def test_wrong_calls_are_exit_code_2(with_kinds, theirs):
    assert with_kinds("import").code == 2
    assert with_kinds("import", theirs, "--on-exists", "perhaps").code == 2
    assert with_kinds("import", theirs, "-o", "").code == 2


def test_help_needs_no_torch(gansdk):
    code = "import sys, gansdk.cli.app as app; app.build(); print('torch' in sys.modules)"
    assert gansdk.python(code).strip() == "False"
    assert "FILE" in gansdk("import", "--help").out
