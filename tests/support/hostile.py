"""Files that claim to be weights: programs, archives, damaged and foreign ones. Each program would make a folder."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

TRACE = "payload-ran"
"""The folder that every program in here would make in the working directory."""


class Payload:
    def __reduce__(self):
        return os.mkdir, (TRACE,)


class Sneaky:
    """Calls an innocent-looking function of torch's with a payload inside."""

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, (Payload(), 0, (1,), (1,), False, {})


class Evaluated:
    def __reduce__(self):
        return eval, (f"__import__('os').mkdir({TRACE!r})",)


class Network(nn.Module):
    """A program of its own, pickled as a whole as some publish theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def __setstate__(self, state) -> None:
        Path(TRACE).mkdir()


def saved(content: object, *, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def torch_script() -> bytes:
    """A TorchScript archive as torch.jit.save lays it out; its code would be compiled and run."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps({}))
        archive.writestr("net/constants.pkl", pickle.dumps(Payload()))
        archive.writestr("net/code/__torch__.py", "class Net(Module):\n  pass\n")
    return file.getvalue()


def archived(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def old_tar() -> bytes:
    """What torch wrote before version 0.1.10, with a program in it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in ("sys_info", "pickle", "tensors", "storages"):
            content = pickle.dumps(Payload())
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


WEIGHTS = {"layer.weight": torch.ones(3, 3), "layer.bias": torch.zeros(3)}

FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "payload": (lambda: saved(Payload()), r"asks for \w+\.mkdir; nothing of it was run"),
    "payload-among-tensors": (lambda: saved({**WEIGHTS, "x": Payload()}), r"asks for \w+\.mkdir"),
    "payload-legacy": (lambda: saved({**WEIGHTS, "x": Payload()}, legacy=True), r"asks for \w+\.mkdir"),
    "payload-bare-pickle": (lambda: pickle.dumps(Payload()), "cannot be read as weights"),
    "payload-protocol-0": (lambda: pickle.dumps(Payload(), protocol=0), "neither a torch nor a safetensors file"),
    "payload-in-a-rebuild": (lambda: saved({"x": Sneaky()}), r"asks for \w+\.mkdir"),
    "eval": (lambda: saved({"x": Evaluated()}), r"asks for (\w+\.)?eval; nothing of it was run"),
    "module": (lambda: saved(Network()), r"asks for hostile\.Network"),
    "module-legacy": (lambda: saved(Network(), legacy=True), r"asks for hostile\.Network"),
    "torch-module": (
        lambda: saved(nn.Sequential(nn.Linear(2, 2))),
        r"asks for torch\.nn\.modules\.container\.Sequential",
    ),
    "torch-script": (torch_script, "is a TorchScript archive, a program"),
    "tar": (old_tar, "is a tar archive; it was not opened"),
    "deflated": (lambda: archived(net__data__pkl=b"", **{"net__data.pkl": pickle.dumps({})}), "compressed archive"),
    "archive-of-a-file": (lambda: archived(**{"model.pth": saved(WEIGHTS)}), "torch did not write; it holds model.pth"),
    "empty": (lambda: b"", "is empty"),
    "one-byte": (lambda: b"\x80", "cannot be read as weights"),
    "text": (lambda: b"these are no weights\n", "neither a torch nor a safetensors file"),
    "web-page": (lambda: b"\n<!doctype html><title>404</title>", "is a web page"),
    "lfs": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "is an HDF5 file"),
    "gzip": (lambda: gzip.compress(saved(WEIGHTS)), "is compressed with gzip"),
    "cut": (lambda: saved(WEIGHTS)[:-30], "was cut short or is damaged"),
    "cut-early": (lambda: saved(WEIGHTS)[:40], "was cut short or is damaged"),
    "cut-legacy": (lambda: saved(WEIGHTS, legacy=True)[:-3], "cannot be read as weights"),
    "cut-safetensors": (lambda: save(WEIGHTS)[:-3], "cut short or has bytes too many"),
    "longer-safetensors": (lambda: save(WEIGHTS) + b"x", "cut short or has bytes too many"),
    "cut-header": (lambda: save(WEIGHTS)[:20], "neither a torch nor a safetensors file"),
    "huge-header": (lambda: struct.pack("<Q", 2**62) + b"{}", "neither a torch nor a safetensors file"),
    "no-header": (lambda: struct.pack("<Q", 4) + b"{no}" + bytes(10), "header is unreadable"),
    "wrong-dtype": (
        lambda: struct.pack("<Q", 59) + b'{"a":{"dtype":"X9","shape":[1],"data_offsets":[0,4]}}      ' + bytes(4),
        "cannot be read",
    ),
    "tensor": (lambda: saved(torch.zeros(3)), "holds a single tensor"),
    "list": (lambda: saved([torch.zeros(3)]), "holds a list"),
    "expanded": (lambda: saved({"w": torch.zeros(1).expand(10**9)}), "claims more bytes than the file has"),
    "sparse": (lambda: saved({"w": torch.eye(3).to_sparse()}), "'w' is not a plain tensor"),
    "meta": (lambda: saved({"w": torch.zeros(3, device="meta")}), "'w' is not a plain tensor"),
}
"""By name: how to make it, and what is said of it."""
