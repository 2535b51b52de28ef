"""``gansdk eval`` through the installed command, on a network of a few kilobytes."""

from __future__ import annotations

import dataclasses
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sketch
import tiny
from dists import write_distribution
from PIL import Image as PILImage
from skimage.data import coffee

from gansdk.data.stacked import array_digest
from gansdk.evaluation.record import Evaluation, read_evaluation, read_evaluation_file
from gansdk.model.config import Trained, check_folder, read_config


@pytest.fixture
def photos(gansdk):
    folder = gansdk.cwd / "photos"
    folder.mkdir()
    PILImage.fromarray(coffee()[200:260, 300:364]).save(folder / "one.png")
    PILImage.fromarray(coffee()[100:164, 200:260]).save(folder / "two.png")
    return folder


def test_a_model_of_ones_own_is_measured_and_keeps_it(with_kinds, model, photos):
    done = with_kinds("eval", "./model", "--data", "few=photos", "--metric", "psnr-y", "--metric", "consistency")
    assert done.code == 0
    header, first, second = done.out.splitlines()
    assert header.split()[:4] == ["data", "metric", "better", "value"]
    assert first.split()[:3] == ["few", "psnr-y", "higher"]
    assert second.split()[:3] == ["few", "consistency", "higher"]
    assert "kept in model/evaluation.json" in done.err
    kept = read_evaluation(model)
    assert [(one.metric, one.count) for one in kept.measurements] == [("psnr-y", 2), ("consistency", 2)]
    assert f"{kept.measurements[0].value:.2f} dB" in first
    assert kept.measurements[0].protocol["precision"] == "fp32"
    check_folder(model, read_config(model))
    (shown,) = with_kinds("models", "show", "./model", "--json").records
    assert shown["evaluation"]["measurements"][0]["value"] == kept.measurements[0].value


def test_a_built_in_model_is_measured_and_left_alone(with_kinds, photos):
    done = with_kinds("eval", "builtin:tiny-x2", "--data", "photos", "--metric", "psnr-y", "--json", "-o", "here.json")
    assert done.code == 0
    (record,) = done.records
    assert (record["data"], record["metric"]) == ("photos", "psnr-y")
    assert set(record["values"]) == {"one.png", "two.png"}
    written = read_evaluation_file(with_kinds.cwd / "here.json")
    assert written.measurements[0].value == record["value"]
    again = with_kinds("eval", "builtin:tiny-x2", "--data", "b=photos", "--metric", "psnr-y")
    assert "is not a folder of yours: nothing is written" in again.err
    (shown,) = with_kinds("models", "show", "builtin:tiny-x2", "--json").records
    assert shown["evaluation"] is None


OVERTAKEN = """
import sys
from pathlib import Path
import tiny
import gansdk.evaluation.run as run

def replacing(name):
    real, times = getattr(run, name), []
    def call(*given, **named):
        if name == "load_evaluated_model" and not times:
            tiny.write(Path("model"), seed=1)
        times.append(1)
        found = real(*given, **named)
        if name == "evaluate":
            tiny.write(Path("model"), seed=1)
        return found
    setattr(run, name, call)

replacing(sys.argv.pop(1))
from gansdk.cli import main
sys.exit(main(["eval", "./model", "--data", "few=photos", "--metric", "psnr-y", *sys.argv[1:]]))
"""


def _overtaken(gansdk, *arguments):
    line = [sys.executable, "-c", OVERTAKEN, *arguments]
    return subprocess.run(line, capture_output=True, text=True, cwd=gansdk.cwd, env=gansdk.environment, check=False)


def test_figures_of_a_model_that_a_training_has_replaced_since_are_not_kept(with_kinds, model, photos):
    done = _overtaken(with_kinds, "evaluate")
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 2)
    assert "model has other weights than those that were measured, so nothing is kept in it" in done.stderr
    assert read_evaluation(model) is None
    check_folder(model, read_config(model))
    done = _overtaken(with_kinds, "evaluate", "-o", "here.json")
    assert (done.returncode, read_evaluation(model)) == (0, None)


def test_a_model_that_a_training_replaces_while_it_is_read_is_read_again(with_kinds, model, photos):
    done = _overtaken(with_kinds, "load_evaluated_model")
    assert done.returncode == 0, done.stderr
    assert "./model was replaced while it was read; it is read again" in done.stderr
    measured = read_evaluation(model).measurements[0].value
    tiny.write(model, seed=1)
    assert with_kinds("eval", "./model", "--data", "few=photos", "--metric", "psnr-y").code == 0
    assert read_evaluation(model).measurements[0].value == measured


def test_without_data_the_trial_images_are_taken(with_kinds, model):
    done = with_kinds("eval", "./model", "--metric", "psnr-y", "--json")
    assert [one["data"] for one in done.records] == ["trial/photographs", "trial/faces", "trial/text", "trial/jpeg"]


def test_images_are_measured_from_compressed_inputs_too(with_kinds, model, photos):
    done = with_kinds("eval", "./model", "--data", "few=photos", "--jpeg", "20", "--jpeg", "90", "--metric", "psnr-y")
    assert done.code == 0
    kept = {one.data: one for one in read_evaluation(model).measurements}
    assert list(kept) == ["few", "few, JPEG 20", "few, JPEG 90"]
    worst, better, clean = (kept[name].references["bicubic"] for name in ("few, JPEG 20", "few, JPEG 90", "few"))
    assert worst < better < clean
    assert kept["few, JPEG 20"].protocol["input"] == "JPEG of quality 20, 4:2:0"


def test_compressed_inputs_are_for_models_that_start_from_an_image(with_kinds):
    tiny.write(with_kinds.cwd / "other", facts=tiny.FACTS.model_copy(update={"generator": None}))
    done = with_kinds("eval", "./other", "--jpeg", "50")
    assert (done.code, done.out) == (2, "")
    assert "--jpeg does not apply to ./other" in done.error


def test_other_trainings_become_rows_of_an_ablation(with_kinds, model, photos):
    def trained(loss):
        return Trained(recipe="a:b", config="c", options={"loss": loss, "steps": 9, "seed": 1}, seed=1, steps=9)

    tiny.write(with_kinds.cwd / "pixel", seed=1, trained=trained("pixel"))
    tiny.write(with_kinds.cwd / "vgg", seed=2, trained=trained("vgg"))
    rows = ("--ablation", "pixel=./pixel", "--ablation", "vgg=./vgg")
    done = with_kinds("eval", "./model", *rows, "--data", "few=photos", "--metric", "psnr-y")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["row", "pixel", "vgg"]
    kept = read_evaluation(model)
    assert kept.measurements == ()
    assert [(row.name, row.steps, row.options) for row in kept.ablation] == [
        ("pixel", 9, {"loss": "pixel"}),
        ("vgg", 9, {"loss": "vgg"}),
    ]
    assert kept.ablation[0].measurements[0].values == {}


def test_other_seeds_of_the_same_training_give_a_spread(with_kinds, photos):
    def write(name, seed, **made):
        trained = Trained(**{"recipe": "a:b", "config": "c", "options": {"rate": 1}, "seed": seed, "steps": 9} | made)
        tiny.write(with_kinds.cwd / name, seed=seed, trained=trained)

    for seed in range(3):
        write(f"m{seed}", seed)
    write("longer", 4, steps=10)
    write("again", 0)
    measure = ("eval", "./m0", "--data", "few=photos", "--metric", "psnr-y")
    assert with_kinds(*measure).code == 0
    done = with_kinds(*measure, "--replicate", "./m2", "--replicate", "./m1")
    assert done.code == 0
    assert [line.split()[:2] for line in done.out.splitlines()[1:]] == [["seed", "2"], ["seed", "1"]]
    kept = read_evaluation(with_kinds.cwd / "m0")
    assert [one.seed for one in kept.replicates] == [1, 2]
    alone = [with_kinds("eval", f"./m{seed}", *measure[2:], "--json").records[0]["value"] for seed in range(3)]
    assert kept.over_seeds(kept.measurements[0]) == tuple(alone)
    for other, said in {
        "m1": "./m1 differs from ./m0 in its seed too",
        "longer": "in its steps and its seed too",
    }.items():
        assert said in with_kinds(*measure, "--baseline", f"./{other}").err
    for other, said in {"longer": "is another training than ./m0", "again": "seed 0 is there already"}.items():
        refused = with_kinds(*measure, "--replicate", f"./{other}")
        assert (refused.code, said in refused.error) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--metric", "psn-y"], 2, "there is no metric 'psn-y'; did you mean psnr-y"),
        (["--data", "nowhere"], 1, "there is no folder, zip archive or data set 'nowhere'"),
        (["--data", "mnst:test"], 1, "there is no folder, zip archive or data set 'mnst:test'; did you mean mnist"),
        (["--data", "mnist:val"], 2, "there is no split of mnist 'val'; it has train, test"),
        (["--data", "photos", "--data", "photos"], 2, "two data sets are called 'photos'"),
        (["--precision", "fp8"], 2, "--precision 'fp8' is not one of"),
        (["--network-interpolation", "0.5", "--data", "photos"], 2, "one checkpoint only"),
        (["--jpeg", "96", "--data", "photos"], 2, "--jpeg: 96 is not in 1..95"),
        (["--baseline", "./model", "--ablation", "a=./model"], 2, "--baseline and --ablation exclude each other"),
        (["-o", "nowhere/x.json"], 1, "there is no folder nowhere"),
        (["-o", "photos/one.png"], 1, "holds no measurements"),
        (["-o", "photos"], 2, "photos is a folder"),
    ],
)
def test_what_is_wrong_is_one_line(with_kinds, model, photos, arguments, code, said):
    done = with_kinds("--quiet", "eval", "./model", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.error
    assert read_evaluation(model) is None


def test_a_model_that_no_metric_fits_is_refused(with_kinds):
    folder = with_kinds.cwd / "other"
    tiny.write(folder, facts=tiny.FACTS.model_copy(update={"generator": None}))
    assert with_kinds("eval", "./other").error == (
        "gansdk: no metric fits ./other; see `gansdk plugins` for those that are here"
    )
    assert "it has no generator" in with_kinds("eval", "./other", "--metric", "ssim-y").error


def test_it_adds_to_a_file_that_is_there(with_kinds, model, photos):
    with_kinds("eval", "./model", "--data", "a=photos", "--metric", "psnr-y", "-o", "all.json")
    with_kinds("eval", "./model", "--data", "b=photos", "--metric", "psnr-y", "-o", "all.json")
    both = Evaluation.model_validate_json((with_kinds.cwd / "all.json").read_text())
    assert [one.data for one in both.measurements] == ["a", "b"]
    assert read_evaluation(model) is None


DOTS = """
import struct
import numpy as np
from gansdk import DataSplit, NamedDataset, hookimpl

@hookimpl
def gansdk_datasets():
    splits = {
        name: DataSplit({"images": name, "labels": f"{name}-labels"}, 6, DIGESTS[name]) for name in ("train", "test")
    }
    return [NamedDataset("dots", "noise", "CC0-1.0", splits, route="fetch FOLDER dots", classes=("zero", "one", "two"),
                         reader="gansdk.data.mnist:read_idx_files")]
"""


@pytest.fixture
def dots(gansdk, monkeypatch):
    """The command with a data set ``dots`` on the disk, and a model of samples that learned from its training split."""
    folder, digests = gansdk.home.parent / "data" / "dots", {}
    folder.mkdir(parents=True)
    labels = np.arange(6, dtype=np.uint8) % 3
    for seed, name in enumerate(("train", "test")):
        images = np.random.default_rng(seed).integers(0, 256, (6, 10, 8), np.uint8)
        (folder / name).write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", *images.shape) + images.tobytes())
        (folder / f"{name}-labels").write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", 6) + labels.tobytes())
        digests[name] = array_digest({"images": images, "labels": labels})
    plugins = gansdk.home.parent / "plugins"
    write_distribution(plugins, "gansdk-plugin-dots", f"DIGESTS = {digests}\n{DOTS}")
    write_distribution(plugins, "gansdk-plugin-sketch", None, module="sketch")
    monkeypatch.setenv("GANSDK_DATA", str(folder.parent))
    sketch.write(gansdk.cwd / "mine")
    config = json.loads((gansdk.cwd / "mine" / "config.json").read_text("utf-8"))
    config["trained"]["data"][0] |= {"name": "dots:train", "digest": digests["train"]}
    config["trained"]["options"] = {"steps": 5}
    (gansdk.cwd / "mine" / "config.json").write_text(json.dumps(config), "utf-8")
    return dataclasses.replace(gansdk, path=(plugins, Path(sketch.__file__).parent)), folder


def test_the_test_split_of_what_a_model_learned_from_is_taken_where_it_is_here(dots):
    command, folder = dots
    records = command("eval", "./mine", "--json").records
    assert [(one["metric"], one["data"]) for one in records][:2] == [
        ("clustering-accuracy", "dots:test"),
        ("code-information", "fresh samples"),
    ]
    (folder / "test").unlink()
    done = command("eval", "./mine", "-o", "here.json")
    assert done.code == 0
    assert "dots:test, the test split of what it learned from, is left out: there is no file" in done.err
    assert "get it: fetch" in done.err


def test_where_nobody_judged_and_where_a_training_ended_is_said(dots):
    command, _ = dots
    done = command("eval", "./mine")
    unfinished = "./mine is of an unfinished training: step 1 of 5"
    assert done.err.count(unfinished) == 1
    assert "its images were not judged: no figure says how good they are; give real ones with --data" in done.err
    assert "were not judged" not in command("eval", "./mine", "--metric", "code-recovery").err
    shown = command("models", "show", "./mine").out
    assert "  remark    training unfinished, step 1 of 5\n  remark    its images were not judged\n" in shown
    (record,) = command("models", "show", "./mine", "--json").records
    assert record["remarks"] == ["training unfinished, step 1 of 5", "its images were not judged"]
    used = command("run", "generate", "--model", "./mine", "-n", 1, "-o", "one.png")
    assert (used.code, unfinished in used.err) == (0, True)
    assert command("card", "./mine", "--no-images").code == 0
    card = (command.cwd / "mine" / "README.md").read_text("utf-8")
    assert "**Its images were not judged**: no figure here says how good they are." in card
    assert "Its training is unfinished: these are the weights of step 1 of 5." in card
