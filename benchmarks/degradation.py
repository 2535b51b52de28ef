"""What making degraded patches costs, as a share of the training step that they are for.

    python benchmarks/degradation.py PHOTOS [--steps 10] [--turns 5] [--threads 1]

Batches of SRGAN's config `small` and one step of its first stage on them, in turns in one process; medians. PHOTOS is
a folder of photographs, as `python scripts/fetch_photos.py photos/` makes it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING

import torch

import gansdk
from gansdk.training import Train
from gansdk_srgan import METHOD
from gansdk_srgan.options import Stage1Options
from gansdk_srgan.recipe import Stage1

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("bicubic", "first-order", "second-order")


def seconds(work: Callable[[int], object], steps: int) -> float:
    """Of one of several calls, each with its number."""
    start = time.perf_counter()
    for index in range(steps):
        work(index)
    return (time.perf_counter() - start) / steps


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    photos = gansdk.open_images(arguments.photos)
    values = METHOD.configs["small"].values
    recipe = Stage1(Stage1Options(**values))
    train = Train(recipe.players)
    streams = {
        kind: Stage1(Stage1Options(**{**values, "degradation": kind, "clean": 0})).streams({"photos": photos}, 0)
        for kind in KINDS
    }
    batch = {"photos": streams["bicubic"]["photos"].batch(0)}
    recipe.step(batch, train)
    steps, batches = [], {kind: [] for kind in KINDS}
    for _ in range(arguments.turns):
        steps.append(seconds(lambda _: recipe.step(batch, train), arguments.steps))
        for kind in KINDS:
            batches[kind].append(seconds(streams[kind]["photos"].batch, arguments.steps))
    step = statistics.median(steps)
    print(f"step: {step * 1000:.0f} ms")
    for kind in KINDS:
        taken = statistics.median(batches[kind])
        print(f"{kind}: {taken * 1000:.1f} ms a batch, {taken / step:.1%} of a step")


if __name__ == "__main__":
    main()
