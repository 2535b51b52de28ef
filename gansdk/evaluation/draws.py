"""What a metric that needs no data is measured on: so many samples, each drawn from a seed and its number."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

SAMPLES = "fresh samples"
"""What they are called in records."""

SEED = 20_160_613
"""Where their random numbers start: at none that a user types, so that what was tried out is not what is measured."""


@dataclass(frozen=True)
class Draws:
    """Samples that a model is to make.

    Attributes:
        count: How many.
        name: What they are called in records.
        licence: Theirs.
    """

    count: int
    name: str = SAMPLES
    licence: str = "CC0-1.0"

    @property
    def digest(self) -> str:
        """Identifies the seed and the count."""
        return "sha256:" + hashlib.sha256(f"{self.name} {self.count} {SEED}".encode()).hexdigest()

    def __len__(self) -> int:
        return self.count
