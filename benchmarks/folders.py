"""What reading ahead and writing behind gains in a folder run, as a ratio from one run.

    python benchmarks/folders.py [--images 40] [--side 1000] [--threads N] [--json]

The same JPEG files go one by one through a pipeline (read, compute, write), and through ``gansdk map``'s own job, in
turns of four; the median of the turns counts. On a machine with one core both take the same time but for waiting for
the disk; with a core to spare, or a GPU, decoding and encoding cost nothing beside the computation.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PILImage
from PIL import ImageFilter

import gansdk
from gansdk.jobs.executors import Local
from gansdk.jobs.folders import FolderJob
from gansdk.jobs.plan import JobSpec
from gansdk.jobs.run import run_folder
from gansdk.models.context import Context
from gansdk.options import ImageReading, ImageWriting, LoadOptions
from gansdk.tasks.superres import SUPERRES, SuperresOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

TURN = 4


class Silent:
    """Tells nobody."""

    def found(self, found: object) -> None: ...
    def begin(self, count: int) -> None: ...
    def context(self, item: object) -> Context:
        return Context()

    def done(self, outcome: object) -> None: ...
    def skipped(self, item: object, *, is_whole: bool) -> None: ...
    def failed(self, item: object, error: gansdk.GansdkError) -> None:
        raise error


def photographs(folder: Path, count: int, side: int) -> list[Path]:
    """JPEG files with the spectrum of photographs, roughly: noise, blurred."""
    paths = []
    for index in range(count):
        noise = np.random.default_rng(index).integers(0, 256, (side, side, 3), np.uint8)
        path = folder / f"{index // TURN}" / f"{index}.jpg"
        path.parent.mkdir(exist_ok=True)
        PILImage.fromarray(noise).filter(ImageFilter.GaussianBlur(2)).save(path, quality=92)
        paths.append(path)
    return paths


def serial(pipeline: gansdk.Pipeline, paths: Sequence[Path], target: Path) -> float:
    start = time.perf_counter()
    target.mkdir()
    for path in paths:
        pipeline(path).save(target / f"{path.stem}.png")
    return time.perf_counter() - start


def overlapped(pipeline: gansdk.Pipeline, paths: Sequence[Path], target: Path) -> float:
    start = time.perf_counter()
    options = (LoadOptions(), SuperresOptions(), ImageReading(), ImageWriting())
    job = FolderJob(JobSpec(SUPERRES, pipeline.resolved, *options, "image"), paths[0].parent, target)
    summary = run_folder(job, Local(lambda: pipeline), Silent())
    if summary.done != len(paths):
        raise SystemExit(f"{summary.done} of {len(paths)} were done")
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model", default="builtin:srresnet-x4")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    pipeline = gansdk.pipeline("superres", arguments.model, threads=arguments.threads or "auto")
    pipeline(np.zeros((32, 32, 3), np.uint8))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = photographs(folder, arguments.images, arguments.side)
        ratios = []
        for at in range(0, len(paths), TURN):
            turn = paths[at : at + TURN]
            first = serial(pipeline, turn, folder / f"serial-{at}")
            ratios.append(first / overlapped(pipeline, turn, folder / f"overlapped-{at}"))
    figure = (
        f"one after the other / read ahead and written behind, {len(paths)} JPEGs of {arguments.side} pixels a side"
    )
    row = {"figure": figure, "value": round(statistics.median(ratios), 3), "reach": "≥ 1.0 on one core"}
    print(json.dumps(row) if arguments.json else "{figure}  {value}  (reach {reach})".format(**row))


if __name__ == "__main__":
    main()
