"""A model as one file: the same bytes for the same model, and nothing but a model out of a stranger's."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
import tiny

from gansdk.errors import GansdkError, InputError, ModelError, OutputError, OutputExistsError
from gansdk.model.bundles import read_bundle, write_bundle
from gansdk.model.config import read_config

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 512


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model folder with a card, and with things that are no part of a model."""
    folder = tmp_path_factory.mktemp("models") / "m"
    tiny.write(folder)
    (folder / "README.md").write_text("# A card\n")
    (folder / "card-1.webp").write_bytes(b"an image")
    (folder / "attributions.json").write_text("{}")
    (folder / "notes.txt").write_text("mine")
    (folder / "card-to my heart.webp").write_bytes(b"mine")
    return folder


@pytest.fixture
def bundle(model, tmp_path):
    path = tmp_path / "m.tar"
    write_bundle(model, read_config(model), path)
    return path


def contents(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def tar_of(path: Path, files: dict[str, bytes | tarfile.TarInfo], form: int = tarfile.GNU_FORMAT) -> Path:
    """A tar made by hand: of contents, and of headers where something else is wanted."""
    with tarfile.open(path, "w", format=form) as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content, io.BytesIO(bytes(content.size)))
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def refused(path: Path, kind: type[GansdkError] = InputError) -> str:
    """The one line with which it is refused; nothing is left where the model should stand."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(kind) as error:
        read_bundle(path, path.parent / "out")
    assert sorted(path.parent.rglob("*")) == before
    assert "\n" not in str(error.value)
    assert error.value.hint
    return str(error.value)


def test_a_model_comes_back_as_it_was(model, bundle, tmp_path):
    config = read_bundle(bundle, tmp_path / "out")
    assert config == read_config(model)
    names = {"config.json", "model.safetensors", "README.md", "card-1.webp", "attributions.json"}
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {
        name: (model / name).read_bytes() for name in names
    }


def test_the_same_model_gives_the_same_bytes(model, bundle, tmp_path):
    shutil.copytree(model, tmp_path / "copy")
    for path in (tmp_path / "copy").iterdir():
        path.chmod(0o600)
        os.utime(path, (1, 1))
    write_bundle(tmp_path / "copy", read_config(model), tmp_path / "second.tar")
    assert (tmp_path / "second.tar").read_bytes() == bundle.read_bytes()


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar here")
def test_tar_lists_and_unpacks_it(bundle, model, tmp_path):
    listed = subprocess.run(["tar", "tvf", bundle], capture_output=True, text=True, check=True, env={"TZ": "UTC"})
    lines = [line.split() for line in listed.stdout.splitlines()]
    names = ["config.json", "README.md", "attributions.json", "card-1.webp", "model.safetensors"]
    assert [line[-1] for line in lines] == names
    assert {(line[0], line[1], line[3]) for line in lines} == {("-rw-r--r--", "0/0", "1970-01-01")}
    subprocess.run(["tar", "xf", bundle, "-C", tmp_path, "model.safetensors"], check=True)
    assert (tmp_path / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar here")
def test_what_tar_packed_of_the_files_alone_is_a_bundle_too(model, tmp_path):
    line = ["tar", "cf", tmp_path / "m.tar", "-C", model, "model.safetensors", "config.json"]
    subprocess.run(line, check=True)
    assert read_bundle(tmp_path / "m.tar", tmp_path / "out") == read_config(model)


def test_a_damaged_model_is_not_packed(model, tmp_path):
    shutil.copytree(model, tmp_path / "bad")
    with (tmp_path / "bad" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    with pytest.raises(ModelError, match=r"is not the file that config\.json names"):
        write_bundle(tmp_path / "bad", read_config(model), tmp_path / "m.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]


def test_nothing_is_replaced_unasked(model, bundle, tmp_path):
    before = bundle.read_bytes()
    with pytest.raises(OutputExistsError):
        write_bundle(model, read_config(model), bundle)
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputExistsError):
        read_bundle(bundle, tmp_path / "out")
    (tmp_path / "out" / "old").write_text("old")
    read_bundle(bundle, tmp_path / "out", replace=True)
    assert not (tmp_path / "out" / "old").exists()
    write_bundle(model, read_config(model), bundle, replace=True)
    assert bundle.read_bytes() == before


def _special(name: str, kind: bytes, **fields: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    for field, value in fields.items():
        setattr(member, field, value)
    return member


EVIL = {
    "up": {"../escaped": b"x"},
    "absolute": {"/tmp/escaped": b"x"},
    "folder in name": {"sub/README.md": b"x"},
    "dot": {"./README.md": b"x"},
    "unknown": {"setup.py": b"x"},
    "pickle": {"model.pt": b"x"},
    "weights of nobody": {"more.safetensors": b"x"},
    "hidden": {".netrc": b"x"},
    "image elsewhere": {"card-/../x.webp": b"x"},
    "no text": {os.fsdecode(b"card-\xff.webp"): b"x"},
    "control": {"card-\n.webp": b"x"},
    "folder": {"sub": _special("sub", tarfile.DIRTYPE)},
    "link": {"README.md": _special("README.md", tarfile.SYMTYPE, linkname="/etc/passwd")},
    "hard link": {"README.md": _special("README.md", tarfile.LNKTYPE, linkname="config.json")},
    "device": {"README.md": _special("README.md", tarfile.CHRTYPE, devmajor=1, devminor=5)},
    "pipe": {"README.md": _special("README.md", tarfile.FIFOTYPE)},
    "sparse": {"README.md": _special("README.md", tarfile.GNUTYPE_SPARSE)},
    "contiguous": {"README.md": _special("README.md", tarfile.CONTTYPE)},
    "unknown type": {"README.md": _special("README.md", b"Z")},
    "long name": {"a" * 200: b"x"},
}


@pytest.mark.parametrize("name", EVIL)
def test_what_is_no_file_of_a_model_is_refused(name, bundle, tmp_path):
    path = tar_of(tmp_path / "evil.tar", {**contents(bundle), **EVIL[name]})
    assert "evil.tar is not a bundle: " in refused(path)


def test_extended_headers_are_refused(bundle, tmp_path):
    """They could say another name and size than the header that everybody sees."""
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}) as tar:
        for name, content in contents(bundle).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert "is not a plain file" in refused(path)


def test_a_name_stands_once(bundle, tmp_path):
    with tarfile.open(bundle, "a") as tar:
        member = tarfile.TarInfo("config.json")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"{}"))
    assert "'config.json' is in it twice" in refused(bundle)


def _resized(bundle: Path, size: bytes) -> None:
    """Lets the last header lie about its size, with a checksum that is right."""
    with tarfile.open(bundle) as tar:
        at = tar.getmembers()[-1].offset
    content = bytearray(bundle.read_bytes())
    content[at + 124 : at + 136] = size
    content[at + 148 : at + 156] = b" " * 8
    content[at + 148 : at + 156] = b"%06o\0 " % sum(content[at : at + BLOCK])
    bundle.write_bytes(content)


@pytest.mark.parametrize(
    "size",
    [b"77777777777\0", b"\x80" + (2**62).to_bytes(11, "big"), b"\xff" * 12, b"\xff" * 10 + b"\x00\x00"],
    ids=["octal", "huge", "minus one", "negative"],
)
def test_a_header_that_lies_about_its_size(size, bundle):
    _resized(bundle, size)
    assert "cut short or is damaged" in refused(bundle)


def test_a_config_too_large_to_be_one(model, tmp_path):
    path = tar_of(tmp_path / "m.tar", {"config.json": b" " * (17 * 2**20)})
    assert "config.json in it has 17825792 bytes" in refused(path)


def test_cut_short_anywhere_is_one_line(bundle):
    whole = bundle.read_bytes()
    with tarfile.open(bundle) as tar:
        checkpoints = [member.offset for member in tar] + [tar.getmembers()[-1].offset_data]
    last = len(whole.rstrip(b"\0")) // BLOCK * BLOCK + BLOCK
    for at in sorted(
        {1, 100, BLOCK - 1, BLOCK, BLOCK + 1, *checkpoints[1:], *(end + 7 for end in checkpoints), last, last + BLOCK}
    ):
        bundle.write_bytes(whole[:at])
        refused(bundle)
    bundle.write_bytes(b"")
    refused(bundle)
    bundle.write_bytes(whole[: last + 2 * BLOCK])
    read_bundle(bundle, bundle.parent / "out")


def test_more_after_the_end(bundle):
    bundle.write_bytes(bundle.read_bytes() + b"more")
    assert "more comes after its end" in refused(bundle)


@pytest.mark.parametrize("at", [0, 3, 124, 148, 300], ids=["name", "letter", "size", "sum", "rest"])
def test_a_flipped_bit_in_a_header(at, bundle):
    with tarfile.open(bundle) as tar:
        begin = tar.getmembers()[-1].offset
    content = bytearray(bundle.read_bytes())
    content[begin + at] ^= 4
    bundle.write_bytes(content)
    refused(bundle)


def test_a_flipped_bit_in_the_weights(bundle):
    content = bytearray(bundle.read_bytes())
    with tarfile.open(bundle) as tar:
        member = tar.getmember("model.safetensors")
    content[member.offset_data + member.size - 1] ^= 1
    bundle.write_bytes(content)
    line = refused(bundle, ModelError)
    assert line.startswith(f"{bundle}/model.safetensors is not the file that config.json names: expected sha256:")
    assert line.endswith("get the bundle again")


def _packed(kind: str, content: bytes) -> bytes:
    if kind == "zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("config.json", content)
        return file.getvalue()
    made = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
    return made[kind](content)


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zip"])
def test_other_archives_are_named(kind, bundle):
    bundle.write_bytes(_packed(kind, bundle.read_bytes()))
    assert kind in refused(bundle)


def test_what_is_not_a_tar(tmp_path):
    (tmp_path / "m.tar").write_text("a text\n" * 200)
    assert "is not a tar file" in refused(tmp_path / "m.tar")
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    assert "there is no config.json in it" in refused(tmp_path / "empty.tar")
    assert "there is no file" in refused(tmp_path / "none.tar")
    (tmp_path / "sub").mkdir()
    assert "is not a file" in refused(tmp_path / "sub")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b'{"model_type": "bert"}', "is not a gansdk config"),
        (b'{"gansdk": 2}', "has format version 2, this gansdk reads 1; pip install --upgrade gansdk"),
        (b'{"gansdk": 1}', "field 'method' is missing"),
    ],
    ids=["cut", "no text", "deep", "foreign", "later", "incomplete"],
)
def test_the_config_is_validated_first(content, told, bundle, tmp_path):
    path = tar_of(tmp_path / "evil.tar", {**contents(bundle), "config.json": content})
    assert told in refused(path, ModelError)


def test_a_name_in_the_config_is_no_path(bundle, tmp_path):
    config = json.loads(contents(bundle)["config.json"])
    config["files"]["../up.json"] = "sha256:" + "0" * 64
    files = {**contents(bundle), "config.json": json.dumps(config).encode(), "../up.json": b"x"}
    assert "not a plain name" in refused(tar_of(tmp_path / "evil.tar", files), ModelError)


def test_a_file_that_the_config_names_must_be_there(bundle, tmp_path):
    files = contents(bundle)
    del files["model.safetensors"]
    assert "lacks model.safetensors" in refused(tar_of(tmp_path / "m.tar", files), ModelError)


def test_a_pickle_that_is_called_weights(bundle, tmp_path):
    files = {**contents(bundle), "model.safetensors": b"\x80\x04K\x01." + bytes(20)}
    config = json.loads(files["config.json"])
    config["files"]["model.safetensors"] = f"sha256:{hashlib.sha256(files['model.safetensors']).hexdigest()}"
    files["config.json"] = json.dumps(config).encode()
    assert "is a pickle, whatever its name says" in refused(tar_of(tmp_path / "m.tar", files), ModelError)


SCRIPT = """
import resource, sys
from pathlib import Path
from gansdk.errors import OutputError
from gansdk.model.bundles import read_bundle, write_bundle
from gansdk.model.config import read_config

resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
try:
    {call}
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize(
    "call",
    ["read_bundle(Path('m.tar'), Path('out'))", "write_bundle(Path('m'), read_config(Path('m')), Path('out'))"],
)
def test_a_full_disk_is_one_line_and_nothing_is_left(call, bundle, model, tmp_path):
    shutil.copytree(model, tmp_path / "m")
    line = [sys.executable, "-c", SCRIPT.format(call=call)]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "cannot write out: File too large\n"
    assert {path.name for path in tmp_path.iterdir()} == {"m", "m.tar"}


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="may write everywhere")
def test_a_folder_that_cannot_be_written_to(bundle, model, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="cannot be written to"):
        read_bundle(bundle, tmp_path / "closed" / "out")
