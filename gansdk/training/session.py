"""One session of a run: its steps, and what is written between them."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from gansdk.data.folders import UNSTATED, Images
from gansdk.data.stacked import StackedImages
from gansdk.errors import InputError, ModelError, TrainingError, UsageError
from gansdk.evaluation.evaluated_model import EvaluatedModel, about_baseline, digests, store_evaluation
from gansdk.evaluation.record import read_evaluation
from gansdk.evaluation.run import evaluate, fitting
from gansdk.model.config import WEIGHTS, Attributions, Credit, Trained, read_config
from gansdk.models.context import silent
from gansdk.models.loading import tensor_digest
from gansdk.models.runtime import Placement, assemble
from gansdk.models.writing import is_model_of, write_model
from gansdk.plugins.registry import discover
from gansdk.training.callbacks import Clock, DivergenceMonitor, MonitoredTrain, put_off
from gansdk.training.checkpoints import load_checkpoint, random_state, restore_random_state, save_checkpoint
from gansdk.training.logging import MetricsLogger
from gansdk.training.runs import RunRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from torch import nn

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.record import Evaluation
    from gansdk.models.writing import Export
    from gansdk.plugins.declarations import MetricSpec
    from gansdk.training.callbacks import Interruption, Progress
    from gansdk.training.recipe import Batch, Built
    from gansdk.training.runs import OpenedData, RunFolder


@dataclass(frozen=True)
class Finished:
    """How a run ended.

    Attributes:
        steps: Steps taken in all.
        seconds: Training time in all, without pauses between sessions.
        evaluation: What was measured at the end; None where no test set was given, or the run was stopped before.
    """

    steps: int
    seconds: float
    evaluation: Evaluation | None


class TrainingSession:
    """A run being trained, from its newest checkpoint, or from nothing, to its last step.

    Building one reads the data and the checkpoint and writes nothing, so what is wrong with them shows before a run
    folder is touched.

    Args:
        folder: Where the run is or will be.
        record: What was asked for.
        built: What is trained, and where; just built, with torch seeded before.
        data: The recipe's data sets, and those to measure on.
        metrics: What to measure by, where it fits the model; all that are installed if None.
        progress: Is told after every step.
        note: Takes lines that the user should read.
        measuring: Is told at the end of each test set how many of how many items are done.
    """

    def __init__(
        self,
        folder: RunFolder,
        record: RunRecord,
        built: Built,
        data: OpenedData,
        *,
        metrics: Iterable[MetricSpec] | None,
        progress: Callable[[Progress], None],
        note: Callable[[str], None],
        measuring: Callable[[str, int, int], None],
    ) -> None:
        self._folder, self._record, self._method = folder, record, built.method
        self._recipe, device = built.recipe, built.placement.device
        self._tests = data.tests
        self._metrics = tuple(discover().metrics.values() if metrics is None else metrics)
        self._attributions = _attributions(data.train)
        self._progress, self._note, self._measuring = progress, note, measuring
        self._steps = int(record.options["steps"])
        self._train = train = MonitoredTrain(
            built.recipe.players,
            fixed=built.recipe.fixed,
            device=device,
            seed=record.seed,
            precision=record.precision,
            ablated_terms=record.ablated_terms,
        )
        position = load_checkpoint(folder.state, train, note)
        if position is None:
            folder.refuse_if_state_is_gone()
        self._saved = position.step if position else None
        train.monitor = self._monitor = DivergenceMonitor(built.recipe.adversarial_pairs, record, train.step)
        if train.step > self._steps:
            raise UsageError(f"{folder.path} has taken {train.step} steps already", hint="give a larger number")
        with self._aside():
            self._streams = built.recipe.streams(data.train, record.seed)
            samples = built.recipe.samples(data.train) if record.samples_every else {}
        self._inputs = {name: tensor.to(train.device) for name, tensor in samples.items()}
        self._clock = Clock(position.seconds if position else 0.0, train.step)

    def run(self) -> Finished:
        """Takes the steps that are left, then measures."""
        train = self._train
        if self._saved is not None and not self._is_written():
            self._note(f"{self._folder.model} is not the whole model of step {train.step}; it is written again")
            self._write_model()
        elif self._saved is not None and read_config(self._folder.model).licence != self._record.licence:
            self._write_model()
        evaluation = self._measured() if train.step == self._steps else None
        if evaluation is not None or (train.step == self._steps and not self._tests):
            measured = " and was measured" if evaluation is not None else ""
            self._note(
                f"{self._folder.path} has taken all its {self._steps} steps{measured}; more steps continue from there"
            )
            return Finished(train.step, self._clock.seconds, evaluation)
        where = f"on {self._record.device} in {self._record.precision}"
        self._note(
            f"training {self._method.name} {self._record.config} {where}: {self._steps - train.step} steps to go"
        )
        fixed = _digest_of(train.fixed)
        with closing(MetricsLogger(self._folder, self._record, train.step, self._note)) as self._logger:
            with put_off(self._note) as interruption, repeatable(train.device):
                self._save()
                self._take_steps(interruption)
                self._save()
            if train.step < self._steps:  # a signal whose handler came back
                return Finished(train.step, self._clock.seconds, None)
            if _digest_of(train.fixed) != fixed:
                raise TrainingError("a network that the recipe calls fixed has changed", hint="no player may own it")
            return Finished(train.step, self._clock.seconds, self._evaluate_at_end())

    def _take_steps(self, interruption: Interruption) -> None:
        train = self._train
        while train.step < self._steps and not interruption:
            self._recipe.step(self._batch(train.step), train)
            train.step += 1
            self._write_down()
            try:
                self._progress(self._clock.progress(train.step, self._steps))
            except KeyboardInterrupt:
                self._save()
                raise

    def _write_down(self) -> None:
        """What is due after this step. The checkpoint comes last, so that a resumed run repeats none of the others."""
        step, record = self._train.step, self._record
        is_last = step == self._steps
        if step % record.log_every == 0 or is_last:
            self._log()
        if record.samples_every and (step % record.samples_every == 0 or is_last):
            self._show()
        if record.evaluate_every and step % record.evaluate_every == 0 and not is_last:
            self._evaluate()
        if step % record.checkpoint_every == 0 or self._clock.since_save > 60 * record.checkpoint_minutes:
            self._save()

    def _batch(self, index: int) -> dict[str, Batch]:
        batch: dict[str, Batch] = {}
        for name, stream in self._streams.items():
            tensors = stream.batch(index)
            batch[name] = {key: tensor.to(self._train.device, non_blocking=True) for key, tensor in tensors.items()}
        return batch

    def _log(self) -> None:
        means = self._train.averages.means()
        self._logger.add(self._train.step, self._clock.seconds, means)
        self._train.averages.clear()
        absent = sorted(
            f"{player}/{term}" for player, term in self._train.ablated_terms if f"{player}/{term}" not in means
        )
        if absent:  # perhaps of a later phase, perhaps misspelt: then this would be no ablation
            self._note(f"step {self._train.step}: no such term to ablate so far: {', '.join(absent)}")
        self._monitor.check(self._train.step)

    def _show(self) -> None:
        if not self._inputs:
            return
        with self._exported() as export:
            rows = self._recipe.show(self._inputs, export.networks)
        self._logger.sheet(self._train.step, rows)

    def _save(self) -> None:
        if self._saved == self._train.step:
            return
        save_checkpoint(self._folder.state, self._train, self._clock.seconds)
        self._write_model()
        self._saved = self._train.step
        self._logger.draw()
        self._clock.saved()

    def _is_written(self) -> bool:
        """Whether the run folder has the checkpoint's model; a killed process may have left an older one."""
        try:
            trained = read_config(self._folder.model).trained
            read_evaluation(self._folder.model)
        except (InputError, ModelError):
            return False
        with self._exported() as export:
            is_same = is_model_of(self._folder.model, export)
        return is_same and trained is not None and trained.steps == self._train.step

    def _measured(self) -> Evaluation | None:
        """What the end of an earlier session measured; None where that is still to be done.

        A model that was measured by other means has figures too, but not on all of the run's test sets.
        """
        evaluation = read_evaluation(self._folder.model)
        known = {(found.data, found.digest) for found in evaluation.measurements} if evaluation is not None else set()
        tests = {(name, source.data.digest) for name, source in self._record.tests.items()}
        return evaluation if tests <= known else None

    def _write_model(self) -> None:
        record = self._record
        shared = {name: getattr(record, name) for name in Trained.model_fields.keys() & RunRecord.model_fields.keys()}
        trained = Trained(
            **{**shared, "data": tuple(source.data for source in record.data.values())},
            recipe=self._method.configs[record.config].recipe,
            steps=self._train.step,
            seconds=round(self._clock.seconds, 1),
        )
        with self._exported() as export:
            write_model(
                self._folder.model,
                self._method,
                export,
                trained=trained,
                summary=record.summary or f"{self._method.name} {record.config}",
                licence=record.licence,
                attributions=self._attributions,
            )

    def _evaluate(self) -> None:
        """Measures the model in training, alone and without a word: what there is to say is said at the end."""
        with self._exported() as export:
            metrics = fitting(self._metrics, export.facts, silent)
            evaluation = evaluate(self._evaluated(export).without_baseline(), self._tests, metrics)
        self._logger.evaluation(self._train.step, self._clock.seconds, evaluation)

    def _evaluate_at_end(self) -> Evaluation | None:
        """Measures the trained model, with its ablation beside it."""
        if not self._tests:
            return None
        self._note(f"measuring on {', '.join(self._tests)}")
        with self._exported() as export:
            metrics = fitting(self._metrics, export.facts, self._note)
            evaluation = evaluate(
                self._evaluated(export), self._tests, metrics, note=self._note, progress=self._measuring
            )
        store_evaluation(self._folder.model, evaluation, read_config(self._folder.model).files[WEIGHTS])
        if self._record.evaluate_every:
            self._logger.evaluation(self._train.step, self._clock.seconds, evaluation)
            self._logger.draw()
        return evaluation

    def _evaluated(self, export: Export) -> EvaluatedModel:
        placement = Placement(self._train.device, "fp32")
        loaded, start = export.loaded(self._method), export.initial
        return EvaluatedModel(
            model=assemble(loaded, placement),
            device=placement.device,
            baseline=assemble(replace(loaded, networks=start), placement) if start is not None else None,
            about_baseline=about_baseline(self._method, self._record.config, has_initial=start is not None),
            trained_on=digests(source.data for source in self._record.data.values()),
            conditions={"precision": placement.precision, "device": placement.device.type},
        )

    @contextmanager
    def _exported(self) -> Iterator[Export]:
        """A block with the model as it would ship: averaged weights, eval mode, random numbers of its own."""
        with self._aside():
            export = self._recipe.export()
            with self._train.finished(export.networks.values()):
                yield export

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
    """Whose images a run learns from, as far as its data sets say."""
    found: dict[str, tuple[Credit, ...]] = {}
    for dataset in data.values():
        works = dataset.attributions if isinstance(dataset, Images | StackedImages) else ()
        known = tuple(
            Credit(item=work.image, licence=work.licence, author=work.author, source=work.source)
            for work in works
            if work.licence != UNSTATED
        )
        if known:
            found[dataset.name] = known
    return Attributions(data=found)


def _digest_of(modules: Iterable[nn.Module]) -> str:
    return tensor_digest({str(at): module for at, module in enumerate(modules)})


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """A block in which the same step gives the same weights on a GPU too, so that a resumed run is the run.

    By default cuDNN and cuBLAS add gradients in the order in which threads happen to end. torch warns of what it
    can compute in no other way. On a CPU, where sums have an order for each number of threads, nothing is to be done.
    """
    if device.type != "cuda":
        yield
        return
    # cuBLAS reads it when it is first used, and keeps an order only with a workspace of a fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    is_on, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    deterministic: Any = torch.utils.deterministic  # its attributes are made when it is imported, which mypy cannot see
    filling = deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    deterministic.fill_uninitialized_memory = False  # it costs time, and no step reads what it never wrote
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(is_on, warn_only=warns)
        deterministic.fill_uninitialized_memory = filling
