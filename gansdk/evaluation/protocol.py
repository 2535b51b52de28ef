"""What reads one number off many cases, image by image, so that memory does not grow with the images."""

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


class Unsuitable(Exception):  # noqa: N818 - it is no error: the metric is left out, and the reason said
    """A data set that a metric cannot be read off; the message completes 'left out: …'."""


@dataclass(frozen=True)
class EvaluationSettings:
    """Where and with what a model is measured.

    Attributes:
        facts: What the model declares.
        device: Where networks compute.
        note: Takes a line that the user should read.
        seed: Where random numbers start.
    """

    facts: Facts
    device: torch.device
    note: Callable[[str], None] = field(default=silent, compare=False)
    seed: int = 0

    @cached_property
    def evaluator(self) -> EfficientNetLite0:
        """The perceptual evaluator, loaded once.

        Raises:
            InputError: If its file is not there.
        """
        from gansdk.backbones.lite0 import load_lite0

        evaluator: EfficientNetLite0 = load_lite0().to(self.device)
        return evaluator


class EvaluationProtocol(Protocol):
    """How a model is tried: it makes a case of each item. Built as ``Trial(models, setting)``."""

    def protocol(self, data: Dataset, /) -> Mapping[str, Any]:
        """How the cases are made, for the record."""
        ...

    def examples(self, data: Dataset, /) -> Iterator[Any]:
        """One case per item.

        Raises:
            Unsuitable: If such data cannot be tried.
        """
        ...


class Metric(Protocol):
    """Reads one metric off the cases of one data set. Built as ``Metric(setting)``."""

    def add(self, example: Any, /) -> None:
        """Looks at a case.

        Raises:
            Unsuitable: If the metric makes no sense on such a case.
        """
        ...

    def result(self) -> Mapping[str, Estimate]:
        """The figures by the way's name: ``model``, ``baseline`` where there is one, and whatever stands beside them.

        Raises:
            Unsuitable: If there were too few cases.
        """
        ...

    @property
    def count(self) -> int:
        """How many items the figure rests on."""
        ...

    @property
    def protocol(self) -> Mapping[str, Any]:
        """What the metric did with a case, for the record."""
        ...


SAMPLES = "fresh samples"
"""What they are called in records."""

SEED = 20_160_613
"""Where their random numbers start: at none that a user types, so that what was tried out is not what is measured."""


@dataclass(frozen=True)
class SampleSet:
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


class MeasuringOptions(LoadOptions):
    """As a model is loaded for any task, but in fp32 where nothing else is asked for."""

    precision: Annotated[Literal["auto", "fp32", "bf16", "fp16"], Field(description="numbers to compute with")] = "fp32"
    network_interpolation: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Field(description="measure a model with two ends somewhere between them; kept with -o only"),
    ] = None
