"""Ways of computing the same image, run in turn in one process: so one can be said to be faster than another."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from gansdk.errors import NotApplicableError
from gansdk.model.facts import ImageGeneratorFacts
from gansdk.models.catalog import unsupported_reason
from gansdk.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from gansdk.model.facts import Precision
    from gansdk.model.protocols import Model
    from gansdk.models.catalog import Catalog
    from gansdk.models.pipelines import Pipeline
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Task

    Pixels = NDArray[np.uint8]


_HEADROOM = 1.6
"""Memory that a whole image takes, in units of what its tensors hold at one time: kernels need room of their own."""

_PROBE = 64
"""Pixels a side of what each way computes first, so that no figure includes the set-up."""


@dataclass(frozen=True)
class Way:
    """One way of computing an image.

    Attributes:
        call: Takes pixels, uint8 [H, W, C]; its result is ready when it returns.
        is_whole: Whether it computes any image in one piece, however large.
    """

    name: str
    precision: Precision
    call: Callable[[Pixels], object]
    is_whole: bool = False


@dataclass(frozen=True)
class Speed:
    """How one way did with one image.

    Attributes:
        side: Input pixels a side.
        seconds: Of each round.
        speed_up: How many times as fast as the first way it was, round by round; empty if either was left out.
        peak: Bytes that it took at most, beyond those taken before.
        left_out: Why it did not run; empty if it did.
    """

    side: int
    way: str
    precision: Precision
    seconds: tuple[float, ...] = ()
    speed_up: tuple[float, ...] = ()
    peak: int | None = None
    left_out: str = ""

    def as_record(self) -> dict[str, Any]:
        return {
            "side": self.side,
            "way": self.way,
            "precision": self.precision,
            "seconds": median(self.seconds) if self.seconds else None,
            "speed_up": median(self.speed_up) if self.speed_up else None,
            "speed_up_range": [min(self.speed_up), max(self.speed_up)] if self.speed_up else None,
            "rounds": len(self.seconds),
            "peak_bytes": self.peak,
            "left_out": self.left_out or None,
        }


def eager(pipeline: Pipeline) -> Way:
    """``eager``: the network as its plugin builds it, the whole image, NCHW, fp32."""
    return Way("eager", "fp32", partial(_call_generator, pipeline.bare(), pipeline.placement.device), is_whole=True)


def ours(pipeline: Pipeline) -> Way:
    """``ours``: the pipeline's call, from pixels to pixels."""
    return Way("ours", pipeline.placement.precision, pipeline)


def alone(pipeline: Pipeline) -> Way:
    """``network alone``: the network as the runtime prepares it, memory kept as the tiler keeps it."""
    from gansdk.models.memory import freed_memory_kept

    def call(pixels: Pixels) -> None:
        with freed_memory_kept():
            _call_generator(pipeline.model, pipeline.placement.device, pixels)

    return Way("network alone", pipeline.placement.precision, call, is_whole=True)


def _call_generator(model: Model, device: torch.device, pixels: Pixels) -> None:
    """A model's generator on a tensor, as a user's own few lines would call it."""
    import torch

    generator, _ = model.require(ImageGeneratorFacts)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous().float() / 255
    with torch.inference_mode():
        generator.generate({"image": image.to(device)}).cpu()


@dataclass(frozen=True)
class Benchmark:
    """Several ways with one image of so many pixels a side; the first way is what the others are compared with."""

    ways: Sequence[Way]
    device: torch.device
    side: int
    channels: int

    def run(self, rounds: int, patience: float, progress: Callable[[int, int], None]) -> list[Speed]:
        """Runs all ways in turn, round by round.

        Args:
            rounds: How often.
            patience: Seconds after which no further round begins; one is always done.
            progress: Takes how many of how many calls are done, or the same share of the patience if that is used up
                sooner; may raise to end it.
        """
        from gansdk.models.memory import PeakTaken

        pixels = self._pixels(self.side)
        left_out = [self._warm(way) for way in self.ways]
        seconds: list[list[float]] = [[] for _ in self.ways]
        peaks = [0] * len(self.ways)
        running = [index for index, reason in enumerate(left_out) if not reason]
        done, total, start = 0, rounds * len(running), time.perf_counter()
        while done < total and (not done or time.perf_counter() - start <= patience):
            for index in running:
                elapsed = time.perf_counter() - start
                progress(max(done, min(total - 1, int(total * elapsed / patience))), total)
                with PeakTaken(self.device) as memory:
                    begun = time.perf_counter()
                    self.ways[index].call(pixels)
                    seconds[index].append(time.perf_counter() - begun)
                peaks[index] = max(peaks[index], memory.peak)
                done += 1
        progress(total, total)
        return [
            Speed(
                side=self.side,
                way=way.name,
                precision=way.precision,
                seconds=tuple(seconds[index]),
                speed_up=tuple(first / own for first, own in zip(seconds[0], seconds[index], strict=False)),
                peak=peaks[index] if seconds[index] else None,
                left_out=left_out[index],
            )
            for index, way in enumerate(self.ways)
        ]

    def _pixels(self, side: int) -> Pixels:
        import numpy as np

        return np.random.default_rng(0).integers(0, 256, (side, side, self.channels), dtype=np.uint8)

    def _warm(self, way: Way) -> str:
        """Runs a way on a small image; says why it cannot compute the large one here, empty if it can."""
        from gansdk.models.memory import PeakBytes, free_memory

        probe = min(_PROBE, self.side)
        with PeakBytes() as memory:
            way.call(self._pixels(probe))
        needed, free = memory.peak * _HEADROOM * (self.side / probe) ** 2, free_memory(self.device)
        if not way.is_whole or needed < free:
            return ""
        return f"takes about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} are free"


class SpeedOptions(Options):
    """What is measured, and for how long."""

    side: Annotated[
        tuple[Annotated[int, Field(ge=32, le=8192)], ...],
        Field(description="input pixels a side of a square image", json_schema_extra={"metavar": "32..8192"}),
    ] = (256, 1024)
    rounds: Annotated[int, Field(ge=1, le=1000, description="how often each way runs, all in turn")] = 5
    patience: Annotated[
        float, Field(gt=0, le=1e6, description="seconds a size after which no further round begins; one is always done")
    ] = 60.0


def measure_speed(
    catalog: Catalog,
    resolved: ResolvedModel,
    load: LoadOptions,
    options: SpeedOptions,
    *,
    progress: Callable[[str, int, int], None],
) -> Iterator[Speed]:
    """Measures how fast a model makes images from images.

    The settings that are asked for (by default the automatic ones) are measured, and fp32 too if they reduce the
    precision. The prepared network alone is measured with the smallest image, which is not divided into tiles: what
    the call takes beyond it is the SDK's own cost.

    ``progress`` takes the size, and how many of how many calls are done; it may raise to end it.

    Yields:
        One for each size and way, size by size; the first of each size is ``eager``.
    """
    from gansdk.models.pipelines import Pipeline

    task = _task(catalog, resolved)
    generator = resolved.config.facts.require(ImageGeneratorFacts)
    pipeline = Pipeline(task, resolved, load)
    ways = [eager(pipeline), ours(pipeline)]
    if pipeline.placement.precision != "fp32":
        full = load.model_copy(update={"precision": "fp32"})
        ways.insert(1, ours(Pipeline(task, resolved, full)))
    multiple, device = generator.source.size.multiple, pipeline.placement.device
    for at, side in enumerate(sorted(set(options.side))):
        whole = -(-side // multiple) * multiple
        compared = [*ways, alone(pipeline)] if at == 0 else ways
        benchmark = Benchmark(compared, device, whole, generator.source.channels)
        yield from benchmark.run(options.rounds, options.patience, partial(progress, f"{whole}×{whole}"))


def _task(catalog: Catalog, resolved: ResolvedModel) -> Task:
    """The first task that makes an image from an image and that the model fits."""
    for task in catalog.registry.tasks.values():
        takes = [slot.medium for slot in task.slots if not slot.optional]
        is_one = takes == ["image"] and "image" in task.outputs.values()
        if is_one and unsupported_reason(task, resolved.config.facts) is None:
            return task
    what = f"{resolved.ref} makes no image from an image"
    raise NotApplicableError(what, hint=f"see `gansdk models show {shlex.quote(resolved.ref)}` for what it does")
