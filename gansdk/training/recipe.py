"""What a method says about its training, as a class to derive from; the loop does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from gansdk.errors import TrainingError, UsageError, as_typed
from gansdk.model.config import WEIGHTS
from gansdk.model.facts import Facts
from gansdk.models.catalog import Catalog
from gansdk.models.loading import load_model
from gansdk.models.runtime import place, set_threads
from gansdk.options import LoadOptions, validate
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from gansdk.data.folders import Dataset
    from gansdk.model.config import ModelConfig
    from gansdk.models.runtime import Placement
    from gansdk.models.writing import Export
    from gansdk.options import Options
    from gansdk.plugins.declarations import Config, Method
    from gansdk.training.options import TrainingOptions
    from gansdk.training.players import AdversarialPair, Player
    from gansdk.training.turns import Train


Batch = Mapping[str, Tensor]
"""The tensors of one step from one stream; the first dimension counts items."""


class Stream(Protocol):
    """Batches without end. Batch ``i`` depends on the data, the seed and ``i`` alone, so a run resumes anywhere."""

    def batch(self, index: int, /) -> Batch:
        """The tensors of one step, on the CPU."""
        ...


class Recipe(ABC):
    """How one method is trained.

    A recipe derives from it and says what the players are, what they see, and what a step does::

        class MyRecipe(Recipe):
            def __init__(self, options):
                super().__init__(options)
                self.networks = networks(options)
                self.generator = Player("generator", self.networks["generator"], options.new_optimiser())
                self.players = (self.generator,)

    The loop builds it as ``MyRecipe(options)`` from an instance of its :class:`~gansdk.Options` class, which must have
    a field ``steps``. Weights are initialised in ``__init__``: the loop has seeded torch by then. A recipe keeps no
    state but the parameters and buffers of its players' modules.

    Attributes:
        networks: The networks that :meth:`export` ships, by name.
        players: Parameter sets, each with its optimiser; no parameter is in two of them.
        sources: Names of the data sets that :meth:`streams` needs. ``--data`` without a name means the first.
        fixed: Networks that are used but never change: eval mode, no gradients, the same hash at the end.
        dependencies: Models and files that the recipe reads besides its data, by name, each with its ``sha256:``
            digest. They are recorded; a run is resumed only if they are still the same.
        routes: For each weight among the options, the names of the players that its term reaches: the paper's own
            table. Every term is multiplied by such a weight.
        adversarial_pairs: Which players play against each other, so that the signs of their losses can be checked.
        initial: The model that it starts from, of :func:`~gansdk.training.load_initial_model`; None for random weights.
    """

    options: Options
    networks: Mapping[str, nn.Module]
    players: Sequence[Player]
    sources: Sequence[str] = ("images",)
    fixed: Sequence[nn.Module] = ()
    dependencies: Mapping[str, str] = MappingProxyType({})
    routes: Mapping[str, set[str]] = MappingProxyType({})
    adversarial_pairs: Sequence[AdversarialPair] = ()
    initial: InitialModel | None = None

    def __init__(self, options: Options) -> None:
        self.options = options

    @abstractmethod
    def streams(self, data: Mapping[str, Dataset], seed: int) -> Mapping[str, Stream]:
        """The batches that each step gets, by name. They draw from generators of their own, never from torch's."""

    @abstractmethod
    def step(self, batch: Mapping[str, Batch], train: Train) -> None:
        """One round of turns. Reads like the paper's algorithm box.

        The tensors are on ``train.device``. Random numbers come from torch's own generators, whose state is kept.
        """

    @abstractmethod
    def export(self) -> Export:
        """The model as it would ship."""

    def samples(self, data: Mapping[str, Dataset]) -> Mapping[str, Tensor]:
        """Fixed inputs for :meth:`show`, on the CPU; by default none, and no sheets are written."""
        return {}

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Progress on the fixed inputs as images in [0, 1].

        Float [N, 3, H, W], one row each in the sheet, or [N, M, 3, H, W] for N rows of M images, as of fixed latents;
        grey images may have one channel.
        """
        raise NotImplementedError(f"{type(self).__name__} gives samples and does not show them")


@dataclass(frozen=True)
class InitialModel:
    """A model to start from.

    Attributes:
        ref: As the user named it.
        config: What it declares.
        networks: By name, filled, in eval mode, without gradients.
        digest: Of its weights.
    """

    ref: str
    config: ModelConfig
    networks: Mapping[str, nn.Module]
    digest: str


def load_initial_model(ref: str, method: Method) -> InitialModel:
    """The model that a recipe's option ``init_from`` names; of one with two checkpoints, its own.

    Args:
        ref: How the user names it.
        method: The recipe's own method, which it must be of.

    Raises:
        UsageError: If no model is named, or it is of another method.
        GansdkError: If there is no such model, or it does not load.
    """
    if not ref:
        raise UsageError(
            "this config continues from another model",
            hint=as_typed("add --set init_from=REF", 'add options={"init_from": REF}'),
        )
    resolved = Catalog.installed_here().locate(ref)
    if resolved.config.method != method.name:
        what = f"{ref} is a model of {resolved.config.method!r}, and this training starts from one of {method.name!r}"
        raise UsageError(what, hint="see `gansdk models`")
    networks = load_model(replace(resolved, plugin=method)).networks
    return InitialModel(ref, resolved.config, networks, resolved.config.files[WEIGHTS])


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


def build(method: Method, config: str, values: Mapping[str, Any], how: TrainingOptions) -> Built:
    """Builds a recipe, and seeds torch for it.

    Args:
        method: What to train.
        config: Name of one of its ways to train.
        values: The recipe's options that differ from the config's.
        how: The seed, the device, the precision and the number of threads.
    """
    declared = method.find_config(config)
    options: Options = validate(resolve(declared.options), {**declared.values, **values})
    if not isinstance(getattr(options, "steps", None), int):
        raise TrainingError(f"{declared.options} has no option 'steps'", hint="a recipe says how long it trains")
    # bf16 is always safe to try in training, since weights and sums stay in fp32.
    precision = "fp32" if how.precision == "auto" and not declared.mixed else how.precision
    load = validate(LoadOptions, {"device": how.device, "precision": precision})
    placement = place(load, Facts(safe_precisions=("bf16",)))
    set_threads(how.threads)
    torch.manual_seed(how.seed)  # before the recipe, which initialises its weights
    return Built(method, config, options, placement, new_recipe(declared, options))


def new_recipe(config: Config, options: Options) -> Recipe:
    """A recipe that was just built."""
    kind = resolve(config.recipe)
    if not (isinstance(kind, type) and issubclass(kind, Recipe)):
        raise TrainingError(f"{config.recipe} is not a recipe", hint="derive it from gansdk.training.Recipe")
    recipe = kind(options)
    if not getattr(recipe, "players", ()):
        raise TrainingError(f"{config.recipe} has no players", hint="set self.players in its __init__")
    return recipe
