"""Checks of a model's folder: it is what its ``config.json`` says, and it says enough."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from gansdk.data.pictures import UNSTATED
from gansdk.inference.directions import read_directions
from gansdk.inference.loading import load_networks
from gansdk.inference.located import Located
from gansdk.model.config import CONFIG, WEIGHTS, check_folder, check_safetensors, parse_config
from gansdk.plugins.declarations import resolve
from gansdk.testing.checks import check, fail

if TYPE_CHECKING:
    from pathlib import Path

    from gansdk.testing.subjects import ModelSubject

_CODE = {".bin", ".ckpt", ".h5", ".joblib", ".npy", ".npz", ".onnx", ".pickle", ".pkl", ".pt", ".pth", ".py"}


@check("model")
def loads_strictly(model: ModelSubject) -> None:
    """It loads, every tensor of its files ends up in its networks, and nothing in its folder could run code.

    Weights that load halfway give a model that looks alive and is wrong. Keep tensors in safetensors, without others
    beside them, and leave `load_state_dict` as torch has it.
    """
    from safetensors.torch import load_file

    for path in sorted(model.folder.rglob("*")):
        _refuse_code(path)
    check_folder(model.folder, model.config)
    ends = dict(model.config.ends) or {"1": WEIGHTS}
    for end, file in ends.items():
        networks = load_networks(Located.at(model.folder), model.method, blend=float(end) if len(ends) > 1 else None)
        filled = {
            f"{name}.{key}": one for name, network in networks.items() for key, one in network.state_dict().items()
        }
        for key, tensor in load_file(model.folder / file).items():
            if not filled[key].equal(tensor.to(filled[key].dtype)):
                fail(f"{key} of {file} is not what the network holds after loading")
    read_directions(model.folder, model.config)


def _refuse_code(path: Path) -> None:
    if path.suffix == ".safetensors":
        check_safetensors(path)
        return
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(4)
    is_pickle = start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    if is_pickle or start == b"PK\x03\x04" or path.suffix in _CODE:
        fail(f"{path.name} is in its folder; a model is safetensors, JSON and text")


@check("model", needs=("loads-strictly",))
def config_round_trip(model: ModelSubject) -> None:
    """Its `config.json` and its network options survive being read and written.

    A training that starts from a model, or a model that is pushed and pulled, writes them anew. Options are JSON
    values; what a validator changes must not change again, and no field is left out.
    """
    config, path = model.config, model.folder / CONFIG
    if parse_config(json.loads(config.to_json()), str(path)) != config:
        fail(f"{CONFIG} comes back different")
    group = TypeAdapter(resolve(model.method.network_options))
    options = group.validate_python(config.network)
    written = group.dump_python(options, mode="json")
    for name, value in config.network.items():
        if name not in written:
            fail(f"the network option {name!r} is lost when it is written")
        if written[name] != value:
            fail(f"the network option {name!r} is {value!r} in {CONFIG} and comes back as {written[name]!r}")
    if group.validate_python(written) != options:
        fail("the network options come back different")


@check("model", needs=("loads-strictly",))
def provenance_stated(model: ModelSubject) -> None:
    """It says what it is, on which terms it may be used, and what it was trained on, on which terms.

    Nobody can use a model whose licence is unknown, and its data may bind whoever publishes it. Train with
    `--licence` and `--summary`, and put a `LICENCES.json` beside pictures that have none.
    """
    config = model.config
    if not config.summary.strip():
        fail(f"{CONFIG} has no summary")
    if not config.licence.strip():
        fail(f"{CONFIG} states no licence")
    if config.origin is not None:
        return  # others trained it; the config names their file
    if config.trained is None or not config.trained.data:
        fail(f"{CONFIG} does not say what it was trained on")
    for data in config.trained.data:
        if not data.licence.strip() or UNSTATED in data.licence:
            fail(f"the licence of its training data {data.name!r} is not stated")
