"""Measures a model in training, as ``gansdk eval`` would measure it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.evaluation.assessing import Subject, assess, fitting, unseen
from gansdk.evaluation.subjects import about_twin, digests
from gansdk.inference.context import silent
from gansdk.inference.runtime import Placement, assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import torch

    from gansdk.data.pictures import Dataset
    from gansdk.evaluation.record import Evaluation
    from gansdk.model.export import Export
    from gansdk.plugins.declarations import Method, Metric
    from gansdk.training.runs import RunRecord


class Measuring:
    """A run's test sets and the metrics that are installed.

    Args:
        method: What is trained.
        record: What the run was asked to do.
        tests: Test sets by name; empty for no measurement.
        metrics: All that are installed; those that fit the model are used.
        device: Where to compute.
    """

    def __init__(
        self,
        method: Method,
        record: RunRecord,
        tests: Mapping[str, Dataset],
        metrics: Iterable[Metric],
        device: torch.device,
    ) -> None:
        self._method, self._record = method, record
        self._tests, self._metrics, self._device = tests, tuple(metrics), device

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the test sets."""
        return tuple(self._tests)

    def at_end(
        self, export: Export, note: Callable[[str], None], progress: Callable[[str, int, int], None] = unseen
    ) -> Evaluation:
        """Measures a trained model, with its twin beside it."""
        metrics = fitting(self._metrics, export.facts, note)
        return assess(self._subject(export), self._tests, metrics, note=note, progress=progress)

    def on_the_way(self, export: Export) -> Evaluation:
        """Measures a model in training, alone and without a word: what there is to say is said at the end."""
        metrics = fitting(self._metrics, export.facts, silent)
        return assess(self._subject(export).alone(), self._tests, metrics)

    def _subject(self, export: Export) -> Subject:
        placement = Placement(self._device, "fp32")
        start = export.start
        return Subject(
            model=assemble(export.networks, self._method, export.facts, placement),
            device=placement.device,
            twin=assemble(start, self._method, export.facts, placement) if start is not None else None,
            about_twin=about_twin(self._method, self._record.config, has_start=start is not None),
            trained_on=digests(source.data for source in self._record.data.values()),
            protocol={"precision": placement.precision, "device": placement.device.type},
        )
