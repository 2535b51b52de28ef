"""``gansdk bundle`` and ``gansdk unbundle``, as a user calls them."""

from __future__ import annotations

import shutil
import tarfile

import pytest
from PIL import Image as PILImage


def upscaled(command, model: str) -> bytes:
    """What a model makes of an image."""
    PILImage.linear_gradient("L").convert("RGB").resize((20, 30)).save(command.cwd / "photo.png")
    done = command("run", "superres", "photo.png", "--model", model, "-o", "large.png", "--on-exists", "overwrite")
    assert done.code == 0, done.err
    return (command.cwd / "large.png").read_bytes()


def test_a_model_is_carried_to_another_machine(with_kinds, model, tmp_path):
    here = upscaled(with_kinds, "./model")
    done = with_kinds("bundle", "./model", "-o", "m.tar")
    assert (done.code, done.out) == (0, "")
    assert done.error.startswith("./model → m.tar, ")
    assert done.error.endswith("; there: gansdk unbundle m.tar")
    shutil.rmtree(model)
    done = with_kinds("unbundle", "m.tar", "--offline")
    assert (done.code, done.out) == (0, "")
    assert done.error == "m.tar → m; use it with --model m/"
    assert upscaled(with_kinds, "m/") == here


@pytest.mark.parametrize(
    ("ref", "name"), [("builtin:tiny-x2", "tiny-x2.tar"), ("./model/", "model.tar"), ("mine", "model.tar")]
)
def test_every_ref_has_a_name_for_its_file(ref, name, with_kinds, model):
    assert with_kinds("alias", "set", "mine", str(model)).code == 0
    (record,) = with_kinds("bundle", ref, "--json").records
    assert record["output"] == name
    assert record["bytes"] == (with_kinds.cwd / name).stat().st_size
    assert record["files"] == ["config.json", "model.safetensors"]
    (back,) = with_kinds("unbundle", name, "-o", "out", "--json").records
    assert (back["output"], back["ref"], back["method"], back["installed"]) == ("out", "out/", "tiny", True)
    assert back["files"] == record["files"]


def test_a_model_of_the_hub_whole_and_from_the_cache(with_kinds, hub, model):
    files = {path.name: path.read_bytes() for path in model.iterdir()}
    files |= {"README.md": b"# A model\n", "card-1.webp": b"an image", "notes.txt": b"not of the format"}
    hub.repo("org/m", files)
    done = with_kinds("bundle", "hub:org/m", "-o", "online.tar")
    assert done.code == 0, done.err
    hub.close()
    (record,) = with_kinds("bundle", "hub:org/m", "--offline", "--json").records
    assert record["output"] == "m.tar"
    assert (with_kinds.cwd / "m.tar").read_bytes() == (with_kinds.cwd / "online.tar").read_bytes()
    with tarfile.open(with_kinds.cwd / "m.tar") as tar:
        assert tar.getnames() == ["config.json", "README.md", "card-1.webp", "model.safetensors"]


def test_offline_nothing_is_fetched(with_kinds, hub):
    hub.repo("org/m", {"config.json": b"{}"})
    done = with_kinds("bundle", "hub:org/m", "--offline")
    assert (done.code, done.out) == (1, "")
    assert "not in the cache" in done.error
    assert not hub.asked()
    assert list(with_kinds.cwd.iterdir()) == []


def test_without_its_plugin_it_is_unpacked_and_the_line_is_said(gansdk, with_kinds, model):
    assert with_kinds("bundle", "./model").code == 0
    done = gansdk("unbundle", "model.tar", "-o", "out")
    assert done.code == 0
    unpacked, missing = done.err.splitlines()
    assert unpacked == "model.tar → out; use it with --model out/"
    assert missing.endswith("pip install 'gansdk-plugin-tiny>=0.1'")
    assert (gansdk.cwd / "out" / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()


def test_what_is_there_stays_unless_told_otherwise(with_kinds, model):
    (model / "README.md").write_text("# A card\n")
    (model / "card-1.webp").write_bytes(b"an image")
    assert with_kinds("bundle", "./model").code == 0
    for command, there in ((("bundle", "./model"), "model.tar"), (("unbundle", "model.tar", "-o", "m"), "m")):
        with_kinds(*command)
        again = with_kinds(*command)
        assert again.code == 1
        assert again.error == f"gansdk: {there} exists already; use --on-exists overwrite, skip or rename"
        assert with_kinds(*command, "--on-exists", "skip").error == f"{command[1]}: skipped, {there} exists"
        (renamed,) = with_kinds(*command, "--on-exists", "rename", "--json").records
        assert renamed["output"] == there.replace("m", "m-2", 1) if there == "m" else "model-2.tar"
        assert with_kinds(*command, "--on-exists", "overwrite").code == 0
        assert with_kinds(*command, "--on-exists", "perhaps").code == 2
    (with_kinds.cwd / "photos").mkdir()
    (with_kinds.cwd / "photos" / "mine.jpg").write_text("mine")
    refused = with_kinds("unbundle", "model.tar", "-o", "photos", "--on-exists", "overwrite")
    assert refused.code == 1
    assert "it stays as it is" in refused.error


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (("bundle", "./none"), 1, "there is no folder ./none"),
        (("bundle", "none"), 2, "there is no model or alias 'none'"),
        (("bundle", "./model", "-o", "no/where.tar"), 1, "there is no folder no; create it first"),
        (("bundle", "./model", "-o", "model"), 2, "model is a folder; give -o a file, as model/model.tar"),
        (
            ("bundle", "./model", "-o", "m.zip"),
            2,
            "m.zip names no format that can be written; a bundle is a tar",
        ),
        (("bundle", "hub:org/m:model.pth"), 2, "names a file, not a model"),
        (("unbundle", "none.tar"), 1, "there is no file none.tar"),
        (("unbundle", "model"), 1, "model is not a file"),
        (("unbundle", "text.tar"), 1, "text.tar is not a tar file"),
        (("unbundle", "text.tar", "-o", "text.tar/m"), 1, "text.tar is a file, so there can be no text.tar/m"),
        (("unbundle", "short.tar"), 1, "short.tar was cut short or is damaged; get the bundle again"),
        (("unbundle", "foreign.tar"), 1, "foreign.tar is not a bundle: 'text.tar' in it is not a plain file"),
    ],
)
def test_a_wrong_call_is_one_line(line, code, told, with_kinds, model):
    assert with_kinds("bundle", "./model", "-o", "short.tar").code == 0
    with (with_kinds.cwd / "short.tar").open("r+b") as file:
        file.truncate(3000)
    (with_kinds.cwd / "text.tar").write_text("a text\n" * 200)
    with tarfile.open(with_kinds.cwd / "foreign.tar", "w") as tar:
        link = tarfile.TarInfo("text.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    before = sorted(with_kinds.cwd.rglob("*"))
    done = with_kinds(*line)
    assert (done.code, done.out) == (code, "")
    assert told in done.error
    assert sorted(with_kinds.cwd.rglob("*")) == before
    (record,) = with_kinds(*line, "--json").records
    assert told.split(";")[0] in record["error"]["message"]
