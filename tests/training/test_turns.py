from functools import partial

import pytest
import torch
from small_networks import dense, same, tensors
from torch import nn
from torch.nn.functional import softplus

from gansdk.errors import TrainingError
from gansdk.training.players import Player
from gansdk.training.turns import Train

SGD = partial(torch.optim.SGD, lr=0.1)


def test_no_gradient_stays_behind():
    generator, critic = dense(3, 5, seed=1), dense(5, 1, seed=2)
    g, d = Player("g", generator, SGD), Player("d", critic, SGD)
    train = Train([g, d])
    before = tensors(critic)
    with train.turn(g) as turn:
        turn.minimise({"gan": softplus(-critic(generator(torch.randn(4, 3)))).mean()})
    assert all(parameter.grad is None for network in (generator, critic) for parameter in network.parameters())
    assert same(tensors(critic), before)


def test_signs_each_side_pulls_the_verdict_its_way():
    generator, critic = dense(3, 8, 5, seed=1), dense(5, 8, 1, seed=2)
    g, d = Player("g", generator, partial(torch.optim.SGD, lr=1e-3)), Player("d", critic, SGD)
    train = Train([g, d])
    z = torch.randn(32, 3)

    def logit():
        with train.turn(d):
            return critic(generator(z)).mean().item()

    first = logit()
    with train.turn(g) as turn:
        turn.minimise({"gan": softplus(-critic(generator(z))).mean()})
    second = logit()
    with train.turn(d) as turn:
        turn.minimise({"fake": softplus(critic(generator(z).detach())).mean()})
    assert second > first
    assert logit() < second


def test_an_unreached_parameter_is_named_and_nobody_moves():
    both = nn.ModuleDict({"used": nn.Linear(2, 2), "idle": nn.Linear(2, 2)})
    player = Player("net", both, SGD)
    train = Train([player])
    before = tensors(both)
    with train.turn(player) as turn, pytest.raises(TrainingError) as caught:
        turn.minimise({"a": both["used"](torch.ones(1, 2)).sum()})
    assert "no term of player 'net' (a) reaches its parameter net.idle.weight" in str(caught.value)
    assert same(tensors(both), before)


def test_terms_that_are_detached_are_refused():
    linear = nn.Linear(2, 1)
    player = Player("net", linear, SGD)
    with Train([player]).turn(player) as turn, pytest.raises(TrainingError, match=r"reaches its parameter net\.weight"):
        turn.minimise({"a": linear(torch.ones(1, 2)).sum().detach()})


def test_where_one_of_two_players_fails_neither_moves():
    first, second = nn.Linear(2, 1), nn.Linear(2, 1)
    a, b = Player("a", first, SGD), Player("b", second, SGD)
    train = Train([a, b])
    before = tensors(first, second)
    x = torch.ones(1, 2)
    with pytest.raises(TrainingError, match="player 'b'"), train.turn(a, b) as turn:
        turn.minimise({a: {"t": first(x).sum()}, b: {"t": first(x).sum()}})
    assert same(tensors(first, second), before)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_named_with_its_step(value):
    linear = nn.Linear(2, 1)
    player = Player("net", linear, SGD)
    train = Train([player])
    train.step = 7
    before = tensors(linear)
    loss = linear(torch.ones(1, 2)).sum().abs()
    with pytest.raises(TrainingError, match=rf"the term net/bad is {value} at step 7"), train.turn(player) as turn:
        turn.minimise({"good": loss, "bad": loss * value})
    assert same(tensors(linear), before)


def test_a_gradient_that_is_not_finite_is_named_although_the_loss_is():
    linear = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(linear.weight)
    player = Player("net", linear, SGD)
    with Train([player]).turn(player) as turn, pytest.raises(TrainingError) as caught:
        turn.minimise({"root": linear(torch.ones(1, 2)).sum().sqrt()})
    assert caught.value.message == "the gradient of net/root by net.weight is inf at step 0"
    assert not linear.weight.any()


def test_a_silenced_term_moves_nothing_and_is_still_logged():
    def after(terms, **ablated_terms):
        torch.manual_seed(0)
        linear = nn.Linear(2, 1)
        player = Player("net", linear, SGD)
        train = Train([player], **ablated_terms)
        out = linear(torch.tensor([[1.0, 2.0]])).sum()
        values = {"fit": (out - 3).square(), "extra": out.abs() + 4}
        with train.turn(player) as turn:
            turn.minimise({name: values[name] for name in terms})
        return tensors(linear), train.averages.means()

    alone, _ = after(["fit"])
    twin, logged = after(["fit", "extra"], ablated_terms={("net", "extra")})
    full, _ = after(["fit", "extra"])
    assert same(alone, twin)
    assert not same(alone, full)
    assert logged["net/extra"] >= 4


def test_silencing_a_player_that_does_not_exist_is_refused():
    with pytest.raises(TrainingError, match="no player 'gnerator' whose term 'gan'"):
        Train([Player("generator", nn.Linear(1, 1), SGD)], ablated_terms={("gnerator", "gan")})


def test_finished_gives_back_each_modules_own_mode_after_a_failure():
    network = nn.Sequential(nn.Linear(1, 1), nn.Dropout(), nn.BatchNorm1d(1))
    train = Train([Player("net", network, SGD, ema=0.5)])
    network[2].eval()
    weight = network[0].weight.clone()
    with torch.no_grad():
        network[0].weight += 1
    with pytest.raises(ZeroDivisionError), train.finished([network]):
        assert torch.equal(network[0].weight, weight)
        raise ZeroDivisionError
    assert [module.training for module in network] == [True, True, False]
    assert torch.equal(network[0].weight, weight + 1)


def test_kept_tensors_are_copies_without_a_graph():
    linear = nn.Linear(1, 1)
    train = Train([Player("net", linear, SGD)])
    assert train.kept("weight") is None
    train.keep("weight", linear.weight)
    kept = train.kept("weight")
    value = kept.clone()
    with torch.no_grad():
        linear.weight += 1
    assert torch.equal(kept, value)
    assert not kept.requires_grad


def test_fixed_networks_are_in_eval_mode_and_need_no_gradient():
    fixed = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    Train([Player("net", nn.Linear(1, 1), SGD)], fixed=[fixed])
    assert not any(module.training for module in fixed.modules())
    assert not any(parameter.requires_grad for parameter in fixed.parameters())


def _two():
    first, second = nn.Linear(1, 1), nn.Linear(1, 1)
    a, b = Player("a", first, SGD), Player("b", second, SGD)
    return Train([a, b]), a, b, first(torch.ones(1, 1)).sum(), second(torch.ones(1, 1)).sum()


def test_a_turn_of_two_wants_terms_for_exactly_these_two():
    train, a, b, one, two = _two()
    for terms in ({"t": one}, {a: {"t": one}}, {a: {"t": one}, "b": {"t": two}}):
        with pytest.raises(TrainingError, match="turn of a, b needs terms for exactly these"), train.turn(a, b) as turn:
            turn.minimise(terms)
    with pytest.raises(TrainingError, match="player 'b' has no term"), train.turn(a, b) as turn:
        turn.minimise({a: {"t": one}, b: {}})


def test_a_turn_of_one_takes_its_terms_either_way():
    train, a, _, one, _ = _two()
    with train.turn(a) as turn:
        turn.minimise({a: {"t": one}})
    assert train.averages.means() == {"a/t": one.item()}


def test_a_turn_minimises_once():
    train, a, _, one, _ = _two()
    with train.turn(a) as turn:
        turn.minimise({"t": one})
        with pytest.raises(TrainingError, match="minimises once"):
            turn.minimise({"t": one})


def test_turns_do_not_nest():
    train, a, b, _, _ = _two()
    with train.turn(a), pytest.raises(TrainingError, match="inside another"), train.turn(b):
        pass


def test_turns_are_for_the_recipes_own_players():
    train, *_ = _two()
    with pytest.raises(TrainingError, match="'stranger' is none of the recipe's players"):
        train.turn(Player("stranger", nn.Linear(1, 1), SGD))
    with pytest.raises(TrainingError, match="needs a player"):
        train.turn()


def test_a_term_is_one_number():
    linear = nn.Linear(1, 1)
    player = Player("net", linear, SGD)
    train = Train([player])
    with pytest.raises(TrainingError, match=r"net/t has shape \(3, 1\)"), train.turn(player) as turn:
        turn.minimise({"t": linear(torch.ones(3, 1))})
    with train.turn(player) as turn:
        turn.minimise({"t": linear(torch.ones(1, 1))})  # one number, whatever its shape


def test_an_observer_sees_turns_and_gradients_and_may_hold_everybody_still():
    class Observer(Train):
        def __init__(self, *args):
            super().__init__(*args)
            self.seen = []

        def begin(self, players):
            super().begin(players)
            self.seen.append(("begin", [player.name for player in players]))

        def watch(self, terms, logits):
            ((player, own),) = terms.items()
            self.seen.append(
                (player.name, list(own), torch.autograd.grad(own["line"], logits["fake"], retain_graph=True))
            )

        def move(self, gradients):
            self.seen.append({player.name: [one.clone() for one in taken] for player, taken in gradients.items()})

        def end(self, players):
            super().end(players)
            self.seen.append(("end", [player.name for player in players]))

    linear = nn.Linear(2, 1)
    player = Player("net", linear, SGD)
    train = Observer([player])
    before = tensors(linear)
    with train.turn(player) as turn:
        out = linear(torch.tensor([[3.0, 4.0]]))
        turn.minimise({"line": 5 * out.sum()}, logits={"fake": out})
    begin, (*watched, (by_logit,)), gradients, end = train.seen
    assert (watched, by_logit.item()) == (["net", ["line"]], 5)
    assert (begin, end) == (("begin", ["net"]), ("end", ["net"]))
    assert [one.flatten().tolist() for one in gradients["net"]] == [[15.0, 20.0], [5.0]]
    assert same(tensors(linear), before)
