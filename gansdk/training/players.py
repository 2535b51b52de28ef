"""Who learns what: named parameter sets, each with its optimiser, and what training holds of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.instancenorm import _InstanceNorm

from gansdk.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor


@dataclass(eq=False)
class Player:
    """A set of parameters that one optimiser moves, and the only one that does.

    Attributes:
        name: Lower-case word; the first half of the names in the metric log.
        modules: Whose parameters it owns. Parameters that need no gradient are carried along unchanged.
        optimiser: Makes the optimiser, as in ``partial(torch.optim.Adam, lr=4e-4)``.
        schedule: Step index to the factor on the optimiser's learning rates; None keeps them.
        ema: Decay of the exponential moving average that follows each of its turns; None for no average.
        begins: Step at which its turns begin; its schedule counts from there. See :meth:`Train.has_begun`.
    """

    name: str
    modules: nn.Module | Sequence[nn.Module]
    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    schedule: Callable[[int], float] | None = None
    ema: float | None = None
    begins: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise TrainingError(f"player name {self.name!r} is not a lower-case word")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise TrainingError(f"player {self.name!r} has ema {self.ema}", hint="a decay lies in [0, 1)")


@dataclass(frozen=True)
class AdversarialPair:
    """A generator and the discriminator that it plays against.

    Their turns show the discriminator's logits to :meth:`Turn.minimise`, so the signs of adversarial losses can be
    checked from outside: the discriminator raises its logit on real data and lowers it on fake data, the generator
    raises it on fake data.

    Attributes:
        generator: Name of the player that makes the fake data.
        discriminator: Name of the player that tells them from real data.
        logits: What the discriminator gives: ``logits`` of being real, which show when it has won and teaches nothing
            more, or ``scores`` of no fixed scale (Wasserstein, hinge), which are far apart in a healthy training too.
    """

    generator: str
    discriminator: str
    logits: Literal["logits", "scores"] = "logits"


class RunningStatistics:
    """Those of one normalisation layer: while held, it uses statistics of the batch and keeps none of them."""

    def __init__(self, norm: _NormBase) -> None:
        self.norm = norm
        # Instance norm hands its running statistics on either way, and only the momentum keeps them as they are.
        self._switch = "momentum" if isinstance(norm, _InstanceNorm) else "track_running_stats"
        self._usual = getattr(norm, self._switch)

    def hold(self) -> None:
        """Leaves the running statistics alone from now on."""
        setattr(self.norm, self._switch, 0.0 if self._switch == "momentum" else False)

    def release(self) -> None:
        """Lets them follow the batches again."""
        setattr(self.norm, self._switch, self._usual)


class PlayerState:
    """What training holds of one player: its parameters by name, its optimiser, its moving average."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.modules = (player.modules,) if isinstance(player.modules, nn.Module) else tuple(player.modules)
        self.parameters = _trainable(player.name, self.modules)
        if not self.parameters:
            raise TrainingError(f"player {player.name!r} has no parameter to train")
        self.tensors: list[Tensor] = list(self.parameters.values())
        self.optimiser = player.optimiser(list(self.parameters.values()))
        if any(group.get("maximize") for group in self.optimiser.param_groups):
            what = f"the optimiser of player {player.name!r} maximises"
            raise TrainingError(what, hint="turns minimise; give the term the other sign")
        self.rates = [float(group["lr"]) for group in self.optimiser.param_groups]
        inside = [module for root in self.modules for module in root.modules()]
        self.statistics = [
            RunningStatistics(module)
            for module in dict.fromkeys(inside)
            if isinstance(module, _NormBase) and module.track_running_stats
        ]
        self.average: list[Tensor] | None = None
        if player.ema is not None:
            self.average = [parameter.detach().clone() for parameter in self.tensors]

    def apply(self, gradients: Sequence[Tensor], step: int) -> None:
        """Moves the parameters along these gradients, one per parameter, and the average after them."""
        for parameter, gradient in zip(self.tensors, gradients, strict=True):
            parameter.grad = gradient
        if self.player.schedule is not None:
            factor = self.player.schedule(step - self.player.begins)
            for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
                group["lr"] = rate * factor
        self.optimiser.step()
        for parameter in self.tensors:
            parameter.grad = None
        if self.average is not None and self.player.ema is not None:
            with torch.no_grad():
                torch._foreach_lerp_(self.average, self.tensors, 1 - self.player.ema)

    def swap_average(self) -> None:
        """Exchanges the parameters' values and their average; a second call undoes the first.

        Buffers need no exchange: they change in the player's own turns alone, after which the average would copy them.
        """
        if self.average is None:
            return
        for i, parameter in enumerate(self.tensors):
            self.average[i], parameter.data = parameter.data, self.average[i]


def check_owners(states: Iterable[PlayerState]) -> None:
    """Holds that no parameter has two owners and no two players one name."""
    owners: dict[int, tuple[str, str]] = {}
    names: set[str] = set()
    for state in states:
        if state.player.name in names:
            raise TrainingError(f"two players are named {state.player.name!r}")
        names.add(state.player.name)
        for name, parameter in state.parameters.items():
            if id(parameter) in owners:
                owner, other = owners[id(parameter)]
                what = f"players {owner!r} and {state.player.name!r} both own one parameter ({other}, {name})"
                raise TrainingError(what, hint="give each parameter to one player")
            owners[id(parameter)] = (state.player.name, name)


def _trainable(player: str, modules: Sequence[nn.Module]) -> dict[str, nn.Parameter]:
    found: dict[str, nn.Parameter] = {}
    seen: set[int] = set()
    for i, module in enumerate(modules):
        prefix = player if len(modules) == 1 else f"{player}.{i}"
        for name, parameter in module.named_parameters():
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                found[f"{prefix}.{name}"] = parameter
    return found
