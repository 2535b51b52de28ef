"""What computing many latents at a time gains, as a ratio from one run.

    python benchmarks/latents.py [--count 64] [--rounds 7] [--method infogan] [--config small] [--threads N]
        [--device cpu] [--json]

The same samples of one model, with weights as a training begins, through ``gansdk.pipeline("generate", …)``: in one
call, and in a call for each. Both run in turns; the median of the rounds counts, the least and the most are told too.
Small networks spend most of a single latent's time on being called.
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
import torch

import gansdk
from gansdk.models.writing import write_model
from gansdk.options import validate
from gansdk.plugins.declarations import resolve
from gansdk.plugins.registry import discover
from gansdk.training.recipe import new_recipe

if TYPE_CHECKING:
    from collections.abc import Callable


def write(folder: Path, method_name: str, config_name: str) -> None:
    """A model folder of a config's networks as its training begins."""
    method = discover().methods[method_name]
    config = method.configs[config_name]
    torch.manual_seed(0)
    recipe = new_recipe(config, validate(resolve(config.options), config.values))
    write_model(folder, method, recipe.export())


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--method", default="infogan")
    parser.add_argument("--config", default="small")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        write(folder, given.method, given.config)
        pipeline = gansdk.pipeline("generate", folder, device=given.device, threads=given.threads or "auto")

        def together() -> np.ndarray:
            return pipeline(n=given.count).pixels

        def one_by_one() -> np.ndarray:
            return np.concatenate([pipeline(n=1, first=at).pixels for at in range(given.count)])

        # Rounding may differ, by a step of 8 bits; what is compared must be the same work.
        if np.abs(together().astype(int) - one_by_one().astype(int)).max() > 1:
            raise SystemExit("both ways must give the same images")
        ratios = [seconds(one_by_one) / seconds(together) for _ in range(given.rounds)]
    row = {
        "figure": f"one by one / at a time, {given.count} latents of {given.method}/{given.config}",
        "value": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "most": round(max(ratios), 2),
        "reach": "≥ 5",
    }
    print(json.dumps(row) if given.json else "{figure}  {value}  ({least} to {most}; reach {reach})".format(**row))


if __name__ == "__main__":
    main()
