from contextlib import nullcontext
from functools import partial

import torch
from small_networks import same, tensors
from torch import nn

from gansdk.training.players import Player
from gansdk.training.turns import Train

SGD = partial(torch.optim.SGD, lr=0.1)


def test_bf16_sums_terms_in_fp32_and_never_reuses_the_weights_of_an_earlier_turn():
    def run(*, outer):
        torch.manual_seed(0)
        linear = nn.Linear(64, 64)
        player = Player("net", linear, partial(torch.optim.SGD, lr=1.0))
        train = Train([player], precision="bf16")
        x = torch.randn(8, 64)
        seen = []

        def once():
            with train.turn(player) as turn:
                with train.autocast():
                    out = linear(x)
                    assert out.dtype == torch.bfloat16
                    loss = out.square().mean()
                turn.minimise({"size": loss})
            seen.append(train.averages.means()["net/size"])
            train.averages.clear()
            assert linear.weight.dtype == torch.float32

        if outer:
            with train.autocast():
                once()
                once()
        else:
            once()
            once()
        return seen, tensors(linear)

    (first, second), weights = run(outer=False)
    assert second < first
    values, other_weights = run(outer=True)
    assert values == [first, second]
    assert same(weights, other_weights)


def test_gradients_of_fp32_terms_stay_fp32_inside_autocast():
    def after(*, inside):
        torch.manual_seed(0)
        linear = nn.Linear(64, 64)
        player = Player("net", linear, SGD)
        train = Train([player], precision="bf16")
        with train.turn(player) as turn:
            loss = linear(torch.randn(8, 64)).square().mean()
            with train.autocast() if inside else nullcontext():
                turn.minimise({"size": loss})
        return tensors(linear)

    assert same(after(inside=True), after(inside=False))


def test_fp32_has_no_autocast():
    train = Train([Player("net", nn.Linear(1, 1), SGD)])
    with train.autocast():
        assert not torch.is_autocast_enabled("cpu")
