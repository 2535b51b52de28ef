"""InfoGAN's bound on information, against closed forms and torch's own distributions."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from gansdk_infogan.losses import information_categorical, information_continuous


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_category_that_is_read_off_perfectly_tells_ln_k_nats() -> None:
    codes = torch.arange(10)
    told = information_categorical(1000.0 * F.one_hot(codes, 10).float(), codes)
    assert told == pytest.approx(math.log(10))


def test_a_category_that_is_guessed_tells_nothing() -> None:
    codes = torch.arange(10)
    assert information_categorical(torch.zeros(10, 10), codes) == pytest.approx(0, abs=1e-6)


def test_the_bound_of_a_category_is_mean_log_likelihood_and_entropy() -> None:
    logits, codes = random(200, 7), torch.arange(200) % 7
    expected = Categorical(logits=logits).log_prob(codes).mean() + Categorical(torch.ones(7)).entropy()
    assert information_categorical(logits, codes) == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("deviation", [1.0, 0.2])
def test_the_bound_of_numbers_is_mean_log_likelihood_and_entropy(deviation: float) -> None:
    mean, codes = random(300, 3), random(300, 3, seed=1).tanh()
    log_likelihood = Normal(mean, deviation).log_prob(codes).sum(1).mean()
    expected = log_likelihood + 3 * torch.distributions.Uniform(-1.0, 1.0).entropy()
    log = torch.full((300, 3), math.log(deviation))
    assert information_continuous(mean, log, codes, low=-1, high=1) == pytest.approx(float(expected), abs=1e-4)


def test_a_gaussian_of_deviation_one_never_tells_anything_of_the_range() -> None:
    codes = random(50, 2).tanh()
    best = information_continuous(codes, torch.zeros(()), codes, low=-1, high=1)
    assert best == pytest.approx(2 * (math.log(2) - 0.5 * math.log(2 * math.pi)))
    assert best < 0


def test_a_narrow_gaussian_tells_what_its_width_says() -> None:
    """Of a code in [-1, 1] that Q knows up to a deviation s, ln 2 less the Gaussian's entropy is told."""
    deviation = 0.05
    noise = deviation * random(200_000, 1)
    codes = random(200_000, 1, seed=1).tanh()
    told = information_continuous(codes + noise, torch.tensor(math.log(deviation)), codes, low=-1, high=1)
    assert told == pytest.approx(math.log(2) - float(Normal(0.0, deviation).entropy()), abs=0.01)
