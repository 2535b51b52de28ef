"""Latents, drawn from the distributions of their variables or read from a file, and encodings of images.

A latent is a mapping from names of variables to numpy arrays, on the CPU, whose first axis counts samples: float32
[N, n], for a categorical int64 [N] or weights [N, k]. A generator takes the same as tensors, on any device:
``{name: torch.from_numpy(array) for name, array in latent.items()}``.

Sample *i* is drawn from (seed, *i*) alone, so that the first ten of a hundred samples are the ten samples, on every
machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import NotApplicableError, OptionError, option
from gansdk.media.records import read_arrays
from gansdk.model.tensors import shape_text
from gansdk.model.variables import Categorical, Code, Continuous, Features, Noise, width
from gansdk.models.variable_settings import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from gansdk.model.facts import LatentSource
    from gansdk.model.variables import LatentVariable, Variable

    Latent = dict[str, NDArray[np.float32] | NDArray[np.int64]]


def check_drawable(source: LatentSource, truncation: float | None = None) -> None:
    """Refuses a latent that cannot be drawn, or whose noise cannot be truncated.

    Raises:
        NotApplicableError: If a variable has no distribution, or ``truncation`` is given and none is normal.
    """
    if not source.is_sampleable:
        names = ", ".join(variable.name for variable in source.variables if isinstance(variable, Code))
        what = f"{names} of this model has no distribution to draw from"
        raise NotApplicableError(what, hint=f"give {option('latents')}")
    if truncation is not None and not any(map(_is_normal, source.variables)):
        raise NotApplicableError("truncation is for normal noise, which this model has none of", hint="leave it out")


def _is_normal(variable: Variable) -> bool:
    return isinstance(variable, Noise) and variable.distribution == "normal"


def draw(source: LatentSource, seed: int, indices: Iterable[int], *, truncation: float | None = None) -> Latent:
    """Draws samples.

    Args:
        source: What a latent consists of; every variable has a distribution.
        seed: Where random numbers start.
        indices: Which samples, counted from 0.
        truncation: Bound of normal noise: its numbers come from the normal distribution truncated to [−truncation,
            truncation]. None for the whole distribution.

    Returns:
        By variable, in the order of the indices.

    Raises:
        NotApplicableError: As :func:`check_drawable` does.
    """
    check_drawable(source, truncation)
    rows = []
    for index in indices:
        random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index,))))
        rows.append([_draw_variable(variable, random) for variable in source.variables])
    drawn: Latent = {}
    for at, variable in enumerate(source.variables):
        column = [row[at] for row in rows]
        if isinstance(variable, Categorical):
            drawn[variable.name] = np.array(column, np.int64)
            continue
        numbers = np.array(column, np.float32).reshape(len(rows), variable.n)
        if truncation is not None and _is_normal(variable):
            numbers = _truncated(numbers, truncation)
        drawn[variable.name] = numbers
    return drawn


def _draw_variable(variable: Variable, random: np.random.Generator) -> NDArray[np.float64] | int:
    if isinstance(variable, Categorical):
        return int(random.integers(variable.k))
    if _is_normal(variable):
        return random.standard_normal(variable.n)
    if isinstance(variable, Noise | Continuous):
        return random.uniform(variable.low, variable.high, variable.n)
    raise TypeError(f"{variable.name} has no distribution")


def _truncated(numbers: NDArray[np.float32], bound: float) -> NDArray[np.float32]:
    """Normal numbers as those of the distribution truncated at ±bound, by their ranks: the median is kept."""
    from scipy.special import ndtr, ndtri

    low, high = ndtr(-bound), ndtr(bound)
    cut: NDArray[np.float32] = ndtri(low + ndtr(numbers.astype(np.float64)) * (high - low)).astype(np.float32)
    return cut.clip(-bound, bound)


def check_latent(source: LatentSource, latent: Mapping[str, NDArray[np.generic]], where: str) -> Latent:
    """Arrays from anywhere as a latent of a generator.

    Args:
        source: What it consists of.
        latent: By variable; others are ignored. A categorical may be weights [N, k], too, called by its name or, as an
            encoder's file has them, ``NAME.probabilities``.
        where: What messages call them.

    Raises:
        OptionError: If a variable is missing, has a wrong shape, or holds NaN or infinity.
    """
    found: Latent = {}
    for variable in source.variables:
        name = next((key for key in (variable.name, f"{variable.name}.probabilities") if key in latent), None)
        if name is None:
            raise OptionError(f"{where} lacks {variable.name}", hint=f"this model has {describe(source)}")
        found[variable.name] = _checked(variable, np.asarray(latent[name]), where)
    lengths = {len(array) for array in found.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise OptionError(f"{where}: its variables hold {', '.join(map(str, sorted(lengths)))} samples")
    return found


def _checked(
    variable: LatentVariable, array: NDArray[np.generic], where: str
) -> NDArray[np.float32] | NDArray[np.int64]:
    if isinstance(variable, Categorical) and array.ndim == 1 and np.issubdtype(array.dtype, np.integer):
        chosen = array.astype(np.int64)
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= variable.k):
            raise OptionError(f"{where}: {variable.name} goes from 0 to {variable.k - 1}")
        return chosen
    if array.ndim != 2 or array.shape[1] != width(variable) or not np.issubdtype(array.dtype, np.floating):
        what = f"{variable.name} is {array.dtype} {shape_text(array.shape)}, not numbers N×{width(variable)}"
        raise OptionError(f"{where}: {what}")
    numbers = array.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise OptionError(f"{where}: {variable.name} holds NaN or infinity")
    return numbers


def read_latents(
    path: str | PathLike[str], source: LatentSource, fingerprint: str, *, any_generator: bool = False
) -> Latent:
    """Reads latents of this very generator from an ``.npz`` file: another one would make other images of them.

    Args:
        path: The file, as ``generate``, ``traverse`` or ``encode`` writes it.
        source: What a latent of the generator consists of.
        fingerprint: The generator's, as ``pipeline.fingerprint()`` and ``context.fingerprint()`` give it.
        any_generator: Whether to accept latents of another generator, or of one that the file does not name.

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


_SHOWN = 4
"""Numbers of a variable that are shown; of more, how many there are."""

_DOUBTED = 0.5
"""Categories are named that are at least this likely, as a share of the likeliest."""


@dataclass(frozen=True, eq=False, repr=False)
class Encoding(Mapping[str, "NDArray[np.float32]"]):
    """What an encoder gives for one image: float32 [n] by variable; of a categorical one the probabilities [k].

    Attributes:
        variables: What the numbers are of, in their order.
        numbers: By variable.
        generator: The fingerprint of the model's generator, so that a file of encodings is decoded by it alone; empty
            if the model has none.
        notes: A line for each thing that was done to the image or that a reader should know; empty if there is none.
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
        rows = [(variable.name, self._shown(variable)) for variable in self.variables]
        rows += [("", note) for note in self.notes]
        cells = (f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        return f"<table>{''.join(cells)}</table>"

    def _shown(self, variable: Variable) -> str:
        numbers = self.numbers[variable.name]
        if isinstance(variable, Categorical):
            return f"{self.label(variable.name)} ({numbers.max():.0%})"
        text = ", ".join(f"{number:.3g}" for number in numbers) if len(numbers) <= _SHOWN else len(numbers)
        return f"[{text}]"

    def label(self, name: str) -> str:
        """The likeliest value of a categorical variable, in words; raises a ``KeyError`` for another variable."""
        variable = next(variable for variable in self.variables if variable.name == name)
        if not isinstance(variable, Categorical):
            raise KeyError(name)
        return variable.label(int(self.numbers[name].argmax()))

    def words(self) -> str:
        """A line for people: ``class eight or three: .49, .47; style -0.31 1.2``."""
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
        """Plain data for a line of JSON: nine digits, which is all that float32 has."""
        generator = {"generator": self.generator} if self.generator else {}
        return generator | {variable.name: self._record(variable) for variable in self.variables}

    def shown(self) -> dict[str, Any]:
        """The same without the fingerprint, and without features unless there is nothing else."""
        variables = [variable for variable in self.variables if not isinstance(variable, Features)] or self.variables
        return {variable.name: self._record(variable) for variable in variables}

    def _record(self, variable: Variable) -> Any:
        numbers = [float(f"{number:.9g}") for number in self.numbers[variable.name].tolist()]
        if not isinstance(variable, Categorical):
            return numbers
        index = int(self.numbers[variable.name].argmax())
        return {"label": variable.label(index), "index": index, "probabilities": numbers}
