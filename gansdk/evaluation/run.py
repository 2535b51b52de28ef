"""Measures a model on data sets by metrics: the one way, for trained, imported and built-in models alike."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from gansdk._version import __version__
from gansdk.backbones import find
from gansdk.errors import InputError, NotApplicableError, UsageError
from gansdk.evaluation.evaluated_model import (
    check_replicates,
    differing_options,
    load_evaluated_model,
    training_differences,
)
from gansdk.evaluation.protocol import BASELINE, MODEL, SAMPLES, EvaluationSettings, SampleSet, Unsuitable
from gansdk.evaluation.record import Evaluation, Measurement, Replicate, Variant, paired_difference
from gansdk.models.context import silent
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.evaluated_model import EvaluatedModel
    from gansdk.evaluation.protocol import EvaluationProtocol, Metric
    from gansdk.evaluation.record import Estimate
    from gansdk.model.facts import Facts
    from gansdk.models.catalog import Catalog
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import MetricSpec


def no_progress(_label: str, _done: int, _total: int, /) -> None:
    """Shows nothing."""


@dataclass(frozen=True)
class EvaluationRun:
    """Measures several models on the same data, by the same metrics, computed in the same way.

    Attributes:
        data: Test sets by the names that the record shall have.
        metrics: Names of metrics; none for all that fit a model.
        note: Takes lines that the user should read.
        progress: Takes a set's name, and how many of how many items are done.
    """

    catalog: Catalog
    data: Mapping[str, Dataset]
    load: LoadOptions
    metrics: Sequence[str] = ()
    note: Callable[[str], None] = silent
    progress: Callable[[str, int, int], None] = no_progress

    def evaluate(self, resolved: ResolvedModel, baseline: ResolvedModel | None = None) -> Evaluation:
        """Measures a model, beside its baseline; of a model with two checkpoints, the first one if none is given.

        Raises:
            NotApplicableError: If a metric that was asked for does not fit, or none does.
            UsageError: If there are no data and no metric can do without.
        """
        specs = self._choose(resolved)
        if not self.data and not any(spec.samples for spec in specs):
            raise UsageError(f"there is nothing to measure {resolved.ref} on", hint="give a test set: --data DATA")
        if baseline is not None and (differences := training_differences(resolved, baseline)):
            found = f"{baseline.ref} differs from {resolved.ref} in {' and '.join(differences)} too"
            self.note(f"{found}, so figures show that as well")
        evaluated = load_evaluated_model(resolved, self.load, baseline)
        return evaluate(evaluated, self.data, specs, note=self.note, progress=self.progress)

    def evaluate_variants(self, resolved: ResolvedModel, variants: Mapping[str, ResolvedModel]) -> Evaluation:
        """Measures other trainings as rows of a model's ablation; the model itself is not measured.

        The figures of each row are kept, not the single values; and those options of its training that differ between
        the rows and the model.
        """
        names = differing_options([resolved.config, *(variant.config for variant in variants.values())])
        rows = []
        for name, variant in variants.items():
            found = self._measure_alone(name, variant)
            trained = variant.config.trained
            options = {key: trained.options[key] for key in names if key in trained.options} if trained else {}
            rows.append(Variant(name=name, steps=trained.steps if trained else 0, options=options, measurements=found))
        return Evaluation(ablation=tuple(rows))

    def evaluate_replicates(self, resolved: ResolvedModel, replicates: Sequence[ResolvedModel]) -> Evaluation:
        """Measures the same training from other seeds; the model itself is not measured.

        The figures of each are kept, not the single values.

        Raises:
            UsageError: If one is another training, or two have the same seed.
        """
        seeds = check_replicates(resolved, replicates)
        found = [
            Replicate(seed=seed, measurements=self._measure_alone(f"seed {seed}", replicate))
            for seed, replicate in zip(seeds, replicates, strict=True)
        ]
        return Evaluation(replicates=tuple(found))

    def _measure_alone(self, name: str, resolved: ResolvedModel) -> tuple[Measurement, ...]:
        """The figures of a model without a baseline and without single values."""
        specs = self._choose(resolved)
        evaluated = load_evaluated_model(resolved, self.load).without_baseline()
        found = evaluate(
            evaluated,
            self.data,
            specs,
            note=self.note,
            progress=lambda label, done, total: self.progress(f"{name}: {label}", done, total),
        )
        return tuple(measurement.model_copy(update={"values": {}}) for measurement in found.measurements)

    def _choose(self, resolved: ResolvedModel) -> list[MetricSpec]:
        """The metrics that were asked for, or all that fit a model and can be measured here."""
        registry, facts = self.catalog.registry, resolved.config.facts
        if self.metrics:
            specs = [registry.metric(name) for name in dict.fromkeys(self.metrics)]
            check_fitting(specs, facts, resolved.ref)
            return specs
        specs = fitting(registry.metrics.values(), facts, self.note)
        if not specs:
            hint = "see `gansdk plugins` for those that are here"
            raise NotApplicableError(f"no metric fits {resolved.ref}", hint=hint)
        return specs


def fitting(specs: Iterable[MetricSpec], facts: Facts, note: Callable[[str], None] = silent) -> list[MetricSpec]:
    """The metrics that fit a model and whose backbone is here; a line says which are left out for lack of that."""
    found = []
    for spec in specs:
        if spec.unsupported_reason(facts) is None:
            try:
                if spec.backbone:
                    find(spec.backbone)
                found.append(spec)
            except InputError as error:
                note(f"{spec.name}: left out: {error}")
    return found


def check_fitting(specs: Iterable[MetricSpec], facts: Facts, ref: str) -> None:
    """Refuses metrics that do not fit, and those whose backbone is not here."""
    for spec in specs:
        if (reason := spec.unsupported_reason(facts)) is not None:
            raise NotApplicableError(f"{ref} cannot be measured by {spec.name}: {reason}")
        if spec.backbone:
            find(spec.backbone)


def evaluate(
    evaluated: EvaluatedModel,
    data: Mapping[str, Dataset],
    specs: Sequence[MetricSpec],
    *,
    note: Callable[[str], None] = silent,
    progress: Callable[[str, int, int], None] = no_progress,
) -> Evaluation:
    """Measures a model, and its baseline in the same run.

    Args:
        evaluated: What to measure.
        data: Test sets by the names that the record shall have; metrics that draw samples need none.
        specs: By what; all fit the model.
        note: Takes lines that the user should read: what was left out and why, and whether the model knows a set.
        progress: Takes a set's name, and how many of how many items are done; may raise to end the run.
    """
    from gansdk.models.memory import freed_memory_kept

    settings = EvaluationSettings(evaluated.model.facts, evaluated.device, note)
    groups: dict[tuple[str, int], list[MetricSpec]] = defaultdict(list)
    for spec in specs:
        groups[spec.protocol, spec.samples].append(spec)
    measurements: list[Measurement] = []
    left_out: dict[tuple[str, str], list[str]] = defaultdict(list)
    # Metrics that compare with real images come first: of its own samples a model's encoder may say much of noise.
    for (path, samples), group in sorted(groups.items(), key=lambda item: item[0][1] > 0):
        datasets: Mapping[str, Dataset] = {SAMPLES: SampleSet(samples)} if samples else data
        if not datasets:
            note(f"{', '.join(spec.name for spec in group)}: left out: no data were given")
            continue
        protocol = resolve(path)(evaluated.models, settings)
        for name, dataset in datasets.items():
            if dataset.digest in evaluated.trained_on:
                note(f"{name}: the model was trained on these very data; the record says so")
            readings = [_Reading(spec, resolve(spec.function)(settings)) for spec in group]
            with freed_memory_kept():  # evaluators make many large tensors too
                _read(readings, protocol, dataset, partial(progress, name))
            for reading in readings:
                if reading.left_out:
                    left_out[reading.spec.name, reading.left_out].append(name)
                else:
                    measurements.append(_measurement(reading, protocol, evaluated, name, dataset))
    for (metric, reason), names in left_out.items():
        note(f"{metric}: left out on {', '.join(names)}: {reason}")
    return Evaluation(measurements=tuple(measurements), baseline=evaluated.about_baseline)


@dataclass
class _Reading:
    """A metric at work; it is left out once it turns out to make no sense on the data."""

    spec: MetricSpec
    metric: Metric
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    left_out: str = ""


def _read(
    readings: Sequence[_Reading], protocol: EvaluationProtocol, data: Dataset, progress: Callable[[int, int], None]
) -> None:
    progress(0, len(data))
    try:
        for done, example in enumerate(protocol.examples(data), start=1):
            for reading in readings:
                if not reading.left_out:
                    try:
                        reading.metric.update(example)
                    except Unsuitable as reason:
                        reading.left_out = str(reason)
            progress(done, len(data))
    except Unsuitable as reason:
        for reading in readings:
            reading.left_out = str(reason)
    for reading in readings:
        if not reading.left_out:
            try:
                reading.estimates = reading.metric.compute()
            except Unsuitable as reason:
                reading.left_out = str(reason)


def _measurement(
    reading: _Reading, protocol: EvaluationProtocol, evaluated: EvaluatedModel, name: str, data: Dataset
) -> Measurement:
    import torch

    spec, estimates = reading.spec, reading.estimates
    ours, baseline = estimates[MODEL], estimates.get(BASELINE)
    versions = {"versions": {"gansdk": __version__, "torch": torch.__version__}}
    conditions = {**protocol.conditions(data), **reading.metric.conditions, **evaluated.conditions, **versions}
    return Measurement(
        metric=spec.name,
        version=spec.version,
        unit=spec.unit,
        better=spec.better,
        data=name,
        digest=data.digest,
        seen=data.digest in evaluated.trained_on,
        count=reading.metric.count,
        protocol=conditions,
        value=ours.value,
        interval=ours.interval,
        values=ours.values,
        baseline=baseline,
        difference=paired_difference(ours, baseline) if baseline is not None else None,
        references={name: other.value for name, other in estimates.items() if name not in {MODEL, BASELINE}},
    )
