"""Measures a model on data sets by metrics: the one way, for trained, imported and built-in models alike."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gansdk._version import __version__
from gansdk.errors import InputError, NotApplicableError, UsageError
from gansdk.evaluation.protocol import BASELINE, MODEL, SAMPLES, EvaluationSettings, SampleSet, Unsuitable
from gansdk.evaluation.record import Evaluation, Measurement
from gansdk.evaluation.statistics import difference
from gansdk.models.context import silent
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import torch

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.protocol import EvaluationProtocol, Metric
    from gansdk.evaluation.record import Estimate
    from gansdk.model.config import ModelConfig, Trained
    from gansdk.model.facts import Facts
    from gansdk.model.protocols import Model
    from gansdk.models.resolved import ResolvedModel
    from gansdk.plugins.declarations import MetricSpec


def unseen(_label: str, _done: int, _total: int, /) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class EvaluatedModel:
    """What is measured.

    Attributes:
        model: It, ready for inference.
        device: Where it computes, and evaluators shall too.
        baseline: What it is compared with, ready likewise; None for nothing.
        about_baseline: What the baseline is, or why there is none.
        trained_on: Digests of the data sets that it was trained on.
        protocol: How it is computed, for the record: precision and the like.
    """

    model: Model
    device: torch.device
    baseline: Model | None = None
    about_baseline: str = ""
    trained_on: frozenset[str] = frozenset()
    protocol: Mapping[str, Any] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, Model]:
        """By the names that cases know them by."""
        return {MODEL: self.model} | ({BASELINE: self.baseline} if self.baseline is not None else {})

    def alone(self) -> EvaluatedModel:
        """The same model without anything beside it."""
        return replace(self, baseline=None, about_baseline="")


def fitting(metrics: Iterable[MetricSpec], facts: Facts, note: Callable[[str], None] = silent) -> list[MetricSpec]:
    """The metrics that fit a model and whose feature network is at hand; those left out for want of it are noted."""
    from gansdk.backbones.weights import find

    found = []
    for metric in metrics:
        if metric.unsupported_reason(facts) is not None:
            continue
        try:
            if metric.backbone:
                find(metric.backbone)
        except InputError as error:
            note(f"{metric.name}: left out: {error}")
            continue
        found.append(metric)
    return found


def check_fitting(metrics: Iterable[MetricSpec], facts: Facts, ref: str) -> None:
    """Refuses metrics that were asked for and do not fit.

    Raises:
        NotApplicableError: If a metric does not fit the model; with the reason.
        InputError: If the feature network of one is not there.
    """
    from gansdk.backbones.weights import find

    for metric in metrics:
        reason = metric.unsupported_reason(facts)
        if reason is not None:
            raise NotApplicableError(f"{ref} cannot be measured by {metric.name}: {reason}")
        if metric.backbone:
            find(metric.backbone)


def assess(
    evaluated_model: EvaluatedModel,
    data: Mapping[str, Dataset],
    metrics: Sequence[MetricSpec],
    *,
    note: Callable[[str], None] = silent,
    progress: Callable[[str, int, int], None] = unseen,
) -> Evaluation:
    """Measures a model, and its baseline in the same run.

    Args:
        evaluated_model: What to measure.
        data: Test sets by the names that the record shall have; metrics that draw samples need none.
        metrics: By what; all fit the model.
        note: Takes lines that the user should read: what was left out and why, and whether the model knows a set.
        progress: Is told of each set how many of how many items are done; may raise to end it.

    Returns:
        One measurement for each metric and set, but for those that a set is not suitable for.

    Raises:
        InputError: If an item is damaged, or an evaluator's file is missing.
        ComputationError: If the model gives no usable result.
    """
    from gansdk.models.memory import freed_memory_kept

    setting = EvaluationSettings(evaluated_model.model.facts, evaluated_model.device, note)
    by_trial: dict[tuple[str, int], list[MetricSpec]] = defaultdict(list)
    for metric in metrics:
        by_trial[metric.trial, metric.samples].append(metric)
    found: list[Measurement] = []
    left_out: dict[tuple[str, str], list[str]] = defaultdict(list)
    # what real images are needed for comes first: of a model's own samples its own encoder may say much of noise
    for (path, samples), group in sorted(by_trial.items(), key=lambda trial: trial[0][1] > 0):
        sets: Mapping[str, Dataset] = {SAMPLES: SampleSet(samples)} if samples else data
        if not sets:
            note(f"{', '.join(metric.name for metric in group)}: left out: no data were given")
            continue
        assessment = _Assessment(evaluated_model, setting, resolve(path)(evaluated_model.models, setting), group)
        for name, dataset in sets.items():
            if dataset.digest in evaluated_model.trained_on:
                note(f"{name}: the model was trained on these very data; the record says so")
            with freed_memory_kept():  # evaluators make many large tensors too
                readings = assessment.read(name, dataset, progress)
            found += [reading.record for reading in readings if reading.record is not None]
            for reading in readings:
                if reading.left_out:
                    left_out[reading.metric.name, reading.left_out].append(name)
    for (metric_name, reason), names in left_out.items():
        note(f"{metric_name}: left out on {', '.join(names)}: {reason}")
    return Evaluation(measurements=tuple(found), baseline=evaluated_model.about_baseline)


@dataclass(frozen=True)
class _Assessment:
    """One trial of one subject, and what is read off its cases."""

    evaluated_model: EvaluatedModel
    setting: EvaluationSettings
    trial: EvaluationProtocol
    metrics: Sequence[MetricSpec]

    def read(self, name: str, data: Dataset, progress: Callable[[str, int, int], None]) -> list[_Reading]:
        readings = [_Reading(metric, resolve(metric.function)(self.setting)) for metric in self.metrics]
        progress(name, 0, len(data))
        try:
            for done, example in enumerate(self.trial.examples(data), start=1):
                for reading in readings:
                    reading.add(example)
                progress(name, done, len(data))
        except Unsuitable as reason:
            for reading in readings:
                reading.left_out = str(reason)
        for reading in readings:
            figures = reading.figures()
            if figures is not None:
                reading.record = self._record(reading, figures, name, data)
        return readings

    def _record(self, reading: _Reading, figures: Mapping[str, Estimate], name: str, data: Dataset) -> Measurement:
        import torch

        metric, ours, baseline = reading.metric, figures[MODEL], figures.get(BASELINE)
        versions = {"gansdk": __version__, "torch": torch.__version__}
        return Measurement(
            metric=metric.name,
            version=metric.version,
            unit=metric.unit,
            better=metric.better,
            data=name,
            digest=data.digest,
            seen=data.digest in self.evaluated_model.trained_on,
            count=reading.meter.count,
            protocol={
                **self.trial.protocol(data),
                **reading.meter.protocol,
                **self.evaluated_model.protocol,
                "versions": versions,
            },
            value=ours.value,
            interval=ours.interval,
            values=ours.values,
            baseline=baseline,
            difference=difference(ours, baseline) if baseline is not None else None,
            references={way: each.value for way, each in figures.items() if way not in {MODEL, BASELINE}},
        )


@dataclass
class _Reading:
    """A meter at work; once its metric makes no sense on these data, it is left alone."""

    metric: MetricSpec
    meter: Metric
    left_out: str = ""
    record: Measurement | None = None

    def add(self, example: Any) -> None:
        if not self.left_out:
            try:
                self.meter.add(example)
            except Unsuitable as reason:
                self.left_out = str(reason)

    def figures(self) -> Mapping[str, Estimate] | None:
        if not self.left_out:
            try:
                return self.meter.result()
            except Unsuitable as reason:
                self.left_out = str(reason)
        return None


def differences(resolved: ResolvedModel, baseline: ResolvedModel) -> list[str]:
    """In what a baseline's training differs beside the terms that it is without; nothing where that is not known."""
    ours, theirs = resolved.config.trained, baseline.config.trained
    if ours is None or theirs is None or theirs.config != ours.config:
        return []  # a baseline by another config is another method's, say
    pairs = {
        "its data": (_data(ours), _data(theirs)),
        "its steps": (ours.steps, theirs.steps),
        "its seed": (ours.seed, theirs.seed),
    }
    return [what for what, (one, other) in pairs.items() if one != other]


def _data(trained: Trained) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.digest) for one in trained.data)


def check_replicates(resolved: ResolvedModel, replicates: Sequence[ResolvedModel]) -> list[int]:
    """The seeds of models that differ from one in nothing else.

    Raises:
        UsageError: If one is another training, or two have the same seed.
    """
    ours = resolved.config.trained
    if ours is None:
        raise UsageError(f"{resolved.ref} was not trained here, so it has no other seeds", hint="leave out --replicate")
    seeds = [ours.seed]
    for one in replicates:
        theirs = one.config.trained
        if theirs is None or one.config.method != resolved.config.method or _making(theirs) != _making(ours):
            hint = "give trainings that differ in their seed alone; others are rows of an --ablation"
            raise UsageError(f"{one.ref} is another training than {resolved.ref}", hint=hint)
        if theirs.seed in seeds:
            raise UsageError(f"{one.ref}: seed {theirs.seed} is there already", hint="give each seed once")
        seeds.append(theirs.seed)
    return seeds[1:]


def _making(trained: Trained) -> tuple[object, ...]:
    """All that makes a training, but for its seed and the machine."""
    ablated_terms = frozenset(trained.ablated_terms)
    return trained.config, trained.options, trained.steps, ablated_terms, _data(trained), trained.dependencies


def differing(configs: Sequence[ModelConfig]) -> list[str]:
    """Names of the training options that have not the same value in all."""
    options: list[Mapping[str, Any]] = [config.trained.options for config in configs if config.trained is not None]
    names = sorted({name for one in options for name in one} - {"steps"})
    return [name for name in names if any(one.get(name) != options[0].get(name) for one in options)]
