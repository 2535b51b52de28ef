"""Turns: all gradients first, each of one player's terms by that player's parameters; then all steps.

The classic faults of adversarial training are faults of routing: a discriminator that keeps the generator's
gradients, an encoder that a loss reaches which it should not know. Here no gradient is ever accumulated in
``.grad``: a turn asks autograd for the derivatives by the parameters of the players whose turn it is and by nothing
else.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal, cast

import torch

from gansdk.errors import TrainingError
from gansdk.training.players import Player, PlayerState, check_owners

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from gansdk.training.players import RunningStatistics

    Terms = Mapping[str, Tensor]
    Logits = Mapping[Literal["real", "fake"], Tensor | Sequence[Tensor]]


class Averages:
    """Running means of named numbers since the last line of the log."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Counts one more value of each name."""
        for name, value in values.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = total + value, count + 1

    def means(self) -> dict[str, float]:
        """The mean of each name, in the order in which the names first came."""
        return {name: total / count for name, (total, count) in self._sums.items()}

    def clear(self) -> None:
        """Begins the next interval."""
        self._sums.clear()

    def as_state(self) -> dict[str, list[float]]:
        """Sum and count of each name, for a checkpoint between two lines."""
        return {name: [total, count] for name, (total, count) in self._sums.items()}

    def restore(self, state: Mapping[str, Sequence[float]]) -> None:
        """Takes up the interval of a checkpoint."""
        self._sums = {name: (total, int(count)) for name, (total, count) in state.items()}


class Train:
    """What a recipe's step may use: turns, the step's index, the device, the precision, tensors to keep.

    Args:
        players: All parameter sets of the recipe; their modules are moved to the device and set to train.
        fixed: Networks that never change; they are moved too, set to eval, and need no gradients.
        device: Where to compute.
        seed: The run's seed; torch's own generators have been seeded with it.
        precision: ``fp32``, or ``bf16`` for bfloat16 autocast inside :meth:`autocast`.
        ablated_terms: (player, term) pairs that are multiplied by 0, which is what makes an ablation. They are
            still logged.

    Attributes:
        step: Index of the step that is being taken, from 0.

    Raises:
        TrainingError: If a parameter has two owners, or a player none.
    """

    def __init__(
        self,
        players: Sequence[Player],
        *,
        fixed: Sequence[nn.Module] = (),
        device: torch.device | str = "cpu",
        seed: int = 0,
        precision: str = "fp32",
        ablated_terms: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.step = 0
        self.device = torch.device(device)
        self.seed = seed
        self.precision = precision
        self.ablated_terms = frozenset(ablated_terms)
        self.averages = Averages()
        self.kept_tensors: dict[str, Tensor] = {}
        self.fixed = tuple(module.to(self.device).eval().requires_grad_(False) for module in fixed)
        for player in players:
            for module in (player.modules,) if isinstance(player.modules, torch.nn.Module) else player.modules:
                module.to(self.device).train()
        self.states = {player: PlayerState(player) for player in players}
        check_owners(self.states.values())
        names = {player.name for player in players}
        for name, term in self.ablated_terms:
            if name not in names:
                raise TrainingError(f"there is no player {name!r} whose term {term!r} could be ablated")
        self._others: dict[tuple[Player, ...], list[RunningStatistics]] = {}
        self._in_turn = False

    def turn(self, *players: Player) -> Turn:
        """A block in which these players' terms are computed and minimised, once.

        Inside it the batch-norm of all other players uses batch statistics and leaves its running ones alone.

        Raises:
            TrainingError: If a player is not one of the recipe's, or another turn is still open.
        """
        for player in players:
            if player not in self.states:
                raise TrainingError(f"{player.name!r} is none of the recipe's players")
            if not self.has_begun(player):
                what = f"player {player.name!r} has a turn at step {self.step} and begins at step {player.begins}"
                raise TrainingError(what, hint="ask train.has_begun(player) before its turn")
        if not players:
            raise TrainingError("a turn needs a player")
        if players not in self._others:
            own = {id(statistics.norm) for player in players for statistics in self.states[player].statistics}
            self._others[players] = [
                statistics
                for state in self.states.values()
                for statistics in state.statistics
                if id(statistics.norm) not in own
            ]
        return Turn(self, players, self._others[players])

    def has_begun(self, player: Player) -> bool:
        """Whether the training has come to the step at which this player's turns begin."""
        return self.step >= player.begins

    def begin(self, players: Sequence[Player]) -> None:
        """Opens a turn. Observers of a training extend this and the next three methods."""
        if self._in_turn:
            raise TrainingError("a turn was opened inside another one", hint="close the first, or give it both players")
        self._in_turn = True

    def watch(self, terms: Mapping[Player, Terms], logits: Logits) -> None:
        """Sees what a turn is about to minimise; does nothing here."""

    def move(self, gradients: Mapping[Player, Sequence[Tensor]]) -> None:
        """Moves every player along its gradients, one per parameter: the one place where training moves anybody."""
        for player, taken in gradients.items():
            self.states[player].apply(taken, self.step)

    def end(self, players: Sequence[Player]) -> None:
        """Closes a turn."""
        self._in_turn = False

    def autocast(self) -> AbstractContextManager[object]:
        """Mixed precision for the forward computation where the run asks for it, else nothing."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def keep(self, name: str, tensor: Tensor) -> None:
        """Puts a tensor into the checkpoints under ``name``, in place of the one kept before."""
        self.kept_tensors[name] = tensor.detach().clone()

    def kept(self, name: str) -> Tensor | None:
        """The tensor kept under ``name``, on the run's device; None before the first :meth:`keep`."""
        return self.kept_tensors.get(name)

    @contextmanager
    def finished(self, networks: Iterable[nn.Module] = ()) -> Iterator[None]:
        """A block in which all players are as they would ship: averaged weights, eval mode, no gradients.

        Args:
            networks: Further modules, built from those of the players, that shall be in eval mode too.
        """
        roots = [module for state in self.states.values() for module in state.modules] + list(networks)
        modes = [(module, module.training) for root in roots for module in root.modules()]
        for state in self.states.values():
            state.swap_average()
        try:
            for module, _ in modes:
                module.training = False
            with torch.no_grad():
                yield
        finally:
            for module, training in modes:
                module.training = training
            for state in self.states.values():
                state.swap_average()


class Turn:
    """One open turn; made by :meth:`Train.turn`."""

    def __init__(self, train: Train, players: tuple[Player, ...], others: Sequence[RunningStatistics]) -> None:
        self._train = train
        self._players = players
        self._others = others
        self._spent = False

    def __enter__(self) -> Turn:
        self._train.begin(self._players)
        for statistics in self._others:
            statistics.hold()
        return self

    def __exit__(self, *_: object) -> None:
        for statistics in self._others:
            statistics.release()
        self._train.end(self._players)

    def minimise(
        self, terms: Mapping[str, Tensor] | Mapping[Player, Mapping[str, Tensor]], *, logits: Logits | None = None
    ) -> None:
        """Takes all gradients, then moves every player of the turn along its own.

        Args:
            terms: Scalars by name where the turn has one player, else such a mapping for each player. What a player
                minimises is their sum. Their values go to the metric log as ``player/term``.
            logits: In a turn of a :class:`~gansdk.training.AdversarialPair`, what the discriminator gives for what is
                ``real`` and for what is ``fake``: the very tensors, one or several, from which the terms were computed.
                Larger means more real. They change nothing; a check of signs looks at them.

        Raises:
            TrainingError: If a parameter of a player is reached by none of its terms, if a value or a gradient is
                not finite, or if the terms are not one mapping per player. No player has moved then.
        """
        if self._spent:
            raise TrainingError("a turn minimises once", hint="open another turn, or put all players into one mapping")
        self._spent = True
        by_player = self._by_player(terms)
        kind = self._train.device.type
        with torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext():
            self._train.watch(by_player, logits or {})
            gradients = self._gradients(by_player)
        values = self._checked(by_player, gradients)
        self._train.move(gradients)
        self._train.averages.add(values)
        torch.clear_autocast_cache()  # it may hold casts of weights as they were before this step

    def _by_player(self, terms: Mapping[str, Tensor] | Mapping[Player, Mapping[str, Tensor]]) -> dict[Player, Terms]:
        if len(self._players) == 1 and all(isinstance(key, str) for key in terms):
            by_player: dict[Player, Terms] = {self._players[0]: cast("Terms", terms)}
        elif set(terms) == set(self._players):
            by_player = dict(cast("Mapping[Player, Terms]", terms))
        else:
            names = ", ".join(player.name for player in self._players)
            raise TrainingError(f"the turn of {names} needs terms for exactly these: {{player: {{name: term}}}}")
        for player, own in by_player.items():
            for name, term in own.items():
                if term.numel() != 1:
                    what = f"the term {player.name}/{name} has shape {tuple(term.shape)}, not that of one number"
                    raise TrainingError(what, hint="take its mean or sum")
        return by_player

    def _gradients(self, by_player: Mapping[Player, Terms]) -> dict[Player, tuple[Tensor, ...]]:
        gradients: dict[Player, tuple[Tensor, ...]] = {}
        for i, (player, terms) in enumerate(by_player.items()):
            state = self._train.states[player]
            loss = self._sum(player, terms)
            if not loss.requires_grad:
                raise _unreached(player, next(iter(state.parameters)), terms)
            last = i == len(by_player) - 1
            taken = torch.autograd.grad(loss, state.tensors, retain_graph=not last, allow_unused=True)
            for name, gradient in zip(state.parameters, taken, strict=True):
                if gradient is None:
                    raise _unreached(player, name, terms)
            gradients[player] = taken
        return gradients

    def _sum(self, player: Player, terms: Terms) -> Tensor:
        ablated_terms = self._train.ablated_terms
        total: Tensor | None = None
        for name, term in terms.items():
            part = _scalar(term)
            if ablated_terms and (player.name, name) in ablated_terms:
                part = part * 0
            total = part if total is None else total + part
        if total is None:
            raise TrainingError(f"player {player.name!r} has no term to minimise")
        return total

    def _checked(
        self, by_player: Mapping[Player, Terms], gradients: Mapping[Player, tuple[Tensor, ...]]
    ) -> dict[str, float]:
        """The terms' values by name, once they and the norm of every gradient are known to be finite."""
        names = [f"{player.name}/{name}" for player, terms in by_player.items() for name in terms]
        with torch.no_grad():
            numbers = [_scalar(term) for terms in by_player.values() for term in terms.values()]
            for taken in gradients.values():
                numbers += torch._foreach_norm(taken)
            values: list[float] = torch.stack(numbers).tolist()  # one wait for the device, not one per number
        if not math.isfinite(sum(values)):
            names += [name for player in gradients for name in self._train.states[player].parameters]
            raise self._not_finite(dict(zip(names, values, strict=True)))
        return dict(zip(names, values, strict=False))

    def _not_finite(self, values: Mapping[str, float]) -> TrainingError:
        """Says which term is not finite, or else which gradient; ``values`` has the terms first."""
        name, value = next((name, value) for name, value in values.items() if not math.isfinite(value))
        what = f"the term {name} is {value}"
        if "/" not in name:
            player = name.partition(".")[0]
            terms = " + ".join(term for term in values if term.startswith(f"{player}/"))
            what = f"the gradient of {terms} by {name} is {value}"
        hint = "no player has moved in this turn; a smaller learning rate or fp32 may help"
        return TrainingError(f"{what} at step {self._train.step}", hint=hint)


def _scalar(term: Tensor) -> Tensor:
    """A term as fp32 without dimensions; most are already, and every needless view costs a node in the graph."""
    return (term if term.dim() == 0 else term.reshape(())).float()


def _unreached(player: Player, parameter: str, terms: Iterable[str]) -> TrainingError:
    what = f"no term of player {player.name!r} ({', '.join(terms)}) reaches its parameter {parameter}"
    return TrainingError(what, hint="is something detached, or the parameter unused? a player owns only what it trains")
