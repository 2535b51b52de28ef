"""What an encoder gives for one picture: named parts, as numbers and as a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from gansdk.model.variables import Categorical, Features

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gansdk.model.variables import Part


_SHOWN = 4
"""Numbers of a part that are shown; of more, how many there are."""

_DOUBTED = 0.5
"""How likely another category is, against the likeliest, that is named beside it."""


@dataclass(frozen=True, eq=False, repr=False)
class Encoding(Mapping[str, "NDArray[np.float32]"]):
    """Numbers by part, float32 [n]; of a categorical part the probabilities [k].

    Attributes:
        parts: What the numbers are of, in their order.
        numbers: They, by part.
        notes: What was done to the picture so that it could be read, and what is to be known of the reading, a line
            each; empty where it was read as it is.
    """

    parts: Sequence[Part]
    numbers: Mapping[str, NDArray[np.float32]]
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self.numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        shown = [f"{part.name}={self._shown(part)}" for part in self.parts]
        return f"<Encoding {', '.join(shown)}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a row for each part, and the notes."""
        rows = [(part.name, self._shown(part)) for part in self.parts] + [("", note) for note in self.notes]
        cells = (f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        return f"<table>{''.join(cells)}</table>"

    def _shown(self, part: Part) -> str:
        numbers = self.numbers[part.name]
        if isinstance(part, Categorical):
            return f"{self.label(part.name)} ({numbers.max():.0%})"
        return (
            f"[{', '.join(f'{number:.3g}' for number in numbers)}]" if len(numbers) <= _SHOWN else f"[{len(numbers)}]"
        )

    def label(self, name: str) -> str:
        """The likeliest value of a categorical part, in words.

        Raises:
            KeyError: If there is no such part.
        """
        part = next(one for one in self.parts if one.name == name)
        if not isinstance(part, Categorical):
            raise KeyError(name)
        return part.label(int(self.numbers[name].argmax()))

    def words(self) -> str:
        """It in a line for people: ``class eight or three: .49, .47; style -0.31 1.2``."""
        return "; ".join(self._words(part) for part in self.parts)

    def _words(self, part: Part) -> str:
        numbers = self.numbers[part.name]
        if isinstance(part, Categorical):
            likely = [int(at) for at in numbers.argsort()[::-1][:3] if numbers[at] >= _DOUBTED * numbers.max()]
            shares = ", ".join(f"{numbers[at]:.2f}".removeprefix("0") for at in likely)
            return f"{part.name} {' or '.join(map(part.label, likely))}: {shares}"
        if len(numbers) <= _SHOWN:
            return f"{part.name} {' '.join(f'{number:.3g}' for number in numbers)}"
        return f"{len(numbers)} {part.name}, which --part {part.name} prints"

    def record(self) -> dict[str, Any]:
        """It as plain data, for a line of JSON: nine digits, which is all that float32 has."""
        return {part.name: self._record(part) for part in self.parts}

    def shown(self) -> dict[str, Any]:
        """The same without features, which are for searching and not for reading, unless they are all."""
        parts = [part for part in self.parts if not isinstance(part, Features)] or self.parts
        return {part.name: self._record(part) for part in parts}

    def _record(self, part: Part) -> Any:
        numbers = [float(f"{number:.9g}") for number in self.numbers[part.name].tolist()]
        if not isinstance(part, Categorical):
            return numbers
        index = int(self.numbers[part.name].argmax())
        return {"label": part.label(index), "index": index, "probabilities": numbers}
