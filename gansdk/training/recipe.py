"""What a method says about its training; the loop does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import torch
from torch import Tensor

from gansdk.errors import TrainingError
from gansdk.model.facts import Facts
from gansdk.models.runtime import place, set_threads
from gansdk.options import LoadOptions, validate
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from gansdk.data.folders import Dataset
    from gansdk.model.config import Export
    from gansdk.models.runtime import Placement
    from gansdk.options import Options
    from gansdk.plugins.declarations import Config, Method
    from gansdk.training.players import AdversarialPair, Player
    from gansdk.training.runs import RunRecord, TrainingOptions
    from gansdk.training.turns import Train


Batch = Mapping[str, Tensor]
"""The tensors of one step from one stream; the first dimension counts items."""


class Stream(Protocol):
    """Batches without end. Batch ``i`` depends on the data, the seed and ``i`` alone, so a run resumes anywhere."""

    def batch(self, index: int, /) -> Batch:
        """The tensors of one step, on the CPU."""
        ...


class Recipe(Protocol):
    """How one method is trained. Measuring is nobody's affair but that of the metrics, which look at facts alone.

    A recipe is built as ``Recipe(options)`` from an instance of its :class:`~gansdk.Options` class, which must have a
    field ``steps``. Weights are initialised in ``__init__``: the loop has seeded torch by then. A recipe keeps no
    state but the parameters and buffers of its players' modules.
    """

    @property
    def sources(self) -> Sequence[str]:
        """Names of the data sets that ``streams`` needs; the first is the one meant by ``--data`` without a name."""
        ...

    @property
    def players(self) -> Sequence[Player]:
        """Parameter sets, each with its optimiser; no parameter is in two of them."""
        ...

    @property
    def fixed(self) -> Sequence[nn.Module]:
        """Networks that are used but never change: eval mode, no gradients, the same hash at the end."""
        ...

    @property
    def dependencies(self) -> Mapping[str, str]:
        """Models and files that the recipe reads besides its data, by name, each with its ``sha256:`` digest.

        They are recorded; a run is resumed only where they are still the same.
        """
        ...

    @property
    def routes(self) -> Mapping[str, set[str]]:
        """Per weight among the options, the names of the players that its term reaches: the paper's own table.

        Every term has such a weight, by which it is multiplied.
        """
        ...

    @property
    def adversarial_pairs(self) -> Sequence[AdversarialPair]:
        """Which players play against each other, so that the signs of their losses can be checked; empty for none."""
        ...

    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """The batches that each step gets, by name. They draw from generators of their own, never from torch's."""
        ...

    def step(self, batch: Mapping[str, Batch], train: Train) -> None:
        """One round of turns. Reads like the paper's algorithm box.

        The tensors are on ``train.device``. Random numbers come from torch's own generators, whose state is kept.
        """
        ...

    def samples(self, data: Mapping[str, Dataset]) -> Mapping[str, Tensor]:
        """Fixed inputs for the images of progress, on the CPU; empty for none."""
        ...

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Progress on the fixed inputs as images in [0, 1].

        Float [N, 3, H, W], one row each in the sheet, or [N, M, 3, H, W] for N rows of M images, as of fixed latents;
        grey images may have one channel.
        """
        ...

    def export(self) -> Export:
        """The model as it would ship."""
        ...


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
