"""A model before it has a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from gansdk.model.facts import Facts


@dataclass(frozen=True)
class Export:
    """A model as it would ship.

    Attributes:
        facts: What it declares.
        network: JSON-able options from which the method builds exactly these networks.
        networks: By name.
        start: The same networks before this training, where the model shall carry both ends of it: users then choose
            between them by the load option ``blend``.
    """

    facts: Facts
    network: Mapping[str, object]
    networks: Mapping[str, nn.Module]
    start: Mapping[str, nn.Module] | None = None
