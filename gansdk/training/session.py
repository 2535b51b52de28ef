"""One sitting of a run: steps, and what is written down between them."""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gansdk.data.pictures import UNSTATED, Pictures
from gansdk.data.stacked import StackedImages
from gansdk.errors import TrainingError, UsageError
from gansdk.evaluation.assessing import Subject, assess, fitting
from gansdk.evaluation.record import read_evaluation
from gansdk.evaluation.subjects import about_twin, digests
from gansdk.inference.loading import write_model
from gansdk.inference.runtime import Placement, assemble
from gansdk.model.attributions import Attributions, Credit
from gansdk.model.config import Trained
from gansdk.plugins.discovery import discover
from gansdk.training.checkpoints import load_checkpoint, random_state, restore_random_state, save_checkpoint
from gansdk.training.interruption import put_off
from gansdk.training.metrics import append_line, cut_after
from gansdk.training.sheets import write_sheet
from gansdk.training.turns import Train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from torch import nn

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.record import Evaluation
    from gansdk.plugins.declarations import Method
    from gansdk.training.interruption import Interruption
    from gansdk.training.recipe import Batch, Export, Recipe
    from gansdk.training.runs import RunFolder, RunRecord


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: Steps taken, those before a resume included.
        steps: Steps planned.
        rate: Steps per second in this sitting.
        left: Seconds left at that rate.
    """

    step: int
    steps: int
    rate: float
    left: float


@dataclass(frozen=True)
class Finished:
    """How a run ended.

    Attributes:
        steps: Steps taken in all.
        seconds: Training time in all, without pauses between sittings.
        evaluation: What was measured at the end; None where no test set was given, or the run was stopped before.
    """

    steps: int
    seconds: float
    evaluation: Evaluation | None


class Session:
    """A run being trained, from its newest checkpoint, or from nothing, to its last step.

    Building one reads the data and the checkpoint and writes nothing, so what is wrong with them shows before a run
    folder is touched.

    Args:
        folder: Where the run is or will be.
        record: What was asked for.
        method: What is trained.
        recipe: How; just built, with torch seeded before.
        device: Where to compute.
        data: The recipe's data sets.
        tests: What to measure on at the end.
        progress: Is told after every step.
        note: Takes lines that the user should read.

    Raises:
        TrainingError: If the players are wrong, or the checkpoint does not fit them.
        UsageError: If more steps were taken already than are asked for.
    """

    def __init__(
        self,
        *,
        folder: RunFolder,
        record: RunRecord,
        method: Method,
        recipe: Recipe,
        device: torch.device,
        data: Mapping[str, Dataset],
        tests: Mapping[str, Dataset],
        progress: Callable[[Progress], None],
        note: Callable[[str], None],
    ) -> None:
        self._folder, self._record, self._method = folder, record, method
        self._recipe, self._tests = recipe, tests
        self._attributions = _attributions(data)
        self._progress, self._note = progress, note
        self._steps = int(record.options["steps"])
        self._train = train = Train(
            recipe.players,
            fixed=recipe.fixed,
            device=device,
            seed=record.seed,
            precision=record.precision,
            silenced=record.silenced,
        )
        position = load_checkpoint(folder.state, train)
        self._saved = position.step if position else None
        self._seconds = position.seconds if position else 0.0
        if train.step > self._steps:
            raise UsageError(f"{folder.path} has taken {train.step} steps already", hint="give a larger number")
        with self._aside():
            self._streams = recipe.streams(data, record.seed)
            samples = recipe.samples(data) if record.pace.samples else {}
        self._inputs = {name: tensor.to(train.device) for name, tensor in samples.items()}

    def run(self) -> Finished:
        """Takes the steps that are left, then measures.

        Raises:
            TrainingError: If training fails; the last whole checkpoint stays.
            KeyboardInterrupt: After Ctrl-C, once the last whole step has been saved.
        """
        train = self._train
        evaluation = read_evaluation(self._folder.model) if train.step == self._steps else None
        clock = _Clock(self._seconds, train.step)
        if evaluation is not None:
            self._note(f"{self._folder.path} has taken all its {self._steps} steps and was measured")
            return Finished(train.step, clock.seconds, evaluation)
        cut_after(self._folder.metrics, train.step)
        fixed = _digest(train.fixed)
        with put_off(self._note) as interruption:
            self._save(clock)
            self._take_steps(clock, interruption)
            self._save(clock)
        if train.step < self._steps:  # a signal whose handler came back
            return Finished(train.step, clock.seconds, None)
        if _digest(train.fixed) != fixed:
            raise TrainingError("a network that the recipe calls fixed has changed", hint="no player may own it")
        return Finished(train.step, clock.seconds, self._measure(clock))

    def _take_steps(self, clock: _Clock, interruption: Interruption) -> None:
        train, pace = self._train, self._record.pace
        while train.step < self._steps and not interruption:
            self._recipe.step(self._batch(train.step), train)
            train.step += 1
            if train.step % pace.log == 0 or train.step == self._steps:
                self._log(clock)
            if pace.samples and (train.step % pace.samples == 0 or train.step == self._steps):
                self._show()
            if train.step % pace.checkpoint == 0 or clock.since_save > 60 * pace.minutes:
                self._save(clock)
            try:
                self._progress(clock.progress(train.step, self._steps))
            except KeyboardInterrupt:
                self._save(clock)
                raise

    def _batch(self, index: int) -> dict[str, Batch]:
        batch: dict[str, Batch] = {}
        for name, stream in self._streams.items():
            tensors = stream.batch(index)
            batch[name] = {key: tensor.to(self._train.device, non_blocking=True) for key, tensor in tensors.items()}
        return batch

    def _log(self, clock: _Clock) -> None:
        means = self._train.averages.means()
        append_line(self._folder.metrics, self._train.step, clock.seconds, means)
        self._train.averages.clear()
        absent = sorted(f"{player}/{term}" for player, term in self._train.silenced if f"{player}/{term}" not in means)
        if absent:  # perhaps of a later phase, perhaps misspelt: then this would be no twin
            self._note(f"step {self._train.step}: no such term to silence so far: {', '.join(absent)}")

    def _show(self) -> None:
        if not self._inputs:
            return
        with self._aside():
            networks = self._recipe.export().networks
            with self._train.finished(networks.values()):
                rows = self._recipe.show(self._inputs, networks)
        write_sheet(self._folder.samples / f"{self._train.step:09d}.png", rows)

    def _save(self, clock: _Clock) -> None:
        if self._saved == self._train.step:
            return
        save_checkpoint(self._folder.state, self._train, clock.seconds)
        self._write_model(clock, None)
        self._saved = self._train.step
        clock.saved()

    def _write_model(self, clock: _Clock, evaluation: Evaluation | None) -> None:
        record = self._record
        with self._aside():
            export = self._recipe.export()
            with self._train.finished(export.networks.values()):
                write_model(
                    self._folder.model,
                    method=self._method,
                    facts=export.facts,
                    network=export.network,
                    networks=export.networks,
                    start=export.start,
                    trained=Trained(
                        recipe=self._method.configs[record.config].recipe,
                        config=record.config,
                        options=record.options,
                        seed=record.seed,
                        steps=self._train.step,
                        seconds=round(clock.seconds, 1),
                        data=tuple(source.data for source in record.data.values()),
                        relies_on=record.relies_on,
                        silenced=record.silenced,
                        device=record.device,
                        precision=record.precision,
                        threads=record.threads,
                        commit=record.commit,
                        versions=record.versions,
                    ),
                    summary=record.summary or f"{self._method.name} {record.config}",
                    licence=record.licence,
                    evaluation=evaluation,
                    attributions=self._attributions,
                )

    def _measure(self, clock: _Clock) -> Evaluation | None:
        if not self._tests:
            return None
        self._note(f"measuring on {', '.join(self._tests)}")
        with self._aside():
            export = self._recipe.export()
            with self._train.finished(export.networks.values()):
                subject = self._subject(export)
                metrics = fitting(discover().metrics.values(), export.facts, self._note)
                evaluation = assess(subject, self._tests, metrics, note=self._note)
        self._write_model(clock, evaluation)
        return evaluation

    def _subject(self, export: Export) -> Subject:
        placement = Placement(self._train.device, "fp32")

        start = export.start
        return Subject(
            model=assemble(export.networks, self._method, export.facts, placement),
            device=placement.device,
            twin=assemble(start, self._method, export.facts, placement) if start is not None else None,
            about_twin=about_twin(self._method, self._record.config, has_start=start is not None),
            trained_on=digests(source.data for source in self._record.data.values()),
            protocol={"precision": placement.precision, "device": placement.device.type},
        )

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """A block whose random numbers start from the seed and leave the training's as they were."""
        device = self._train.device
        states = random_state(device)
        torch.manual_seed(self._record.seed)
        try:
            yield
        finally:
            restore_random_state(device, states)


def _attributions(data: Mapping[str, Dataset]) -> Attributions:
    """Whose pictures a run learns from, as far as its data sets say."""
    found: dict[str, tuple[Credit, ...]] = {}
    for one in data.values():
        works = one.attributions if isinstance(one, Pictures | StackedImages) else ()
        known = [each for each in works if each.licence != UNSTATED]
        if known:
            found[one.name] = tuple(
                Credit(item=each.picture, licence=each.licence, author=each.author, source=each.source)
                for each in known
            )
    return Attributions(data=found)


class _Clock:
    """Training time: over all sittings, in this one, and since the last checkpoint."""

    def __init__(self, before: float, step: int) -> None:
        self._before = before
        self._first_step = step
        self._start = self._save = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start

    @property
    def since_save(self) -> float:
        return time.monotonic() - self._save

    def saved(self) -> None:
        self._save = time.monotonic()

    def progress(self, step: int, steps: int) -> Progress:
        rate = (step - self._first_step) / max(time.monotonic() - self._start, 1e-9)
        return Progress(step, steps, rate, (steps - step) / max(rate, 1e-9))


def _digest(modules: Iterable[nn.Module]) -> str:
    """Identifies the tensors of these modules."""
    total = hashlib.sha256()
    for module in modules:
        for name, tensor in module.state_dict().items():
            flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode() + flat.numpy().tobytes())
    return total.hexdigest()
