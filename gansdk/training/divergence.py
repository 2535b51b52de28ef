"""Whether a contest is over: a judge that has won teaches its maker nothing, and steps are wasted from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gansdk.errors import TrainingError, option
from gansdk.training.turns import Train

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from gansdk.training.players import Contest, Player
    from gansdk.training.runs import Limits
    from gansdk.training.turns import Terms, Verdicts


class Referee:
    """Sees every verdict of the judges' own turns and stops a contest that one has won for long.

    A judge leads by the distance between its lowest verdict on what is real and its highest on what is made. Leads
    stay on the device until :meth:`check`, so watching costs no wait. What was seen is not kept in checkpoints: a
    resumed run is watched anew.

    Args:
        contests: The recipe's; those whose verdicts are scores of no fixed scale are left alone.
        limits: How far and for how long a judge must lead.
        step: The step at which this sitting begins.
    """

    def __init__(self, contests: Sequence[Contest], limits: Limits, step: int) -> None:
        self._limits = limits
        self._makers = {one.judge: one.maker for one in contests if one.verdicts == "logits" and limits.won_steps}
        self._checked = step
        self._leads: dict[str, Tensor] = {}
        self._since: dict[str, tuple[int, float]] = {}

    def see(self, players: Sequence[Player], verdicts: Verdicts) -> None:
        """Notes the lead of a judge whose turn it is; turns without both kinds of verdicts say nothing of it."""
        if not ("real" in verdicts and "made" in verdicts):
            return
        for player in players:
            if player.name in self._makers:
                lead = _lowest(verdicts["real"]) + _lowest(verdicts["made"], sign=-1)
                before = self._leads.get(player.name)
                self._leads[player.name] = lead if before is None else torch.minimum(before, lead)

    def check(self, step: int) -> None:
        """Looks at the smallest leads since the last check.

        Raises:
            TrainingError: If a judge has led by more than the limit for as many steps as are allowed.
        """
        for judge, seen in self._leads.items():
            lead = float(seen)
            if not lead > self._limits.won_margin:
                self._since.pop(judge, None)
                continue
            since, smallest = self._since.get(judge, (self._checked, lead))
            self._since[judge] = since, min(smallest, lead)
            if step - since >= self._limits.won_steps:
                raise self._over(judge, step)
        self._leads.clear()
        self._checked = step

    def _over(self, judge: str, step: int) -> TrainingError:
        since, lead = self._since[judge]
        what = (
            f"{judge!r} has won against {self._makers[judge]!r}: from step {since} to {step} each of its verdicts on "
            f"what is real lay above each on what is made, by {lead:.3g} or more (limit {self._limits.won_margin:g})"
        )
        hint = (
            f"the last checkpoint stays; give {judge!r} a smaller learning rate or fewer turns, smooth its labels or "
            f"add noise to what it sees; resume with {option('won_steps', 0)} to go on all the same"
        )
        return TrainingError(what, hint=hint)


class RefereedTrain(Train):
    """A training whose verdicts a referee sees."""

    referee: Referee | None = None

    def watch(self, terms: Mapping[Player, Terms], verdicts: Verdicts) -> None:
        """Shows the verdicts of a turn to the referee."""
        super().watch(terms, verdicts)
        if self.referee is not None:
            self.referee.see(list(terms), verdicts)


def _lowest(verdicts: Tensor | Sequence[Tensor], sign: int = 1) -> Tensor:
    several = [verdicts] if isinstance(verdicts, torch.Tensor) else list(verdicts)
    return torch.stack([(sign * one.detach().float()).min() for one in several]).min()
