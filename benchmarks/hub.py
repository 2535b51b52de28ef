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
            _cached(environment, Path(place), folder, sha, arguments.rounds),
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


def _cached(environment: dict[str, str], place: Path, folder: Path, sha: str, rounds: int) -> dict[str, object]:
    refs = {"folder": str(folder), "hub": f"hub:org/m@{sha}"}
    _call(["pull", refs["hub"]], environment)
    seconds: dict[str, list[float]] = {name: [] for name in refs}
    for index in range(rounds + 1):  # the first round fills the disk's cache
        for name in refs if index % 2 else reversed(refs):
            line = [
                "run",
                "generate",
                "--model",
                refs[name],
                "-n",
                "1",
                "-o",
                place / "a.png",
                "--on-exists",
                "overwrite",
            ]
            begun = time.perf_counter()
            _call(line, environment)
            seconds[name] += [time.perf_counter() - begun] if index else []
    differences = [hub - folder for hub, folder in zip(seconds["hub"], seconds["folder"], strict=True)]
    return {
        "figure": "run of a cached commit against the folder, milliseconds more",
        "median": round(1000 * statistics.median(differences), 1),
        "quartiles": [round(1000 * one, 1) for one in statistics.quantiles(differences)],
        "folder": round(1000 * statistics.median(seconds["folder"])),
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
