"""What the Hub costs: a cached run against the same model as a folder, many pulls at once, requests of a look.

    python benchmarks/hub.py

The Hub is the one of the tests, on the loopback interface; the commands are the installed ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from hub.server import Hub  # noqa: E402  the tests are no package

PROGRAM = Path(sys.executable).parent / "gansdk"
MODEL = "infogan-mnist"


def main() -> None:
    """Prints one JSON object per figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="pairs of runs")
    parser.add_argument("--pulls", type=int, default=32, help="processes that pull at once")
    parser.add_argument("--megabytes", type=int, default=50, help="what they pull")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, Hub() as hub:
        folder = Path(place) / MODEL
        _call(["unbundle", _bundled(Path(place)), "-o", folder], os.environ)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        sha = hub.repo("org/m", files).head.oid
        hub.repo("org/large", _large(files, arguments.megabytes))
        environment = hub.environment(Path(place) / "home")
        for found in (
            _cached(environment, folder, sha, arguments.rounds),
            _at_once(hub, environment, arguments.pulls),
            _looked_at(hub, hub.environment(Path(place) / "other")),
        ):
            print(json.dumps(found))


def _bundled(place: Path) -> Path:
    _call(["bundle", f"builtin:{MODEL}", "-o", place / "m.tar"], os.environ)
    return place / "m.tar"


def _large(files: dict[str, bytes], megabytes: int) -> dict[str, bytes]:
    """The same model with another file of weights, which nothing loads."""
    weights = os.urandom(megabytes * 10**6)
    config = json.loads(files["config.json"])
    config["files"] = {"model.safetensors": f"sha256:{hashlib.sha256(weights).hexdigest()}"}
    return {"config.json": json.dumps(config).encode(), "model.safetensors": weights}


FINDING = """
import sys, time
import gansdk.models.loading
from gansdk.models.catalog import Catalog
from gansdk.model.config import needed_files
from gansdk.plugins.registry import discover
from gansdk.settings import Settings
catalog = Catalog.installed_here()
begun = time.perf_counter()
located = catalog.locate(sys.argv[1])
located.bring(needed_files(located.config))
print(time.perf_counter() - begun)
"""
"""All in which a run of a model on the Hub and one of a folder differ: until its files are here and checked."""


def _cached(environment: dict[str, str], folder: Path, sha: str, rounds: int) -> dict[str, object]:
    refs = {"folder": str(folder), "hub": f"hub:org/m@{sha}"}
    _call(["pull", refs["hub"]], environment)
    found: dict[str, list[float]] = {name: [] for name in refs}
    for index in range(rounds):
        for name in refs if index % 2 else reversed(refs):
            line = [sys.executable, "-c", FINDING, refs[name]]
            done = subprocess.run(line, env=environment, check=True, capture_output=True, text=True)
            found[name].append(1000 * float(done.stdout))
    more = [hub - folder for hub, folder in zip(found["hub"], found["folder"], strict=True)]
    return {
        "figure": "a cached commit against the same folder, milliseconds more until it can be loaded",
        "median": round(statistics.median(more), 1),
        "quartiles": [round(one, 1) for one in statistics.quantiles(more)],
        "folder": round(statistics.median(found["folder"]), 1),
    }


def _at_once(hub: Hub, environment: dict[str, str], count: int) -> dict[str, object]:
    begun = time.perf_counter()
    line = [str(PROGRAM), "pull", "hub:org/large", "--quiet"]
    running = [subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(count)]
    said = [process.communicate()[1] for process in running]
    blobs = list((Path(environment["HF_HUB_CACHE"]) / "models--org--large" / "blobs").iterdir())
    return {
        "figure": f"{count} pulls at once into one cache",
        "failed": sum(process.returncode != 0 for process in running),
        "said": sorted({text for text in said if text}),
        "files of weights": len([path for path in blobs if path.stat().st_size > 10**6]),
        "downloads of them": len(hub.asked("GET", side="cdn")) - 1,
        "seconds": round(time.perf_counter() - begun, 1),
    }


def _looked_at(hub: Hub, environment: dict[str, str]) -> dict[str, object]:
    before = len(hub.asked())
    _call(["models", "show", "hub:org/m"], environment)
    asked = hub.asked()[before:]
    return {
        "figure": "requests of models show",
        "requests": [f"{one.method} {one.path}" for one in asked],
        "weights": any("safetensors" in one.path for one in asked),
    }


def _call(arguments: list[object], environment: object) -> None:
    subprocess.run([str(PROGRAM), *map(str, arguments)], env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    main()
