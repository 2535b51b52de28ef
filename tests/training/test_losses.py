"""The adversarial losses against closed forms, and their gradients by hand for a linear discriminator D(x) = w·x."""

import math

import pytest
import torch

from gansdk.errors import TrainingError
from gansdk.training import ADVERSARIAL_LOSSES, zero_centred_penalty

W = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float32)
REAL = torch.tensor([[1.0, 0.0, 0.5], [0.2, -0.4, 0.1], [-1.0, 1.0, 0.3], [2.0, 0.5, -0.7]])
FAKE = torch.tensor([[0.1, 0.9, 0.0], [-0.5, 0.2, 0.6], [1.5, -1.0, 0.2], [0.0, 0.3, -0.2]])


def sigmoid(t):
    return 1 / (1 + math.exp(-t))


# Each as (value, derivative by its argument), of one item.
BY_HAND = {
    "non-saturating": {
        "real": lambda d: (-math.log(sigmoid(d)), sigmoid(d) - 1),
        "fake": lambda d: (-math.log(1 - sigmoid(d)), sigmoid(d)),
        "generator": lambda d: (-math.log(sigmoid(d)), sigmoid(d) - 1),
    },
    "hinge": {
        "real": lambda d: (max(0, 1 - d), -1.0 if d < 1 else 0.0),
        "fake": lambda d: (max(0, 1 + d), 1.0 if d > -1 else 0.0),
        "generator": lambda d: (-d, -1.0),
    },
    "least-squares": {
        "real": lambda d: ((d - 1) ** 2 / 2, d - 1),
        "fake": lambda d: (d**2 / 2, d),
        "generator": lambda d: ((d - 1) ** 2 / 2, d - 1),
    },
}


def by_hand(form, x):
    """The mean over a batch, and its gradient by w: the mean of f'(w·x)·x."""
    pairs = [form(float(W @ item)) for item in x]
    gradient = sum(slope * item for (_, slope), item in zip(pairs, x, strict=True)) / len(x)
    return sum(value for value, _ in pairs) / len(x), gradient


@pytest.mark.parametrize("name", BY_HAND)
def test_values_and_gradients_are_those_by_hand(name):
    loss, forms = ADVERSARIAL_LOSSES[name], BY_HAND[name]
    w = W.clone().requires_grad_()
    terms = {**loss.discriminator(REAL @ w, FAKE @ w), "generator": loss.generator(FAKE @ w)}
    assert terms.keys() == {"real", "fake", "generator"}
    for kind, term in terms.items():
        value, gradient = by_hand(forms[kind], REAL if kind == "real" else FAKE)
        assert term.item() == pytest.approx(value, rel=1e-5)
        torch.testing.assert_close(torch.autograd.grad(term, w, retain_graph=True)[0], gradient)


def test_the_relativistic_loss_ranks_pairs():
    """−f(D(x) − D(G(z))) with f(t) = −log(1 + e⁻ᵗ), whose derivative by t is σ(t) − 1."""
    loss, w = ADVERSARIAL_LOSSES["rpgan-r1r2"], W.clone().requires_grad_()
    real, fake = REAL @ w, FAKE @ w
    of_d, of_g = loss.discriminator(real, fake)["relativistic"], loss.generator(fake, real)
    for term, difference in ((of_d, REAL - FAKE), (of_g, FAKE - REAL)):
        value, gradient = by_hand(lambda t: (math.log(1 + math.exp(-t)), sigmoid(t) - 1), difference)
        assert term.item() == pytest.approx(value, rel=1e-5)
        torch.testing.assert_close(torch.autograd.grad(term, w, retain_graph=True)[0], gradient)
    with pytest.raises(TrainingError, match="compares with real data"):
        loss.generator(fake)


def test_the_penalties_of_a_linear_discriminator_are_half_its_squared_norm():
    """∇ₓ(w·x) = w everywhere, so R1 = R2 = ½‖w‖², whose gradient by w is w."""
    loss, w = ADVERSARIAL_LOSSES["rpgan-r1r2"], W.clone().requires_grad_()
    x, generated = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    penalties = loss.penalties(x @ w, x, generated @ w, generated)
    assert penalties.keys() == {"r1", "r2"}
    for penalty in penalties.values():
        assert penalty.item() == pytest.approx(float(W @ W) / 2)
        torch.testing.assert_close(torch.autograd.grad(penalty, w, retain_graph=True)[0], W)


def test_the_penalty_of_a_quadratic_discriminator_depends_on_where_it_is_taken():
    """D(x) = ½a‖x‖² has the gradient a·x, so the penalty is the mean of ½a²‖x‖²."""
    x, a = REAL.clone().requires_grad_(), torch.tensor(3.0, requires_grad=True)
    penalty = zero_centred_penalty(a * x.square().sum(1) / 2, x)
    squares = float(REAL.square().sum(1).mean())
    assert penalty.item() == pytest.approx(9 * squares / 2)
    assert torch.autograd.grad(penalty, a)[0].item() == pytest.approx(3 * squares)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_the_signs_pull_the_players_apart(name):
    """D raises its output on real data and lowers that on generated data, which G raises."""
    loss = ADVERSARIAL_LOSSES[name]
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    total = sum(loss.discriminator(real, fake).values())
    by_real, by_fake = torch.autograd.grad(total, (real, fake), allow_unused=True)
    assert by_real.max() < 0
    assert by_fake is None or by_fake.min() >= 0
    assert torch.autograd.grad(loss.generator(fake, real), fake)[0].max() < 0


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_reduced_precision_is_summed_in_full(name):
    loss = ADVERSARIAL_LOSSES[name]
    real, fake = torch.full((1000, 1), 0.5, dtype=torch.bfloat16), torch.full((1000, 1), -0.5, dtype=torch.bfloat16)
    terms = [*loss.discriminator(real, fake).values(), loss.generator(fake, real)]
    expected = [*loss.discriminator(real.float(), fake.float()).values(), loss.generator(fake.float(), real.float())]
    assert all(term.dtype == torch.float32 for term in terms)
    assert [term.item() for term in terms] == [term.item() for term in expected]


def test_only_cross_entropies_have_logits_of_a_known_scale():
    kinds = {name: loss.logits for name, loss in ADVERSARIAL_LOSSES.items()}
    assert kinds == {"non-saturating": "logits", "hinge": "scores", "least-squares": "scores", "rpgan-r1r2": "scores"}
