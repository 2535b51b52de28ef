"""How fast networks are that others published, with random weights: gansdk, their authors' call, and other engines.

    python benchmarks/published.py [--side 256] [--rounds 5] [--only rrdbnet] [--json]

OpenVINO takes part where it is installed (``pip install openvino``); nothing here depends on it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from gansdk.evaluation.benchmark import Benchmark, Way, alone, eager, ours
from gansdk.models.catalog import Catalog
from gansdk.models.loading import build_networks, load_model
from gansdk.models.pipelines import Pipeline
from gansdk.models.writing import Export, write_model
from gansdk.options import LoadOptions
from gansdk_srgan.architectures import CompactOptions, RRDBOptions, SRResNetOptions
from gansdk_srgan.model import facts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NETWORKS: dict[str, Any] = {
    "srresnet": SRResNetOptions(),
    "srvgg": CompactOptions(),
    "rrdbnet-6": RRDBOptions(blocks=6),
    "rrdbnet": RRDBOptions(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, action="append", help="input pixels a side; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=NETWORKS, action="append")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    catalog = Catalog.installed_here()
    for name in arguments.only or NETWORKS:
        for side in arguments.side or [256]:
            for record in measure(catalog, name, side, arguments.rounds):
                print(json.dumps(record) if arguments.json else line(record))


def line(record: dict[str, Any]) -> str:
    if record["left_out"]:
        return "{network:<10} {side:>5}  {way:<14} {precision}  left out: {left_out}".format(**record)
    text = "{network:<10} {side:>5}  {way:<14} {precision}  {seconds:7.2f} s  {speed_up:5.2f} × eager"
    return text.format(**record) + "  ({:.2f}–{:.2f})".format(*record["speed_up_range"])


def measure(catalog: Catalog, name: str, side: int, rounds: int) -> list[dict[str, Any]]:
    """All ways with one network and one size, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        pipelines = [
            pipeline(catalog, name, Path(folder) / precision, precision)
            for precision in ("fp32", "bf16")
            if precision == "fp32" or has_bf16()
        ]
        ways = [eager(pipelines[0]), *(ours(one) for one in pipelines), alone(pipelines[0])]
        if find_spec("openvino"):
            ways += [openvino(pipelines[0], side, kind) for kind in ("f32", "bf16") if kind == "f32" or has_bf16()]
        benchmark = Benchmark(ways, torch.device("cpu"), side, 3)
        return [{"network": name, **speed.as_record()} for speed in benchmark.run(rounds, 1e9, lambda *_: None)]


def has_bf16() -> bool:
    from gansdk.models.runtime import has_native

    return has_native(torch.device("cpu"), "bf16")


def pipeline(catalog: Catalog, name: str, folder: Path, precision: Any) -> Pipeline:
    """A network with random weights as a model."""
    options, method = NETWORKS[name], catalog.registry.method("srgan")
    torch.manual_seed(0)
    network = options.model_dump()
    write_model(folder, method, Export(facts(options), network, build_networks(method, network)))
    load = LoadOptions(device="cpu", precision=precision)
    return Pipeline(catalog.registry.task("superres"), catalog.locate(str(folder)), load)


def openvino(pipeline: Pipeline, side: int, kind: str) -> Way:
    """The same network compiled for one size, in OpenVINO's own numbers."""
    import openvino as ov

    network = load_model(pipeline.resolved).networks["generator"]
    core = ov.Core()

    def compiled(side: int) -> Any:
        example = torch.zeros(1, 3, side, side)
        model = ov.convert_model(network, example_input=example, input=[1, 3, side, side])
        settings = {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        return core.compile_model(model, "CPU", settings)

    known: dict[int, Any] = {side: compiled(side)}

    def call(pixels: NDArray[np.uint8]) -> None:
        side = pixels.shape[0]
        if side not in known:
            known[side] = compiled(side)
        known[side](pixels.transpose(2, 0, 1)[None].astype("float32") / 255)

    return Way(f"openvino {kind}", "fp32" if kind == "f32" else "bf16", call)


if __name__ == "__main__":
    main()
