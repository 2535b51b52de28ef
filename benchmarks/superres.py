"""What superres costs beside its network, which `gansdk bench` measures: start-up and memory.

    python benchmarks/superres.py [--json]

Absolute times depend on the machine; each figure here compares two ways in turn within one process (or, for memory
and start-up, one process per figure), and quotes the median of several rounds.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LISTINGS = (["--help"], ["models"], ["tasks"], ["plugins"], ["run", "superres", "--help"])
COMMAND = str(Path(sys.executable).with_name("gansdk"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peak-memory", type=int, metavar="SIDE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak_memory:
        print(peak_memory(arguments.peak_memory))
        return
    rows = [*start_up(), *kept_memory(), *memory()]
    for row in rows:
        print(json.dumps(row) if arguments.json else "{figure:<74} {value:>8}  (reach {reach})".format(**row))


def row(figure: str, value: float, reach: str) -> dict[str, object]:
    return {"figure": figure, "value": round(value, 3), "reach": reach}


def start_up() -> list[dict[str, object]]:
    """Seconds of a whole process."""

    def seconds(arguments: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run([COMMAND, *arguments], check=True, capture_output=True)
        return time.perf_counter() - start

    rows = []
    for arguments in LISTINGS:
        seconds(arguments)  # compiles what is imported for the first time
        median = statistics.median(seconds(arguments) for _ in range(5))
        rows.append(row(f"gansdk {' '.join(arguments)}, seconds", median, "≤ 0.30"))
    return rows


def in_turn(first: Callable[[], object], second: Callable[[], object], rounds: int = 7) -> float:
    """The median of first's seconds over second's, the two run alternately."""

    def seconds(call: Callable[[], object]) -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    first(), second()
    return statistics.median(seconds(first) / seconds(second) for _ in range(rounds))


def bare_network(precision: str) -> Callable[..., object]:
    """The network alone, as the runtime prepares it."""
    import torch

    import gansdk
    from gansdk.models.loading import load_model
    from gansdk.models.runtime import Placement, prepare

    pipeline = gansdk.pipeline("superres", device="cpu")
    network = load_model(pipeline.resolved).networks["generator"]
    return prepare(network, Placement(torch.device("cpu"), precision))


def kept_memory() -> list[dict[str, object]]:
    """Windows of 0.4 megapixels with freed memory given back to the system, against the same with it kept."""
    import torch

    from gansdk.models.memory import freed_memory_kept

    tensor = torch.rand(1, 3, 640, 640)
    rows = []
    for precision in ("fp32", "bf16"):
        network = bare_network(precision)

        def returned(network: Callable[..., object] = network) -> None:
            with torch.inference_mode():
                network(tensor)
                network(tensor)

        def kept(returned: Callable[[], None] = returned) -> None:
            with freed_memory_kept():
                returned()

        figure = f"freed memory returned / kept, two windows of 640×640, {precision}"
        rows.append(row(figure, in_turn(returned, kept, 3), "> 1"))
    return rows


def memory() -> list[dict[str, object]]:
    """Peak memory beyond the two image buffers, against that of the smallest image."""
    beyond = []
    for side in (256, 1024, 2048):
        command = [sys.executable, __file__, "--peak-memory", str(side)]
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        beyond.append(peak - side * side * 3 * 16)
    return [
        row(
            f"peak memory beyond the images, {megapixels} / 1 megapixel out, --tile 256",
            value / beyond[0],
            "0.9 to 1.1",
        )
        for megapixels, value in zip((16, 64), beyond[1:], strict=True)
    ]


def peak_memory(side: int) -> int:
    """Bytes that a call takes at most, beyond what the loaded pipeline and the image hold before it."""
    import numpy as np
    import psutil

    import gansdk

    pipeline = gansdk.pipeline("superres", device="cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    pipeline(pixels[:64, :64])  # what is set up once is no cost of the image
    before = psutil.Process().memory_info().rss
    pipeline(pixels, tile=256)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


if __name__ == "__main__":
    main()
