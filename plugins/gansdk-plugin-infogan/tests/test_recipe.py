"""How InfoGAN is trained: what reaches whom, what an ablation is, what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

import gansdk
from gansdk.training import Train, train
from gansdk_infogan import METHOD
from gansdk_infogan.options import InfoGANOptions
from gansdk_infogan.recipe import InfoGAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gansdk.training import Player

TINY = {
    "hidden": 16,
    "features": 2,
    "code_hidden": 8,
    "batch": 8,
    "height": 8,
    "width": 8,
    "categories": "2",
    "noise": 3,
}

WORDS = ("above", "below")


@pytest.fixture
def dots(tmp_path: Path) -> Path:
    """Images of two classes: a bright band above or below."""
    random = np.random.default_rng(0)
    for label, row in (("above", 2), ("below", 6)):
        (tmp_path / "dots" / label).mkdir(parents=True)
        for index in range(12):
            pixels = np.zeros((8, 8), np.uint8)
            pixels[row - 2 : row + 2] = random.integers(200, 256)
            PILImage.fromarray(pixels).save(tmp_path / "dots" / label / f"{index}.png")
    return tmp_path / "dots"


def stepped(dots: Path, ablated_terms: list[tuple[str, str]], steps: int = 3) -> tuple[InfoGAN, dict[str, float]]:
    torch.manual_seed(0)
    recipe = InfoGAN(InfoGANOptions(**TINY))
    training = Train(recipe.players, ablated_terms=ablated_terms)
    stream = recipe.streams({"images": gansdk.open_data(str(dots))}, 0)["images"]
    torch.manual_seed(0)
    for index in range(steps):
        recipe.step({"images": stream.batch(index)}, training)
    return recipe, training.averages.means()


def test_the_logged_terms_are_those_of_the_paper(dots: Path) -> None:
    _, means = stepped(dots, [])
    assert set(means) == {
        "discriminator/real",
        "discriminator/fake",
        "discriminator/categorical",
        "discriminator/continuous",
        "generator/adversarial",
        "generator/categorical",
        "generator/continuous",
    }


def test_the_model_knows_what_its_shapes_stand_on(dots: Path) -> None:
    recipe, _ = stepped(dots, [], steps=1)
    facts = recipe.export().facts
    assert facts.encoder is not None
    assert facts.encoder.data.background == "dark"


def test_an_ablation_trains_q_and_never_tells_the_generator(dots: Path) -> None:
    """The plain GAN of the paper's Figure 1: the generator moves as if there were no codes to be read."""
    ablated_terms = [("generator", "categorical"), ("generator", "continuous")]
    baseline, _ = stepped(dots, ablated_terms, steps=1)
    plain, _ = stepped(
        dots, [*ablated_terms, ("discriminator", "categorical"), ("discriminator", "continuous")], steps=1
    )
    usual, _ = stepped(dots, [], steps=1)

    def q(recipe: InfoGAN) -> torch.Tensor:
        return recipe.networks["recogniser"].codes[-1].weight

    torch.manual_seed(0)
    assert torch.equal(q(plain), q(InfoGAN(InfoGANOptions(**TINY))))
    assert not torch.equal(q(baseline), q(plain))
    assert not torch.equal(baseline.networks["generator"].dense[0].weight, usual.networks["generator"].dense[0].weight)


@pytest.mark.parametrize("config", METHOD.configs)
def test_the_ablation_of_a_config_moves_its_generator_by_the_plain_gans_gradient(dots: Path, config: str) -> None:
    class Watched(Train):
        """Takes the gradient of the plain GAN's term beside the one that is used."""

        plain: tuple[torch.Tensor, ...] = ()
        used: tuple[torch.Tensor, ...] = ()

        def watch(self, terms: Mapping[Player, Mapping[str, torch.Tensor]], logits: Any) -> None:
            super().watch(terms, logits)
            for player, own in terms.items():
                if player.name == "generator":
                    parameters = self.states[player].tensors
                    self.plain = torch.autograd.grad(own["adversarial"], parameters, retain_graph=True)

        def move(self, gradients: Mapping[Player, Sequence[torch.Tensor]]) -> None:
            super().move(gradients)
            self.used = next((tuple(taken) for player, taken in gradients.items() if player.name == "generator"), ())

    def taken(ablated_terms: Iterable[tuple[str, str]]) -> list[bool]:
        torch.manual_seed(0)
        recipe = InfoGAN(InfoGANOptions(**{**METHOD.configs[config].values, **TINY}))
        training = Watched(recipe.players, ablated_terms=ablated_terms)
        stream = recipe.streams({"images": gansdk.open_data(str(dots))}, 0)["images"]
        recipe.step({"images": stream.batch(0)}, training)
        return [torch.equal(*pair) for pair in zip(training.plain, training.used, strict=True)]

    assert all(taken(METHOD.configs[config].ablated_terms))
    assert not any(taken([]))


def test_a_trained_model_is_named_by_labels_that_training_never_saw(dots: Path, tmp_path: Path) -> None:
    options = {**TINY, "steps": 100}
    train(METHOD, "small", tmp_path / "run", data={"": str(dots)}, options=options, device="cpu", seed=1)
    model = tmp_path / "run" / "model"
    gallery = gansdk.pipeline("generate", model=model)(n=6, set={"class": "below"})
    assert gallery.pixels.shape == (6, 8, 8, 1)
    encode = gansdk.pipeline("encode", model=model)
    said = {label: [encode(path).label("class") == label for path in (dots / label).iterdir()] for label in WORDS}
    assert all(sum(right) > 9 for right in said.values())


def test_a_model_that_has_learnt_nothing_yet_has_no_words(dots: Path, tmp_path: Path) -> None:
    options = {**TINY, "steps": 1}
    train(METHOD, "small", tmp_path / "run", data={"": str(dots)}, options=options, device="cpu")
    encode = gansdk.pipeline("encode", model=tmp_path / "run" / "model")
    assert encode(dots / "below" / "0.png").label("class") in {"0", "1"}
    with pytest.raises(gansdk.OptionError, match="class takes 0 to 1"):
        gansdk.pipeline("generate", model=tmp_path / "run" / "model")(set={"class": "below"})


def test_the_words_cost_the_training_nothing(dots: Path, tmp_path: Path) -> None:
    """Without labels the very same weights come out."""
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in dots.rglob("*.png"):
        path.rename(flat / f"{path.parent.name}-{path.name}")
    named, _ = stepped(flat, [])
    for path in flat.iterdir():
        label, _, name = path.name.partition("-")
        path.rename(dots / label / name)
    labelled, _ = stepped(dots, [])
    for name, network in named.networks.items():
        for key, tensor in network.state_dict().items():
            assert torch.equal(tensor, labelled.networks[name].state_dict()[key]), (name, key)
