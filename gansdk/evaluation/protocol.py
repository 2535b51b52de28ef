"""What an evaluation consists of: a protocol makes examples of a data set, and metrics read them one by one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field

from gansdk.models.context import silent
from gansdk.options import LoadOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch

    from gansdk.backbones.lite0 import EfficientNetLite0
    from gansdk.data.folders import Dataset
    from gansdk.evaluation.record import Estimate
    from gansdk.model.facts import Facts


MODEL = "model"
BASELINE = "baseline"

SAMPLES = "fresh samples"
"""What the samples that a model draws are called in records."""

SEED = 20_160_613
"""Of these samples. Users do not type it, so the samples that they looked at are not those that are measured."""


class Unsuitable(Exception):  # noqa: N818 - not an error: the metric is left out, with the reason
    """Raised where a metric cannot be measured on a data set. The message completes 'left out: …'."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What protocols and metrics need to know; ``note`` takes a line that the user should read."""

    facts: Facts
    device: torch.device
    note: Callable[[str], None] = field(default=silent, compare=False)
    seed: int = 0

    @cached_property
    def lite0(self) -> EfficientNetLite0:
        """EfficientNet-Lite0 as an evaluator network, loaded once."""
        from gansdk.backbones.lite0 import load_lite0

        network: EfficientNetLite0 = load_lite0().to(self.device)
        return network


class EvaluationProtocol(Protocol):
    """Makes the examples that metrics read. Built as ``Protocol(models, settings)``.

    The models are given by name: ``model``, and ``baseline`` if there is one.
    """

    def conditions(self, data: Dataset, /) -> Mapping[str, Any]:
        """How the examples are made, for the record."""
        ...

    def examples(self, data: Dataset, /) -> Iterator[Any]:
        """One example for each item of the data set; raises :class:`Unsuitable` if that does not suit the protocol."""
        ...


class Metric(Protocol):
    """Computes one number for each model from the examples of a data set. Built as ``Metric(settings)``.

    It reads one example at a time, so that memory does not grow with the data set.
    """

    def update(self, example: Any, /) -> None:
        """Reads an example; raises :class:`Unsuitable` if the metric makes no sense on it."""
        ...

    def compute(self) -> Mapping[str, Estimate]:
        """The estimates for ``model``, for ``baseline`` if there is one, and for references such as ``bicubic``.

        Raises :class:`Unsuitable` if there were too few examples.
        """
        ...

    @property
    def count(self) -> int:
        """How many items the estimates rest on."""
        ...

    @property
    def conditions(self) -> Mapping[str, Any]:
        """How the metric is computed, for the record."""
        ...


@dataclass(frozen=True)
class SampleSet:
    """Stands for a data set where a model is measured on samples that it draws."""

    count: int
    name: str = SAMPLES
    licence: str = "CC0-1.0"

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(f"{self.name} {self.count} {SEED}".encode()).hexdigest()

    def __len__(self) -> int:
        return self.count


class EvaluationOptions(LoadOptions):
    """How a model is loaded to be measured: as for any task, but in fp32 by default."""

    precision: Annotated[Literal["auto", "fp32", "bf16", "fp16"], Field(description="numbers to compute with")] = "fp32"
    network_interpolation: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Field(description="measure a mixture of the two checkpoints of a model that carries two; kept with -o only"),
    ] = None
