"""What ``gansdk eval`` does: from models' places to measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gansdk.errors import NotApplicableError, OutputError, UsageError
from gansdk.evaluation.assessment import (
    EvaluatedModel,
    assess,
    check_fitting,
    check_replicates,
    differences,
    differing,
    fitting,
    unseen,
)
from gansdk.evaluation.record import Evaluation, Replicate, Variant, read_evaluation
from gansdk.files import held_folder, sha256, write_whole
from gansdk.model.config import CONFIG, EVALUATION, WEIGHTS, read_config
from gansdk.models.context import silent
from gansdk.refs import Folder, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.record import Measurement
    from gansdk.model.config import ModelConfig, TrainingData
    from gansdk.model.protocols import Model
    from gansdk.models.catalog import Catalog
    from gansdk.models.resolved import ResolvedModel
    from gansdk.models.runtime import Placement
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method, MetricSpec


@dataclass(frozen=True)
class EvaluationRun:
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

    def evaluate(self, resolved: ResolvedModel, baseline: ResolvedModel | None = None) -> Evaluation:
        """Measures a model.

        Args:
            resolved: The model.
            baseline: A model to compare it with; a model with two ends has its start without being told.

        Raises:
            UnknownNameError: If there is no metric of a name.
            NotApplicableError: If a metric that was asked for does not fit, or none does.
            UsageError: If there are no data and no metric can do without.
            GansdkError: If a model does not load, an item is damaged, or an evaluator's file is missing.
        """
        chosen = self._choose(resolved)
        if not self.data and not any(metric.samples for metric in chosen):
            raise UsageError(f"there is nothing to measure {resolved.ref} on", hint="give a test set: --data DATA")
        if baseline is not None and (told := differences(resolved, baseline)):
            self.note(
                f"{baseline.ref} differs from {resolved.ref} in {' and '.join(told)} too, so figures show that as well"
            )
        evaluated_model = load_evaluated_model(resolved, self.load, baseline)
        return assess(evaluated_model, self.data, chosen, note=self.note, progress=self.progress)

    def evaluate_variants(self, resolved: ResolvedModel, variants: Mapping[str, ResolvedModel]) -> Evaluation:
        """Measures other trainings as rows of a model's ablation; the model itself is not measured.

        Of each row the figures are kept, not the single values; and of its training those options that differ between
        the rows and the model.

        Args:
            resolved: The model whose ablation it is.
            variants: The rows, by name.

        Raises:
            GansdkError: As for :meth:`evaluate`.
        """
        names = differing([resolved.config, *(one.config for one in variants.values())])
        rows = []
        for name, variant in variants.items():
            found = self._alone(name, variant)
            trained = variant.config.trained
            options = {key: trained.options[key] for key in names if key in trained.options} if trained else {}
            steps = trained.steps if trained else 0
            rows.append(Variant(name=name, steps=steps, options=options, measurements=found))
        return Evaluation(ablation=tuple(rows))

    def evaluate_replicates(self, resolved: ResolvedModel, replicates: Sequence[ResolvedModel]) -> Evaluation:
        """Measures the same training from other seeds; the model itself is not measured.

        Of each the figures are kept, not the single values.

        Args:
            resolved: The model whose training it is.
            replicates: The others.

        Raises:
            UsageError: If one is another training, or two have the same seed.
            GansdkError: As for :meth:`evaluate`.
        """
        seeds = check_replicates(resolved, replicates)
        found = [
            Replicate(seed=seed, measurements=self._alone(f"seed {seed}", one))
            for seed, one in zip(seeds, replicates, strict=True)
        ]
        return Evaluation(replicates=tuple(found))

    def _alone(self, name: str, resolved: ResolvedModel) -> tuple[Measurement, ...]:
        """The figures of a model that stands beside another, without a baseline and without single values."""

        def told(label: str, done: int, total: int) -> None:
            self.progress(f"{name}: {label}", done, total)

        chosen = self._choose(resolved)
        evaluated_model = load_evaluated_model(resolved, self.load)
        found = assess(evaluated_model.alone(), self.data, chosen, note=self.note, progress=told)
        return tuple(one.model_copy(update={"values": {}}) for one in found.measurements)

    def _choose(self, resolved: ResolvedModel) -> list[MetricSpec]:
        """The metrics that were asked for, or all that fit a model and can be read here."""
        registry, facts = self.catalog.registry, resolved.config.facts
        if self.metrics:
            metrics = [registry.metric(name) for name in dict.fromkeys(self.metrics)]
            check_fitting(metrics, facts, resolved.ref)
            return metrics
        found = fitting(registry.metrics.values(), facts, self.note)
        if not found:
            hint = "see `gansdk plugins` for those that are here"
            raise NotApplicableError(f"no metric fits {resolved.ref}", hint=hint)
        return found


OTHER_CHECKPOINT = "the model's other end, where this training began; measured in the same run"


def about_baseline(method: Method | None, config: str | None, *, has_initial: bool) -> str:
    """What a model's baseline is, or why there is none.

    Args:
        method: Its method, where that is installed.
        config: The way in which it was trained; None for one that was not trained here.
        has_initial: Whether it carries the networks that its training began from.
    """
    if has_initial:
        return OTHER_CHECKPOINT
    if config is None:
        return "none: it was not trained here, and no training without the method's own terms is known"
    way = method.configs.get(config) if method is not None else None
    if way is not None and way.ablated_terms:
        return "none was given; `gansdk train --ablate` makes one, and `gansdk eval --baseline` measures it"
    said = way.baseline if way is not None else ""
    return said or "none: no training without the method's own terms was made"


def digests(data: Iterable[TrainingData]) -> frozenset[str]:
    """What identifies the data sets of a training."""
    return frozenset(one.digest for one in data if one.digest)


def load_evaluated_model(
    resolved: ResolvedModel, load: LoadOptions, baseline: ResolvedModel | None = None
) -> EvaluatedModel:
    """A model from its folder, ready to be measured.

    A model with two ends has its start as its baseline, unless a place between them is asked for or a baseline is
    named.

    Args:
        resolved: The model.
        load: Where and in what numbers it computes, and where between its ends.
        baseline: Another model to compare it with: the same training without the method's own terms.

    Raises:
        UsageError: If the baseline gives images of another size.
        GansdkError: If a model does not load, or the device is not there.
    """
    from gansdk.models.runtime import place, set_threads

    config = resolved.config
    placement = place(load, config.facts)
    set_threads(load.threads)
    protocol: dict[str, Any] = {"precision": placement.precision, "device": placement.device.type}
    if load.network_interpolation is not None:
        protocol["network_interpolation"] = load.network_interpolation
    trained = config.trained
    other, about = (
        None,
        about_baseline(resolved.method, trained.config if trained else None, has_initial=bool(config.checkpoints)),
    )
    if baseline is not None:
        _check_alike(resolved, baseline)
        other, about = _load(baseline, placement, None), _named_baseline(baseline.config)
    elif config.checkpoints and load.network_interpolation is None:
        other = _load(resolved, placement, 0.0)
    return EvaluatedModel(
        model=_load(resolved, placement, load.network_interpolation),
        device=placement.device,
        baseline=other,
        about_baseline=about,
        trained_on=digests(trained.data if trained else ()),
        protocol=protocol,
    )


def _load(resolved: ResolvedModel, placement: Placement, network_interpolation: float | None) -> Model:
    from gansdk.models.loading import load_model
    from gansdk.models.runtime import assemble

    return assemble(load_model(resolved, network_interpolation), placement)


def _check_alike(resolved: ResolvedModel, baseline: ResolvedModel) -> None:
    ours, theirs = resolved.config.facts.generator, baseline.config.facts.generator
    if ours is None or theirs is None or ours.output != theirs.output:
        what = f"{baseline.ref} gives other things than {resolved.ref}, so it cannot be its baseline"
        raise UsageError(what, hint="a baseline differs in its training alone")


def _named_baseline(config: ModelConfig) -> str:
    trained = config.trained
    if trained is None:
        return f"another model: {config.summary or config.method}"
    ablated_terms = ", ".join(f"{player}/{term}" for player, term in trained.ablated_terms)
    without = f" without {ablated_terms}" if ablated_terms else f" with the options {trained.options}"
    return f"a training by config {trained.config} of {trained.steps} steps{without}"


def keep(folder: Path, newer: Evaluation, weights: str) -> Evaluation:
    """Merges measurements into those that a model folder has, and names the file in its config.

    The config stops naming the old file before there is a new one: a killed process leaves a model that loads. A
    training that would replace the model, and another call that measured it, wait for each other.

    Args:
        folder: The model's.
        newer: What was measured.
        weights: The digest of the weights that were measured.

    Raises:
        ModelError: If the folder holds no model, or measurements that cannot be read.
        OutputError: If it cannot be written to, or has other weights by now: nothing is written then.
    """
    with held_folder(folder):
        config = read_config(folder)
        if config.files[WEIGHTS] != weights:
            what = f"{folder} has other weights than those that were measured, so nothing is kept in it"
            raise OutputError(
                what, hint="a training goes on there? measure when it is done, or keep figures with -o FILE"
            )
        merged = (read_evaluation(folder) or Evaluation()).merged(newer)
        others = {name: digest for name, digest in config.files.items() if name != EVALUATION}
        write_whole(folder / CONFIG, config.model_copy(update={"files": others}).to_json())
        write_whole(folder / EVALUATION, merged.to_json())
        named = dict(sorted({**others, EVALUATION: sha256(folder / EVALUATION)}.items()))
        write_whole(folder / CONFIG, config.model_copy(update={"files": named}).to_json())
        return merged


def is_users_own(catalog: Catalog, resolved: ResolvedModel) -> bool:
    """Whether a model's folder is the user's to write into: neither part of an installed plugin nor of the Hub's cache.

    A folder that is named by its path is.
    """
    if resolved.snapshot is not None:
        return False
    if isinstance(parse(resolved.ref), Folder):
        return True
    return all(resolved.folder != model.folder for model in catalog.registry.models.values())
