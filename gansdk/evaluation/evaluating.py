"""What ``gansdk eval`` does: from a model's place to its measurements, and to where they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk.errors import NotApplicableError, UsageError
from gansdk.evaluation.assessing import assess, check_fitting, fitting, unseen
from gansdk.evaluation.record import Evaluation, Replicate, Variant
from gansdk.evaluation.subjects import load_subject
from gansdk.inference.context import silent
from gansdk.refs import Folder, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.record import Measurement
    from gansdk.inference.catalog import Catalog
    from gansdk.inference.located import Located
    from gansdk.model.config import ModelConfig, Trained
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Metric


def evaluate(
    catalog: Catalog,
    located: Located,
    data: Mapping[str, Dataset],
    *,
    metrics: Sequence[str] = (),
    load: LoadOptions,
    twin: Located | None = None,
    note: Callable[[str], None] = silent,
    progress: Callable[[str, int, int], None] = unseen,
) -> Evaluation:
    """Measures a model.

    Args:
        catalog: Knows methods and metrics.
        located: The model.
        data: Test sets by the names that the record shall have.
        metrics: Names of metrics; none for all that fit the model.
        load: Where and in what numbers it computes.
        twin: A model to compare it with; a model with two ends has its start without being told.
        note: Takes lines that the user should read.
        progress: Is told how many of how many items of a set are done.

    Raises:
        UnknownNameError: If there is no such metric.
        NotApplicableError: If one that was asked for does not fit, or none does.
        UsageError: If there are no data and no metric can do without.
        GansdkError: If a model does not load, an item is damaged, or a judge's file is missing.
    """
    chosen = choose_metrics(catalog, located, metrics, note)
    if not data and not any(metric.samples for metric in chosen):
        raise UsageError(f"there is nothing to measure {located.ref} on", hint="give a test set: --data DATA")
    other = (twin, catalog.method(twin)) if twin is not None else None
    if twin is not None and (differences := _differences(located, twin)):
        note(f"{twin.ref} differs from {located.ref} in {' and '.join(differences)} too, so figures show that as well")
    subject = load_subject(located, catalog.method(located), load, other)
    return assess(subject, data, chosen, note=note, progress=progress)


def evaluate_variants(
    catalog: Catalog,
    located: Located,
    variants: Mapping[str, Located],
    data: Mapping[str, Dataset],
    *,
    metrics: Sequence[str] = (),
    load: LoadOptions,
    note: Callable[[str], None] = silent,
    progress: Callable[[str, int, int], None] = unseen,
) -> Evaluation:
    """Measures other trainings as rows of a model's ablation; the model itself is not measured.

    Of each row the figures are kept, not the single values; and of its training those options that differ between the
    rows and the model.

    Args:
        catalog: As for :func:`evaluate`.
        located: The model whose ablation it is.
        variants: The rows, by name.
        data: As for :func:`evaluate`.
        metrics: As for :func:`evaluate`.
        load: As for :func:`evaluate`.
        note: As for :func:`evaluate`.
        progress: As for :func:`evaluate`.

    Raises:
        GansdkError: As for :func:`evaluate`.
    """
    differing = _differing([located.config, *(one.config for one in variants.values())])
    rows = []
    for name, variant in variants.items():
        told = _labelled(name, progress)
        found = _measured_alone(catalog, variant, data, metrics=metrics, load=load, note=note, progress=told)
        trained = variant.config.trained
        options = trained.options if trained else {}
        rows.append(
            Variant(
                name=name,
                steps=trained.steps if trained else 0,
                options={key: options[key] for key in differing if key in options},
                measurements=found,
            )
        )
    return Evaluation(ablation=tuple(rows))


def evaluate_replicates(
    catalog: Catalog,
    located: Located,
    replicates: Sequence[Located],
    data: Mapping[str, Dataset],
    *,
    metrics: Sequence[str] = (),
    load: LoadOptions,
    note: Callable[[str], None] = silent,
    progress: Callable[[str, int, int], None] = unseen,
) -> Evaluation:
    """Measures the same training from other seeds; the model itself is not measured.

    Of each the figures are kept, not the single values.

    Args:
        catalog: As for :func:`evaluate`.
        located: The model whose training it is.
        replicates: The others.
        data: As for :func:`evaluate`.
        metrics: As for :func:`evaluate`.
        load: As for :func:`evaluate`.
        note: As for :func:`evaluate`.
        progress: As for :func:`evaluate`.

    Raises:
        UsageError: If one is another training, or two have the same seed.
        GansdkError: As for :func:`evaluate`.
    """
    seeds = check_replicates(located, replicates)
    found = []
    for seed, replicate in zip(seeds, replicates, strict=True):
        told = _labelled(f"seed {seed}", progress)
        measured = _measured_alone(catalog, replicate, data, metrics=metrics, load=load, note=note, progress=told)
        found.append(Replicate(seed=seed, measurements=measured))
    return Evaluation(replicates=tuple(found))


def _differences(located: Located, twin: Located) -> list[str]:
    """In what trainings differ beside the terms that a twin is without; nothing where that is not known."""
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


def _measured_alone(
    catalog: Catalog,
    located: Located,
    data: Mapping[str, Dataset],
    *,
    metrics: Sequence[str],
    load: LoadOptions,
    note: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> tuple[Measurement, ...]:
    """The figures of a model that stands beside another, without a twin and without single values."""
    chosen = choose_metrics(catalog, located, metrics, note)
    subject = load_subject(located, catalog.method(located), load)
    found = assess(subject.alone(), data, chosen, note=note, progress=progress)
    return tuple(one.model_copy(update={"values": {}}) for one in found.measurements)


def choose_metrics(
    catalog: Catalog, located: Located, names: Sequence[str], note: Callable[[str], None] = silent
) -> list[Metric]:
    """The metrics of these names, or all that fit a model and can be read here.

    Raises:
        UnknownNameError: If there is no such metric.
        NotApplicableError: If one that was asked for does not fit the model, or none does.
        InputError: If the feature network of one that was asked for is not there.
    """
    facts = located.config.facts
    if names:
        metrics = [catalog.registry.metric(name) for name in dict.fromkeys(names)]
        check_fitting(metrics, facts, located.ref)
        return metrics
    found = fitting(catalog.registry.metrics.values(), facts, note)
    if not found:
        raise NotApplicableError(f"no metric fits {located.ref}", hint="see `gansdk plugins` for those that are here")
    return found


def is_users_own(catalog: Catalog, located: Located) -> bool:
    """Whether a model's folder is the user's to write into: neither part of an installed plugin nor of the Hub's cache.

    A folder that is named by its path is.
    """
    if located.snapshot is not None:
        return False
    if isinstance(parse(located.ref), Folder):
        return True
    return all(located.folder != model.folder for model in catalog.registry.models.values())


def _labelled(name: str, progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    return lambda label, done, total: progress(f"{name}: {label}", done, total)


def _differing(configs: Sequence[ModelConfig]) -> list[str]:
    """Names of the training options that have not the same value in all."""
    options: list[Mapping[str, Any]] = [config.trained.options for config in configs if config.trained is not None]
    names = sorted({name for one in options for name in one} - {"steps"})
    return [name for name in names if any(one.get(name) != options[0].get(name) for one in options)]
