"""The variables of a latent or of an encoding, as data.

As tensors, each has samples as its first axis: noise, continuous, codes and features are float [N, n]; a categorical
is int64 [N], which of its values, or float [N, k], weights that add up to 1. So what an encoder gives can go into a
generator, and a search can move a categorical continuously.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Sequence


class Frozen(BaseModel):
    """A record that cannot be changed and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


MOST_NUMBERS = 2**20
"""Of all variables together, far more than any trained model has: ``config.json`` may come from a stranger."""


VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Count = Annotated[int, Field(ge=1, le=MOST_NUMBERS)]


class _Range(Frozen):
    low: Annotated[float, Field(allow_inf_nan=False)] = -1.0
    high: Annotated[float, Field(allow_inf_nan=False)] = 1.0

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self


class Noise(_Range):
    """Numbers without a meaning of their own. ``low`` and ``high`` bound the uniform distribution."""

    kind: Literal["noise"] = "noise"
    name: VariableName = "noise"
    n: Annotated[Count, Field(description="how many numbers")]
    distribution: Annotated[Literal["normal", "uniform"], Field(description="normal is of mean 0 and variance 1")] = (
        "normal"
    )


class Continuous(_Range):
    """A code of numbers, each drawn uniformly from [low, high] in training.

    ``sweep`` is the range that cards show and metrics follow: a little beyond the training range often shows best what
    a code means. A traversal stays within the training range by default.
    """

    kind: Literal["continuous"] = "continuous"
    name: VariableName
    n: Annotated[Count, Field(description="how many numbers")] = 1
    sweep: Annotated[
        tuple[float, float] | None, Field(description="the range of a sweep; low to high if not given")
    ] = None

    @property
    def swept(self) -> tuple[float, float]:
        """The range of a sweep."""
        return self.sweep if self.sweep is not None else (self.low, self.high)


class Categorical(Frozen):
    """A code with ``k`` values, each equally likely in training."""

    kind: Literal["categorical"] = "categorical"
    name: VariableName
    k: Annotated[int, Field(ge=2, le=10_000, description="how many values")]
    labels: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=80)], ...],
        Field(description="a word for each value, or none"),
    ] = ()

    @model_validator(mode="after")
    def _one_label_for_each_value(self) -> Self:
        if self.labels and len(self.labels) != self.k:
            raise ValueError(f"{self.name} has {self.k} values and {len(self.labels)} labels")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"two labels of {self.name} are the same")
        return self

    def label(self, index: int) -> str:
        """The word for a value, or its number."""
        return self.labels[index] if self.labels else str(index)


class Code(Frozen):
    """Numbers without a distribution to draw them from; only an encoder gives them."""

    kind: Literal["code"] = "code"
    name: VariableName
    n: Annotated[Count, Field(description="how many numbers")]


class Features(Frozen):
    """Numbers that an encoder gives and no generator takes, for searching and comparing."""

    kind: Literal["features"] = "features"
    name: VariableName = "features"
    n: Annotated[Count, Field(description="how many numbers")]


LatentVariable = Annotated[Noise | Continuous | Categorical | Code, Field(discriminator="kind")]
EncodedVariable = Annotated[Noise | Continuous | Categorical | Code | Features, Field(discriminator="kind")]
Variable = Noise | Continuous | Categorical | Code | Features


def width(variable: Variable) -> int:
    """How many numbers it has, a categorical one as weights."""
    return variable.k if isinstance(variable, Categorical) else variable.n


RESERVED = frozenset({"generator", "input", "pixels"})
"""Names of other arrays in a file of latents, which a variable cannot have."""


def check_variables(variables: Sequence[Variable]) -> None:
    """Raises a ``ValueError`` for two variables of one name, a reserved name, or too many numbers in all."""
    names = [variable.name for variable in variables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two variables are called {', '.join(twice)}")
    taken = sorted(RESERVED.intersection(names))
    if taken:
        raise ValueError(f"no variable can be called {', '.join(taken)}")
    count = sum(width(variable) for variable in variables)
    if count > MOST_NUMBERS:
        raise ValueError(f"the variables have {count} numbers, more than {MOST_NUMBERS}")
