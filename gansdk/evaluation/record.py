"""``evaluation.json``: what was measured, how, and the baseline's figures beside it."""

from __future__ import annotations

from statistics import mean, stdev
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gansdk.errors import ModelError
from gansdk.model.config import EVALUATION, read_record
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from gansdk.model.facts import Facts


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
        """What is shown of it."""
        return [("metric", self.metric), ("data", self.data), *super().__repr_args__()]


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


class Evaluation(Frozen):
    """All measurements of one model."""

    measurements: tuple[Measurement, ...] = ()
    baseline: Annotated[str, Field(description="what the baseline is, or why there is none")] = ""
    ablation: Annotated[tuple[Variant, ...], Field(description="what other ways of training gave")] = ()
    replicates: Annotated[tuple[Replicate, ...], Field(description="what other seeds of this training gave")] = ()

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """What is shown of it: the first figures, and how many there are."""
        shown = [(f"{one.metric} on {one.data}", float(f"{one.value:.4g}")) for one in self.measurements[:3]]
        return [*shown, ("figures", len(self.measurements))]

    def to_json(self) -> str:
        """The text of ``evaluation.json``, with a closing newline."""
        return self.model_dump_json(indent=2) + "\n"

    def merged(self, newer: Evaluation) -> Evaluation:
        """These measurements and newer ones; of the same metric on data of the same name, the newer one stands.

        A figure that was measured again, and is what it was, keeps the baseline's that stood beside it.
        """
        measurements = _merged(self.measurements, newer.measurements)
        is_older_baseline = _has_baseline(measurements) and not _has_baseline(newer.measurements)
        return Evaluation(
            measurements=measurements,
            baseline=self.baseline if is_older_baseline else newer.baseline or self.baseline,
            ablation=_merged_rows(self.ablation, newer.ablation),
            replicates=_merged_seeds(self.replicates, newer.replicates),
        )

    def over_seeds(self, measured: Measurement) -> tuple[float, ...]:
        """A figure of this model and of the same training from other seeds, where they were measured on the same."""
        same = _same(measured)
        others = (one for replicate in self.replicates for one in replicate.measurements)
        return (measured.value, *(one.value for one in others if _same(one) == same))


def _merged(old: Iterable[Measurement], new: Iterable[Measurement]) -> tuple[Measurement, ...]:
    found = {(one.data, one.metric): one for one in old}
    for one in new:
        before = found.get((one.data, one.metric))
        if before is None or not _says_more(before, one):
            found[one.data, one.metric] = one
    return tuple(found.values())


def _says_more(before: Measurement, newer: Measurement) -> bool:
    """Whether it is the same figure, and has the baseline's, which the newer one is without."""
    has_more = before.baseline is not None and newer.baseline is None
    return has_more and before.value == newer.value and _same(before) == _same(newer)


def _has_baseline(measurements: Iterable[Measurement]) -> bool:
    return any(one.baseline is not None for one in measurements)


def _same(one: Measurement) -> tuple[str, int, str, str]:
    return one.metric, one.version, one.data, one.digest


def _merged_seeds(old: Iterable[Replicate], new: Iterable[Replicate]) -> tuple[Replicate, ...]:
    found = {one.seed: one for one in old}
    for one in new:
        before = found[one.seed].measurements if one.seed in found else ()
        found[one.seed] = Replicate(seed=one.seed, measurements=_merged(before, one.measurements))
    return tuple(found[seed] for seed in sorted(found))


def _merged_rows(old: Iterable[Variant], new: Iterable[Variant]) -> tuple[Variant, ...]:
    rows = {row.name: row for row in old}
    for row in new:
        before = rows[row.name].measurements if row.name in rows else ()
        rows[row.name] = row.model_copy(update={"measurements": _merged(before, row.measurements)})
    return tuple(rows.values())


def read_evaluation(folder: Path) -> Evaluation | None:
    """A model folder's measurements, or None where it was never measured.

    Raises:
        ModelError: If the file is there but is not what it should be.
    """
    path: Path = folder / EVALUATION
    return read_evaluation_file(path) if path.exists() else None


def read_evaluation_file(path: Path) -> Evaluation:
    """The measurements that a file holds.

    Raises:
        ModelError: If it is not what it should be.
    """
    return read_record(path, Evaluation, ModelError, "measure the model again")


def unevaluated(facts: Facts, evaluation: Evaluation | None) -> str:
    """What a reader of a model's figures has to know of its images: that none of them says how good they are.

    A restored image is held against the true one. Of samples only what a network apart sees in them tells; that a
    model's own encoder reads its codes back may be so of pure noise.

    Returns:
        A few words; empty where images were judged, or the model makes none.
    """
    if facts.generator is None:
        return ""
    if evaluation is None or not evaluation.measurements:
        return "not measured"
    is_sampled = isinstance(facts.generator, LatentGeneratorFacts)
    is_evaluated = any(one.protocol.get("evaluator") for one in evaluation.measurements)
    return "its images were not judged" if is_sampled and not is_evaluated else ""


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
    if len(values) < 2:
        return ""
    return f"{number(mean(values), unit)} ± {number(stdev(values), unit)}"


def difference(measured: Measurement) -> str:
    """How much higher than its baseline's a figure is, with its interval; empty where there is no baseline."""
    if measured.difference is None:
        return ""
    text = signed(measured.difference.value, measured.unit)
    ends = interval(measured.difference.interval, measured.unit, signed)
    return f"{text} ({ends})" if ends else text
