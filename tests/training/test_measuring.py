"""What a run measures, at its end and on the way."""

import numpy as np
import pytest
import torch
from adversary import METHOD, write_images
from PIL import Image as PILImage
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio
from trainings import metrics, state, train

from gansdk.errors import UsageError
from gansdk.evaluation.record import read_evaluation
from gansdk.model.config import check_folder, read_config
from gansdk.models.loading import load_model
from gansdk.models.resolved import ResolvedModel
from gansdk.plugins.registry import discover


def test_the_evaluation_is_that_of_the_model_which_lies_there(tmp_path, photos):
    run, notes = tmp_path / "run", []
    held_out = write_images(tmp_path / "held-out", seed=5)
    finished = train(run, photos, tests={"held-out": str(held_out)}, note=notes.append)
    config = read_config(run / "model")
    network = load_model(ResolvedModel.at(run / "model", METHOD)).networks["generator"]
    expected = {}
    for path in held_out.glob("*.png"):
        with PILImage.open(path) as image:
            low = np.array(image.resize((4, 4), PILImage.Resampling.BICUBIC))
            high = np.array(image)
        with torch.no_grad():
            result = network(torch.from_numpy(low).permute(2, 0, 1)[None] / 255)[0].clamp(0, 1)
        pixels = (result * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        planes = [rgb2ycbcr(one)[2:-2, 2:-2, 0] for one in (high, pixels)]
        expected[path.name] = peak_signal_noise_ratio(*planes, data_range=255)
    measured = finished.evaluation.measurements[0]
    assert measured.values == pytest.approx(expected, abs=0.05)
    assert (measured.metric, measured.data, measured.seen) == ("psnr-y", "held-out", False)
    assert read_evaluation(run / "model") == finished.evaluation
    check_folder(run / "model", config)
    assert any(note.startswith("c2st: left out on held-out") for note in notes)


def test_a_test_set_that_is_trained_on_is_recorded_as_such(tmp_path, photos):
    finished = train(tmp_path / "run", photos, tests={"own": photos})
    assert all(measured.seen for measured in finished.evaluation.measurements)


def test_measuring_on_the_way_is_written_down_and_changes_nothing(tmp_path, photos):
    tests = {"own": str(write_images(tmp_path / "tests", seed=9))}
    kept = {"metrics": [one for one in discover().metrics.values() if one.name == "psnr-y"]}
    train(tmp_path / "plain", photos, tests=tests, **kept)
    train(tmp_path / "measured", photos, tests=tests, evaluate_every=3, **kept)
    (plain, plain_numbers), (measured, numbers) = state(tmp_path / "plain"), state(tmp_path / "measured")
    assert all(torch.equal(plain[key], measured[key]) for key in plain)
    assert plain_numbers["averages"] == numbers["averages"]
    weights = "model/model.safetensors"
    assert (tmp_path / "plain" / weights).read_bytes() == (tmp_path / "measured" / weights).read_bytes()
    lines = metrics(tmp_path / "measured")
    figures = {line["step"]: line["evaluation/own/psnr-y"] for line in lines if "evaluation/own/psnr-y" in line}
    assert list(figures) == [3, 6]
    assert figures[6] == read_evaluation(tmp_path / "measured" / "model").measurements[0].value
    assert [line for line in lines if "generator/look" in line] == metrics(tmp_path / "plain")


def test_measuring_on_the_way_needs_something_to_measure_on(tmp_path, photos):
    with pytest.raises(UsageError, match="evaluate_every needs something to measure on; add a test set"):
        train(tmp_path / "run", photos, evaluate_every=3)
    assert not (tmp_path / "run").exists()
