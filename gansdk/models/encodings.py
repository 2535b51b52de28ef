"""What an encoder gives for one image: named variables, as numbers and as a record."""

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

    from gansdk.model.variables import Variable


_SHOWN = 4
"""Numbers of a variable that are shown; of more, how many there are."""

_DOUBTED = 0.5
"""How likely another category is, against the likeliest, that is named beside it."""


@dataclass(frozen=True, eq=False, repr=False)
class Encoding(Mapping[str, "NDArray[np.float32]"]):
    """Numbers by variable, float32 [n]; of a categorical one the probabilities [k].

    Attributes:
        variables: What the numbers are of, in their order.
        numbers: They, by variable.
        generator: The fingerprint of the model's generator, so that what is written of it can be decoded by no other;
            empty if it has none.
        notes: What was done to the image so that it could be read, and what is to be known of the reading, a line
            each; empty where it was read as it is.
    """

    variables: Sequence[Variable]
    numbers: Mapping[str, NDArray[np.float32]]
    generator: str = ""
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self.numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        shown = [f"{variable.name}={self._shown(variable)}" for variable in self.variables]
        return f"<Encoding {', '.join(shown)}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a row for each variable, and the notes."""
        rows = [(variable.name, self._shown(variable)) for variable in self.variables] + [
            ("", note) for note in self.notes
        ]
        cells = (f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        return f"<table>{''.join(cells)}</table>"

    def _shown(self, variable: Variable) -> str:
        numbers = self.numbers[variable.name]
        if isinstance(variable, Categorical):
            return f"{self.label(variable.name)} ({numbers.max():.0%})"
        return (
            f"[{', '.join(f'{number:.3g}' for number in numbers)}]" if len(numbers) <= _SHOWN else f"[{len(numbers)}]"
        )

    def label(self, name: str) -> str:
        """The likeliest value of a categorical variable, in words.

        Raises:
            KeyError: If there is no such categorical variable.
        """
        variable = next(one for one in self.variables if one.name == name)
        if not isinstance(variable, Categorical):
            raise KeyError(name)
        return variable.label(int(self.numbers[name].argmax()))

    def words(self) -> str:
        """It in a line for people: ``class eight or three: .49, .47; style -0.31 1.2``."""
        return "; ".join(self._words(variable) for variable in self.variables)

    def _words(self, variable: Variable) -> str:
        numbers = self.numbers[variable.name]
        if isinstance(variable, Categorical):
            likely = [int(at) for at in numbers.argsort()[::-1][:3] if numbers[at] >= _DOUBTED * numbers.max()]
            shares = ", ".join(f"{numbers[at]:.2f}".removeprefix("0") for at in likely)
            return f"{variable.name} {' or '.join(map(variable.label, likely))}: {shares}"
        if len(numbers) <= _SHOWN:
            return f"{variable.name} {' '.join(f'{number:.3g}' for number in numbers)}"
        return f"{len(numbers)} {variable.name}, which --variable {variable.name} prints"

    def record(self) -> dict[str, Any]:
        """It as plain data, for a line of JSON: nine digits, which is all that float32 has."""
        whose = {"generator": self.generator} if self.generator else {}
        return {**whose, **{variable.name: self._record(variable) for variable in self.variables}}

    def shown(self) -> dict[str, Any]:
        """The same without features, which are for searching and not for reading, unless they are all."""
        variables = [variable for variable in self.variables if not isinstance(variable, Features)] or self.variables
        return {variable.name: self._record(variable) for variable in variables}

    def _record(self, variable: Variable) -> Any:
        numbers = [float(f"{number:.9g}") for number in self.numbers[variable.name].tolist()]
        if not isinstance(variable, Categorical):
            return numbers
        index = int(self.numbers[variable.name].argmax())
        return {"label": variable.label(index), "index": index, "probabilities": numbers}
