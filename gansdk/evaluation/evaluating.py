"""What ``gansdk eval`` does: from models' places to measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansdk.errors import NotApplicableError, UsageError
from gansdk.evaluation.assessing import assess, check_fitting, fitting, unseen
from gansdk.evaluation.comparing import check_replicates, differences, differing
from gansdk.evaluation.record import Evaluation, Replicate, Variant
from gansdk.evaluation.subjects import load_subject
from gansdk.inference.context import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.record import Measurement
    from gansdk.inference.catalog import Catalog
    from gansdk.inference.located import Located
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Metric


@dataclass(frozen=True)
class Evaluator:
    """Measures models alike: on the same data, by the same metrics, computed in the same way.

    Attributes:
        catalog: Knows methods and metrics.
        data: Test sets by the names that the record shall have.
        load: Where and in what numbers models compute.
        metrics: Names of metrics; none for all that fit a model.
        note: Takes lines that the user should read.
        progress: Is told how many of how many items of a set are done.
    """

    catalog: Catalog
    data: Mapping[str, Dataset]
    load: LoadOptions
    metrics: Sequence[str] = ()
    note: Callable[[str], None] = silent
    progress: Callable[[str, int, int], None] = unseen

    def evaluate(self, located: Located, twin: Located | None = None) -> Evaluation:
        """Measures a model.

        Args:
            located: The model.
            twin: A model to compare it with; a model with two ends has its start without being told.

        Raises:
            UnknownNameError: If there is no metric of a name.
            NotApplicableError: If a metric that was asked for does not fit, or none does.
            UsageError: If there are no data and no metric can do without.
            GansdkError: If a model does not load, an item is damaged, or a judge's file is missing.
        """
        chosen = self._choose(located)
        if not self.data and not any(metric.samples for metric in chosen):
            raise UsageError(f"there is nothing to measure {located.ref} on", hint="give a test set: --data DATA")
        other = (twin, self.catalog.method(twin)) if twin is not None else None
        if twin is not None and (told := differences(located, twin)):
            self.note(
                f"{twin.ref} differs from {located.ref} in {' and '.join(told)} too, so figures show that as well"
            )
        subject = load_subject(located, self.catalog.method(located), self.load, other)
        return assess(subject, self.data, chosen, note=self.note, progress=self.progress)

    def evaluate_variants(self, located: Located, variants: Mapping[str, Located]) -> Evaluation:
        """Measures other trainings as rows of a model's ablation; the model itself is not measured.

        Of each row the figures are kept, not the single values; and of its training those options that differ between
        the rows and the model.

        Args:
            located: The model whose ablation it is.
            variants: The rows, by name.

        Raises:
            GansdkError: As for :meth:`evaluate`.
        """
        names = differing([located.config, *(one.config for one in variants.values())])
        rows = []
        for name, variant in variants.items():
            found = self._alone(name, variant)
            trained = variant.config.trained
            options = {key: trained.options[key] for key in names if key in trained.options} if trained else {}
            steps = trained.steps if trained else 0
            rows.append(Variant(name=name, steps=steps, options=options, measurements=found))
        return Evaluation(ablation=tuple(rows))

    def evaluate_replicates(self, located: Located, replicates: Sequence[Located]) -> Evaluation:
        """Measures the same training from other seeds; the model itself is not measured.

        Of each the figures are kept, not the single values.

        Args:
            located: The model whose training it is.
            replicates: The others.

        Raises:
            UsageError: If one is another training, or two have the same seed.
            GansdkError: As for :meth:`evaluate`.
        """
        seeds = check_replicates(located, replicates)
        found = [
            Replicate(seed=seed, measurements=self._alone(f"seed {seed}", one))
            for seed, one in zip(seeds, replicates, strict=True)
        ]
        return Evaluation(replicates=tuple(found))

    def _alone(self, name: str, located: Located) -> tuple[Measurement, ...]:
        """The figures of a model that stands beside another, without a twin and without single values."""

        def told(label: str, done: int, total: int) -> None:
            self.progress(f"{name}: {label}", done, total)

        chosen = self._choose(located)
        subject = load_subject(located, self.catalog.method(located), self.load)
        found = assess(subject.alone(), self.data, chosen, note=self.note, progress=told)
        return tuple(one.model_copy(update={"values": {}}) for one in found.measurements)

    def _choose(self, located: Located) -> list[Metric]:
        """The metrics that were asked for, or all that fit a model and can be read here."""
        registry, facts = self.catalog.registry, located.config.facts
        if self.metrics:
            metrics = [registry.metric(name) for name in dict.fromkeys(self.metrics)]
            check_fitting(metrics, facts, located.ref)
            return metrics
        found = fitting(registry.metrics.values(), facts, self.note)
        if not found:
            hint = "see `gansdk plugins` for those that are here"
            raise NotApplicableError(f"no metric fits {located.ref}", hint=hint)
        return found
