"""How two trainings are related: whether one may stand beside the other, and in what they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gansdk.inference.located import Located
    from gansdk.model.config import ModelConfig, Trained


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
