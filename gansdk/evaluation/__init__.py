"""Numbers about quality: metrics, written once against facts, and ``evaluation.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gansdk.evaluation.metrics import METRICS
from gansdk.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gansdk.plugins.declarations import MetricSpec


@hookimpl
def gansdk_metrics() -> Iterable[MetricSpec]:
    """The metrics that every installation has."""
    return METRICS
