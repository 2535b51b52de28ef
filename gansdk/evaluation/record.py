"""``evaluation.json``: what was measured, how, and the twin's figures beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gansdk.errors import ModelError
from gansdk.model.config import EVALUATION, read_record
from gansdk.model.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Interval = tuple[float, float]


class Figure(Frozen):
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


class Measurement(Figure):
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
    twin: Annotated[Figure | None, Field(description="the twin's figure, from the same run")] = None
    difference: Annotated[Figure | None, Field(description="ours minus the twin's, item by item")] = None
    baselines: Annotated[
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
    twin: Annotated[str, Field(description="what the twin is, or why there is none")] = ""
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

        A figure that was measured again, and is what it was, keeps the twin's that stood beside it.
        """
        measurements = _merged(self.measurements, newer.measurements)
        is_older_twin = _has_twin(measurements) and not _has_twin(newer.measurements)
        return Evaluation(
            measurements=measurements,
            twin=self.twin if is_older_twin else newer.twin or self.twin,
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
    """Whether it is the same figure, and has the twin's, which the newer one is without."""
    has_more = before.twin is not None and newer.twin is None
    return has_more and before.value == newer.value and _same(before) == _same(newer)


def _has_twin(measurements: Iterable[Measurement]) -> bool:
    return any(one.twin is not None for one in measurements)


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
