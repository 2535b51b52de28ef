from functools import partial

import pytest
import torch
from torch import nn

from gansdk.errors import TrainingError
from gansdk.training.players import Player
from gansdk.training.turns import Train

SGD = partial(torch.optim.SGD, lr=0.1)


def test_a_parameter_with_two_owners_is_named_with_both():
    shared = nn.Linear(1, 1)
    first, second = nn.Sequential(shared, nn.Linear(1, 1)), nn.Sequential(nn.Linear(1, 1), shared)
    with pytest.raises(TrainingError, match=r"'encoder' and 'critic' both own .*encoder\.0\.weight, critic\.1\.weight"):
        Train([Player("encoder", first, SGD), Player("critic", second, SGD)])


def test_a_weight_that_one_player_uses_twice_is_moved_once():
    shared = nn.Linear(1, 1, bias=False)
    player = Player("net", [shared, nn.Sequential(shared)], SGD)
    train = Train([player])
    assert list(train.states[player].parameters) == ["net.0.weight"]
    before = shared.weight.item()
    with train.turn(player) as turn:
        turn.minimise({"line": shared(torch.ones(1, 1)).sum()})
    assert before - shared.weight.item() == pytest.approx(0.1, rel=1e-5)


def test_frozen_parameters_are_carried_and_never_moved():
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    network[0].requires_grad_(False)
    player = Player("net", network, SGD)
    train = Train([player])
    assert list(train.states[player].parameters) == ["net.1.weight", "net.1.bias"]


def test_modules_of_a_list_are_numbered():
    player = Player("net", [nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)], SGD)
    assert list(Train([player]).states[player].parameters) == ["net.0.weight", "net.1.weight"]


def test_names_are_unique_words():
    with pytest.raises(TrainingError, match="two players are named 'net'"):
        Train([Player("net", nn.Linear(1, 1), SGD), Player("net", nn.Linear(1, 1), SGD)])
    with pytest.raises(TrainingError, match="'a/b' is no lower-case word"):
        Player("a/b", nn.Linear(1, 1), SGD)


def test_a_player_without_parameters_is_refused():
    with pytest.raises(TrainingError, match="'net' has no parameter"):
        Train([Player("net", nn.ReLU(), SGD)])


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2])
def test_the_decay_of_an_average_lies_below_one(decay):
    with pytest.raises(TrainingError, match="has ema"):
        Player("net", nn.Linear(1, 1), SGD, ema=decay)


def test_an_optimiser_that_climbs_is_refused():
    with pytest.raises(TrainingError, match="the optimiser of player 'net' maximises"):
        Train([Player("net", nn.Linear(1, 1), partial(torch.optim.SGD, lr=0.1, maximize=True))])
