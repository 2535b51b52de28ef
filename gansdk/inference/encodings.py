"""What an encoder gives for one picture: named parts, as numbers and as a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gansdk.model.parts import Categorical

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gansdk.model.parts import Part


@dataclass(frozen=True, eq=False)
class Encoding(Mapping[str, "NDArray[np.float32]"]):
    """Numbers by part, float32 [n]; of a categorical part the probabilities [k].

    Attributes:
        parts: What the numbers are of, in their order.
        numbers: They, by part.
    """

    parts: Sequence[Part]
    numbers: Mapping[str, NDArray[np.float32]]

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self.numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        return f"Encoding({self.record()})"

    def label(self, name: str) -> str:
        """The likeliest value of a categorical part, in words.

        Raises:
            KeyError: If there is no such part.
        """
        part = next(one for one in self.parts if one.name == name)
        if not isinstance(part, Categorical):
            raise KeyError(name)
        return part.label(int(self.numbers[name].argmax()))

    def record(self) -> dict[str, Any]:
        """It as plain data, for a line of JSON: nine digits, which is all that float32 has."""
        return {part.name: self._record(part) for part in self.parts}

    def _record(self, part: Part) -> Any:
        numbers = [float(f"{number:.9g}") for number in self.numbers[part.name].tolist()]
        if not isinstance(part, Categorical):
            return numbers
        index = int(self.numbers[part.name].argmax())
        return {"label": part.label(index), "index": index, "probabilities": numbers}
