"""``traverse``: one code, or a stored direction, swept while all else stays, to see what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from gansdk.errors import OptionError
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Categorical, Continuous, Noise
from gansdk.options import Options, Seed
from gansdk.plugins.declarations import Task
from gansdk.tasks.generate import Codes
from gansdk.tasks.generate import unsupported_reason as makes_no_images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from gansdk.media.gallery import Gallery
    from gansdk.media.image import Image
    from gansdk.model.facts import Direction, Facts, LatentSource
    from gansdk.model.protocols import Directions, Model
    from gansdk.model.variables import Variable
    from gansdk.models.context import Context
    from gansdk.models.latents import Latent
    from gansdk.models.variable_settings import VariableSetting

    Touched = tuple[str, int | None]
    """A variable, and which of its numbers; None for all of them."""

_STEPS = 11
_MOST_STEPS = 1000
_NORMAL_SWEEP = (-2.0, 2.0)


def unsupported_reason(facts: Facts) -> str | None:
    """Why no code of a model can be swept; None if one can."""
    generator = facts.generator
    if isinstance(generator, LatentGeneratorFacts) and not generator.source.is_sampleable:
        return "its latent has a part without a distribution to draw it from"
    return makes_no_images(facts)


def _joined(codes: Any) -> Any:
    """From Python two codes may be a sequence."""
    is_several = isinstance(codes, list | tuple) and all(isinstance(code, str) for code in codes)
    return ",".join(codes) if is_several else codes


class TraverseOptions(Options):
    """The call options of ``traverse``."""

    code: Annotated[
        str,
        BeforeValidator(_joined),
        Field(
            description="the code or stored direction to sweep, as class or style.0; two, by a comma: rows, columns",
            examples=["class"],
        ),
    ]
    start: Annotated[
        Annotated[float, Field(allow_inf_nan=False)] | None,
        Field(description="where the sweep of numbers begins; where the model's training did if not given"),
    ] = None
    stop: Annotated[
        Annotated[float, Field(allow_inf_nan=False)] | None,
        Field(description="where it ends; where the model's training did if not given"),
    ] = None
    steps: Annotated[
        Annotated[int, Field(ge=2, le=_MOST_STEPS)] | None,
        Field(description=f"how many values; {_STEPS}, or all of a categorical code, if not given"),
    ] = None
    rows: Annotated[int, Field(ge=1, le=1000, description="samples, a row each, in which one code is swept")] = 5
    seed: Annotated[Seed, Field(description="where the samples' random numbers start")] = 0
    set: Annotated[Codes, Field(description="hold another code at a value, as class=3, style.0=-1.5")] = {}

    @model_validator(mode="after")
    def _one_or_two(self) -> Self:
        if not 1 <= len(self.codes) <= 2 or not all(self.codes):
            raise ValueError(f"code {self.code!r} is neither one code nor two joined by a comma")
        if len(self.codes) == 2 and "rows" in self.model_fields_set:
            raise ValueError("rows are the values of the first of two codes; leave out rows, or one code")
        return self

    @property
    def codes(self) -> list[str]:
        """The codes to sweep."""
        return [code.strip() for code in self.code.split(",")]


TRAVERSE = Task(
    name="traverse",
    summary="sweep a code and see what it means",
    unsupported_reason=unsupported_reason,
    slots=(),
    outputs={"images": "animation", "latents": "arrays"},
    options="gansdk.tasks.traverse:TraverseOptions",
    function="gansdk.tasks.traverse:run",
    check="gansdk.tasks.traverse:check",
    count="gansdk.tasks.traverse:count",
    extent="gansdk.tasks.traverse:extent",
)


def check(facts: Facts, options: TraverseOptions, /) -> None:
    """Refuses a call that a model with these facts cannot answer. What a direction moves, its vector alone says.

    Raises:
        UsageError: If a code does not exist, cannot have a value, or is set and swept at once.
    """
    _Plan.of(facts, options)


def count(facts: Facts, options: TraverseOptions, /) -> int:
    """How many images a call makes."""
    plan = _Plan.of(facts, options)
    return plan.rows * plan.columns


def extent(facts: Facts, options: TraverseOptions, kind: str, _size: None, /) -> tuple[int, int]:
    """Width and height of the grid, or of the largest frame."""
    from gansdk.media.gallery import Texts, frame_layout, grid_size

    plan, output = _Plan.of(facts, options), facts.require(LatentGeneratorFacts).output
    labels = plan.sweeps[-1].labels
    if kind != "animation":
        texts = Texts(plan.row_labels, labels, plan.corner)
        return grid_size(output.height, output.width, (plan.rows, plan.columns), texts)
    across, title = frame_layout(plan.rows, [max(labels, key=len)], plan.corner)
    return grid_size(output.height, output.width, (-(-plan.rows // across), across), Texts((), title, ""))


def run(model: Model, _inputs: Mapping[str, Image], options: TraverseOptions, context: Context, /) -> Gallery:
    """Sweeps one code, or a stored direction, in several samples, or two in one.

    Args:
        model: One with a generator from a latent that can be drawn. In a direction a sample goes by multiples of its
            vector, from where it was drawn.
        options: See :class:`TraverseOptions`.
        context: Hears of progress, and of each code that is held far from all that the model was trained on.

    Returns:
        A row for each sample, or for each value of the first of two codes; a column for each value of the last. The
        latent of each image is among its arrays.

    Raises:
        UsageError: If a code does not exist, cannot have a value, or is set and swept at once.
    """
    from gansdk.media.gallery import Gallery
    from gansdk.models.directions import render

    generator, facts = model.require(LatentGeneratorFacts)
    plan = _Plan.of(model.facts, options, model.directions)
    for direction in plan.directions:
        context.detail(f"{direction.name} is swept in steps {direction.unit}")
    for setting in plan.settings:
        for line in setting.out_of_range:
            context.note(line)
    latent = plan.latent(facts.source, options.seed)
    return Gallery(
        render(generator, facts, latent, context),
        plan.columns,
        latent,
        row_labels=plan.row_labels,
        column_labels=plan.sweeps[-1].labels,
        corner=plan.corner,
        notes={"generator": context.fingerprint()},
    )


class _CodeSweep:
    """The values of one code."""

    def __init__(self, facts: LatentGeneratorFacts, code: str, options: TraverseOptions) -> None:
        from gansdk.models.variable_settings import find_code

        self.code = code
        directions = [direction.name for direction in facts.directions]
        self.variable, self.index = find_code(facts.source, code, directions, alone=True)
        if not isinstance(self.variable, Categorical) and self.index is None:
            if self.variable.n > 1:
                raise OptionError(f"code {code} is {self.variable.n} numbers", hint=f"name one, as {code}.0")
            self.index = 0
        self.values: Sequence[float]
        if isinstance(self.variable, Categorical):
            if options.start is not None or options.stop is not None:
                raise OptionError(f"{code} has no start and no stop: it is one of several", hint="leave them out")
            self.values = range(min(self.variable.k, options.steps or self.variable.k))
        else:
            self.values = _numbers(_natural(self.variable), options)
        self.touches: list[Touched] = [(self.variable.name, self.index)]

    @property
    def labels(self) -> list[str]:
        """A text for each value."""
        if isinstance(self.variable, Categorical):
            return [self.variable.label(int(value)) for value in self.values]
        return _rounded(self.values)

    def put(self, latent: Latent, row: int, value: float) -> None:
        """Gives one sample one value."""
        if self.index is None:
            latent[self.variable.name][row] = int(value)
        else:
            latent[self.variable.name][row, self.index] = value


class _DirectionSweep:
    """How far to go in one direction."""

    def __init__(self, direction: Direction, vectors: Mapping[str, Tensor], options: TraverseOptions) -> None:
        self.code, self.direction = direction.name, direction
        self.values = _numbers(direction.sweep, options)
        self.labels = _rounded(self.values)
        self.touches: list[Touched] = [(variable, None) for variable in vectors]
        self._vectors = {variable: vector.numpy() for variable, vector in vectors.items()}

    def put(self, latent: Latent, row: int, value: float) -> None:
        """Moves one sample."""
        for variable, vector in self._vectors.items():
            latent[variable][row] += value * vector


_Sweep = _CodeSweep | _DirectionSweep


@dataclass(frozen=True)
class _Plan:
    """What a call will sweep, known before anything is drawn.

    Attributes:
        sweeps: One, or those of the rows and of the columns.
        settings: What is held.
        rows: How many.
    """

    sweeps: Sequence[_Sweep]
    settings: Sequence[VariableSetting]
    rows: int

    @classmethod
    def of(cls, facts: Facts, options: TraverseOptions, directions: Directions | None = None) -> Self:
        """The plan of a call; without the vectors of directions, it cannot be carried out where one is swept.

        Raises:
            UsageError: If a code does not exist, cannot have a value, or is set and swept at once.
        """
        from gansdk.models.variable_settings import read_settings

        generator = facts.require(LatentGeneratorFacts)
        sweeps = [_sweep(generator, code, options, directions) for code in options.codes]
        settings = read_settings(generator.source, options.set)
        _check_free(sweeps, [(setting.variable.name, setting.index) for setting in settings])
        rows, columns = len(sweeps[0].values) if len(sweeps) == 2 else options.rows, len(sweeps[-1].values)
        if rows * columns > _MOST_STEPS**2:
            raise OptionError(f"{rows} rows of {columns} images are too many", hint="take fewer steps")
        return cls(sweeps, settings, rows)

    @property
    def columns(self) -> int:
        """How many values the last code has."""
        return len(self.sweeps[-1].values)

    @property
    def row_labels(self) -> Sequence[str]:
        """The values of the first of two codes, or the numbers of the samples."""
        return self.sweeps[0].labels if len(self.sweeps) == 2 else [str(row) for row in range(self.rows)]

    @property
    def corner(self) -> str:
        """What the labels are values of."""
        return ", ".join(sweep.code for sweep in self.sweeps)

    @property
    def directions(self) -> Sequence[Direction]:
        """Those that are swept."""
        return [sweep.direction for sweep in self.sweeps if isinstance(sweep, _DirectionSweep)]

    def latent(self, source: LatentSource, seed: int) -> Latent:
        """The latents of all images, row by row."""
        from gansdk.models.latents import draw

        are_two, columns = len(self.sweeps) == 2, self.columns
        samples = [0 if are_two else row for row in range(self.rows) for _ in range(columns)]
        drawn = draw(source, seed, range(max(samples) + 1))
        latent = {name: array[samples] for name, array in drawn.items()}
        for at in range(self.rows * columns):
            self.sweeps[-1].put(latent, at, self.sweeps[-1].values[at % columns])
            if are_two:
                self.sweeps[0].put(latent, at, self.sweeps[0].values[at // columns])
        for setting in self.settings:
            setting.apply(latent)
        return latent


def _sweep(
    generator: LatentGeneratorFacts, code: str, options: TraverseOptions, directions: Directions | None
) -> _Sweep:
    for direction in generator.directions:
        if direction.name == code:
            return _DirectionSweep(direction, {} if directions is None else directions[code], options)
    return _CodeSweep(generator, code, options)


def _numbers(natural: tuple[float, float], options: TraverseOptions) -> Sequence[float]:
    start = natural[0] if options.start is None else options.start
    stop = natural[1] if options.stop is None else options.stop
    steps = options.steps or _STEPS
    return [start + (stop - start) * at / (steps - 1) for at in range(steps)]


def _rounded(values: Sequence[float]) -> list[str]:
    return [f"{round(value, 2):g}" for value in values]


def _natural(variable: Variable) -> tuple[float, float]:
    """From where to where numbers are swept by default: never beyond what the model was trained on."""
    if isinstance(variable, Continuous) or (isinstance(variable, Noise) and variable.distribution == "uniform"):
        return variable.low, variable.high
    return _NORMAL_SWEEP


def _check_free(sweeps: Sequence[_Sweep], held: Sequence[Touched]) -> None:
    """Each number is given its value by one of them; directions alone may share some, since they add up."""
    for at, sweep in enumerate(sweeps):
        taken = False
        for other in sweeps[:at]:
            both_add = isinstance(sweep, _DirectionSweep) and isinstance(other, _DirectionSweep)
            twice = sweep.code == other.code or (not both_add and _meet(sweep.touches, other.touches))
            taken = taken or twice
        if taken or _meet(sweep.touches, held):
            moved = ", ".join(variable for variable, _ in sweep.touches) if isinstance(sweep, _DirectionSweep) else ""
            what = f"{sweep.code}, which moves {moved}," if moved else sweep.code
            raise OptionError(f"{what} cannot be swept and held, or swept twice", hint="leave one out")


def _meet(some: Sequence[Touched], others: Sequence[Touched]) -> bool:
    return any(a == b and (None in {i, j} or i == j) for a, i in some for b, j in others)
