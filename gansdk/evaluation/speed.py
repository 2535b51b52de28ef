"""How fast a model is: what :func:`gansdk.pipeline` does by itself, against the network as its authors call it."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gansdk.errors import NotApplicableError
from gansdk.inference.catalog import misfit
from gansdk.model.facts import ImageGeneratorFacts
from gansdk.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gansdk.evaluation.contests import Speed
    from gansdk.inference.catalog import Catalog
    from gansdk.inference.located import Located
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Task


class SpeedOptions(Options):
    """What is measured, and for how long."""

    side: Annotated[
        tuple[Annotated[int, Field(ge=32, le=8192)], ...],
        Field(
            description="input pixels a side of a square picture",
            json_schema_extra={"metavar": "32..8192"},
        ),
    ] = (256, 1024)
    rounds: Annotated[int, Field(ge=1, le=1000, description="how often each way runs, all in turn")] = 5
    patience: Annotated[
        float, Field(gt=0, le=1e6, description="seconds a size after which no further round begins; one is always done")
    ] = 60.0


def measure_speed(
    catalog: Catalog,
    located: Located,
    load: LoadOptions,
    options: SpeedOptions,
    *,
    progress: Callable[[str, int, int], None],
) -> Iterator[Speed]:
    """Measures how fast a model makes pictures from pictures.

    What is asked for (by itself: the automatic settings) is measured, and fp32 beside it where that is reduced. The
    prepared network alone is measured with the smallest picture, which nothing divides: what the call takes beyond it
    is the SDK's own cost.

    Args:
        catalog: Knows the task that the model fits.
        located: The model.
        load: As for a pipeline.
        options: Sizes, rounds and patience.
        progress: Is told of each size how many of how many calls are done; may raise to end it.

    Yields:
        A figure per size and way, size by size; the first of each size is ``eager``.

    Raises:
        NotApplicableError: If the model makes no picture from a picture.
        GansdkError: If it does not load or compute.
    """
    from gansdk.evaluation.contests import Contest, alone, eager, ours
    from gansdk.inference.pipelines import Pipeline

    generator, task = located.config.facts.generator, _task(catalog, located)
    if not isinstance(generator, ImageGeneratorFacts):
        raise TypeError(f"{task.name} takes a model whose generator does not start from a picture")
    pipeline = Pipeline(task, located, catalog.method(located), load)
    ways = [eager(pipeline), ours(pipeline)]
    if pipeline.placement.precision != "fp32":
        full = load.model_copy(update={"precision": "fp32"})
        ways.insert(1, ours(Pipeline(task, located, pipeline.method, full)))
    multiple, device = generator.source.size.multiple, pipeline.placement.device
    for at, side in enumerate(sorted(set(options.side))):
        whole = -(-side // multiple) * multiple
        contestants = [*ways, alone(pipeline)] if at == 0 else ways
        contest = Contest(contestants, device, whole, generator.source.channels)
        yield from contest.run(options.rounds, options.patience, partial(progress, f"{whole}×{whole}"))


def _task(catalog: Catalog, located: Located) -> Task:
    """The first task that makes a picture from a picture and that the model fits."""
    for task in catalog.registry.tasks.values():
        takes = [slot.kind for slot in task.slots]
        if "picture" in task.outputs and takes == ["picture"] and misfit(task, located.config.facts) is None:
            return task
    what = f"{located.ref} makes no picture from a picture"
    raise NotApplicableError(what, hint=f"see `gansdk models show {shlex.quote(located.ref)}` for what it does")
