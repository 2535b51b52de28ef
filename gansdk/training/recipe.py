"""What a method says about its training; the loop does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from gansdk.data.pictures import Dataset
    from gansdk.model.export import Export
    from gansdk.training.players import Contest, Player
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
    def relies_on(self) -> Mapping[str, str]:
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
    def contests(self) -> Sequence[Contest]:
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
        """Fixed inputs for the pictures of progress, on the CPU; empty for none."""
        ...

    def show(self, inputs: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """Progress on the fixed inputs as pictures in [0, 1].

        Float [N, 3, H, W], one row each in the sheet, or [N, M, 3, H, W] for N rows of M pictures, as of fixed latents;
        grey pictures may have one channel.
        """
        ...

    def export(self) -> Export:
        """The model as it would ship."""
        ...
