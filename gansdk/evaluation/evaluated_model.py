"""The model that is measured: loaded beside its baseline, compared with its other trainings, its figures stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gansdk.errors import OutputError, UsageError
from gansdk.evaluation.protocol import BASELINE, MODEL
from gansdk.evaluation.record import Evaluation, read_evaluation
from gansdk.files import held_folder, sha256, write_whole
from gansdk.model.config import CONFIG, EVALUATION, WEIGHTS, read_config
from gansdk.refs import Folder, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import torch

    from gansdk.model.config import ModelConfig, Trained, TrainingData
    from gansdk.model.protocols import Model
    from gansdk.models.catalog import Catalog
    from gansdk.models.resolved import ResolvedModel
    from gansdk.models.runtime import Placement
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method


OTHER_CHECKPOINT = "the model's other end, where this training began; measured in the same run"


@dataclass(frozen=True)
class EvaluatedModel:
    """What is measured.

    Attributes:
        model: Ready for inference.
        device: Where it computes, and evaluator networks too.
        baseline: What it is compared with, ready for inference; None for nothing.
        about_baseline: What the baseline is, or why there is none.
        trained_on: Digests of the data sets that it was trained on.
        conditions: How it computes, for the record: precision and the like.
    """

    model: Model
    device: torch.device
    baseline: Model | None = None
    about_baseline: str = ""
    trained_on: frozenset[str] = frozenset()
    conditions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, Model]:
        """By the names that examples have for them."""
        return {MODEL: self.model} | ({BASELINE: self.baseline} if self.baseline is not None else {})

    def without_baseline(self) -> EvaluatedModel:
        return replace(self, baseline=None, about_baseline="")


def load_evaluated_model(
    resolved: ResolvedModel, load: LoadOptions, baseline: ResolvedModel | None = None
) -> EvaluatedModel:
    """Loads a model and its baseline.

    A model with two checkpoints has its first one as its baseline, unless a mixture is asked for or a baseline is
    named: the same training without the method's own terms.
    """
    from gansdk.models.runtime import place, set_threads

    config, trained = resolved.config, resolved.config.trained
    placement = place(load, config.facts)
    set_threads(load.threads)
    conditions: dict[str, Any] = {"precision": placement.precision, "device": placement.device.type}
    if load.network_interpolation is not None:
        conditions["network_interpolation"] = load.network_interpolation
    other = None
    about = about_baseline(resolved.method, trained.config if trained else None, has_initial=bool(config.checkpoints))
    if baseline is not None:
        outputs = [
            found.config.facts.generator and found.config.facts.generator.output for found in (resolved, baseline)
        ]
        if outputs[0] is None or outputs[0] != outputs[1]:
            what = f"{baseline.ref} gives other things than {resolved.ref}, so it cannot be its baseline"
            raise UsageError(what, hint="a baseline differs in its training alone")
        other, about = _load(baseline, placement, None), _describe(baseline.config)
    elif config.checkpoints and load.network_interpolation is None:
        other = _load(resolved, placement, 0.0)
    return EvaluatedModel(
        model=_load(resolved, placement, load.network_interpolation),
        device=placement.device,
        baseline=other,
        about_baseline=about,
        trained_on=digests(trained.data if trained else ()),
        conditions=conditions,
    )


def about_baseline(method: Method | None, config: str | None, *, has_initial: bool) -> str:
    """What a model's baseline is, or why there is none.

    Args:
        method: Its method, if that is installed.
        config: The way in which it was trained; None for one that was not trained here.
        has_initial: Whether it has the networks that its training began from.
    """
    if has_initial:
        return OTHER_CHECKPOINT
    if config is None:
        return "none: it was not trained here, and no training without the method's own terms is known"
    declared = method.configs.get(config) if method is not None else None
    if declared is not None and declared.ablated_terms:
        return "none was given; `gansdk train --ablate` makes one, and `gansdk eval --baseline` measures it"
    reason = declared.baseline if declared is not None else ""
    return reason or "none: no training without the method's own terms was made"


def digests(data: Iterable[TrainingData]) -> frozenset[str]:
    return frozenset(dataset.digest for dataset in data if dataset.digest)


def _load(resolved: ResolvedModel, placement: Placement, network_interpolation: float | None) -> Model:
    from gansdk.models.loading import load_model
    from gansdk.models.runtime import assemble

    return assemble(load_model(resolved, network_interpolation), placement)


def _describe(baseline: ModelConfig) -> str:
    trained = baseline.trained
    if trained is None:
        return f"another model: {baseline.summary or baseline.method}"
    ablated_terms = ", ".join(f"{player}/{term}" for player, term in trained.ablated_terms)
    without = f" without {ablated_terms}" if ablated_terms else f" with the options {trained.options}"
    return f"a training by config {trained.config} of {trained.steps} steps{without}"


def training_differences(resolved: ResolvedModel, baseline: ResolvedModel) -> list[str]:
    """What differs between two trainings by one config, other than terms and options, as ``its seed``."""
    ours, theirs = resolved.config.trained, baseline.config.trained
    if ours is None or theirs is None or theirs.config != ours.config:
        return []  # a baseline by another config is another method's, say
    differs = {
        "its data": _data(ours) != _data(theirs),
        "its steps": ours.steps != theirs.steps,
        "its seed": ours.seed != theirs.seed,
    }
    return [name for name, is_other in differs.items() if is_other]


def _data(trained: Trained) -> tuple[tuple[str, str], ...]:
    return tuple((dataset.name, dataset.digest) for dataset in trained.data)


def check_replicates(resolved: ResolvedModel, replicates: Sequence[ResolvedModel]) -> list[int]:
    """The seeds of models that differ from one in nothing else; refuses other trainings and a seed given twice."""
    ours = resolved.config.trained
    if ours is None:
        raise UsageError(f"{resolved.ref} was not trained here, so it has no other seeds", hint="leave out --replicate")
    seeds = [ours.seed]
    for replicate in replicates:
        theirs = replicate.config.trained
        is_same_method = replicate.config.method == resolved.config.method
        if theirs is None or not is_same_method or _without_seed(theirs) != _without_seed(ours):
            hint = "give trainings that differ in their seed alone; others are rows of an --ablation"
            raise UsageError(f"{replicate.ref} is another training than {resolved.ref}", hint=hint)
        if theirs.seed in seeds:
            raise UsageError(f"{replicate.ref}: seed {theirs.seed} is there already", hint="give each seed once")
        seeds.append(theirs.seed)
    return seeds[1:]


def _without_seed(trained: Trained) -> tuple[object, ...]:
    """All that determines a training, but for its seed and the machine."""
    ablated_terms = frozenset(trained.ablated_terms)
    return trained.config, trained.options, trained.steps, ablated_terms, _data(trained), trained.dependencies


def differing_options(configs: Sequence[ModelConfig]) -> list[str]:
    """Names of the training options that do not have the same value in all."""
    options: list[Mapping[str, Any]] = [config.trained.options for config in configs if config.trained is not None]
    names = sorted({name for chosen in options for name in chosen} - {"steps"})
    return [name for name in names if any(chosen.get(name) != options[0].get(name) for chosen in options)]


def store_evaluation(folder: Path, newer: Evaluation, weights: str) -> Evaluation:
    """Merges measurements into those that a model folder has, and names the file in its config.

    A training that would replace the model, and another call that measured it, wait for each other.

    Raises:
        OutputError: If the folder cannot be written to, or has weights of another digest by now: nothing is written
            then.
    """
    with held_folder(folder):
        config = read_config(folder)
        if config.files[WEIGHTS] != weights:
            what = f"{folder} has other weights than those that were measured, so nothing is kept in it"
            raise OutputError(
                what, hint="does a training continue there? measure when it is done, or keep figures with -o FILE"
            )
        merged = (read_evaluation(folder) or Evaluation()).merged(newer)
        # The config stops naming the old file before there is a new one: a killed process leaves a model that loads.
        others = {name: digest for name, digest in config.files.items() if name != EVALUATION}
        write_whole(folder / CONFIG, config.model_copy(update={"files": others}).to_json())
        write_whole(folder / EVALUATION, merged.to_json())
        named = dict(sorted({**others, EVALUATION: sha256(folder / EVALUATION)}.items()))
        write_whole(folder / CONFIG, config.model_copy(update={"files": named}).to_json())
        return merged


def is_users_own(catalog: Catalog, resolved: ResolvedModel) -> bool:
    """Whether a model's folder is the user's to write into: not part of an installed plugin, nor of the Hub's cache.

    A folder that is named by its path always is.
    """
    if resolved.snapshot is not None:
        return False
    if isinstance(parse(resolved.ref), Folder):
        return True
    return all(resolved.folder != model.folder for model in catalog.registry.models.values())
