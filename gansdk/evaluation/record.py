"""``evaluation.json``: what was measured and how, with intervals and the baseline's figures."""

from __future__ import annotations

from operator import attrgetter
from statistics import mean, stdev
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import Field

from gansdk.errors import ModelError
from gansdk.model.config import EVALUATION, read_record
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gansdk.model.facts import Facts


LEVEL = 0.95
"""Confidence of all intervals."""

MINIMUM_ITEMS = 5
"""For an interval; of fewer items, the values themselves say more."""

_RESAMPLES = 9_999
_NORMAL = 1.96  # standard deviations to either side, for that level

Interval = tuple[float, float]


class Estimate(Frozen):
    """A number that was measured."""

    value: Annotated[float, Field(description="the mean over the items, or one figure of the whole set")]
    interval: Annotated[
        Interval | None,
        Field(description="95 %, by bootstrap over the items; null for few items or a figure of the whole set"),
    ] = None
    values: Annotated[
        dict[str, float], Field(description="per item, by name; empty for a figure of the whole set")
    ] = {}

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """What is shown of it, without the values of all items."""
        return [("value", self.value), ("interval", self.interval)]


class Measurement(Estimate):
    """One metric on one data set."""

    metric: Annotated[str, Field(description="as in 'psnr-y'")]
    version: Annotated[int, Field(ge=1, description="raised whenever the same input would give another figure")] = 1
    data: Annotated[str, Field(description="the data set and its split")]
    protocol: Annotated[dict[str, Any], Field(description="channel, border, resize kernel, dtype …")]
    unit: str = ""
    better: Literal["higher", "lower"] = "higher"
    count: Annotated[
        int, Field(ge=0, description="how many items the figure rests on; 0 where it was not recorded")
    ] = 0
    digest: Annotated[str, Field(description="of the data set: sha256 over the items' names and bytes")] = ""
    seen: Annotated[bool, Field(description="whether the model was trained on this very data set")] = False
    baseline: Annotated[Estimate | None, Field(description="the baseline's figure, from the same run")] = None
    difference: Annotated[Estimate | None, Field(description="ours minus the baseline's, item by item")] = None
    references: Annotated[
        dict[str, float],
        Field(description="the same figure of simpler ways, as 'bicubic', or of the truth, as 'floor'"),
    ] = {}

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [("metric", self.metric), ("data", self.data), *super().__repr_args__()]

    @property
    def key(self) -> tuple[str, int, str, str]:
        """The metric and the data, with version and digest: where these are equal, figures can be compared."""
        return self.metric, self.version, self.data, self.digest


class Variant(Frozen):
    """A row of an ablation: another training, measured alike."""

    name: str
    steps: Annotated[int, Field(ge=0)] = 0
    options: Annotated[dict[str, Any], Field(description="of its training, those that differ between the rows")] = {}
    measurements: tuple[Measurement, ...] = ()


class Replicate(Frozen):
    """The same training from another seed, measured alike."""

    seed: int
    measurements: tuple[Measurement, ...] = ()


_Training = TypeVar("_Training", Variant, Replicate)


class Evaluation(Frozen):
    """All measurements of one model."""

    measurements: tuple[Measurement, ...] = ()
    baseline: Annotated[str, Field(description="what the baseline is, or why there is none")] = ""
    ablation: Annotated[tuple[Variant, ...], Field(description="what other ways of training gave")] = ()
    replicates: Annotated[tuple[Replicate, ...], Field(description="what other seeds of this training gave")] = ()

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """What is shown of it: the first figures, and how many there are."""
        first = [(f"{found.metric} on {found.data}", float(f"{found.value:.4g}")) for found in self.measurements[:3]]
        return [*first, ("figures", len(self.measurements))]

    def to_json(self) -> str:
        return self.model_dump_json(indent=2) + "\n"

    def merged(self, newer: Evaluation) -> Evaluation:
        """These measurements and newer ones; the newer one replaces that of the same metric on data of the same name.

        A figure that was measured again and did not change keeps its baseline's figure.
        """
        measurements = _merged(self.measurements, newer.measurements)
        keeps_baseline = _has_baseline(measurements) and not _has_baseline(newer.measurements)
        replicates = _merged_trainings(self.replicates, newer.replicates, attrgetter("seed"))
        return Evaluation(
            measurements=measurements,
            baseline=self.baseline if keeps_baseline else newer.baseline or self.baseline,
            ablation=tuple(_merged_trainings(self.ablation, newer.ablation, attrgetter("name"))),
            replicates=tuple(sorted(replicates, key=attrgetter("seed"))),
        )

    def over_seeds(self, measured: Measurement) -> tuple[float, ...]:
        """A figure of this model and of the same training from other seeds, where they were measured on the same."""
        others = (other for replicate in self.replicates for other in replicate.measurements)
        return (measured.value, *(other.value for other in others if other.key == measured.key))


def _merged(old: Iterable[Measurement], new: Iterable[Measurement]) -> tuple[Measurement, ...]:
    found = {(measurement.data, measurement.metric): measurement for measurement in old}
    for newer in new:
        before = found.get((newer.data, newer.metric))
        is_same = before is not None and before.value == newer.value and before.key == newer.key
        if before is None or not is_same or before.baseline is None or newer.baseline is not None:
            found[newer.data, newer.metric] = newer
    return tuple(found.values())


def _merged_trainings(old: Iterable[_Training], new: Iterable[_Training], key: Callable[..., Any]) -> list[_Training]:
    """Other trainings, each once by its key; what a newer one did not measure again is kept."""
    found = {key(training): training for training in old}
    for newer in new:
        before = found[key(newer)].measurements if key(newer) in found else ()
        found[key(newer)] = newer.model_copy(update={"measurements": _merged(before, newer.measurements)})
    return list(found.values())


def _has_baseline(measurements: Iterable[Measurement]) -> bool:
    return any(measurement.baseline is not None for measurement in measurements)


def read_evaluation(folder: Path) -> Evaluation | None:
    """A model folder's measurements, or None if the model was never measured."""
    path = folder / EVALUATION
    return read_evaluation_file(path) if path.exists() else None


def read_evaluation_file(path: Path) -> Evaluation:
    """The measurements that a file holds."""
    return read_record(path, Evaluation, ModelError, "measure the model again")


def unevaluated(facts: Facts, evaluation: Evaluation | None) -> str:
    """What a reader of a model's figures has to know: that none of them says how good its images are.

    A restored image is compared with the true one. Of samples only an evaluator network can tell: a model's own
    encoder may read its codes back even from pure noise. Empty if the images were evaluated, or the model makes none.
    """
    if facts.generator is None:
        return ""
    if evaluation is None or not evaluation.measurements:
        return "not measured"
    is_sampled = isinstance(facts.generator, LatentGeneratorFacts)
    is_evaluated = any(measurement.protocol.get("evaluator") for measurement in evaluation.measurements)
    return "its images were not judged" if is_sampled and not is_evaluated else ""


def mean_estimate(values: Mapping[str, float]) -> Estimate:
    """The mean of one value per item, with its interval."""
    import numpy as np

    return Estimate(value=float(np.mean(list(values.values()))), interval=mean_interval(values), values=dict(values))


def mean_interval(values: Mapping[str, float]) -> Interval | None:
    """The interval in which the mean over all such items lies with 95 % confidence.

    By bias-corrected and accelerated bootstrap over the items (Efron 1987), from a fixed seed. None for fewer than
    ``MINIMUM_ITEMS`` items.
    """
    import numpy as np
    from scipy.stats import bootstrap

    numbers = np.array(list(values.values()), dtype=np.float64)
    if len(numbers) < MINIMUM_ITEMS:
        return None
    if np.ptp(numbers) == 0:
        return float(numbers[0]), float(numbers[0])
    found = bootstrap((numbers,), np.mean, confidence_level=LEVEL, n_resamples=_RESAMPLES, rng=np.random.default_rng(0))
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def normal_mean_estimate(values: NDArray[np.floating]) -> Estimate:
    """The mean over so many items, hundreds at least, that it is normally distributed; they are not kept."""
    center = float(values.mean(dtype="float64"))
    reach = _NORMAL * float(values.std(ddof=1, dtype="float64")) / len(values) ** 0.5
    return Estimate(value=center, interval=(center - reach, center + reach))


def proportion_estimate(successes: int, count: int) -> Estimate:
    """A proportion of a whole set, at least one item, with Wilson's interval (1927)."""
    from scipy.stats import binomtest

    ends = binomtest(successes, count).proportion_ci(LEVEL, method="wilson")
    return Estimate(value=successes / count, interval=(float(ends.low), float(ends.high)))


def paired_difference(ours: Estimate, other: Estimate) -> Estimate:
    """How much higher one figure is than another: item by item if both have values, surer than two means."""
    if not ours.values or ours.values.keys() != other.values.keys():
        return Estimate(value=ours.value - other.value)
    pairs = {name: value - other.values[name] for name, value in ours.values.items()}
    return mean_estimate(pairs).model_copy(update={"values": {}})


def number(value: float, unit: str = "") -> str:
    """A figure with as many digits as it is worth: ``27.20``, ``0.591``, ``659``."""
    if unit == "dB":
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}"


def signed(value: float, unit: str = "") -> str:
    """A difference, with its sign."""
    text = number(abs(value), unit)
    return f"−{text}" if value < 0 and text.strip("0.") else f"+{text}"


def interval(ends: Interval | None, unit: str = "", show: Callable[[float, str], str] = number) -> str:
    """Both ends, as ``26.51 … 27.96``; empty for none."""
    return "" if ends is None else f"{show(ends[0], unit)} … {show(ends[1], unit)}"


def over_seeds(values: Sequence[float], unit: str = "") -> str:
    """Mean and standard deviation, as ``0.931 ± 0.020``; empty for a single value."""
    return "" if len(values) < 2 else f"{number(mean(values), unit)} ± {number(stdev(values), unit)}"


def difference(measured: Measurement) -> str:
    """How much higher than its baseline's a figure is, with its interval; empty if there is no baseline."""
    if measured.difference is None:
        return ""
    text = signed(measured.difference.value, measured.unit)
    ends = interval(measured.difference.interval, measured.unit, signed)
    return f"{text} ({ends})" if ends else text
