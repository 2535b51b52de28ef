"""The one way to measure, against a measurement by hand with PIL, torch and scikit-image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from PIL import Image as PILImage
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gansdk import Facts, open_images
from gansdk.backbones.lite0 import EfficientNetLite0
from gansdk.errors import InputError, NotApplicableError
from gansdk.evaluation import METRICS, evaluators, restoration_metrics
from gansdk.evaluation.evaluated_model import load_evaluated_model
from gansdk.evaluation.evaluators import PatchFeatures, frechet_distance
from gansdk.evaluation.protocol import EvaluationSettings
from gansdk.evaluation.restoration import FACES, JPEG, RestorationProtocol, trial_images
from gansdk.evaluation.restoration_metrics import ClassifierTwoSampleTest, PatchFrechetDistance, pd_lite0
from gansdk.evaluation.run import check_fitting, evaluate, fitting
from gansdk.model.config import Trained, TrainingData
from gansdk.options import LoadOptions

FP32 = LoadOptions(precision="fp32", device="cpu")
PLAIN = {metric.name: metric for metric in METRICS if metric.name in {"psnr-y", "ssim-y", "consistency"}}


def by_hand(folder, seed: int) -> dict[str, dict[str, float]]:
    """What a small network's results are worth, by name of the metric and of the image."""
    network = tiny.trained_networks(seed=seed)["generator"]
    found: dict[str, dict[str, float]] = {"psnr-y": {}, "ssim-y": {}, "consistency": {}}
    for path in sorted(folder.iterdir()):
        with PILImage.open(path) as pil_image:
            high = np.asarray(pil_image)[: pil_image.height // 2 * 2, : pil_image.width // 2 * 2]
        half = (high.shape[1] // 2, high.shape[0] // 2)
        low = np.array(PILImage.fromarray(high).resize(half, PILImage.Resampling.BICUBIC))
        with torch.no_grad():
            result = network(torch.from_numpy(low).permute(2, 0, 1)[None].float() / 255)[0].clamp(0, 1)
        result = (result * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        again = np.asarray(PILImage.fromarray(result).resize(half, PILImage.Resampling.BICUBIC))
        truth, ours = (rgb2ycbcr(image)[2:-2, 2:-2, 0] for image in (high, result))
        found["psnr-y"][path.name] = peak_signal_noise_ratio(truth, ours, data_range=255)
        found["ssim-y"][path.name] = structural_similarity(
            truth, ours, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        found["consistency"][path.name] = peak_signal_noise_ratio(low, again, data_range=255)
    return found


def test_model_baseline_and_their_difference_are_what_comes_out_by_hand(resolved, photos):
    evaluation = evaluate(load_evaluated_model(resolved, FP32), {"few": open_images(photos)}, list(PLAIN.values()))
    ours, theirs = by_hand(photos, seed=0), by_hand(photos, seed=1)
    assert [one.metric for one in evaluation.measurements] == ["psnr-y", "ssim-y", "consistency"]
    for one in evaluation.measurements:
        assert one.values == pytest.approx(ours[one.metric], abs=2e-3)
        assert one.value == pytest.approx(np.mean(list(ours[one.metric].values())), abs=2e-3)
        assert one.baseline.values == pytest.approx(theirs[one.metric], abs=2e-3)
        assert one.difference.value == pytest.approx(one.value - one.baseline.value)
        assert (one.data, one.count, one.seen) == ("few", 2, False)
    assert "other end" in evaluation.baseline


def test_the_record_says_how_and_on_what(resolved, photos):
    images = open_images(photos)
    (one,) = evaluate(load_evaluated_model(resolved, FP32), {"few": images}, [PLAIN["psnr-y"]]).measurements
    assert one.digest == images.digest
    assert (one.unit, one.better, one.version) == ("dB", "higher", 1)
    expected = {
        "scale": 2,
        "border": 2,
        "precision": "fp32",
        "device": "cpu",
        "channel": "Y of ITU-R BT.601, 16 to 235",
    }
    assert expected.items() <= one.protocol.items()
    assert one.protocol["versions"]["torch"] == torch.__version__


def test_the_record_says_what_was_done_to_the_inputs(resolved):
    sets = trial_images()
    data = {name: sets[name] for name in (FACES, JPEG)}
    found = evaluate(load_evaluated_model(resolved, FP32), data, [PLAIN["psnr-y"]]).measurements
    assert [one.protocol["input"] for one in found] == ["8 bits", "JPEG of quality 40, 4:2:0"]


def test_bicubic_stands_beside(resolved, photos):
    (one,) = evaluate(
        load_evaluated_model(resolved, FP32), {"few": open_images(photos)}, [PLAIN["psnr-y"]]
    ).measurements
    expected = []
    for path in photos.iterdir():
        with PILImage.open(path) as image:
            high = image.crop((0, 0, image.width // 2 * 2, image.height // 2 * 2))
        small = high.resize((high.width // 2, high.height // 2), PILImage.Resampling.BICUBIC)
        planes = [
            rgb2ycbcr(np.asarray(each))[2:-2, 2:-2, 0]
            for each in (high, small.resize(high.size, PILImage.Resampling.BICUBIC))
        ]
        expected.append(peak_signal_noise_ratio(*planes, data_range=255))
    assert one.references == {"bicubic": pytest.approx(np.mean(expected), abs=1e-6)}


def test_a_flawless_result_has_finite_decibels(resolved, tmp_path):
    (tmp_path / "flat").mkdir()
    PILImage.new("RGB", (40, 40), "black").save(tmp_path / "flat" / "flat.png")
    (one,) = evaluate(
        load_evaluated_model(resolved, FP32), {"flat": open_images(tmp_path / "flat")}, [PLAIN["psnr-y"]]
    ).measurements
    assert one.references == {"bicubic": 100}


def test_data_that_the_model_was_trained_on_are_said_and_recorded(tmp_path, photos, resolved):
    images = open_images(photos)
    known = TrainingData(name="few", licence="x", items=2, digest=images.digest)
    trained = Trained(recipe="a:b", config="c", seed=0, steps=1, data=(known,))
    config = resolved.config.model_copy(update={"trained": trained})
    evaluated_model = load_evaluated_model(replace(resolved, config=config), FP32)
    notes = []
    (one,) = evaluate(evaluated_model, {"few": images}, [PLAIN["psnr-y"]], note=notes.append).measurements
    assert one.seen
    assert "trained on these very data" in notes[0]


def test_what_a_metric_makes_no_sense_of_is_left_out_in_one_line(resolved, photos, tmp_path):
    (tmp_path / "thin").mkdir()
    PILImage.new("RGB", (64, 14)).save(tmp_path / "thin" / "thin.png")
    data = {"few": open_images(photos), "thin": open_images(tmp_path / "thin")}
    metrics = [metric for metric in METRICS if metric.name in {"psnr-y", "ssim-y", "c2st"}]
    notes = []
    evaluation = evaluate(load_evaluated_model(resolved, FP32), data, metrics, note=notes.append)
    found = {(one.data, one.metric) for one in evaluation.measurements}
    assert found == {("few", "psnr-y"), ("few", "ssim-y"), ("thin", "psnr-y")}
    assert notes == [
        "c2st: left out on few, thin: it needs 20 images or more",
        "ssim-y: left out on thin: thin.png: a border of 2 leaves no window of 11 of (14, 64)",
    ]


def test_data_of_another_kind_are_left_out(resolved):
    class Sounds:
        name, licence, digest = "sounds", "CC0-1.0", "sha256:0"

        def __len__(self):
            return 3

    notes = []
    evaluation = evaluate(
        load_evaluated_model(resolved, FP32), {"sounds": Sounds()}, [PLAIN["psnr-y"]], note=notes.append
    )
    assert evaluation.measurements == ()
    assert notes == ["psnr-y: left out on sounds: they are not images"]


def test_progress_counts_images_and_may_end_it(resolved, photos):
    seen = []
    evaluated_model = load_evaluated_model(resolved, FP32)
    evaluate(evaluated_model, {"few": open_images(photos)}, [PLAIN["psnr-y"]], progress=lambda *at: seen.append(at))
    assert seen == [("few", 0, 2), ("few", 1, 2), ("few", 2, 2)]

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(evaluated_model, {"few": open_images(photos)}, [PLAIN["psnr-y"]], progress=interrupt)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\nnothing more", None])
def test_an_image_that_cannot_be_tried_is_named(resolved, photos, content):
    if content is None:
        PILImage.new("RGB", (1, 9)).save(photos / "bad.png")
    else:
        (photos / "bad.png").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.png") as caught:
        evaluate(load_evaluated_model(resolved, FP32), {"few": open_images(photos)}, [PLAIN["psnr-y"]])
    assert "\n" not in str(caught.value)


def test_metrics_that_do_not_fit(monkeypatch):
    monkeypatch.delenv("GANSDK_DATA", raising=False)
    notes = []
    assert [metric.name for metric in fitting(METRICS, tiny.FACTS, notes.append)] == [
        "psnr-y",
        "ssim-y",
        "consistency",
        "spectrum-slope",
        "c2st",
    ]
    assert [note.partition(":")[0] for note in notes] == ["pd-lite0", "fd-lite0"]
    assert fitting(METRICS, Facts()) == []
    with pytest.raises(NotApplicableError, match=r"m cannot be measured by psnr-y: it has no generator"):
        check_fitting([PLAIN["psnr-y"]], Facts(), "m")
    with pytest.raises(InputError, match="efficientnet_lite0"):
        check_fitting([metric for metric in METRICS if metric.name == "fd-lite0"], tiny.FACTS, "m")


@pytest.fixture
def evaluated(resolved, photos):
    """Cases, and settings whose evaluator has random weights: no file is needed to count and to compare."""
    torch.manual_seed(0)
    evaluated_model = load_evaluated_model(resolved, FP32)
    settings = EvaluationSettings(tiny.FACTS, torch.device("cpu"))
    settings.__dict__["lite0"] = EfficientNetLite0().eval().requires_grad_(False)
    return settings, list(RestorationProtocol(evaluated_model.models, settings).examples(open_images(photos)))


def test_features_are_compared_image_by_image(evaluated):
    settings, examples = evaluated
    metric = pd_lite0(settings)
    for example in examples:
        metric.update(example)
    figures = metric.compute()
    assert set(figures) == {"model", "baseline", "bicubic"}
    assert set(figures["model"].values) == {"coffee.png", "astronaut.png"}
    assert 0 < figures["bicubic"].value < figures["model"].value < 4
    assert metric.conditions["stride"] == 48


def test_sets_of_features_are_compared_with_the_floor_beside(evaluated, monkeypatch):
    monkeypatch.setattr(restoration_metrics, "MINIMUM_PATCHES", 10)
    settings, examples = evaluated
    random = np.random.default_rng(0)
    real, made = random.normal(size=(2, 13, 4)), random.normal(size=(2, 13, 4)) + 1
    metric = PatchFrechetDistance(settings)
    for index, example in enumerate(examples):
        example.shared["features"] = {"truth": PatchFeatures((), real[index]), "model": PatchFeatures((), made[index])}
        metric.update(example)
    assert metric.count == 26
    assert metric.conditions["floor"] == "every other real patch against the rest, 13 against 13"
    figures = metric.compute()
    real, made = real.reshape(26, 4), made.reshape(26, 4)
    assert figures["model"].value == pytest.approx(frechet_distance(made, real))
    assert figures["floor"].value == pytest.approx(frechet_distance(real[::2], real[1::2]))


def test_half_of_the_images_are_asked_about(evaluated, monkeypatch):

    monkeypatch.setattr(restoration_metrics, "MINIMUM_IMAGES", 2)
    monkeypatch.setattr(evaluators, "C2ST_STEPS", 2)
    settings, examples = evaluated
    metric = ClassifierTwoSampleTest(settings)
    for example in examples:
        metric.update(example)
    figures = metric.compute()
    assert {way: list(each.values) for way, each in figures.items()} == {
        "model": ["coffee.png"],
        "baseline": ["coffee.png"],
        "bicubic": ["coffee.png"],
    }
    assert metric.count == 1
