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
    with pytest.raises(TrainingError, match="'a/b' is not a lower-case word"):
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


@pytest.mark.parametrize(
    ("norm", "x"),
    [(nn.BatchNorm1d(4), torch.randn(8, 4)), (nn.InstanceNorm1d(4, track_running_stats=True), torch.randn(8, 4, 5))],
)
def test_norms_of_the_others_use_batch_statistics_and_leave_running_ones_alone(norm, x):
    x = 3 * x + 2
    mine, other = nn.Linear(1, 1), nn.Sequential(norm, nn.Conv1d(4, 1, 1) if x.dim() == 3 else nn.Linear(4, 1))
    a, b = Player("a", mine, SGD), Player("b", other, SGD)
    train = Train([a, b])
    before = [buffer.clone() for buffer in norm.buffers()]
    with train.turn(a):
        seen = norm(x)
    per_channel = (0,) if x.dim() == 2 else (2,)
    expected = (x - x.mean(per_channel, keepdim=True)) / (x.var(per_channel, False, keepdim=True) + norm.eps).sqrt()
    torch.testing.assert_close(seen, expected)
    assert all(torch.equal(buffer, old) for buffer, old in zip(norm.buffers(), before, strict=True))
    with train.turn(b):
        norm(x)
    assert not torch.equal(norm.running_mean, before[0])


def test_norms_track_again_after_a_turn_that_failed():
    norm = nn.BatchNorm1d(2)
    a, b = Player("a", nn.Linear(1, 1), SGD), Player("b", norm, SGD)
    train = Train([a, b])
    with pytest.raises(ZeroDivisionError), train.turn(a):
        raise ZeroDivisionError
    assert norm.track_running_stats
    with train.turn(a):  # and another turn can be opened
        pass


def test_the_moving_average_follows_its_closed_form_and_its_own_turns_only():
    linear, other = nn.Linear(1, 1, bias=False), nn.Linear(1, 1)
    player, bystander = Player("net", linear, SGD, ema=0.9), Player("other", other, SGD)
    train = Train([player, bystander])
    seen = [linear.weight.item()]
    for _ in range(5):
        with train.turn(player) as turn:
            turn.minimise({"fit": (linear(torch.ones(1, 1)) - 3).square().sum()})
        with train.turn(bystander) as turn:
            turn.minimise({"fit": other(torch.ones(1, 1)).square().sum()})
        seen.append(linear.weight.item())
    expected = 0.9**5 * seen[0] + sum(0.1 * 0.9 ** (5 - k) * seen[k] for k in range(1, 6))
    with train.finished():
        assert linear.weight.item() == pytest.approx(expected, rel=1e-6)
        assert not linear.training
        assert not torch.is_grad_enabled()
    assert linear.weight.item() == seen[-1]
    assert linear.training


def test_the_schedule_scales_the_learning_rate_by_the_step():
    linear = nn.Linear(1, 1, bias=False)
    player = Player("net", linear, SGD, schedule=lambda step: 10.0 if step == 3 else 1.0)
    train = Train([player])
    for step in (2, 3, 4):
        train.step = step
        before = linear.weight.item()
        with train.turn(player) as turn:
            turn.minimise({"line": linear(torch.ones(1, 1)).sum()})
        factor = 10.0 if step == 3 else 1.0
        assert before - linear.weight.item() == pytest.approx(0.1 * factor, rel=1e-5)
