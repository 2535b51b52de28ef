"""Latents as free numbers."""

from __future__ import annotations

import math

import pytest
import torch

from gansdk import Categorical, Code, Continuous, LatentSource, Noise, constrain, unconstrain
from gansdk.errors import OptionError

SOURCE = LatentSource(
    variables=(
        Noise(n=2),
        Noise(name="grain", n=2, distribution="uniform", low=-3, high=1),
        Categorical(name="class", k=3),
        Continuous(name="style", n=1, low=0, high=4),
        Code(name="z", n=2),
    )
)
LATENT = {
    "noise": torch.tensor([[-7.0, 0.3]]),
    "grain": torch.tensor([[-2.5, 0.9]]),
    "class": torch.tensor([[0.2, 0.5, 0.3]]),
    "style": torch.tensor([[1.0]]),
    "z": torch.tensor([[40.0, -1.0]]),
}


def test_free_numbers_are_logits():
    free = unconstrain(SOURCE, LATENT)
    assert free["style"].item() == pytest.approx(math.log(0.25 / 0.75))
    assert free["grain"][0].tolist() == pytest.approx([math.log(0.125 / 0.875), math.log(0.975 / 0.025)], rel=1e-5)
    assert free["class"][0].tolist() == pytest.approx([math.log(0.2), math.log(0.5), math.log(0.3)])
    assert torch.equal(free["noise"], LATENT["noise"])
    assert torch.equal(free["z"], LATENT["z"])


def test_a_latent_comes_back():
    back = constrain(SOURCE, unconstrain(SOURCE, LATENT))
    assert list(back) == list(LATENT)
    for name, tensor in LATENT.items():
        torch.testing.assert_close(back[name], tensor)


def test_a_category_by_its_number_is_almost_certain():
    weights = constrain(SOURCE, unconstrain(SOURCE, {**LATENT, "class": torch.tensor([2])}))["class"]
    torch.testing.assert_close(weights, torch.tensor([[0.0, 0.0, 1.0]]), atol=1e-5, rtol=0)


def test_whatever_a_search_does_the_latent_is_in_range():
    free = {name: 50 * torch.randn_like(tensor) for name, tensor in LATENT.items()}
    found = constrain(SOURCE, free)
    assert (found["grain"] >= -3).all()
    assert (found["grain"] <= 1).all()
    torch.testing.assert_close(found["class"].sum(1), torch.ones(1))


def test_numbers_on_the_rim_or_beyond_stay_finite():
    free = unconstrain(SOURCE, {**LATENT, "style": torch.tensor([[4.0]]), "grain": torch.tensor([[-3.0, 9.0]])})
    assert all(tensor.isfinite().all() for tensor in free.values())
    torch.testing.assert_close(constrain(SOURCE, free)["grain"], torch.tensor([[-3.0, 1.0]]), atol=1e-4, rtol=0)


def test_gradients_flow_as_by_hand():
    free = {name: tensor.clone().requires_grad_() for name, tensor in unconstrain(SOURCE, LATENT).items()}
    found = constrain(SOURCE, free)
    found["style"].sum().backward()
    assert free["style"].grad.item() == pytest.approx(4 * 0.25 * 0.75)  # the range times the slope of the sigmoid
    found["class"][0, 1].backward()
    assert free["class"].grad[0].tolist() == pytest.approx([-0.2 * 0.5, 0.5 * 0.5, -0.3 * 0.5])


@pytest.mark.parametrize(
    ("change", "said"),
    [({"z": None}, "z is missing"), ({"noise": torch.zeros(1, 3)}, "noise is 1×3, not N×2")],
)
def test_what_is_no_latent_is_refused(change, said):
    latent = {name: tensor for name, tensor in {**LATENT, **change}.items() if tensor is not None}
    for convert in (unconstrain, constrain):
        with pytest.raises(OptionError, match=said):
            convert(SOURCE, latent)
