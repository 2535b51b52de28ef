"""From a model folder to something to measure, with its twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk.errors import UsageError
from gansdk.evaluation.assessing import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gansdk.inference.located import Located
    from gansdk.inference.runtime import Placement
    from gansdk.model.config import ModelConfig, TrainingData
    from gansdk.model.protocols import Model
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method

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
    from gansdk.inference.runtime import place, set_threads

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
    from gansdk.inference.loading import load_networks
    from gansdk.inference.runtime import assemble

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
