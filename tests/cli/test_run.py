"""``gansdk run`` through the installed command: options of every kind, many inputs, and what goes wrong."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import png
import pytest
import tiny
from command import PROGRAM
from PIL import Image as PILImage
from PIL import ImageCms
from sample_images import chunk, raw_png


def photo(path, width=24, height=16, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    PILImage.fromarray(pixels).convert(mode).save(path)
    return path


@pytest.fixture
def work(with_kinds):
    photo(with_kinds.cwd / "a.png")
    return with_kinds.cwd


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def run(command, *arguments, **more):
    return command("run", "superres", "--model", "./model", "--threads", 1, *arguments, **more)


EVERY_KIND = {
    "--count 7": ("count", 7),
    "--strength 0.25": ("strength", 0.25),
    "--mode hard": ("mode", "hard"),
    "--mirror": ("mirror", True),
    "--no-mirror": ("mirror", False),
    "--folder some/where": ("folder", "some/where"),
    "--tint #ff0000": ("tint", "#ff0000"),
    "--label --json-like": ("label", "--json-like"),
    "--seed 9": ("seed", 9),
    "--tile 64": ("tile", 64),
    "--tile off": ("tile", "off"),
    "--weights a=1 --weights b=0.5": ("weights", {"a": 1.0, "b": 0.5}),
}


def test_a_task_of_a_plugin_takes_every_kind_of_option_by_command_line_and_python_alike(with_kinds):
    flags = [one for text in EVERY_KIND for one in text.split() if text not in {"--no-mirror", "--tile off"}]
    done = with_kinds("run", "kinds", "--model", "builtin:tiny-x2", *flags)
    assert done.code == 0
    (record,) = done.records
    wanted = dict(EVERY_KIND[text] for text in EVERY_KIND if text not in {"--no-mirror", "--tile off"})
    assert {name: record[name] for name in wanted} == wanted
    keywords = {**wanted, "folder": "some/where"}
    code = f"import gansdk, json; print(json.dumps(gansdk.pipeline('kinds', 'builtin:tiny-x2')(**{keywords!r})))"
    from_python = json.loads(with_kinds.python(code))
    assert from_python == {name: value for name, value in record.items() if name != "input"}


def test_defaults_hold_where_nothing_is_given_and_the_offered_model_is_taken(with_kinds):
    done = with_kinds("run", "kinds", "--no-mirror", "--tile", "off")
    (record,) = done.records
    assert (record["mirror"], record["tile"], record["count"], record["weights"]) == (False, "off", 3, {})
    assert done.err.startswith("kinds with builtin:tiny-x2 (offered by tiny") or "the only installed" in done.err
    assert with_kinds("run", "kinds", "--quiet").err == ""


def test_its_help_shows_ranges_choices_and_defaults(with_kinds):
    done = with_kinds("run", "kinds", "--help")
    assert (done.code, done.err) == (0, "")
    for text in (
        "--count 1..10",
        "--mode soft|hard",
        "--tile auto|off|16..4096",
        "--weights NAME=VALUE",
        "(default: 0.5)",
    ):
        assert text in done.out
    assert "--mirror / --no-mirror" in done.out
    assert "--frame" not in done.out  # it reads no image
    assert "--frame 0.." in with_kinds("run", "superres", "--help").out


def test_its_help_names_the_installed_models_and_the_default(with_kinds):
    *_, models = with_kinds("run", "kinds", "--help").out.partition("Installed models that can do it:")
    assert "builtin:tiny-x2" in models
    assert models.count("(default)") == 1
    with_kinds("default", "kinds", "./nowhere")
    assert "builtin:tiny-x2" in with_kinds("run", "kinds", "--help").out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--count 11", "--count '11' is not one of 1..10"),
        ("--count many", "--count 'many' is not one of 1..10"),
        ("--strength 2", "--strength '2' is not one of 0..1"),
        ("--mode medium", "--mode 'medium' is not one of soft|hard"),
        ("--tint mauvish", "--tint 'mauvish': no colour; give a name like white or a code like #ffcc00"),
        ("--tile 7", "--tile '7' is not one of auto|off|16..4096"),
        ("--weights a", "--weights 'a' is not of the form NAME=VALUE"),
        ("--weights a=1 --weights a=2", "--weights names 'a' twice"),
        (
            "--count 0 --tile 7 --device tpu",
            "--count '0' is not one of 1..10; --tile '7' is not one of auto|off|16..4096",
        ),
    ],
)
def test_bad_values_are_one_line_that_names_each_option(with_kinds, flags, said):
    done = with_kinds("run", "kinds", *flags.split())
    assert (done.code, done.out) == (2, "")
    assert done.error.startswith(f"gansdk: {said}")


def test_a_image_is_written_beside_its_input(with_kinds, model, work):
    done = run(with_kinds, "a.png")
    assert (done.code, done.out) == (0, "")
    with PILImage.open(work / "a-superres.png") as result:
        assert result.size == (48, 32)
    assert "superres with ./model" in done.err
    assert "a-superres.png" in done.err


def test_colours_of_16_bits_stay_so_and_agree_with_those_of_8(with_kinds, model, work):
    pixels = np.random.default_rng(1).integers(0, 256, (16, 24, 3), np.uint16)
    PILImage.fromarray(pixels.astype(np.uint8)).save(work / "shallow.png")
    with (work / "deep.png").open("wb") as file:
        png.Writer(24, 16, greyscale=False, bitdepth=16).write(file, (pixels * 257).reshape(16, -1))
    assert run(with_kinds, "shallow.png", "deep.png", "--quiet").err == ""
    with PILImage.open(work / "shallow-superres.png") as opened:
        shallow = np.asarray(opened).astype(int)
    width, height, rows, about = png.Reader(bytes=(work / "deep-superres.png").read_bytes()).read()
    deep = np.vstack(list(rows)).reshape(height, width, 3)
    assert about["bitdepth"] == 16
    assert np.abs(np.rint(deep / 257) - shallow).max() <= 1
    assert (deep % 257 != 0).mean() > 0.3  # not the 8 bits spread; the network gives black for much
    done = run(with_kinds, "deep.png", "--format", "jpg")
    assert "jpg holds 8 bits per channel here; the result's 16 are rounded" in done.err


def test_a_blend_lies_between_the_ends(with_kinds, work):
    tiny.write(work / "both", seed=0, start=tiny.trained_networks(seed=1))
    tiny.write(work / "start", seed=1)
    for name, model, *flags in (
        ("own", "./both"),
        ("end", "./both", "--network-interpolation", 1),
        ("begin", "./both", "--network-interpolation", 0),
        ("start", "./start"),
        ("half", "./both", "--network-interpolation", 0.5),
    ):
        done = with_kinds("run", "superres", "a.png", "--model", model, "--threads", 1, "-o", f"{name}.png", *flags)
        assert done.code == 0, done.err
    pixels = {
        name: np.asarray(PILImage.open(work / f"{name}.png")) for name in ("own", "end", "begin", "start", "half")
    }
    assert np.array_equal(pixels["own"], pixels["end"])
    assert np.array_equal(pixels["begin"], pixels["start"])
    assert not np.array_equal(pixels["half"], pixels["own"])
    assert not np.array_equal(pixels["half"], pixels["begin"])


def test_several_inputs_and_stdin_go_into_a_folder(with_kinds, model, work):
    photo(work / "b.jpg")
    done = run(with_kinds, "a.png", "b.jpg", "-", "-o", "out/", "--json", stdin=(work / "a.png").read_bytes())
    assert done.code == 0
    assert [record["input"] for record in done.records] == ["a.png", "b.jpg", "-"]
    assert names(work / "out") == ["a-superres.png", "b-superres.png", "stdin-superres.png"]
    assert all(record["seconds"] > 0 for record in done.records)


def test_one_result_goes_to_standard_output(with_kinds, model, work):
    line = [str(PROGRAM), "run", "superres", "-m", "./model", "a.png", "-o", "-", "--format", "webp"]
    done = subprocess.run(line, capture_output=True, cwd=work, env=with_kinds.environment, check=True)
    with PILImage.open(io.BytesIO(done.stdout)) as result:
        assert result.format == "WEBP"


@pytest.mark.parametrize("rule", ["error", "overwrite", "rename", "skip"])
def test_a_pipe_is_never_replaced(with_kinds, model, work, rule):
    os.mkfifo(work / "f.png")
    done = run(with_kinds, "a.png", "-o", "f.png", "--on-exists", rule)
    assert (done.code, done.out) == (1, "")
    assert "f.png is a pipe, not a file; name a file, or give -o - for standard output" in done.err
    assert (work / "f.png").is_fifo()
    assert names(work) == ["a.png", "f.png", "model"]


def test_a_link_is_followed(with_kinds, model, work):
    (work / "elsewhere").mkdir()
    (work / "x.png").symlink_to("elsewhere/real.png")
    assert run(with_kinds, "a.png", "-o", "x.png").code == 0
    assert run(with_kinds, "a.png", "-o", "x.png").code == 1
    assert run(with_kinds, "a.png", "-o", "x.png", "--on-exists", "overwrite").code == 0
    assert (work / "x.png").is_symlink()
    assert names(work / "elsewhere") == ["real.png"]


def test_what_the_shell_gives_as_a_pipe_is_read_and_its_result_stands_here(with_kinds, model, work):
    line = ["bash", "-c", f"{PROGRAM} run superres -m ./model <(cat a.png)"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=work, env=with_kinds.environment, check=True)
    assert "the pipe /dev/fd/" in done.stderr
    assert (work / "pipe-superres.png").exists()


def test_the_rest_is_done_after_one_failed(with_kinds, model, work):
    (work / "b.png").write_text("no image")
    photo(work / "d.png")
    photo(work / "d-superres.png")
    done = run(with_kinds, "b.png", "missing.png", "d.png", "a.png", "--json")
    assert done.code == 1
    failed = {record["input"]: record["error"]["kind"] for record in done.records if "error" in record}
    assert failed == {"missing.png": "input", "b.png": "input", "d.png": "output-exists"}
    assert (work / "a-superres.png").exists()
    assert "1 done, 3 failed" in done.err
    again = run(with_kinds, "a.png", "d.png", "--on-exists", "skip", "--json")
    assert (again.code, [record["skipped"] for record in again.records]) == (0, [True, True])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a.png", "--json", "-o", "-"], 2, "--json and -o - both want standard output"),
        (["a.png", "./a.png"], 2, "would both be written to"),
        (["a.png", "-o", ""], 2, "--output is empty"),
        (["a.png", "a.png", "-o", "x.png"], 2, "name a folder that ends with /"),
        ([], 2, "superres takes PHOTO"),
        (["a.png", "--device", "cuda:99"], 2, "there is no device 'cuda:99'"),
        (["a.png", "--network-interpolation", "0.5"], 2, "this model carries one checkpoint only"),
        (["missing.png", "--network-interpolation", "2"], 2, "--network-interpolation '2' is not one of 0..1"),
        (["missing.png"], 1, "missing.png"),
        (["a.png", "-o", "nowhere/x.png"], 1, "there is no folder nowhere"),
        (["a.png", "-o", "a.png/new/"], 1, "a.png is a file, not a folder"),
        (["a.png", "-o", "x" * 300 + ".png"], 1, "File name too long; give it a shorter name"),
        (["x" * 300 + ".png"], 1, "File name too long"),
        (["."], 1, "folder"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(with_kinds, model, work, arguments, code, said):
    before = names(work)
    done = run(with_kinds, *arguments)
    assert done.code == code
    assert said in done.err + done.out
    assert "Traceback" not in done.err
    assert names(work) == before


def test_a_model_that_cannot_be_used_is_said_in_one_line(with_kinds, model, work):
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(
        json.dumps({**config, "method": "absent", "requires": "gansdk-plugin-absent>=0.1"})
    )
    done = run(with_kinds, "a.png")
    assert done.code == 2
    assert done.error.endswith("pip install 'gansdk-plugin-absent>=0.1'")
    done = with_kinds("run", "superres", "a.png", "-m", "model")
    assert (done.code, done.error) == (2, "gansdk: there is no model or alias 'model'; for the folder write ./model")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("seconds", [0.3, 2])
def test_ctrl_c_is_said_and_leaves_nothing_half_written(with_kinds, model, work, seconds):
    photo(work / "large.png", 1500, 1500)
    line = [str(PROGRAM), "run", "superres", "large.png", "-m", "./model", "--tile", "32"]
    process = subprocess.Popen(line, cwd=work, env=with_kinds.environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr as stderr:
        first = stderr.readline()  # the model's name: from here on the call is at work
        time.sleep(seconds)  # while torch is imported, or later
        process.send_signal(signal.SIGINT)
        rest = stderr.read()
    assert process.wait() == 130
    assert first.startswith("superres with")
    assert rest.splitlines()[-1] == "gansdk: interrupted"
    assert "Traceback" not in rest
    assert names(work) == ["a.png", "large.png", "model"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("flags", [[], ["--quiet"]])
def test_a_bar_is_drawn_where_stderr_is_a_terminal_and_somebody_wants_it(with_kinds, model, work, flags):
    import pty

    reader, terminal = pty.openpty()
    line = [str(PROGRAM), "run", "superres", "a.png", "-m", "./model", "--tile", "24", *flags]
    environment = with_kinds.environment | {"TERM": "xterm"}
    done = subprocess.run(line, cwd=work, env=environment, stderr=terminal, stdout=subprocess.PIPE, check=True)
    os.write(terminal, b"end")  # reading an empty terminal would wait
    seen = os.read(reader, 100_000)
    os.close(terminal)
    os.close(reader)
    assert done.stdout == b""
    assert (b"\x1b[" in seen) == (not flags)
    assert (b"a-superres.png" in seen) == (not flags)


# --- what images say about themselves ---------------------------------------------------------------------------


def stated(path, *chunks):
    """A PNG file of one colour with chunks of its own."""
    path.write_bytes(raw_png(16, 16, 8, 2, [bytes((230, 120, 60)) * 16] * 16, *chunks))


def test_colour_that_a_file_states_reaches_the_result(with_kinds, work, model):
    stated(work / "p3.png", chunk(b"cICP", bytes([12, 13, 0, 1])))
    done = run(with_kinds, "p3.png", "--strict", "-o", "large.jpg")
    assert (done.code, done.out) == (0, "")
    with PILImage.open(work / "large.jpg") as large:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(large.info["icc_profile"]))
        assert ImageCms.getProfileDescription(profile).strip() == "Display P3"


def test_hdr_is_said_and_refused_with_strict(with_kinds, work, model):
    stated(work / "hdr.png", chunk(b"cICP", bytes([9, 16, 0, 1])))
    done = run(with_kinds, "hdr.png", "-o", "x.png")
    assert done.code == 0
    assert "hdr.png: it is HDR (PQ)" in done.err
    done = run(with_kinds, "hdr.png", "-o", "y.png", "--strict")
    assert (done.code, names(work).count("y.png")) == (1, 0)
    assert "it is HDR (PQ)" in done.err


def test_texts_and_print_resolution_reach_the_result_or_their_loss_is_said(with_kinds, work, model):
    text = chunk(b"tEXt", b"Copyright\0me") + chunk(b"tEXt", b"parameters\0a cat")
    stated(work / "said.png", chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 1)), text)
    assert run(with_kinds, "said.png", "-o", "kept.png").code == 0
    with PILImage.open(work / "kept.png") as kept:
        kept.load()
        assert (kept.text["Copyright"], kept.text["parameters"]) == ("me", "a cat")
        assert kept.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    done = run(with_kinds, "said.png", "-o", "kept.jpg")
    assert "said.png: jpg cannot hold its texts (Copyright, parameters); left out" in done.err
    assert run(with_kinds, "said.png", "-o", "bare.png", "--metadata", "strip").code == 0
    with PILImage.open(work / "bare.png") as bare:
        bare.load()
        assert bare.text == {}
