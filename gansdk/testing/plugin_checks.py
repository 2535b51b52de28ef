"""Checks of a distribution and its methods as they are listed: what they cost, and what they say of themselves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from gansdk.data.folders import UNSTATED
from gansdk.model.config import CONFIG, WEIGHTS, check_folder, parse_config
from gansdk.model.tensors import read_header
from gansdk.models.loading import load_model
from gansdk.plugins.declarations import WrongNameError, check_name, resolve
from gansdk.plugins.registry import NameTakenError
from gansdk.testing.checks import check, fail
from gansdk.testing.targets import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gansdk.testing.targets import MethodUnderTest, ModelUnderTest, PluginUnderTest


HEAVY = (
    "PIL",
    "cv2",
    "diffusers",
    "gradio",
    "imageio",
    "jax",
    "librosa",
    "matplotlib",
    "numpy",
    "pandas",
    "scipy",
    "skimage",
    "sklearn",
    "soundfile",
    "tensorflow",
    "torch",
    "torchaudio",
    "torchvision",
    "transformers",
)
"""What takes long to import, and what no listing needs."""

FORBIDDEN = {
    "basicsr": "its imports break with newer versions of its own dependencies",
    "gradio": "demos are made by gansdk from tasks",
    "mmcv": "it has compiled parts that fit few versions of torch",
    "mmcv-full": "it has compiled parts that fit few versions of torch",
    "mmengine": "it has a registry of its own",
    "opencv-python": "two builds of OpenCV overwrite each other; gansdk reads and writes images",
    "tensorflow": "methods are written in torch",
    "torchaudio": "it has no build for many builds of torch",
    "torchvision": "it has no build for many builds of torch",
}
"""Distributions that a plugin must not depend on, and why."""

_WATCH = """
import sys

class Watch:
    found = {}

    def find_spec(self, name, path=None, target=None):
        if name not in %(heavy)r:
            return
        frame = sys._getframe(1)
        importers = []
        while frame is not None:
            if not frame.f_code.co_filename.startswith("<frozen"):
                importers.append(frame)
            frame = frame.f_back
        if not any(one.f_globals.get("__name__", "").partition(".")[0] in %(heavy)r for one in importers):
            at = importers[0]
            self.found.setdefault(name, name + " (" + at.f_code.co_filename + ", line " + str(at.f_lineno) + ")")

watch = Watch()
sys.meta_path.insert(0, watch)
"""
"""Notes what is imported that takes long, and where; not what such a package imports in its turn."""

_LISTING = """
import importlib.metadata
from gansdk.plugins import hookspecs
for entry_point in importlib.metadata.entry_points(group=hookspecs.GROUP):
    if entry_point.dist is not None and entry_point.dist.name == sys.argv[1]:
        plugin = entry_point.load()
        for name in vars(hookspecs):
            if name.startswith("gansdk_") and hasattr(plugin, name):
                list(getattr(plugin, name)())
"""


@check("plugin")
def names_are_clear(plugin: PluginUnderTest) -> None:
    """Names are lower-case words that no other plugin uses.

    A name is typed, becomes a folder and a part of refs; two things of one name would depend on the order in which
    plugins are found. Rename what is named here; a method's name is a good beginning for its models' names.
    """
    for status in plugin.statuses:
        if isinstance(status.error, WrongNameError | NameTakenError):
            fail(status.reason)
    for method in plugin.methods:
        for config in method.configs:
            check_name(f"config of {method.name}:", config)


@check("plugin", needs=("names-are-clear",))
def plugin_works(plugin: PluginUnderTest) -> None:
    """The plugin is found and hands over what it brings.

    One that fails is left out of every listing. `gansdk plugins --verbose` shows the traceback.
    """
    for status in plugin.statuses:
        if status.state != "ok":
            fail(status.reason)


@check("plugin", needs=("plugin-works",))
def imports_light(plugin: PluginUnderTest) -> None:
    """Listing it imports neither torch nor anything else that takes long.

    Every call of `gansdk` imports every plugin, so one heavy import slows all of them. Name networks, recipes,
    functions and options by import strings, and import torch in the files that they name. The files of a task's
    options are read by every call too, so these must be free of torch as well: `options-import-light`.
    """
    heavy = heavy_imports(_LISTING, plugin.distribution.name)
    if heavy:
        fail(f"listing it imports {'; '.join(heavy)}")


def heavy_imports(code: str, argument: str) -> list[str]:
    """What takes long of what code imports in a fresh process, each with the file and line that imports it."""
    paths = os.pathsep.join(path for path in sys.path if path)
    code = f"{_WATCH % {'heavy': HEAVY}}{code}\nimport json\nprint(json.dumps(list(watch.found.values())))"
    done = subprocess.run(  # noqa: S603 - this very Python, with code of ours
        [sys.executable, "-c", code, argument],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": paths},
    )
    if done.returncode != 0:
        fail(f"importing it in a fresh process fails: {done.stderr.strip().splitlines()[-1]}")
    found: list[str] = json.loads(done.stdout.splitlines()[-1])  # what a plugin prints comes before
    return found


@check("plugin")
def metadata_complete(plugin: PluginUnderTest) -> None:
    """The distribution and its methods say what they are, on which terms, and what installs them.

    Users decide by summary and licence, and a model's `requires` is the line that installs its method elsewhere. Fill
    in `description`, `license` and `requires-python` in pyproject.toml, and every field of the Method.
    """
    stated = plugin.distribution.metadata.json
    for field, where in (("summary", "description"), ("requires_python", "requires-python")):
        if not stated.get(field):
            fail(f"its metadata has no {where}")
    if not (stated.get("license_expression") or stated.get("license")):
        fail("its metadata has no license")
    if "gansdk" not in {requirement.name for requirement in _requirements(plugin)}:
        fail("its dependencies do not name gansdk")
    for method in plugin.methods:
        missing = [field for field in ("summary", "paper", "licence") if not getattr(method, field).strip()]
        if missing:
            fail(f"the method {method.name} states no {missing[0]}")
        if normalised(re.split(r"[^A-Za-z0-9._-]", method.requires)[0]) != plugin.name:
            fail(f"the method {method.name} requires {method.requires!r}, not this distribution")


@check("plugin")
def dependencies_fit(plugin: PluginUnderTest) -> None:
    """It pins nothing exactly and depends on nothing that breaks other people's installations.

    All plugins share one environment: an exact version that one of them wants keeps every other one from newer ones.
    Write the oldest version that works, as in `torch>=2.4`; what only a demo or a test needs is an extra.
    """
    for requirement in _requirements(plugin):
        name = normalised(requirement.name)
        if name in FORBIDDEN:
            fail(f"it depends on {name}: {FORBIDDEN[name]}")
        for specifier in requirement.specifier:
            if specifier.operator in {"==", "==="} and not specifier.version.endswith(".*"):
                fail(f"it pins {name} to {specifier}")
        if requirement.url:
            fail(f"it takes {name} from {requirement.url}")


@check("method")
def network_options_are_closed(method: MethodUnderTest) -> None:
    """Options of its networks refuse what they do not know.

    A misspelt or newer option in a `config.json` must be an error, or the network that is built is silently another
    one. Derive the options from `gansdk.Options`, or set `extra="forbid"`.
    """
    check_closed(method.method.network_options)


def check_closed(options: str) -> None:
    """Ends a check if the options that an import string names, one class or several, take unknown names."""
    try:
        schema = TypeAdapter(resolve(options)).json_schema()
    except PydanticUserError as error:
        fail(f"{options} is not a class of options: {error.message}")
    for group in (schema, *schema.get("$defs", {}).values()):
        if "properties" in group and group.get("additionalProperties") is not False:
            fail(f"{group.get('title', options)} takes options that it does not declare")


def _requirements(plugin: PluginUnderTest) -> Iterator[Requirement]:
    """What it depends on in every installation; extras are a user's own choice."""
    for text in plugin.distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or "extra" not in str(requirement.marker):
            yield requirement


_CODE = {".bin", ".ckpt", ".h5", ".joblib", ".npy", ".npz", ".onnx", ".pickle", ".pkl", ".pt", ".pth", ".py"}


@check("model")
def loads_strictly(model: ModelUnderTest) -> None:
    """It loads, every tensor of its files ends up in its networks, and nothing in its folder could run code.

    Weights that load halfway give a model that looks alive and is wrong. Keep tensors in safetensors, without others
    beside them, and leave `load_state_dict` as torch has it.
    """
    from safetensors.torch import load_file

    for path in sorted(model.folder.rglob("*")):
        _refuse_code(path)
    check_folder(model.folder, model.config)
    checkpoints = dict(model.config.checkpoints) or {"1": WEIGHTS}
    for end, file in checkpoints.items():
        networks = load_model(model.resolved, float(end) if len(checkpoints) > 1 else None).networks
        filled = {
            f"{name}.{key}": tensor
            for name, network in networks.items()
            for key, tensor in network.state_dict().items()
        }
        for key, tensor in load_file(model.folder / file).items():
            if not filled[key].equal(tensor.to(filled[key].dtype)):
                fail(f"{key} of {file} is not what the network holds after loading")


def _refuse_code(path: Path) -> None:
    if path.suffix == ".safetensors":
        read_header(path)
        return
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(4)
    is_pickle = start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    if is_pickle or start == b"PK\x03\x04" or path.suffix in _CODE:
        fail(f"{path.name} is in its folder; a model is safetensors, JSON and text")


@check("model", needs=("loads-strictly",))
def config_round_trip(model: ModelUnderTest) -> None:
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
def provenance_stated(model: ModelUnderTest) -> None:
    """It says what it is, on which terms it may be used, and what it was trained on, on which terms.

    A model whose licence is unknown cannot be used, and its data may bind those who publish it. Train with
    `--licence` and `--summary`, and put a `LICENCES.json` beside images that have none.
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
