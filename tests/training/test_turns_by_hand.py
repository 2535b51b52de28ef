"""Turns against loops that were written by hand."""

from functools import partial

import torch
from small_networks import dense, same, tensors
from torch.nn.functional import softplus

from gansdk.training.players import Player
from gansdk.training.turns import Train

ADAM = partial(torch.optim.Adam, lr=1e-2)


class Hand:
    """What a careful person writes without turns: zero, backward, step, and put foreign running statistics back."""

    def __init__(self, *modules, optimiser=ADAM):
        self.modules = modules
        self.optimisers = [optimiser(module.parameters()) for module in modules]

    def backward(self, loss, player):
        """The player's gradients of a loss; nobody else keeps any."""
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        loss.backward(retain_graph=True)
        return [parameter.grad.clone() for parameter in self.modules[player].parameters()]

    def step(self, gradients):
        for player, taken in gradients.items():
            for parameter, gradient in zip(self.modules[player].parameters(), taken, strict=True):
                parameter.grad = gradient
        for player in gradients:
            self.optimisers[player].step()

    def buffers(self, player):
        return [buffer.clone() for buffer in self.modules[player].buffers()]

    def put_back(self, player, buffers):
        for buffer, old in zip(self.modules[player].buffers(), buffers, strict=True):
            buffer.copy_(old)


def test_two_players_alternate_like_a_hand_written_loop():
    data = [(torch.randn(16, 5), torch.randn(16, 3)) for _ in range(6)]
    generator, critic = dense(3, 8, 5, seed=1), dense(5, 8, 1, seed=2)
    hand = Hand(generator, critic)
    for real, z in data:
        kept = hand.buffers(0)
        loss = softplus(-critic(real)).mean() + softplus(critic(generator(z).detach())).mean()
        hand.step({1: hand.backward(loss, 1)})
        hand.put_back(0, kept)
        kept = hand.buffers(1)
        hand.step({0: hand.backward(softplus(-critic(generator(z))).mean(), 0)})
        hand.put_back(1, kept)
    expected = tensors(generator, critic)

    generator, critic = dense(3, 8, 5, seed=1), dense(5, 8, 1, seed=2)
    g, d = Player("g", generator, ADAM), Player("d", critic, ADAM)
    train = Train([g, d])
    for real, z in data:
        with train.turn(d) as turn:
            fake = generator(z).detach()
            turn.minimise({"real": softplus(-critic(real)).mean(), "fake": softplus(critic(fake)).mean()})
        with train.turn(g) as turn:
            turn.minimise({"gan": softplus(-critic(generator(z))).mean()})
    assert same(tensors(generator, critic), expected)


def vaegan(encoder, decoder, critic, x, noise):
    """The three losses of VAE-GAN from one forward."""
    mean = encoder(x)
    restored, drawn = decoder(mean + noise), decoder(noise)
    likeness = (critic[:3](restored) - critic[:3](x)).square().mean()
    gan = softplus(-critic(x)).mean() + softplus(critic(restored)).mean() + softplus(critic(drawn)).mean()
    return {"prior": mean.square().mean(), "likeness": likeness, "gan": gan}


def test_three_players_share_one_forward_like_a_hand_written_loop():
    def build():
        return dense(6, 8, 3, seed=1), dense(3, 8, 6, seed=2), dense(6, 8, 1, seed=3)

    data = [(torch.randn(16, 6), torch.randn(16, 3)) for _ in range(6)]
    networks = build()
    hand = Hand(*networks)
    for x, noise in data:
        losses = vaegan(*networks, x, noise)
        hand.step(
            {
                0: hand.backward(losses["prior"] + losses["likeness"], 0),
                1: hand.backward(0.5 * losses["likeness"] + -losses["gan"], 1),
                2: hand.backward(losses["gan"], 2),
            }
        )
    expected = tensors(*networks)

    networks = build()
    e, d, c = (Player(name, network, ADAM) for name, network in zip("edc", networks, strict=True))
    train = Train([e, d, c])
    for x, noise in data:
        with train.turn(e, d, c) as turn:
            losses = vaegan(*networks, x, noise)
            turn.minimise(
                {
                    e: {"prior": losses["prior"], "likeness": losses["likeness"]},
                    d: {"likeness": 0.5 * losses["likeness"], "gan": -losses["gan"]},
                    c: {"gan": losses["gan"]},
                }
            )
    assert same(tensors(*networks), expected)
    assert set(train.averages.means()) == {"e/prior", "e/likeness", "d/likeness", "d/gan", "c/gan"}
