"""Measures a model on data sets by metrics: the one way, for trained, imported and built-in models alike."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gansdk._version import __version__
from gansdk.errors import InputError, NotApplicableError, UsageError
from gansdk.evaluation.protocol import MODEL, SAMPLES, TWIN, Draws, Setting, Unsuitable
from gansdk.evaluation.record import Evaluation, Measurement
from gansdk.evaluation.statistics import difference
from gansdk.models.context import silent
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import torch

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.protocol import Meter, Trial
    from gansdk.evaluation.record import Figure
    from gansdk.model.config import ModelConfig, Trained
    from gansdk.model.facts import Facts
    from gansdk.model.protocols import Model
    from gansdk.models.resolved import Located
    from gansdk.plugins.declarations import Metric


def unseen(_label: str, _done: int, _total: int, /) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes:
        model: It, ready for inference.
        device: Where it computes, and judges shall too.
        twin: What it is compared with, ready likewise; None for nothing.
        about_twin: What the twin is, or why there is none.
        trained_on: Digests of the data sets that it was trained on.
        protocol: How it is computed, for the record: precision and the like.
    """

    model: Model
    device: torch.device
    twin: Model | None = None
    about_twin: str = ""
    trained_on: frozenset[str] = frozenset()
    protocol: Mapping[str, Any] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, Model]:
        """By the names that cases know them by."""
        return {MODEL: self.model} | ({TWIN: self.twin} if self.twin is not None else {})

    def alone(self) -> Subject:
        """The same model without anything beside it."""
        return replace(self, twin=None, about_twin="")


def fitting(metrics: Iterable[Metric], facts: Facts, note: Callable[[str], None] = silent) -> list[Metric]:
    """The metrics that fit a model and whose feature network is at hand; those left out for want of it are noted."""
    from gansdk.backbones.weights import find

    found = []
    for metric in metrics:
        if metric.misfit(facts) is not None:
            continue
        try:
            if metric.trunk:
                find(metric.trunk)
        except InputError as error:
            note(f"{metric.name}: left out: {error}")
            continue
        found.append(metric)
    return found


def check_fitting(metrics: Iterable[Metric], facts: Facts, ref: str) -> None:
    """Refuses metrics that were asked for and do not fit.

    Raises:
        NotApplicableError: If a metric does not fit the model; with the reason.
        InputError: If the feature network of one is not there.
    """
    from gansdk.backbones.weights import find

    for metric in metrics:
        reason = metric.misfit(facts)
        if reason is not None:
            raise NotApplicableError(f"{ref} cannot be measured by {metric.name}: {reason}")
        if metric.trunk:
            find(metric.trunk)


def assess(
    subject: Subject,
    data: Mapping[str, Dataset],
    metrics: Sequence[Metric],
    *,
    note: Callable[[str], None] = silent,
    progress: Callable[[str, int, int], None] = unseen,
) -> Evaluation:
    """Measures a model, and its twin in the same run.

    Args:
        subject: What to measure.
        data: Test sets by the names that the record shall have; metrics that draw samples need none.
        metrics: By what; all fit the model.
        note: Takes lines that the user should read: what was left out and why, and whether the model knows a set.
        progress: Is told of each set how many of how many items are done; may raise to end it.

    Returns:
        One measurement for each metric and set, but for those that a set is not suitable for.

    Raises:
        InputError: If an item is damaged, or a judge's file is missing.
        ComputationError: If the model gives no usable result.
    """
    from gansdk.models.memory import freed_memory_kept

    setting = Setting(subject.model.facts, subject.device, note)
    by_trial: dict[tuple[str, int], list[Metric]] = defaultdict(list)
    for metric in metrics:
        by_trial[metric.trial, metric.samples].append(metric)
    found: list[Measurement] = []
    left_out: dict[tuple[str, str], list[str]] = defaultdict(list)
    # what real images are needed for comes first: of a model's own samples its own encoder may say much of noise
    for (path, samples), group in sorted(by_trial.items(), key=lambda trial: trial[0][1] > 0):
        sets: Mapping[str, Dataset] = {SAMPLES: Draws(samples)} if samples else data
        if not sets:
            note(f"{', '.join(metric.name for metric in group)}: left out: no data were given")
            continue
        assessment = _Assessment(subject, setting, resolve(path)(subject.models, setting), group)
        for name, dataset in sets.items():
            if dataset.digest in subject.trained_on:
                note(f"{name}: the model was trained on these very data; the record says so")
            with freed_memory_kept():  # judges make many large tensors too
                readings = assessment.read(name, dataset, progress)
            found += [reading.record for reading in readings if reading.record is not None]
            for reading in readings:
                if reading.left_out:
                    left_out[reading.metric.name, reading.left_out].append(name)
    for (metric_name, reason), names in left_out.items():
        note(f"{metric_name}: left out on {', '.join(names)}: {reason}")
    return Evaluation(measurements=tuple(found), twin=subject.about_twin)


@dataclass(frozen=True)
class _Assessment:
    """One trial of one subject, and what is read off its cases."""

    subject: Subject
    setting: Setting
    trial: Trial
    metrics: Sequence[Metric]

    def read(self, name: str, data: Dataset, progress: Callable[[str, int, int], None]) -> list[_Reading]:
        readings = [_Reading(metric, resolve(metric.function)(self.setting)) for metric in self.metrics]
        progress(name, 0, len(data))
        try:
            for done, case in enumerate(self.trial.cases(data), start=1):
                for reading in readings:
                    reading.add(case)
                progress(name, done, len(data))
        except Unsuitable as reason:
            for reading in readings:
                reading.left_out = str(reason)
        for reading in readings:
            figures = reading.figures()
            if figures is not None:
                reading.record = self._record(reading, figures, name, data)
        return readings

    def _record(self, reading: _Reading, figures: Mapping[str, Figure], name: str, data: Dataset) -> Measurement:
        import torch

        metric, ours, twin = reading.metric, figures[MODEL], figures.get(TWIN)
        versions = {"gansdk": __version__, "torch": torch.__version__}
        return Measurement(
            metric=metric.name,
            version=metric.version,
            unit=metric.unit,
            better=metric.better,
            data=name,
            digest=data.digest,
            seen=data.digest in self.subject.trained_on,
            count=reading.meter.count,
            protocol={
                **self.trial.protocol(data),
                **reading.meter.protocol,
                **self.subject.protocol,
                "versions": versions,
            },
            value=ours.value,
            interval=ours.interval,
            values=ours.values,
            twin=twin,
            difference=difference(ours, twin) if twin is not None else None,
            baselines={way: each.value for way, each in figures.items() if way not in {MODEL, TWIN}},
        )


@dataclass
class _Reading:
    """A meter at work; once its metric makes no sense on these data, it is left alone."""

    metric: Metric
    meter: Meter
    left_out: str = ""
    record: Measurement | None = None

    def add(self, case: Any) -> None:
        if not self.left_out:
            try:
                self.meter.add(case)
            except Unsuitable as reason:
                self.left_out = str(reason)

    def figures(self) -> Mapping[str, Figure] | None:
        if not self.left_out:
            try:
                return self.meter.result()
            except Unsuitable as reason:
                self.left_out = str(reason)
        return None


def differences(located: Located, twin: Located) -> list[str]:
    """In what a twin's training differs beside the terms that it is without; nothing where that is not known."""
    ours, theirs = located.config.trained, twin.config.trained
    if ours is None or theirs is None or theirs.config != ours.config:
        return []  # a twin by another config is another method's, say
    pairs = {
        "its data": (_data(ours), _data(theirs)),
        "its steps": (ours.steps, theirs.steps),
        "its seed": (ours.seed, theirs.seed),
    }
    return [what for what, (one, other) in pairs.items() if one != other]


def _data(trained: Trained) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, one.digest) for one in trained.data)


def check_replicates(located: Located, replicates: Sequence[Located]) -> list[int]:
    """The seeds of models that differ from one in nothing else.

    Raises:
        UsageError: If one is another training, or two have the same seed.
    """
    ours = located.config.trained
    if ours is None:
        raise UsageError(f"{located.ref} was not trained here, so it has no other seeds", hint="leave out --replicate")
    seeds = [ours.seed]
    for one in replicates:
        theirs = one.config.trained
        if theirs is None or one.config.method != located.config.method or _making(theirs) != _making(ours):
            hint = "give trainings that differ in their seed alone; others are rows of an --ablation"
            raise UsageError(f"{one.ref} is another training than {located.ref}", hint=hint)
        if theirs.seed in seeds:
            raise UsageError(f"{one.ref}: seed {theirs.seed} is there already", hint="give each seed once")
        seeds.append(theirs.seed)
    return seeds[1:]


def _making(trained: Trained) -> tuple[object, ...]:
    """All that makes a training, but for its seed and the machine."""
    silenced = frozenset(trained.silenced)
    return trained.config, trained.options, trained.steps, silenced, _data(trained), trained.relies_on


def differing(configs: Sequence[ModelConfig]) -> list[str]:
    """Names of the training options that have not the same value in all."""
    options: list[Mapping[str, Any]] = [config.trained.options for config in configs if config.trained is not None]
    names = sorted({name for one in options for name in one} - {"steps"})
    return [name for name in names if any(one.get(name) != options[0].get(name) for one in options)]
