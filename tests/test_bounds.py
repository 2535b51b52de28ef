"""What strangers send, made to hang, to fill memory, or to end in a traceback: one of each kind, through the command.

The same readers are tried at random in ``tests/fuzz``.
"""

from __future__ import annotations

import io
import json
import os
import resource
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from command import PROGRAM
from fuzz.targets import small_models
from hostile import saved
from PIL import Image as PILImage
from sample_images import attempt, chunk

from gansdk.files import dump_json, parse_json, read_plain, sha256

MOST_SECONDS = 10
MOST_BYTES = 3 * 2**30
"""Of addresses: torch alone maps nearly two GiB."""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two small models, to be spoilt."""
    return {path.name: path for path in small_models(tmp_path_factory.mktemp("models"))}


@pytest.fixture
def spoilt(models, tmp_path):
    """Makes a model folder whose ``config.json`` is changed, all digests right."""

    def make(name, change=lambda config: None, raw=lambda text: text, **files):
        folder = tmp_path / "spoilt"
        folder.mkdir()
        for path in models[name].iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        for file, content in files.items():
            (folder / file.replace("__", ".")).write_bytes(content)
        config = json.loads((folder / "config.json").read_text())
        config["files"] = {file: sha256(folder / file) for file in config["files"]}
        change(config)
        (folder / "config.json").write_bytes(raw(json.dumps(config)).encode("utf-8", "surrogatepass"))
        return folder

    return make


@pytest.fixture
def run(tmp_path):
    """The command in a process of little memory: its code, stdout and stderr; it may take ten seconds."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))

    def call(*words, home=tmp_path / "home"):
        begun = time.monotonic()
        done = subprocess.run(
            [PROGRAM, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "GANSDK_HOME": str(home), "OMP_NUM_THREADS": "1", "HF_HOME": str(home / "hf")},
            preexec_fn=limit,
            check=False,
            timeout=120,
        )
        assert time.monotonic() - begun < 6 * MOST_SECONDS, "six times as long, for a machine that is busy"
        assert "Traceback" not in done.stderr
        return done

    return call


def refused(done, said, code=1):
    """One line that says what is wrong."""
    assert done.returncode == code, done.stderr + done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith("gansdk: ")]
    assert len(lines) == 1, done.stderr
    assert said in lines[0], lines[0]


@pytest.fixture
def photo(tmp_path):
    PILImage.fromarray(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


FACTS = {
    "multiple": lambda facts: facts["generator"]["source"]["size"].update(multiple=20_000),
    "minimum": lambda facts: facts["generator"]["source"]["size"].update(minimum=10**9),
    "receptive_field": lambda facts: facts["generator"].update(receptive_field=10**12),
}


@pytest.mark.parametrize("name", FACTS)
def test_sizes_in_facts_are_bounded(run, spoilt, photo, name):
    folder = spoilt("srgan", lambda config: FACTS[name](config["facts"]))
    refused(run("run", "superres", photo, "--model", folder, "-o", "a.png"), name)


def test_numbers_of_a_latent_are_bounded_in_all(run, spoilt):
    def change(config):
        variable = {"kind": "noise", "n": 2**20}
        config["facts"]["generator"]["source"]["variables"] = [{**variable, "name": f"a{i}"} for i in range(50)]

    refused(run("run", "generate", "--model", spoilt("infogan", change), "-o", "a.png"), "more than 1048576")


def test_an_image_of_fixed_size_is_bounded(run, spoilt):
    def change(config):
        config["facts"]["generator"]["output"].update(height=2**14, width=2**14)

    refused(run("run", "generate", "--model", spoilt("infogan", change), "-o", "a.png"), "16384×16384")


def test_networks_are_compared_by_shapes_before_they_are_built(run, spoilt):
    def change(config):
        config["network"].update(height=256, width=256, hidden=4096, features=512)  # 68 GB

    refused(run("run", "generate", "--model", spoilt("infogan", change), "-o", "a.png"), "does not fit its network")


def test_facts_that_the_networks_do_not_keep_are_said_in_a_line(run, spoilt, photo):
    folder = spoilt("srgan", lambda config: config["facts"]["generator"]["output"].update(scale=3))
    refused(run("run", "superres", photo, "--model", folder, "-o", "a.png"), "where the facts say")


def test_networks_without_end_are_not_built(models, monkeypatch):
    from gansdk.errors import ModelError
    from gansdk.models.loading import build_shapes
    from gansdk.plugins.registry import discover

    method = discover().methods["srgan"]
    config = json.loads((models["srgan"] / "config.json").read_text())
    built = []

    def endless(options):
        while True:
            built.append(torch.nn.Linear(1, 1))

    monkeypatch.setattr("gansdk_srgan.model.networks", endless)
    with pytest.raises(ModelError, match="ask for more than the 12 tensors"):
        build_shapes(method, config["network"], 12)
    assert len(built) < 1000


JSON = {
    "nested": (lambda text: "[" * 100_000, "deep"),
    "nested a little": (lambda text: text.replace('"summary": "small"', f'"summary": {"[" * 100}{"]" * 100}'), "deep"),
    "1e999": (lambda text: text.replace('"seed": 3', '"seed": 1e999'), "1e999 is too large"),
    "NaN": (lambda text: text.replace('"seed": 3', '"seed": NaN'), "NaN is not a number"),
    "digits": (lambda text: text.replace('"seed": 3', f'"seed": {"9" * 5000}'), "is too large"),
    "surrogate": (lambda text: text.replace('"small"', '"\\ud800"'), "UTF-8"),
    "a surrogate's bytes": (lambda text: text.replace('"small"', '"\ud800"'), "UTF-8"),
    "list": (lambda text: "[1]", "is not a gansdk config"),
    "summary": (lambda text: text.replace('"small"', f'"{"x" * 5000}"'), "summary"),
    "an option of pip": (lambda text: text.replace('"gansdk-plugin', '"--index-url=x gansdk-plugin'), "requires"),
}


@pytest.mark.parametrize("name", JSON)
def test_json_that_is_odd_is_refused_in_a_line(run, spoilt, name):
    change, said = JSON[name]
    refused(run("models", "show", spoilt("srgan", raw=change)), said)


def test_a_large_file_is_not_read(run, spoilt):
    refused(run("models", "show", spoilt("srgan", raw=lambda text: text + " " * 2**24)), "more than 16777216 bytes")


def test_many_wrong_fields_take_no_memory(run, spoilt):
    folder = spoilt("srgan", evaluation__json=b'{"measurements": [' + b"1," * 4_000_000 + b"1]}")
    refused(run("models", "show", folder), "fields are wrong")


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{", b'{"measurements": {"a": 1}}', b'{"measurements": [{"value": 1e999}]}', b"[" * 10**6, b"\xff"],
)
@pytest.mark.parametrize("name", ["evaluation", "attributions"])
def test_records_of_other_shapes_are_refused_in_a_line(run, spoilt, name, content):
    refused(run("card", spoilt("srgan", **{f"{name}__json": content})), f"{name}.json")


def test_a_byte_order_mark_is_read_everywhere(run, spoilt, tmp_path, photo):
    bom = "\ufeff"
    folder = spoilt("srgan", raw=lambda text: bom + text)
    text = (folder / "evaluation.json").read_bytes()
    (folder / "evaluation.json").write_bytes(bom.encode() + text)
    config = json.loads((folder / "config.json").read_text("utf-8-sig"))
    config["files"]["evaluation.json"] = sha256(folder / "evaluation.json")
    (folder / "config.json").write_text(bom + json.dumps(config), "utf-8")
    (folder / "README.md").write_text(f"{bom}---\nlanguage: en\n---\n<!-- gansdk:here -->\n", "utf-8")
    (tmp_path / "home" / "config").mkdir(parents=True)
    settings = {"gansdk": 1, "aliases": {"mine": str(folder)}}
    (tmp_path / "home" / "config" / "settings.json").write_text(bom + json.dumps(settings), "utf-8")
    assert run("run", "superres", photo, "--model", "mine", "-o", "a.png").returncode == 0
    assert run("card", "mine", "--no-images", "-o", folder / "README.md").returncode == 0
    assert "language: en" in (folder / "README.md").read_text("utf-8").partition("\n---\n")[0]


HEADERS = {
    "nested": b'{"a":' + b"[" * 50_000,
    "list": b"[1,2,3]",
    "offsets": b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": ["0", {}]}}',
    "metadata": b'{"__metadata__": {"a": [1]}}',
    "shape": b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}',
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_other_shapes_are_refused_in_a_line(run, spoilt, name):
    header = HEADERS[name].ljust(256)
    content = struct.pack("<Q", len(header)) + header + bytes(4)
    folder = spoilt("srgan", model__safetensors=content)
    refused(run("check", folder), "model.safetensors")


def test_what_is_no_plain_file_is_not_waited_for(run, spoilt, tmp_path):
    folder = spoilt("srgan")
    (folder / "README.md").unlink(missing_ok=True)
    os.mkfifo(folder / "README.md")
    refused(run("card", folder, "--no-images"), "not a plain file")
    os.mkfifo(folder / "attributions.json")
    refused(run("card", folder, "--no-images"), "not a plain file")
    (tmp_path / "home" / "config").mkdir(parents=True)
    os.mkfifo(tmp_path / "home" / "config" / "settings.json")
    refused(run("alias"), "not a plain file")
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    refused(run("models", "show", folder), "has no config.json")


def test_a_data_set_with_fifos_is_read_without_them(run, tmp_path, photo):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(photo.read_bytes())
    os.mkfifo(tmp_path / "set" / "b.png")
    os.mkfifo(tmp_path / "set" / "LICENCES.json")
    done = run("eval", "builtin:srresnet-x4", "--data", tmp_path / "set", "--metric", "psnr-y", "-o", "e.json")
    refused(done, "LICENCES.json")


class Sized:
    """Asks for a buffer of six gigabytes."""

    def __reduce__(self):
        return bytearray, (6_000_000_000,)


def nested(levels=8000):
    """Mappings in mappings, each under the same long name."""
    inner: dict[str, object] = {}
    name = "k" * 1000
    for _ in range(levels):
        inner = {name: inner}
    return inner


def torch_archive(pickled: bytes, *records: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (("data.pkl", pickled), ("byteorder", b"little"), ("version", b"3\n"), *records):
            archive.writestr(f"archive/{name}", content)
    return file.getvalue()


def pickled(operations: bytes) -> bytes:
    return b"\x80\x02" + operations + b"."


def nested_pickle(levels=40_000):
    name = b"X" + struct.pack("<I", 1000) + b"k" * 1000 + b"q\0"
    return pickled(name + b"}" + b"h\0}" * levels + b"s" * levels)


ORDERED = b"ccollections\nOrderedDict\n"
STORAGE = b"X\x07\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0aX\3\0\0\0cpu"
VIEW = b"ctorch._utils\n_rebuild_tensor_v2\n"

WEIGHTS = {
    "bytearray": (lambda: saved({"a": Sized()}), "asks for bytearray"),
    "bytearray-legacy": (lambda: saved({"a": Sized()}, legacy=True), "asks for bytearray"),
    "nested": (lambda: torch_archive(nested_pickle()), "holds no table of tensors"),
    "copies": (
        lambda: torch_archive(
            pickled(b"}K\1" + ORDERED + b"q\1](" + b"K\1" * 20_000 + b"e\x85q\3R(" + b"h\1h\3R" * 20_000 + b"tus")
        ),
        "copies more than it holds",
    ),
    "keys": (lambda: torch_archive(pickled(b"}K\1\x85K\1s")), "neither a text nor a number"),
    "storage": (
        lambda: torch_archive(pickled(b"(" + STORAGE + b"J\xff\xff\xff\x7ftQ"), ("data/a", bytes(16))),
        "claims more bytes than the file has",
    ),
    "view": (
        lambda: torch_archive(
            pickled(VIEW + b"((" + STORAGE + b"K\4tQK\0J\xff\xff\xff\x7f\x85K\1\x85N}tR"), ("data/a", bytes(16))
        ),
        "claims more bytes than the file has",
    ),
    "storage-legacy": (
        lambda: saved({"w": torch.zeros(3)}, legacy=True).replace(b"K\x03", b"J\xff\xff\xff\x7f", 1),
        "claim more bytes than the file has",
    ),
    "tensor": (lambda: torch_archive(pickled(b"ctorch\nTensor\nJ\xff\xff\xff\x7f\x85R")), "asks for torch.Tensor"),
    "large-pickle": (lambda: torch_archive(pickled(b"]" + b"]a" * 2**22)), "larger than any network needs"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_ask_for_too_much_are_refused_before_they_are_read(run, tmp_path, name):
    make, said = WEIGHTS[name]
    (tmp_path / "w.pth").write_bytes(make())
    refused(run("import", "w.pth", "-o", "out"), said)


def marked(content: bytes, at: int, flag: int) -> bytes:
    """An archive whose entries say something of themselves that is not so."""
    data = bytearray(content)
    for mark, place in ((b"PK\x03\x04", at), (b"PK\x01\x02", at + 2)):
        found = -1
        while (found := data.find(mark, found + 1)) >= 0:
            data[found + place] = flag
    return bytes(data)


def archived(*files: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


ZIPS = {
    "encrypted": (lambda png: marked(archived(("a.png", png)), 6, 1), "is encrypted"),
    "deflate64": (lambda png: marked(archived(("a.png", png)), 8, 9), "packed by method 9"),
    "names": (lambda png: archived(("caf\u00e9.png", png)).replace("caf\u00e9".encode(), b"caf\xe9x"), "not UTF-8"),
    "bomb": (lambda png: archived(("a.png", png + bytes(600 * 2**20))), "unpacks to"),
    "many bombs": (lambda png: archived(*((f"{i}.png", png + bytes(2**25)) for i in range(40))), "times its own size"),
    "broken": (lambda png: archived(("a.png", png)).replace(png[40:60], bytes(20)), "cannot be read"),
    "licences": (
        lambda png: archived(("a.png", png), ("LICENCES.json", b'{"images": {"a.png": {"licence": 5}}}')),
        "not a list of licences",
    ),
    "licences-list": (lambda png: archived(("a.png", png), ("LICENCES.json", b"[1e999]")), "not a list of licences"),
}


@pytest.mark.parametrize("name", ZIPS)
def test_archives_that_cannot_be_read_are_refused_in_a_line(run, tmp_path, photo, name):
    make, said = ZIPS[name]
    content = make(photo.read_bytes())
    (tmp_path / "set.zip").write_bytes(content if name != "broken" else marked(content, 14, 0x55))
    done = run("eval", "builtin:srresnet-x4", "--data", "set.zip", "--metric", "psnr-y", "-o", "e.json")
    refused(done, said)


def array(header: bytes, values: bytes = b"") -> bytes:
    return archived(("noise.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + values))


ARRAYS = {
    "broken": lambda: marked(array(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9,)}", bytes(36)), 14, 9),
    "encrypted": lambda: marked(array(b"{}"), 6, 1),
    "objects": lambda: array(b"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", bytes(16)),
    "no size": lambda: array(b"{'descr': '<V0', 'fortran_order': False, 'shape': (9223372036854775807, 99)}"),
    "negative": lambda: array(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4)}", bytes(16)),
    "overflow": lambda: array(b"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2)}"),
    "nested": lambda: array(b"(" * 9000),
    "bomb": lambda: archived(("noise.npy", bytes(2**30))),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_are_none_are_refused_in_a_line(run, tmp_path, name):
    (tmp_path / "a.npz").write_bytes(ARRAYS[name]())
    refused(run("run", "generate", "--latents", "a.npz", "-o", "a.png", "--model", "builtin:infogan-mnist"), "a.npz")


FRONT = [
    "date: 2020-99-99",
    "date: 2020-01-01T99:99:99",
    "1: x",
    "null: x",
    "yes: x",
    "a: .inf",
    "a: 1e999\nb: .nan",
    "a: !!binary aGk=",
    "a: !!set {x, y}",
    "a: !!omap [x: 1]",
    "a: &b [*b]",
    "a: &a [1]\nb: [*a, *a]",
    "a: " + "[" * 500,
    "a: 0x" + "f" * 5000,
    'a: "\\uD800"',
    "tags: {a: b}",
    "tags: [{a: b}]",
    "tags: [[a]]",
    "- a\n- b",
    "a: b: c",
    "a: ? b",
    "a: " + "x" * 2**18,
    "!!python/object/apply:os.system [ls]",
]


@pytest.mark.parametrize("fields", FRONT)
def test_front_matter_that_cannot_be_kept_is_refused_in_a_line(run, spoilt, fields):
    folder = spoilt("srgan")
    (folder / "README.md").write_text(f"---\n{fields}\n---\n<!-- gansdk:here -->\n")
    refused(run("card", folder, "--no-images"), "front matter")


def test_front_matter_with_names_of_the_clients_arguments_is_kept(run, spoilt):
    folder = spoilt("srgan")
    fields = "self: 1\neval_results: 3\nmodel_name: me\nignore_metadata_errors: true\nlanguage: 5\ntags: 2024\n"
    (folder / "README.md").write_text(f"---\n{fields}---\n<!-- gansdk:here -->\n")
    assert run("card", folder, "--no-images").returncode == 0
    text = (folder / "README.md").read_text()
    for line in ("self: 1", "model_name: me", "language: 5", "- '2024'"):
        assert f"{line}\n" in text.partition("\n---\n")[0] + "\n"


def test_texts_of_records_cannot_end_a_region_or_a_list_of_commands(run, spoilt):
    evil = "x\n<!-- gansdk:end title -->\n<script>alert(1)</script>\n# not ours"

    def change(config):
        config.update(summary=evil, licence="MIT\n<b>x</b>", requires="gansdk-plugin-srgan>=0.1; echo 'x' `id`")
        config["trained"]["config"] = f"small\n{evil}"
        config["trained"]["options"] = {"a\n<i>": evil}
        config["trained"]["data"] = [{"name": evil, "licence": evil, "items": 1, "digest": evil}]

    folder = spoilt("srgan", change)
    assert run("card", folder, "--no-images").returncode == 0
    text = (folder / "README.md").read_text()
    outside_of_code = [line for line in text.splitlines() if not line.startswith("    ")]
    assert not any("<script>" in line or "<b>" in line for line in outside_of_code)
    assert "\n# not ours" not in text
    assert """pip install 'gansdk-plugin-srgan>=0.1; echo '"'"'x'"'"' `id`'""" in text
    assert run("card", folder, "--no-images").returncode == 0
    assert (folder / "README.md").read_text() == text


def test_many_markers_are_read_in_linear_time(run, spoilt):
    folder = spoilt("srgan")
    names = ("x-" + f"{i:017b}".translate({48: "a", 49: "b"}) for i in range(100_000))
    pairs = "".join(f"<!-- gansdk:begin {name} -->\n<!-- gansdk:end {name} -->\n" for name in names)
    (folder / "README.md").write_text(pairs)
    assert run("card", folder, "--no-images").returncode == 0


def png(width, height, bits, kind, channels):
    row = zlib.compressobj(9)
    line = b"\0" + bytes(width * channels * bits // 8)
    rows = b"".join([*(row.compress(line) for _ in range(height)), row.flush()])
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def scans(side, count):
    file = io.BytesIO()
    PILImage.new("RGB", (side, side), (10, 20, 30)).save(file, "JPEG", progressive=True, quality=50)
    content = file.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * count + b"\xff\xd9"


def pages(count, entries=0):
    out = bytearray(b"II*\0" + struct.pack("<I", 8))
    tags = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 0)]
    tags += [(278, 3, 1, 1), (279, 4, 1, 1)] + [(60_000 + i, 1, 10**6, 0) for i in range(entries)]
    for number in range(count):
        following = len(out) + 2 + 12 * len(tags) + 4 if number < count - 1 else 0
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        out += struct.pack("<I", following)
    return bytes(out) + bytes(10**6 if entries else 0)


IMAGES = {
    "scans": (lambda: scans(4000, 1000), "scans"),
    "small scans": (lambda: scans(200, 5000), "scans"),
    "pages": (lambda: pages(30_000), "more than 10000 pages"),
    "entries": (lambda: pages(1, 3000), "declares far more in its directories"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_that_take_hours_are_refused(run, tmp_path, name):
    make, said = IMAGES[name]
    (tmp_path / "a.img").write_bytes(make())
    refused(run("run", "superres", "a.img", "--model", "builtin:srresnet-x4", "-o", "a.png"), said)


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (6, 4)])
def test_a_large_image_in_a_small_file_is_read_in_little_more_than_it_takes(tmp_path, kind, channels):
    (tmp_path / "a.png").write_bytes(png(8000, 8000, 16, kind, channels))
    code = (
        "import resource; from gansdk.media.reading import read_image; from gansdk.options import ImageReading\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert read_image('a.png', ImageReading(), print).bits == 16\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert int(done.stdout) * 1024 < 8000 * 8000 * channels * 2 + 2**30


def test_a_progressive_image_of_many_pixels_is_read(run, tmp_path):
    from gansdk.media.reading import read_image
    from gansdk.options import ImageReading

    assert read_image(scans(4000, 2), ImageReading(), print).width == 4000


@pytest.mark.parametrize("packed", ["tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_a_damaged_tiff_is_said_to_be_so_by_nobody_but_us(packed, capfd):
    file = io.BytesIO()
    image = PILImage.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    image.save(file, "TIFF", compression=packed)
    for start in range(300, 337):
        content = bytearray(file.getvalue())
        for at in range(start, len(content) - 300, 37):
            content[at] ^= 0x5A
        attempt(bytes(content))
    assert capfd.readouterr() == ("", "")


def test_what_is_read_can_be_written_and_what_is_written_can_be_read():
    assert parse_json(b'\xef\xbb\xbf{"a": [1.5, "\xc3\xa9", null, true]}') == {"a": [1.5, "é", None, True]}
    strange = {"a": float("inf"), "b": [float("nan")], "c": "\udce9", "d": {"e": Path("x")}}
    assert parse_json(dump_json(strange), names=True) == {"a": None, "b": [None], "c": "\udce9", "d": {"e": "x"}}
    for text in ("1e999", "-Infinity", "9" * 30, '"\\ud800"', "[" * 65 + "]" * 65, "{", b"\xff"):
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            parse_json(text)
    assert parse_json("[" * 63 + "]" * 63)


def test_a_file_is_read_up_to_its_bound(tmp_path):
    (tmp_path / "a").write_bytes(bytes(10))
    assert read_plain(tmp_path / "a", 10) == bytes(10)
    with pytest.raises(ValueError, match="more than 9 bytes"):
        read_plain(tmp_path / "a", 9)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a plain file"):
        read_plain(tmp_path / "pipe")
