"""What a training loop watches and reacts to: divergence, signals, time."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gansdk.errors import TrainingError, option
from gansdk.training.turns import Train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from gansdk.training.options import TrainingOptions
    from gansdk.training.players import AdversarialPair, Player
    from gansdk.training.turns import Logits, Terms


class DivergenceMonitor:
    """Watches the discriminators' logits and stops a training in which one of them has won for long.

    A discriminator leads by the distance between its lowest logit on real data and its highest on fake data. Leads stay
    on the device until :meth:`check`, so watching costs no wait. They are not kept in checkpoints: a resumed run is
    watched anew.

    Args:
        adversarial_pairs: The recipe's; those whose logits are scores of no fixed scale are left alone.
        limits: How far and for how long a discriminator must lead.
        step: The step at which this session begins.
    """

    def __init__(self, adversarial_pairs: Sequence[AdversarialPair], limits: TrainingOptions, step: int) -> None:
        self._limits = limits
        self._generators = {
            pair.discriminator: pair.generator
            for pair in adversarial_pairs
            if pair.logits == "logits" and limits.won_steps
        }
        self._checked = step
        self._leads: dict[str, Tensor] = {}
        self._since: dict[str, tuple[int, float]] = {}

    def see(self, players: Sequence[Player], logits: Logits) -> None:
        """Notes the lead of a discriminator whose turn it is; turns without both kinds of logits say nothing of it."""
        if not ("real" in logits and "fake" in logits):
            return
        for player in players:
            if player.name in self._generators:
                lead = _lowest(logits["real"]) + _lowest(logits["fake"], sign=-1)
                before = self._leads.get(player.name)
                self._leads[player.name] = lead if before is None else torch.minimum(before, lead)

    def check(self, step: int) -> None:
        """Looks at the smallest leads since the last check; one above the limit for too long ends the training."""
        for discriminator, seen in self._leads.items():
            lead = float(seen)
            if not lead > self._limits.won_margin:
                self._since.pop(discriminator, None)
                continue
            since, smallest = self._since.get(discriminator, (self._checked, lead))
            self._since[discriminator] = since, min(smallest, lead)
            if step - since >= self._limits.won_steps:
                what = (
                    f"{discriminator!r} has won against {self._generators[discriminator]!r}: from step {since} to "
                    f"{step} each of its logits on real data lay above each on fake data, by "
                    f"{min(smallest, lead):.3g} or more (limit {self._limits.won_margin:g})"
                )
                hint = (
                    f"the last checkpoint stays; give {discriminator!r} a smaller learning rate or fewer turns, smooth "
                    f"its labels or add noise to its inputs; resume with {option('won_steps', 0)} to continue all the "
                    "same"
                )
                raise TrainingError(what, hint=hint)
        self._leads.clear()
        self._checked = step


class MonitoredTrain(Train):
    """A training whose logits a monitor sees."""

    monitor: DivergenceMonitor | None = None

    def watch(self, terms: Mapping[Player, Terms], logits: Logits) -> None:
        """Shows the logits of a turn to the monitor."""
        super().watch(terms, logits)
        if self.monitor is not None:
            self.monitor.see(list(terms), logits)


def _lowest(logits: Tensor | Sequence[Tensor], sign: int = 1) -> Tensor:
    tensors = [logits] if isinstance(logits, torch.Tensor) else list(logits)
    return torch.stack([(sign * tensor.detach().float()).min() for tensor in tensors]).min()


ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a process: from a scheduler, or from a terminal or an ssh connection that is closed."""


class Interruption:
    """Whether somebody asked to stop, and by which signal."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def receive(self, number: int, _frame: Any) -> None:
        """The signal handler. A second Ctrl-C stops at once: then the checkpoint before is what remains."""
        if self.signal is not None and number == signal.SIGINT:
            self._say("stopped at once; what is left is the checkpoint before")
            raise KeyboardInterrupt
        self.signal = number
        self._say("stopping after this step; what is done will be saved (Ctrl-C again stops at once, unsaved)")

    def _say(self, text: str) -> None:
        """Says it, if it can: the terminal may be what is gone, and Python may be in the middle of another line."""
        with suppress(OSError, ValueError, RuntimeError):
            self._note(text)


@contextmanager
def put_off(note: Callable[[str], None]) -> Iterator[Interruption]:
    """A block in which signals only set a flag; when it ends, the signal takes its usual effect.

    Outside the main thread, where Python handles no signals, the block changes nothing. A signal that the process was
    told to ignore stays ignored: Ctrl-C in what a shell runs in the background, SIGHUP under ``nohup``.
    """
    interruption = Interruption(note)
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    heeded = [number for number in (signal.SIGINT, *ENDING) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interruption.receive) for number in heeded}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interruption.signal is not None:
        signal.raise_signal(interruption.signal)


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: Steps taken, those before a resume included.
        steps: Steps planned.
        rate: Steps per second in this session.
        left: Seconds left at that rate.
    """

    step: int
    steps: int
    rate: float
    left: float


class Clock:
    """Training time: over all sessions, in this one, and since the last checkpoint."""

    def __init__(self, before: float, step: int) -> None:
        self._before = before
        self._first_step = step
        self._start = self._save = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training, earlier sessions included."""
        return self._before + time.monotonic() - self._start

    @property
    def since_save(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self._save

    def saved(self) -> None:
        """Notes that a checkpoint was written."""
        self._save = time.monotonic()

    def progress(self, step: int, steps: int) -> Progress:
        """How far the run is after ``step`` of ``steps``."""
        rate = (step - self._first_step) / max(time.monotonic() - self._start, 1e-9)
        return Progress(step, steps, rate, (steps - step) / max(rate, 1e-9))
