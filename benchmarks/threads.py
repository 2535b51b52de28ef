"""What OpenMP's threads cost while they wait: calls on an idle machine, and on one that others keep busy.

    python benchmarks/threads.py [--rounds 3] [--busy 2] [--side 512] [--settings default passive …] [--json]

Each setting runs in a process of its own, because the runtime reads its variables when torch is loaded; settings take
turns within a round, and a round is done once alone and once beside busy processes. Three kinds of work: ten calls of
``superres`` on 64×64 pixels, one on a large photo, and steps of a training on 28×28 images. Each figure is a ratio to
the default of the same round; the median of the rounds counts, the least and the most are told too. A last line says
whether all settings gave the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
SETTINGS: dict[str, dict[str, str]] = {
    "default": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin-1000": {"GOMP_SPINCOUNT": "1000"},
    "spin-10000": {"GOMP_SPINCOUNT": "10000"},
    "blocktime-0": {"KMP_BLOCKTIME": "0"},
    "one-thread": {"OMP_NUM_THREADS": "1"},
    "one-less": {"OMP_NUM_THREADS": str(max(1, CORES - 1))},
    "one-less-passive": {"OMP_NUM_THREADS": str(max(1, CORES - 1)), "OMP_WAIT_POLICY": "PASSIVE"},
}
"""Variables by name. libgomp, which torch's wheels for Linux carry, knows nothing of KMP_BLOCKTIME; libomp, which those
for macOS carry, knows nothing of GOMP_SPINCOUNT."""

SMALL_CALLS, STEPS = 10, 40
WORK = {"small": f"{SMALL_CALLS} calls, 64×64", "large": "one large call", "steps": f"{STEPS} steps, 28×28"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--busy", type=int, default=2, help="processes that never wait, beside")
    parser.add_argument("--side", type=int, default=512, help="pixels a side of the large photo")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--model", default="builtin:srresnet-x4")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(given.model, given.side)))
        return
    names = list(dict.fromkeys(["default", *given.settings]))
    seconds: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    digests: dict[str, set[str]] = defaultdict(set)
    for _ in range(given.rounds):
        for beside, count in (("idle", 0), (f"{given.busy} busy", given.busy)):
            with busy(count):
                for name in names:
                    found = child(SETTINGS[name], given.model, given.side)
                    digests[found.pop("digest")].add(name)
                    for work, value in found.items():
                        seconds[beside, work, name].append(value)
    print(f"{CORES} cores; seconds of the default are medians, the others ratios to it", file=sys.stderr)
    for beside, work, name in seconds:
        print(line(seconds, (beside, work, name), as_json=given.json))
    print(f"bytes of the results: {'all the same' if len(digests) == 1 else list(digests.values())}", file=sys.stderr)


def line(seconds: Mapping[tuple[str, str, str], list[float]], key: tuple[str, str, str], *, as_json: bool) -> str:
    """One setting's figure."""
    beside, work, name = key
    median = statistics.median(seconds[key])
    ratios = [one / default for one, default in zip(seconds[key], seconds[beside, work, "default"], strict=True)]
    row = {
        "beside": beside,
        "work": WORK[work],
        "setting": name,
        "seconds": round(median, 3),
        "ratio": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "most": round(max(ratios), 2),
    }
    shown = "{beside:<7} {work:<18} {setting:<17} {seconds:>8} s  {ratio:>5}  ({least} to {most})"
    return json.dumps(row) if as_json else shown.format(**row)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """A block beside which processes compute without end."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def child(setting: Mapping[str, str], model: str, side: int) -> dict[str, object]:
    """The figures of one process with these variables and no others of their kind."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, __file__, "--child", "--model", model, "--side", str(side)]
    done = subprocess.run(command, env={**environment, **setting}, check=True, stdout=subprocess.PIPE)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def measure(model: str, side: int) -> dict[str, object]:
    """Seconds of each kind of work in this process, and a digest of what the calls gave."""
    import numpy as np

    import gansdk

    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    sharpen = gansdk.pipeline("superres", model, device="cpu", precision="fp32")
    small, large = pixels[:64, :64], pixels
    sharpen(small)
    start = time.perf_counter()
    results = [sharpen(small) for _ in range(SMALL_CALLS)]
    middle = time.perf_counter()
    results.append(sharpen(large, tile="off"))
    end = time.perf_counter()
    digest = hashlib.sha256(b"".join(one.pixels.tobytes() for one in results)).hexdigest()
    return {"small": middle - start, "large": end - middle, "steps": train(), "digest": digest}


def train() -> float:
    """Seconds of training steps of a network of the size of those for 28×28 images, after a few that warm up."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(32, 64, 4, 2, 1),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.1),
        nn.Flatten(),
        nn.Linear(64 * 49, 256),
        nn.LeakyReLU(0.1),
        nn.Linear(256, 1),
    )
    optimiser = torch.optim.Adam(network.parameters())
    images = torch.rand(64, 1, 28, 28)
    start = time.perf_counter()
    for step in range(STEPS + 5):
        if step == 5:
            start = time.perf_counter()
        optimiser.zero_grad()
        network(images).square().mean().backward()
        optimiser.step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
