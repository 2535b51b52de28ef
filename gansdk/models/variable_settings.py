"""Variables of a latent that are set by hand: ``NAME=VALUE`` read, named in messages, and held in all samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansdk.errors import OptionError, entry, nearest, option
from gansdk.model.variables import Categorical, Continuous

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gansdk.model.facts import LatentSource
    from gansdk.model.variables import Variable
    from gansdk.models.latents import Latent


@dataclass(frozen=True)
class VariableSetting:
    """A variable that is held at one value.

    Attributes:
        variable: Which.
        index: Which of its numbers; None for all of them.
        values: One for each number that is set; of a categorical variable, its index.
    """

    variable: Variable
    index: int | None
    values: tuple[float, ...]

    def apply(self, latent: Latent) -> None:
        """Holds it in all samples, in place."""
        numbers = latent[self.variable.name]
        held = numbers if self.index is None else numbers[:, self.index]
        held[:] = self.values

    @property
    def out_of_range(self) -> list[str]:
        """A line for each value that is outside both the training range and the sweep."""
        variable = self.variable
        if not isinstance(variable, Continuous):
            return []
        low, high = min(variable.low, variable.swept[0]), max(variable.high, variable.swept[1])
        where = f"outside {low:g} to {high:g}, the range in which its meaning is known"
        known = f"the model was trained on {variable.low:g} to {variable.high:g}"
        lines = []
        for at, value in enumerate(self.values, self.index or 0):
            if not low <= value <= high:
                name = variable.name if variable.n == 1 else f"{variable.name}.{at}"
                lines.append(f"{name}={value:g} lies {where}; {known}")
        return lines


def read_settings(source: LatentSource, texts: Mapping[str, str]) -> list[VariableSetting]:
    """Reads ``NAME=VALUE``, as in ``class=three``, ``class=3``, ``style.0=-1.5`` or ``style=-1.5,0``.

    Args:
        source: What a latent consists of.
        texts: Values by name; messages call them the option ``set``.

    Raises:
        OptionError: If there is no such variable, it cannot have the value, or two settings set one number.
    """
    settings = [_read_setting(source, name, text) for name, text in texts.items()]
    seen: set[tuple[str, int | None]] = set()
    whole = {setting.variable.name for setting in settings if setting.index is None}
    for setting in settings:
        name = setting.variable.name
        if (name, setting.index) in seen or (setting.index is not None and name in whole):
            raise OptionError(f"{option('set')} sets {name} twice", hint="set it once")
        seen.add((name, setting.index))
    return settings


def _read_setting(source: LatentSource, name: str, text: str) -> VariableSetting:
    variable, index = find_code(source, name)
    if isinstance(variable, Categorical):
        return VariableSetting(variable, None, (float(_category(variable, text)),))
    expected = 1 if index is not None else variable.n
    try:
        values = tuple(map(float, text.split(",")))
    except ValueError:
        values = ()
    if len(values) != expected or not all(map(math.isfinite, values)):
        numbers = "a number" if expected == 1 else f"{expected} numbers joined by commas"
        hint = f"or set one of them, as in {entry('set', f'{name}.0', 1)}" if expected > 1 else ""
        raise OptionError(f"{entry('set', name, _short(text))}: {name} takes {numbers}", hint=hint)
    return VariableSetting(variable, index, values)


def _category(variable: Categorical, text: str) -> int:
    for meant in (str, str.strip, lambda word: word.strip().casefold()):
        found = [index for index, word in enumerate(variable.labels) if meant(word) == meant(text)]
        if len(found) == 1:
            return found[0]
    number = text.strip()
    if number.isascii() and number.isdigit() and len(number) < 6 and int(number) < variable.k:
        return int(number)
    near = nearest(number, variable.labels)
    # With each word its index, which often differs from a number that is the word.
    words = ", ".join(f"{word} ({index})" for index, word in enumerate(variable.labels))
    what = f"{variable.name} takes {f'one of {words}' if words else f'0 to {variable.k - 1}'}"
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    raise OptionError(f"{entry('set', variable.name, _short(text))}: {what}", hint=hint)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def find_code(
    source: LatentSource, name: str, directions: Sequence[str] = (), *, alone: bool = False
) -> tuple[Variable, int | None]:
    """The variable, and which of its numbers, that a name as ``class`` or ``style.0`` means.

    Args:
        source: What a latent consists of.
        name: Which.
        directions: What else could have been named, for the message.
        alone: Whether one number of several has to be named, for the message.

    Raises:
        OptionError: If there is none; it names those that there are.
    """
    stem, dot, number = name.partition(".")
    for variable in source.variables:
        if variable.name != stem:
            continue
        if not dot:
            return variable, None
        if not isinstance(variable, Categorical) and number.isascii() and number.isdigit():
            index = int(number[:9])
            if index < variable.n:
                return variable, index
    wide = [variable.name for variable in source.variables if not isinstance(variable, Categorical) and variable.n > 1]
    names = [variable.name for variable in source.variables if not alone or variable.name not in wide]
    names += [f"{variable.name}.0" for variable in source.variables if not isinstance(variable, Categorical)]
    near = nearest(name, [*names, *directions])
    hint = f"did you mean {' or '.join(near)}?" if near else "name one of them"
    ways = f", and the direction{'s' * (len(directions) > 1)} {', '.join(directions)}" if directions else ""
    raise OptionError(f"there is no code {name!r}; this model has {describe(source)}{ways}", hint=hint)


def describe(source: LatentSource) -> str:
    """Its variables in a few words, as in ``class (0 to 9), style.0 to style.1``."""
    words = []
    for variable in source.variables:
        if isinstance(variable, Categorical):
            words.append(f"{variable.name} (0 to {variable.k - 1})")
        else:
            name = variable.name
            words.append(name if variable.n == 1 else f"{name}.0 to {name}.{variable.n - 1}")
    return ", ".join(words)
