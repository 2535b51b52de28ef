"""Latents: drawn from the distributions of their variables, set by hand, read from a file.

A latent is a mapping from names of variables to numpy arrays, on the CPU, whose first axis counts samples: float32
[N, n], for a categorical int64 [N] or weights [N, k]. A generator takes the same as tensors, on any device:
``{name: torch.from_numpy(array) for name, array in latent.items()}``.

Sample *i* is drawn from (seed, *i*) alone, so that the first ten of a hundred samples are the ten samples, on every
machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gansdk.errors import NotApplicableError, OptionError, entry, nearest, option
from gansdk.media.records import read_arrays
from gansdk.model.tensors import shape_text
from gansdk.model.variables import Categorical, Code, Continuous, Features, Noise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from gansdk.model.facts import LatentSource
    from gansdk.model.variables import Variable

    Latent = dict[str, NDArray[np.float32] | NDArray[np.int64]]


def check_drawable(source: LatentSource, truncation: float | None = None) -> None:
    """Refuses a latent that cannot be drawn, or not with its noise cut off.

    Raises:
        NotApplicableError: If a part has no distribution, or ``truncation`` is given and no part is normal.
    """
    if not source.is_sampleable:
        names = ", ".join(variable.name for variable in source.variables if isinstance(variable, Code))
        raise NotApplicableError(
            f"{names} of this model has no distribution to draw from", hint=f"give {option('latents')}"
        )
    if truncation is not None and not any(
        isinstance(one, Noise) and one.distribution == "normal" for one in source.variables
    ):
        raise NotApplicableError("truncation is for normal noise, which this model has none of", hint="leave it out")


def draw(source: LatentSource, seed: int, indices: Iterable[int], *, truncation: float | None = None) -> Latent:
    """Draws samples.

    Args:
        source: What a latent consists of; every part has a distribution.
        seed: Where random numbers start.
        indices: Which samples, counted from 0.
        truncation: Bound of normal noise: what is drawn lies in [−truncation, truncation], by the normal distribution
            cut off
            there, and the nearer to the middle the smaller this is. None for the whole distribution.

    Returns:
        By part, in the order of the indices.

    Raises:
        NotApplicableError: As :func:`check_drawable` does.
    """
    check_drawable(source, truncation)
    rows = [_draw_one(source.variables, seed, index) for index in indices]
    drawn = {
        variable.name: _stacked(variable, [row[at] for row in rows]) for at, variable in enumerate(source.variables)
    }
    if truncation is None:
        return drawn
    for variable in source.variables:
        if isinstance(variable, Noise) and variable.distribution == "normal":
            drawn[variable.name] = _truncated(drawn[variable.name], truncation)
    return drawn


def _draw_one(variables: Sequence[Variable], seed: int, index: int) -> list[NDArray[np.float64] | int]:
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index,))))
    return [_draw_variable(variable, random) for variable in variables]


def _draw_variable(variable: Variable, random: np.random.Generator) -> NDArray[np.float64] | int:
    if isinstance(variable, Categorical):
        return int(random.integers(variable.k))
    if isinstance(variable, Noise) and variable.distribution == "normal":
        return random.standard_normal(variable.n)
    if isinstance(variable, Noise | Continuous):
        return random.uniform(variable.low, variable.high, variable.n)
    raise TypeError(f"{variable.name} has no distribution")


def _stacked(variable: Variable, rows: Sequence[NDArray[np.float64] | int]) -> NDArray[np.float32] | NDArray[np.int64]:
    if isinstance(variable, Categorical):
        return np.array(rows, np.int64)
    return np.array(rows, np.float32).reshape(len(rows), variable.n)


def _truncated(numbers: NDArray[np.float32] | NDArray[np.int64], bound: float) -> NDArray[np.float32]:
    """Normal numbers as those of the distribution truncated at ±bound, by their ranks: the middle stays there."""
    from scipy.special import ndtr, ndtri

    low, high = ndtr(-bound), ndtr(bound)
    cut: NDArray[np.float32] = ndtri(low + ndtr(numbers.astype(np.float64)) * (high - low)).astype(np.float32)
    return cut.clip(-bound, bound)


@dataclass(frozen=True)
class VariableSetting:
    """A code that is held at one value.

    Attributes:
        variable: Which.
        index: Which of its numbers; None for all of it.
        values: One per number that is set; of a categorical one, which is its index.
    """

    variable: Variable
    index: int | None
    values: tuple[float, ...]

    def apply(self, latent: Latent) -> None:
        """Holds it in all samples, in place."""
        if isinstance(self.variable, Categorical):
            latent[self.variable.name][:] = int(self.values[0])
        elif self.index is None:
            latent[self.variable.name][:] = self.values
        else:
            latent[self.variable.name][:, self.index] = self.values[0]

    @property
    def out_of_range(self) -> list[str]:
        """A line for each of its numbers of which training and the model's facts say nothing."""
        if not isinstance(self.variable, Continuous):
            return []
        trained, swept = (self.variable.low, self.variable.high), self.variable.swept
        low, high = min(trained[0], swept[0]), max(trained[1], swept[1])
        where = f"outside {low:g} to {high:g}, the range in which its meaning is known"
        known = f"the model was trained on {trained[0]:g} to {trained[1]:g}"
        names = [
            self.variable.name if self.variable.n == 1 else f"{self.variable.name}.{at}"
            for at in range(self.variable.n)
        ]
        of = zip(names[self.index or 0 :], self.values, strict=False)
        return [f"{name}={value:g} lies {where}; {known}" for name, value in of if not low <= value <= high]


def read_settings(source: LatentSource, texts: Mapping[str, str]) -> list[VariableSetting]:
    """What ``NAME=VALUE`` says, as in ``class=three``, ``class=3``, ``style.0=-1.5`` or ``style=-1.5,0``.

    Args:
        source: What a latent consists of.
        texts: Values by name; messages call them the option ``set``.

    Raises:
        OptionError: If there is no such code, a value is none of the code's, or two of them set one number.
    """
    settings = [_read_setting(source, name, text) for name, text in texts.items()]
    _check_apart(settings)
    return settings


def _read_setting(source: LatentSource, name: str, text: str) -> VariableSetting:
    variable, index = find_code(source, name)
    if isinstance(variable, Categorical):
        return VariableSetting(variable, None, (float(_category(variable, text)),))
    expected = 1 if index is not None else variable.n
    try:
        values = tuple(float(one) for one in text.split(","))
    except ValueError:
        values = ()
    if len(values) != expected or not all(math.isfinite(value) for value in values):
        numbers = "a number" if expected == 1 else f"{expected} numbers joined by commas"
        hint = f"or set one of them, as in {entry('set', f'{name}.0', 1)}" if expected > 1 else ""
        raise OptionError(f"{entry('set', name, _short(text))}: {name} takes {numbers}", hint=hint)
    return VariableSetting(variable, index, values)


def _category(variable: Categorical, text: str) -> int:
    for meant in (str, str.strip, _folded):
        found = [index for index, word in enumerate(variable.labels) if meant(word) == meant(text)]
        if len(found) == 1:
            return found[0]
    number = text.strip()
    if number.isascii() and number.isdigit() and len(number) < 6 and int(number) < variable.k:
        return int(number)
    near = nearest(text.strip(), variable.labels)
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    raise OptionError(
        f"{entry('set', variable.name, _short(text))}: {variable.name} takes {_values(variable)}", hint=hint
    )


def _folded(word: str) -> str:
    """A word whatever its case and the blanks around it."""
    return word.strip().casefold()


def _values(variable: Categorical) -> str:
    """What a categorical takes; each word with its number, which it often is not the name of."""
    if not variable.labels:
        return f"0 to {variable.k - 1}"
    return "one of " + ", ".join(f"{word} ({index})" for index, word in enumerate(variable.labels))


def find_code(
    source: LatentSource, name: str, directions: Sequence[str] = (), *, alone: bool = False
) -> tuple[Variable, int | None]:
    """The part, and which of its numbers, that a name as ``class`` or ``style.0`` means.

    Args:
        source: What a latent consists of.
        name: Which.
        directions: What else could have been named, for the message.
        alone: Whether one number of several has to be named, for the message.

    Raises:
        OptionError: If there is none; it names those that there are.
    """
    stem, dot, number = name.partition(".")
    variable = next((one for one in source.variables if one.name == stem), None)
    if variable is not None and not dot:
        return variable, None
    if variable is not None and not isinstance(variable, Categorical) and number.isascii() and number.isdigit():
        index = int(number[:9])
        if index < variable.n:
            return variable, index
    near = nearest(name, [*_names(source, alone=alone), *directions])
    hint = f"did you mean {' or '.join(near)}?" if near else "name one of them"
    ways = f", and the direction{'s' * (len(directions) > 1)} {', '.join(directions)}" if directions else ""
    raise OptionError(f"there is no code {name!r}; this model has {describe(source)}{ways}", hint=hint)


def _names(source: LatentSource, *, alone: bool) -> list[str]:
    names = [
        variable.name
        for variable in source.variables
        if not alone or isinstance(variable, Categorical) or variable.n == 1
    ]
    return names + [f"{variable.name}.0" for variable in source.variables if not isinstance(variable, Categorical)]


def describe(source: LatentSource) -> str:
    """Its codes in a few words, as in ``class (0 to 9), style (2 numbers)``."""
    return ", ".join(_describe(variable) for variable in source.variables)


def _describe(variable: Variable) -> str:
    if isinstance(variable, Categorical):
        return f"{variable.name} (0 to {variable.k - 1})"
    return variable.name if variable.n == 1 else f"{variable.name}.0 to {variable.name}.{variable.n - 1}"


def _check_apart(settings: Sequence[VariableSetting]) -> None:
    seen: set[tuple[str, int | None]] = set()
    whole = {one.variable.name for one in settings if one.index is None}
    for one in settings:
        key = (one.variable.name, one.index)
        if key in seen or (one.index is not None and one.variable.name in whole):
            raise OptionError(f"{option('set')} sets {one.variable.name} twice", hint="set it once")
        seen.add(key)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def check_latent(source: LatentSource, latent: Mapping[str, NDArray[np.generic]], where: str) -> Latent:
    """Arrays from anywhere as a latent of a generator.

    Args:
        source: What it consists of.
        latent: By part; others are ignored. A categorical may be weights [N, k], too, called by its name or, as an
            encoder's file has them, ``NAME.probabilities``.
        where: What messages call them.

    Raises:
        OptionError: If a part is missing, or has a wrong shape or a number that is none.
    """
    found: Latent = {}
    for variable in source.variables:
        name = next((one for one in (variable.name, f"{variable.name}.probabilities") if one in latent), None)
        if name is None:
            raise OptionError(f"{where} lacks {variable.name}", hint=f"this model has {describe(source)}")
        found[variable.name] = _checked(variable, np.asarray(latent[name]), where)
    lengths = {len(array) for array in found.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise OptionError(f"{where}: its parts hold {', '.join(map(str, sorted(lengths)))} samples")
    return found


def read_latents(
    path: str | PathLike[str], source: LatentSource, fingerprint: str, *, any_generator: bool = False
) -> Latent:
    """Latents from an ``.npz`` file, made by this very generator: numbers mean something else to another one.

    Args:
        path: The file, as ``generate``, ``traverse`` or ``encode`` writes it.
        source: What a latent of the generator consists of.
        fingerprint: The generator's, as ``pipeline.fingerprint()`` and ``context.fingerprint()`` give it.
        any_generator: Whether latents are taken too that are another generator's, or do not say whose they are.

    Raises:
        InputError: If the file is missing or damaged.
        NotApplicableError: If its latents are another generator's, or it does not say whose they are.
        OptionError: If they do not fit this generator.
    """
    arrays = stored_arrays(Path(path))
    found = {str(text) for text in np.atleast_1d(arrays.get("generator", np.array([], np.str_)))}
    if not any_generator and not found:
        what = f"{path} does not say which generator its latents are of"
        raise NotApplicableError(what, hint=f"if they are of this one, add {option('any_generator', True)}")
    if not any_generator and found != {fingerprint}:
        what = f"{path} holds latents of another generator, which would mean other images here"
        raise NotApplicableError(what, hint="use the model that made them")
    return check_latent(source, arrays, str(path))


def stored_arrays(path: Path) -> Mapping[str, NDArray[np.generic]]:
    """The arrays of a file, read once for all pieces of a call; raises an :class:`InputError` if it cannot be read."""
    state = path.stat() if path.is_file() else None
    return _read_once(path.absolute(), *((state.st_size, state.st_mtime_ns) if state is not None else (0, 0)))


@lru_cache(maxsize=1)
def _read_once(path: Path, _size: int, _changed: int) -> Mapping[str, NDArray[np.generic]]:
    return read_arrays(path)


def _checked(variable: Variable, array: NDArray[np.generic], where: str) -> NDArray[np.float32] | NDArray[np.int64]:
    width = variable.k if isinstance(variable, Categorical) else variable.n
    if isinstance(variable, Features):
        raise TypeError("features are no part of a latent")
    if isinstance(variable, Categorical) and array.ndim == 1 and np.issubdtype(array.dtype, np.integer):
        chosen = array.astype(np.int64)
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= variable.k):
            raise OptionError(f"{where}: {variable.name} goes from 0 to {variable.k - 1}")
        return chosen
    if array.ndim != 2 or array.shape[1] != width or not np.issubdtype(array.dtype, np.floating):
        raise OptionError(f"{where}: {variable.name} is {array.dtype} {shape_text(array.shape)}, not numbers N×{width}")
    numbers = array.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise OptionError(f"{where}: {variable.name} holds NaN or infinity")
    return numbers
