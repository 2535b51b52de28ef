"""The first stage, on tiny images: what it learns, measures, exports, and that it fits the training room."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

import gansdk
import gansdk.training
from gansdk_srgan import METHOD
from gansdk_srgan.architectures import SRResNetOptions
from gansdk_srgan.model import assemble
from gansdk_srgan.networks import enlarge
from gansdk_srgan.options import Stage1Options, Stage2Options
from gansdk_srgan.recipe import Stage1

TINY = {
    "features": 8,
    "blocks": 1,
    "up_features": 4,
    "head_kernel": 3,
    "tail_kernel": 3,
    "batch_norm": False,
    "base": "bilinear",
    "batch": 4,
    "patch": 8,
    "steps": 120,
    "loss": "l1",
    "learning_rate": 8e-3,
    "ema": 0.9,
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """So little to compute that threads would spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def photos(tmp_path: Path) -> gansdk.Images:
    """Sharp edges at all angles: what bilinear interpolation blurs and a network can learn to sharpen."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rows, columns = np.mgrid[:100, :121]
    for index, angle in enumerate([0.3, 1.2, 2.0]):
        wave = np.sin((rows * math.sin(angle) + columns * math.cos(angle)) / 4)
        colours = np.stack([wave > 0, wave > 0.5, wave < 0.2], axis=-1)
        PILImage.fromarray((colours * 200 + 20).astype(np.uint8)).save(folder / f"{index}.png")
    return gansdk.open_images(folder)


def build(**changed: object) -> Stage1:
    torch.manual_seed(0)
    return Stage1(Stage1Options(**{**TINY, **changed}))  # type: ignore[arg-type]


def test_configs_are_valid_and_the_papers_is_the_paper() -> None:
    paper = Stage1Options(**METHOD.configs["paper"].values)
    assert paper.network() == SRResNetOptions()
    assert (paper.loss, paper.learning_rate, paper.batch, paper.patch * paper.scale) == ("mse", 1e-4, 16, 96)
    small = Stage1Options(**METHOD.configs["small"].values)
    assert not small.network().batch_norm


def test_the_photo_config_continues_from_the_model_that_was_taught_clean_images() -> None:
    recipe = Stage1(Stage1Options(**METHOD.configs["small-photo"].values))
    start = gansdk.training.load_initial_model("builtin:srresnet-x4", METHOD)
    for name, tensor in start.networks["generator"].state_dict().items():
        torch.testing.assert_close(recipe.networks["generator"].state_dict()[name], tensor, rtol=0, atol=0)
    assert recipe.dependencies == {"init_from": start.digest}


def test_a_start_of_other_sizes_is_refused_with_the_sizes_to_set() -> None:
    with pytest.raises(gansdk.UsageError, match="is not that of this training") as caught:
        build(init_from="builtin:srresnet-x4")
    assert "--set features=64" in caught.value.hint
    assert "--set base" not in caught.value.hint


def test_degraded_inputs_differ_from_the_shrunk_and_the_truth_stays(photos: gansdk.Images) -> None:
    plain, degraded = (
        build(degradation=kind, clean=0, batch=1).streams({"photos": photos}, seed=0)["photos"].batch(0)
        for kind in ("bicubic", "second-order")
    )
    assert plain["low"].shape == degraded["low"].shape
    assert not torch.equal(plain["low"], degraded["low"])
    assert torch.equal(plain["high"].sort().values.sum(), degraded["high"].sort().values.sum())


def test_training_lowers_the_loss_of_the_averaged_network(photos: gansdk.Images) -> None:
    recipe = build()
    stream = recipe.streams({"photos": photos}, seed=0)["photos"]
    train = gansdk.training.Train(recipe.players)
    held_out = stream.batch(10_000)

    def error() -> float:
        with train.finished():
            return float((recipe.networks["generator"](held_out["low"]) - held_out["high"]).abs().mean())

    bilinear = float((enlarge(held_out["low"], 4) - held_out["high"]).abs().mean())
    for index in range(recipe.options.steps):
        train.step = index
        recipe.step({"photos": stream.batch(index)}, train)
    assert error() < 0.9 * bilinear


def test_the_weight_of_the_pixel_loss_reaches_the_generator(photos: gansdk.Images) -> None:
    batch = {"photos": build().streams({"photos": photos}, seed=0)["photos"].batch(0)}
    moved = []
    for weight in (1.0, 2.0):
        recipe = build(pixel=weight)
        recipe.generator.optimiser = lambda parameters: torch.optim.SGD(parameters, lr=1)
        before = recipe.networks["generator"].tail.weight.detach().clone()
        recipe.step(batch, gansdk.training.Train(recipe.players))
        moved.append(recipe.networks["generator"].tail.weight.detach() - before)
    torch.testing.assert_close(moved[1], 2 * moved[0], rtol=1e-4, atol=1e-7)
    assert recipe.routes == {"pixel": {"generator"}}


def test_the_step_size_rises_stays_and_falls() -> None:
    options = Stage1Options(**{**TINY, "steps": 1000, "warmup": 10, "schedule": "cosine", "decay_to": 0.1})
    factors = [options.learning_rate_factor(step) for step in range(1001)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:500] == [1.0] * 491
    assert factors[750] == pytest.approx(0.55)
    assert factors[1000] == pytest.approx(0.1)
    assert sorted(factors[500:], reverse=True) == factors[500:]
    assert Stage1Options(**TINY).learning_rate_factor(119) == 1.0


def test_the_models_images_stay_within_their_range() -> None:
    facts = build().export().facts
    model = assemble({"generator": lambda image: image * 3 - 1}, facts)
    assert model.generator is not None
    given = model.generator.generate({"image": torch.tensor([0.1, 0.5, 0.9]).reshape(1, 1, 1, 3)})
    torch.testing.assert_close(given.flatten(), torch.tensor([0.0, 0.5, 1.0]))


def test_samples_show_three_images_side_by_side(tmp_path: Path) -> None:
    for index, size in enumerate([(230, 200), (20, 20)]):
        noise = np.random.default_rng(index).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        PILImage.fromarray(noise).save(tmp_path / f"{index}.png")
    recipe = build()
    data = {"photos": gansdk.open_images(tmp_path)}
    inputs = recipe.samples(data)
    assert inputs["low"].shape == (1, 3, 48, 48)
    with torch.no_grad():
        shown = recipe.show(inputs, recipe.networks)
    assert shown.shape == (1, 3, 192, 3 * 192)
    torch.testing.assert_close(shown[..., 384:], inputs["high"])


def test_the_training_loop_takes_it_from_images_to_a_measured_model(photos: gansdk.Images, tmp_path: Path) -> None:
    folder, run = tmp_path / "photos", tmp_path / "run"
    finished = gansdk.training.train(
        METHOD,
        "small",
        run,
        data={"": str(folder)},
        tests={"edges": str(folder)},
        options={**TINY, "steps": 3},
        device="cpu",
        threads=1,
    )
    assert finished.evaluation is not None
    assert {"psnr-y", "ssim-y"} <= {measured.metric for measured in finished.evaluation.measurements}
    assert "itself the baseline of the adversarial stage" in finished.evaluation.baseline
    config = json.loads((run / "model" / "config.json").read_text())
    assert SRResNetOptions(**config["network"]) == build().options.network()
    assert config["facts"]["generator"]["receptive_field"] == 6
    assert config["trained"]["data"][0]["licence"] == "unstated"


@pytest.mark.parametrize("options", [Stage1Options, Stage2Options])
def test_the_readme_lists_every_option_with_its_range(options: type[gansdk.Options]) -> None:
    from gansdk.options import describe

    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    for info in describe(options):
        escaped = info.metavar.replace("|", "\\|")
        assert f"| `{info.name}` | `{escaped}` |" in readme
