"""What ``gansdk eval`` does: from models' places to measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gansdk.errors import NotApplicableError, OutputError, UsageError
from gansdk.evaluation.assessment import (
    Subject,
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
    from gansdk.models.resolved import Located
    from gansdk.models.runtime import Placement
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method, Metric


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


OTHER_END = "the model's other end, where this training began; measured in the same run"


def about_twin(method: Method | None, config: str | None, *, has_start: bool) -> str:
    """What a model's twin is, or why there is none.

    Args:
        method: Its method, where that is installed.
        config: The way in which it was trained; None for one that was not trained here.
        has_start: Whether it carries the networks that its training began from.
    """
    if has_start:
        return OTHER_END
    if config is None:
        return "none: it was not trained here, and no training without the method's own terms is known"
    way = method.configs.get(config) if method is not None else None
    if way is not None and way.own_terms:
        return "none was given; `gansdk train --twin` makes one, and `gansdk eval --twin` measures it"
    said = way.twin if way is not None else ""
    return said or "none: no training without the method's own terms was made"


def digests(data: Iterable[TrainingData]) -> frozenset[str]:
    """What identifies the data sets of a training."""
    return frozenset(one.digest for one in data if one.digest)


def load_subject(
    located: Located, method: Method, load: LoadOptions, twin: tuple[Located, Method] | None = None
) -> Subject:
    """A model from its folder, ready to be measured.

    A model with two ends has its start as its twin, unless a place between them is asked for or a twin is named.

    Args:
        located: The model.
        method: Its method.
        load: Where and in what numbers it computes, and where between its ends.
        twin: Another model to compare it with: the same training without the method's own terms.

    Raises:
        UsageError: If the twin gives pictures of another size.
        GansdkError: If a model does not load, or the device is not there.
    """
    from gansdk.models.runtime import place, set_threads

    config = located.config
    placement = place(load, config.facts)
    set_threads(load.threads)
    protocol: dict[str, Any] = {"precision": placement.precision, "device": placement.device.type}
    if load.blend is not None:
        protocol["blend"] = load.blend
    trained = config.trained
    other, about = None, about_twin(method, trained.config if trained else None, has_start=bool(config.ends))
    if twin is not None:
        _check_alike(located, twin[0])
        other, about = _load(*twin, placement, None), _named_twin(twin[0].config)
    elif config.ends and load.blend is None:
        other = _load(located, method, placement, 0.0)
    return Subject(
        model=_load(located, method, placement, load.blend),
        device=placement.device,
        twin=other,
        about_twin=about,
        trained_on=digests(trained.data if trained else ()),
        protocol=protocol,
    )


def _load(located: Located, method: Method, placement: Placement, blend: float | None) -> Model:
    from gansdk.models.loading import load_networks
    from gansdk.models.runtime import assemble

    networks = load_networks(located, method, blend)
    return assemble(networks, method, located.config.facts, placement)


def _check_alike(located: Located, twin: Located) -> None:
    ours, theirs = located.config.facts.generator, twin.config.facts.generator
    if ours is None or theirs is None or ours.output != theirs.output:
        what = f"{twin.ref} gives other things than {located.ref}, so it cannot be its twin"
        raise UsageError(what, hint="a twin differs in its training alone")


def _named_twin(config: ModelConfig) -> str:
    trained = config.trained
    if trained is None:
        return f"another model: {config.summary or config.method}"
    silenced = ", ".join(f"{player}/{term}" for player, term in trained.silenced)
    without = f" without {silenced}" if silenced else f" with the options {trained.options}"
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


def is_users_own(catalog: Catalog, located: Located) -> bool:
    """Whether a model's folder is the user's to write into: neither part of an installed plugin nor of the Hub's cache.

    A folder that is named by its path is.
    """
    if located.snapshot is not None:
        return False
    if isinstance(parse(located.ref), Folder):
        return True
    return all(located.folder != model.folder for model in catalog.registry.models.values())
