from contextlib import nullcontext
from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from gansdk.errors import TrainingError
from gansdk.training.players import Player
from gansdk.training.turns import Train

SGD = partial(torch.optim.SGD, lr=0.1)
ADAM = partial(torch.optim.Adam, lr=1e-2)


def dense(*sizes, seed):
    """Linear layers with batch-norm and leaky ReLU between them."""
    torch.manual_seed(seed)
    layers = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-2])


def tensors(*modules):
    return [value.clone() for module in modules for value in module.state_dict().values()]


def same(left, right):
    return len(left) == len(right) and all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


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

    def verdict():
        with train.turn(d):
            return critic(generator(z)).mean().item()

    first = verdict()
    with train.turn(g) as turn:
        turn.minimise({"gan": softplus(-critic(generator(z))).mean()})
    second = verdict()
    with train.turn(d) as turn:
        turn.minimise({"fake": softplus(critic(generator(z).detach())).mean()})
    assert second > first
    assert verdict() < second


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
    def after(terms, **silenced):
        torch.manual_seed(0)
        linear = nn.Linear(2, 1)
        player = Player("net", linear, SGD)
        train = Train([player], **silenced)
        out = linear(torch.tensor([[1.0, 2.0]])).sum()
        values = {"fit": (out - 3).square(), "extra": out.abs() + 4}
        with train.turn(player) as turn:
            turn.minimise({name: values[name] for name in terms})
        return tensors(linear), train.averages.means()

    alone, _ = after(["fit"])
    twin, logged = after(["fit", "extra"], silenced={("net", "extra")})
    full, _ = after(["fit", "extra"])
    assert same(alone, twin)
    assert not same(alone, full)
    assert logged["net/extra"] >= 4


def test_silencing_a_player_that_does_not_exist_is_refused():
    with pytest.raises(TrainingError, match="no player 'gnerator' whose term 'gan'"):
        Train([Player("generator", nn.Linear(1, 1), SGD)], silenced={("gnerator", "gan")})


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

        def watch(self, terms, verdicts):
            ((player, own),) = terms.items()
            self.seen.append(
                (player.name, list(own), torch.autograd.grad(own["line"], verdicts["made"], retain_graph=True))
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
        turn.minimise({"line": 5 * out.sum()}, verdicts={"made": out})
    begin, (*watched, (by_verdict,)), gradients, end = train.seen
    assert (watched, by_verdict.item()) == (["net", ["line"]], 5)
    assert (begin, end) == (("begin", ["net"]), ("end", ["net"]))
    assert [one.flatten().tolist() for one in gradients["net"]] == [[15.0, 20.0], [5.0]]
    assert same(tensors(linear), before)
