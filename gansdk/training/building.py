"""A recipe, built as a run asks for it: its options checked, its place chosen, its weights drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch

from gansdk.errors import TrainingError
from gansdk.inference.runtime import place, set_threads
from gansdk.model.facts import Facts
from gansdk.options import LoadOptions, validate
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.inference.runtime import Placement
    from gansdk.options import Options
    from gansdk.plugins.declarations import Config, Method
    from gansdk.training.options import TrainingOptions
    from gansdk.training.recipe import Recipe
    from gansdk.training.runs import RunRecord


@dataclass(frozen=True)
class Built:
    """What a run trains, ready for its first step or for a checkpoint.

    Attributes:
        method: What is trained.
        config: Which of its ways to train, by name.
        options: The options of the recipe, all of them.
        placement: Where, and in which numbers.
        recipe: How; nothing has touched its weights.
    """

    method: Method
    config: str
    options: Options
    placement: Placement
    recipe: Recipe


def build(method: Method, config: str, values: Mapping[str, Any], how: TrainingOptions | RunRecord) -> Built:
    """Builds a recipe, and seeds torch for it.

    Args:
        method: What to train.
        config: Name of one of its ways to train.
        values: The recipe's options that differ from the config's.
        how: The seed, the device, the precision and the number of threads.

    Raises:
        UsageError: If the config, an option, the device or the precision is wrong.
        TrainingError: If the recipe does not say how long it trains.
    """
    declared = method.find_config(config)
    options = _options(declared, values)
    placement = _place(declared, how)
    set_threads(how.threads)
    torch.manual_seed(how.seed)  # before the recipe, which initialises its weights
    recipe = cast("Recipe", resolve(declared.recipe)(options))
    return Built(method, config, options, placement, recipe)


def _options(config: Config, values: Mapping[str, Any]) -> Options:
    options: Options = validate(resolve(config.options), {**config.values, **values})
    if not isinstance(getattr(options, "steps", None), int):
        raise TrainingError(f"{config.options} has no option 'steps'", hint="a recipe says how long it trains")
    return options


def _place(config: Config, how: TrainingOptions | RunRecord) -> Placement:
    """The runtime's choice; training in bf16 is always safe to try, since weights and sums stay in fp32."""
    precision = "fp32" if how.precision == "auto" and not config.mixed else how.precision
    load = validate(LoadOptions, {"device": how.device, "precision": precision})
    return place(load, Facts(safe_precisions=("bf16",)))
