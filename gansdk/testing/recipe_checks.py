"""Checks of recipes: options, who owns and moves what, where gradients go and which way, exact resume.

Each runs a config's tiny version for a few steps, on images made by a formula.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors.torch import load_file

from gansdk.errors import TrainingError
from gansdk.options import validate
from gansdk.testing.checks import check, fail, skip
from gansdk.testing.plugin_checks import check_closed
from gansdk.testing.replay import BEFORE, SEED, StillTrain, TrialTrain, images, options_of, tiny_options, train_tiny
from gansdk.training.trainer import resume
from gansdk.training.turns import Train

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor, nn

    from gansdk.testing.targets import RecipeUnderTest
    from gansdk.training.players import AdversarialPair, Player
    from gansdk.training.turns import Logits


_NEGLIGIBLE = 1e-3
"""Of a player's gradient, what rounding leaves of a sum of differences: 3e-4 was seen, in fp32 with batch norm over few
items."""


@check("recipe")
def recipe_options(recipe: RecipeUnderTest) -> None:
    """Options of the recipe refuse what they do not know, survive being written, and say how long it trains.

    A run keeps its options as JSON and is resumed from them; a misspelt one that is accepted trains something else than
    was asked for. Derive them from `gansdk.Options`, with a whole number `steps`.
    """
    declared = recipe.declared
    group = options_of(declared)
    check_closed(declared.options)
    for options in (tiny_options(declared), validate(group, {**declared.tiny_model, **declared.values})):
        if not isinstance(getattr(options, "steps", None), int):
            fail(f"{declared.options} has no whole number 'steps'")
        if group.model_validate(json.loads(options.model_dump_json())) != options:
            fail(f"{declared.options} come back different when they are written")


@check("recipe", needs=("recipe-options",))
def parameters_have_one_player(recipe: RecipeUnderTest) -> None:
    """Every parameter that takes part belongs to one player, or to a fixed network.

    With two owners it would be moved twice, by optimisers that do not know of each other; with none it silently stays
    as it was initialised. Looked at are the networks that are exported and all modules that a step calls.
    """
    try:
        trial = TrialTrain(recipe.declared)
    except TrainingError as error:
        fail(error.message)
    states = trial.train.states.values()
    known = [module for state in states for module in state.modules] + list(trial.train.fixed)
    owned = {id(parameter) for module in known for parameter in module.parameters()}
    for name, network in trial.recipe.export().networks.items():
        for key, parameter in network.named_parameters():
            if id(parameter) not in owned:
                fail(f"no player owns {name}.{key}, and no fixed network has it")
    for module in _called(trial):
        for key, parameter in module.named_parameters(recurse=False):
            if id(parameter) not in owned:
                shape = "×".join(map(str, parameter.shape))
                fail(f"no player owns the {key} ({shape}) of a {type(module).__name__} that a step uses")


def _called(trial: TrialTrain) -> list[nn.Module]:
    """The modules that a step calls."""
    called: dict[int, nn.Module] = {}

    def note(module: nn.Module, _inputs: Any) -> None:
        called[id(module)] = module

    handle = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        trial.step()
    finally:
        handle.remove()
    return list(called.values())


class _Guarded(Train):
    """Notes which players move when it is not their turn."""

    def __init__(self, players: Sequence[Player], **settings: Any) -> None:
        super().__init__(players, **settings)
        self.moved: list[str] = []
        self._seen = self._now(self.states)

    def begin(self, players: Sequence[Player]) -> None:
        """Between turns no player may have moved."""
        super().begin(players)
        self.compare(self.states, "outside of turns")

    def end(self, players: Sequence[Player]) -> None:
        """In a turn only those whose turn it is."""
        super().end(players)
        others = [player for player in self.states if player not in players]
        self.compare(others, f"in the turn of {', '.join(player.name for player in players)}")
        self._seen = self._now(self.states)

    def compare(self, players: Iterable[Player], when: str) -> None:
        """Notes what differs from what was seen last."""
        now = self._now(players)
        self.moved += [f"{name} changes {when}" for name in now if not now[name].equal(self._seen[name])]

    def _now(self, players: Iterable[Player]) -> dict[str, Tensor]:
        """All that a turn may change: parameters and running statistics."""
        found: dict[str, Tensor] = {}
        for player in players:
            state = self.states[player]
            found |= {name: parameter.detach().clone() for name, parameter in state.parameters.items()}
            for number, kept in enumerate(state.statistics):
                for name, buffer in kept.norm.named_buffers(recurse=False):
                    found[f"{name} of {player.name}'s {type(kept.norm).__name__} {number}"] = buffer.clone()
        return found


@check("recipe", needs=("parameters-have-one-player",))
def moves_in_turns_only(recipe: RecipeUnderTest) -> None:
    """Players move in their own turns, and at no other time.

    A parameter that changes elsewhere escapes its optimiser, its average and every check of routes; running statistics
    that do are fed by other batches than the player's own. Compute what a player needs inside a turn.
    """
    trial = TrialTrain(recipe.declared, _Guarded)
    guarded = cast("_Guarded", trial.train)
    for _ in range(BEFORE):
        trial.step()
        guarded.compare(guarded.states, "outside of turns")
    if guarded.moved:
        fail(guarded.moved[0])


@check("recipe", needs=("parameters-have-one-player",))
def fixed_networks_stay(recipe: RecipeUnderTest) -> None:
    """Networks that the recipe calls fixed are the same after some steps, in eval mode, and need no gradients.

    They are what everything else is measured by. Leave their `train()` and `requires_grad` alone, and normalise by
    their running statistics.
    """
    trial = TrialTrain(recipe.declared)
    fixed = trial.train.fixed
    if not fixed:
        skip("it has no fixed networks")
    before = [{key: tensor.clone() for key, tensor in network.state_dict().items()} for network in fixed]
    for _ in range(BEFORE):
        trial.step()
    for number, (network, old) in enumerate(zip(fixed, before, strict=True)):
        name = f"fixed network {number} ({type(network).__name__})"
        for key, tensor in network.state_dict().items():
            if not tensor.equal(old[key]):
                fail(f"{key} of {name} changes in training")
        if any(module.training for module in network.modules()):
            fail(f"{name} is in training mode after a step")
        if any(parameter.requires_grad for parameter in network.parameters()):
            fail(f"{name} needs gradients after a step")


@check("recipe", needs=("moves-in-turns-only", "fixed-networks-stay"))
def step_replays(recipe: RecipeUnderTest) -> None:
    """A step replayed from a snapshot takes the same gradients, bit for bit.

    Without that no run can be made again, and nothing can be said about routes. Draw random numbers from torch's own
    generators, which are part of a checkpoint, and from no other.
    """
    again = recipe.replay.gradients()
    for player, usual in recipe.replay.usual.items():
        if not all(old.equal(new) for old, new in zip(usual, again[player], strict=True)):
            fail(f"the gradients of {player} differ from replay to replay")


@check("recipe", needs=("step-replays",))
def routes_are_real(recipe: RecipeUnderTest) -> None:
    """Each weight reaches exactly the players that the routes declare.

    The classic faults of adversarial training are losses that reach a player that should not know them. One weight at a
    time is doubled, and the gradients that the players take are compared. Correct the routes, or detach what leaks.
    """
    for weight, declared in recipe.replay.recipe.routes.items():
        if weight not in recipe.replay.weights:
            fail(f"routes name {weight!r}, which is not an option with a number")
        share = recipe.replay.shares[weight]
        unknown = sorted(declared - share.keys())
        if unknown:
            fail(f"routes send {weight!r} to {unknown[0]!r}, who has no turn")
        reached = {player for player, own in share.items() if any(bool(gradient.any()) for gradient in own)}
        if reached - declared:
            fail(f"{weight!r} reaches {_names(reached - declared)}, which its route does not name")
        if declared - reached:
            fail(f"{weight!r} does not reach {_names(declared - reached)}, which its route names")


@check("recipe", needs=("routes-are-real",))
def terms_have_weights(recipe: RecipeUnderTest) -> None:
    """Every term that a player minimises is multiplied by an option that the routes name.

    What has no weight cannot be switched off for an ablation, and it cannot be checked whom it reaches. Together, the
    terms of all weights must be the gradient that a player takes.
    """
    replay = recipe.replay
    for player, usual in replay.usual.items():
        left = [gradient.double() for gradient in usual]
        for share in replay.shares.values():
            left = [rest - gradient.double() for rest, gradient in zip(left, share[player], strict=True)]
        if _norm(left) > _NEGLIGIBLE * _norm(usual):
            fail(f"a term of {player} has no weight among the routes: {', '.join(replay.shares) or 'none'}")


class _TermRecorder(StillTrain):
    """Notes which terms each player minimises."""

    def __init__(self, players: Sequence[Player], **settings: Any) -> None:
        super().__init__(players, **settings)
        self.minimised: set[tuple[str, str]] = set()

    def watch(self, terms: Mapping[Player, Mapping[str, Tensor]], _logits: Logits) -> None:
        """Takes down their names."""
        self.minimised.update((player.name, term) for player, own in terms.items() for term in own)


@check("recipe", needs=("step-replays",))
def ablated_terms_exist(recipe: RecipeUnderTest) -> None:
    """The method's own terms are terms of its turns, and not all of a player's.

    `gansdk train --ablate` leaves them out. A misspelt one would leave out nothing, so that the ablation is the model
    itself; a player without any term left would not be trained.
    """
    own = set(recipe.declared.ablated_terms)
    if not own:
        skip("it declares no terms of its own")
    minimised = recipe.replay.played(_TermRecorder).minimised
    terms = ", ".join(f"{player}/{term}" for player, term in sorted(minimised))
    for player, term in sorted(own - minimised):
        fail(f"ablated_terms name {player}/{term}, which no turn minimises; there are {terms}")
    for player in sorted({player for player, _ in own} - {player for player, _ in minimised - own}):
        fail(f"without its own terms, {player} has nothing to minimise")


class _LogitRecorder(StillTrain):
    """Notes the logits that turns show, and which way what is minimised pulls them.

    Attributes:
        shown: By player and kind, the logits.
        pulls: By player and kind, how much its loss grows with them: minimising it lowers them where this is positive.
    """

    def __init__(self, players: Sequence[Player], **settings: Any) -> None:
        super().__init__(players, **settings)
        self.shown: dict[tuple[str, str], list[Tensor]] = {}
        self.pulls: dict[tuple[str, str], float] = {}

    def watch(self, terms: Mapping[Player, Mapping[str, Tensor]], logits: Logits) -> None:
        """Differentiates each player's loss by the logits."""
        for player, own in terms.items():
            loss = torch.stack([term.reshape(()) for term in own.values()]).sum()
            for kind, shown in logits.items():
                tensors = [shown] if isinstance(shown, torch.Tensor) else list(shown)
                self.shown.setdefault((player.name, kind), []).extend(tensor.detach().clone() for tensor in tensors)
                by = [tensor for tensor in tensors if tensor.requires_grad]
                taken = torch.autograd.grad(loss, by, retain_graph=True, allow_unused=True) if by else ()
                pull = sum(float(gradient.sum()) for gradient in taken if gradient is not None)
                self.pulls[player.name, kind] = self.pulls.get((player.name, kind), 0.0) + pull


@check("recipe", needs=("routes-are-real",))
def signs_are_right(recipe: RecipeUnderTest) -> None:
    """What is adversarial pulls the discriminator's logits the right way.

    The discriminator's turn must raise its logit on real data and lower the one on fake data, which the generator's
    turn must raise. A wrong sign trains the generator to help the discriminator: it learns, looks alive, and gets
    nowhere. Each loss is differentiated by the logits that the turns show to `minimise(…, logits=…)`.
    """
    adversarial_pairs = recipe.replay.recipe.adversarial_pairs
    if not adversarial_pairs:
        skip("it declares no adversarial pairs")
    seen = recipe.replay.played(_LogitRecorder)
    for pair in adversarial_pairs:
        _check_shown(recipe, pair, seen)
        for player, kind, sign in (
            (pair.discriminator, "real", -1),
            (pair.discriminator, "fake", 1),
            (pair.generator, "fake", -1),
        ):
            if seen.pulls[player, kind] * sign <= 0:
                way = "raises" if sign > 0 else "lowers"
                fail(f"the turn of {player} {way} the logit of {pair.discriminator} on what is {kind}")


def _check_shown(recipe: RecipeUnderTest, pair: AdversarialPair, seen: _LogitRecorder) -> None:
    """Logits are shown, losses depend on them, and those on fake data depend on the generator."""
    for player, kind in ((pair.discriminator, "real"), (pair.discriminator, "fake"), (pair.generator, "fake")):
        if not seen.pulls.get((player, kind)):
            fail(f"nothing that {player} minimises depends on logits that its turn shows as {kind!r}")
    other = recipe.replay.played(_LogitRecorder, nudged=pair.generator)
    before, after = (recorder.shown[pair.discriminator, "fake"] for recorder in (seen, other))
    if all(old.equal(new) for old, new in zip(before, after, strict=True)):
        fail(f"what the turn of {pair.discriminator} shows as 'fake' does not depend on {pair.generator}")


class _VanishedError(Exception):
    """Ends a run, as a killed process would."""


@check("recipe", needs=("step-replays",))
def resume_is_exact(recipe: RecipeUnderTest) -> None:
    """A run that is resumed continues to the bit as if it had never stopped.

    Days of training are interrupted sooner or later. What a recipe keeps beside its players' modules is lost then: put
    it into a buffer, or give it to `train.keep`; make batch i depend on the data, the seed and i alone.
    """

    def vanish(at: Any) -> None:
        if at.step == BEFORE:
            raise _VanishedError

    with tempfile.TemporaryDirectory() as folder:
        whole, halves = Path(folder, "whole"), Path(folder, "halves")
        train_tiny(recipe.method, recipe.config, whole)
        try:
            train_tiny(recipe.method, recipe.config, halves, progress=vanish)
        except _VanishedError:
            torch.manual_seed(SEED + 1)
            resume(halves, methods={recipe.method.name: recipe.method}, open_data=lambda text: (text, images()))
        expected, found = (load_file(next((run / "state").glob("*/*.safetensors"))) for run in (whole, halves))
        for name in sorted(expected.keys() | found.keys()):
            if name not in expected or name not in found or not expected[name].equal(found[name]):
                fail(f"after a resume, {name} is another one than without")


def _norm(tensors: Iterable[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.double().square().sum()) for tensor in tensors))


def _names(players: Iterable[str]) -> str:
    return " and ".join(sorted(players))
