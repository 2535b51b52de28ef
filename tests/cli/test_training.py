"""``gansdk train`` and ``gansdk resume`` through the installed command, on a network of a few kilobytes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image as PILImage

from gansdk.cli import main, output
from gansdk.cli.train import named

SMALL = ["features=4", "up_features=4", "blocks=1", "batch=1", "patch=8"]


@pytest.fixture
def train(gansdk):
    """Trains the small network, with whatever is added."""
    (gansdk.cwd / "photos").mkdir()
    for seed in range(2):
        pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)
        PILImage.fromarray(pixels).save(gansdk.cwd / "photos" / f"{seed}.png")
    settings = [one for text in SMALL for one in ("--set", text)]

    def call(*arguments):
        return gansdk("train", "srgan", "--threads", 1, *settings, *arguments)

    return call


def test_a_run_is_trained_gone_on_with_and_used(train, gansdk):
    done = train(
        "--config",
        "small",
        "--data",
        "photos",
        "-o",
        "RUN",
        "--set",
        "steps=2",
        "--test",
        "own=photos",
        "--test",
        "photos",
    )
    assert (done.code, done.out) == (0, "")
    assert "2 steps" in done.err
    assert "psnr-y on own" in done.err
    assert "psnr-y on photos" in done.err
    resumed = gansdk("resume", "RUN", "--steps", 4, "--threads", 1, "--json")
    (record,) = resumed.records
    assert (record["run"], record["steps"]) == ("RUN", 4)
    assert record["evaluation"]["measurements"][0]["data"] == "own"
    (shown,) = gansdk("models", "show", "RUN/", "--json").records
    assert shown["trained"]["steps"] == 4
    assert shown["evaluation"]["measurements"][0]["metric"] == "psnr-y"
    assert "values" not in shown["evaluation"]["measurements"][0]
    used = gansdk("run", "superres", "photos/0.png", "--model", "RUN/", "-o", "large.png")
    assert used.code == 0
    with PILImage.open(gansdk.cwd / "large.png") as large:
        assert large.size == (256, 256)


def test_an_ablation_names_what_it_was_trained_without(gansdk):
    (gansdk.cwd / "photos").mkdir()
    for seed in range(8):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
        PILImage.fromarray(pixels).save(gansdk.cwd / "photos" / f"{seed}.png")
    sizes = ["steps=2", "batch=8", "height=8", "width=8", "hidden=8", "features=2", "code_hidden=8"]
    small = [one for text in sizes for one in ("--set", text)]
    done = gansdk("train", "infogan", "--ablate", "--config", "small", "--data", "photos", "-o", "ABLATION", *small)
    assert (done.code, done.out) == (0, "")
    assert "no such term" not in done.err
    config = json.loads((gansdk.cwd / "ABLATION" / "model" / "config.json").read_text("utf-8"))
    assert config["trained"]["ablated_terms"] == [["generator", "categorical"], ["generator", "continuous"]]
    card = gansdk("card", "ABLATION/", "--no-images", "-o", "card.md")
    assert card.code == 0
    assert " --ablate " in (gansdk.cwd / "card.md").read_text("utf-8")


def test_images_of_another_size_say_what_to_set_and_that_trains(gansdk):
    (gansdk.cwd / "photos").mkdir()
    for seed in range(4):
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8)
        PILImage.fromarray(pixels).save(gansdk.cwd / "photos" / f"{seed}.png")
    sizes = ["steps=1", "batch=4", "hidden=8", "features=2", "code_hidden=8"]
    small = [one for text in sizes for one in ("--set", text)]
    line = ["train", "infogan", "--config", "small", *small, "--data", "photos", "-o", "RUN"]
    refused = gansdk(*line)
    assert refused.code == 1
    assert "photos/0.png is 12x8 pixels, not 28x28; train at their size with --set height=8" in refused.err
    assert not (gansdk.cwd / "RUN").exists()
    way_out = refused.err.partition("train at their size with ")[2].partition(",")[0].split()
    assert way_out[-1] == "channels=3"
    assert gansdk(*line, *way_out).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("--config small --data photos", 2, "train needs a folder to fill; add -o RUN"),
        ("--data photos -o RUN", 2, "train needs a config of srgan; add --config; it has paper, small"),
        (
            "--config smal --data photos -o RUN",
            2,
            "no config of srgan 'smal'; did you mean small or small-gan or small-gan-photo?",
        ),
        ("--config small -o RUN", 2, "the recipe needs a data set 'photos'; add --data photos=FOLDER"),
        ("--config small --data photos -o RUN --set stps=2", 2, "there is no option 'stps'; did you mean steps?"),
        ("--config small --data photos -o RUN --set blocks=2", 2, "--set names 'blocks' twice; give it once"),
        ("--config small --data photos --data photos -o RUN", 2, "--data is given twice without a name"),
        (
            "--config small --data photos --test photos --test photos/ -o RUN",
            2,
            "two tests are called 'photos'; write --test NAME=DATA, each name once",
        ),
        (
            "--config small --data photos --test nowhere -o RUN",
            1,
            "there is no folder, zip archive or data set 'nowhere'",
        ),
        ("--config small --data photos -o RUN --seed -1", 2, "--seed '-1' is not one of 0.."),
        ("--config small --data photos -o RUN --checkpoint-every 0", 2, "--checkpoint-every '0' is not one of 1.."),
        ("--config small --data photos -o RUN --threads many", 2, "--threads 'many' is not one of auto|1..1024"),
        ("--config small --data nowhere -o RUN", 1, "there is no folder, zip archive or data set 'nowhere'"),
        ("--config small --data minst -o RUN", 1, "data set 'minst'; did you mean mnist?"),
        ("--config small --data mnist:val -o RUN", 2, "there is no split of mnist 'val'; it has train, test"),
        (
            "--config small --data photos -o RUN --ablate",
            2,
            "no ablation of srgan's config small: this stage has no term of",
        ),
        (
            "--config small-gan --data photos -o RUN --ablate",
            2,
            "it declares no terms of the method's own; leave --ablate out",
        ),
        ("--config small --data photos -o photos", 1, "photos exists and is not a run"),
    ],
)
def test_what_is_wrong_is_one_line_and_starts_no_run(train, gansdk, arguments, code, said):
    done = train(*arguments.split())
    assert (done.code, done.out) == (code, "")
    assert said in done.error
    assert not (gansdk.cwd / "RUN").exists()


def test_a_run_goes_on_with_data_that_has_moved(train, gansdk):
    assert train("--config", "small", "--data", "photos", "-o", "RUN", "--set", "steps=1").code == 0
    (gansdk.cwd / "photos").rename(gansdk.cwd / "moved")
    refused = gansdk("resume", "RUN", "--steps", 2)
    assert (refused.code, refused.error.partition("; ")[2]) == (
        1,
        "if it has moved: gansdk resume RUN --data photos=DATA",
    )
    twice = gansdk("resume", "RUN", "--data", "moved", "--data", "moved")
    assert (twice.code, "--data is given twice without a name" in twice.error) == (2, True)
    assert gansdk("resume", "RUN", "--steps", 2, "--data", "photos=moved").code == 0
    assert gansdk("resume", "RUN", "--steps", 3).code == 0


def test_a_long_training_says_a_line_now_and_then_where_no_terminal_is(train, gansdk, monkeypatch, capsys):
    photos, settings = str(gansdk.cwd / "photos"), [one for text in SMALL for one in ("--set", text)]
    run = str(gansdk.cwd / "RUN")
    monkeypatch.setattr(output, "LINE_SECONDS", 0.0)
    line = ["train", "srgan", "--config", "small", "--data", photos, "-o", run, "--set", "steps=4", *settings]
    assert main([*line, "--test", f"own={photos}"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert f"{run} measured on own: 50 %" in "\n".join(said)
    lines = [line for line in said if "steps/s" in line]
    assert len(lines) == 3
    assert re.fullmatch(rf"{run} \d+\.\d\d steps/s: 2 of 4 steps, (about )?.+ left", lines[0])
    monkeypatch.setattr(output, "LINE_SECONDS", 60.0)
    assert main(["resume", run, "--steps", "8"]) == 0
    assert "steps/s" not in capsys.readouterr().err
    monkeypatch.setattr(output, "LINE_SECONDS", 0.0)
    assert main(["resume", run, "--steps", "12", "--quiet"]) == 0
    assert not capsys.readouterr().err


def test_a_named_data_set_that_is_not_here_says_what_gets_it(train, gansdk, monkeypatch):
    monkeypatch.setenv("GANSDK_DATA", str(gansdk.cwd))
    done = train("--config", "small", "--data", "mnist", "-o", "RUN")
    fetch = f"python scripts/fetch_datasets.py {gansdk.cwd} mnist"
    assert (done.code, done.error) == (1, f"gansdk: mnist is not in {gansdk.cwd / 'mnist'}; get it: {fetch}")


def test_a_folder_that_is_no_run_cannot_be_resumed(gansdk):
    assert "there is no folder nowhere" in gansdk("resume", "nowhere").error


def test_a_path_with_an_equals_sign_that_exists_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named("faces=photos") == ("faces", "photos")
    assert named("photos") == ("", "photos")
    assert named("./a=b") == ("", "./a=b")
    assert named("a=b=c") == ("a", "b=c")
    (tmp_path / "faces=photos").mkdir()
    assert named("faces=photos") == ("", "faces=photos")
