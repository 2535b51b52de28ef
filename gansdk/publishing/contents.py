"""What of a model's folder is published: the files of the format, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.errors import ModelError
from gansdk.hub.access import import_client
from gansdk.model.config import belongs
from gansdk.model.tensors import read_header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gansdk.models.resolved import ResolvedModel


_PICKLES = (".pth", ".pt", ".pkl", ".pickle", ".bin", ".joblib")
_CHECKPOINTS = (".ckpt", ".tar")
_RUNS = ("state", "state.json", "tensors.safetensors", "train.json")
"""What a run has besides its model."""


def contents(resolved: ResolvedModel) -> dict[str, Path]:
    """The files of a model that go to the Hub, by name; hidden files are left out.

    Raises:
        ModelError: If one is missing or damaged, or the folder holds what is no part of a model.
        HubError: If a file of a model on the Hub cannot be had.
    """
    resolved.ensure_all_files()
    seen = [path for path in sorted(resolved.folder.iterdir()) if not path.name.startswith(".")]
    found = {path.name: path for path in seen if path.is_file() and belongs(path.name, resolved.config.files)}
    others = [path for path in seen if path.name not in found]
    if others and resolved.snapshot is None:  # the cache holds what other tools fetched, too
        raise _refused(others)
    return found


def _refused(others: Sequence[Path]) -> ModelError:
    """Of the worst of the files that may not go."""
    reasons = {path: _reason(path) for path in others}
    worst = min(others, key=lambda path: list(_ORDER).index(reasons[path]))
    rest = ", ".join(path.name for path in others if path != worst)
    more = f"; nor may {rest} go" if rest else ""
    return ModelError(f"{worst} {reasons[worst]}{more}; nothing was sent", hint=_ORDER[reasons[worst]])


_PICKLE = "is a pickle, which may run code where it is opened"
_CHECKPOINT = "is a training checkpoint"
_OTHER = "is no part of a model"

_ORDER = {
    _PICKLE: "move it out of the folder; if it holds weights, `gansdk import` makes a model of it",
    _CHECKPOINT: "move it out of the folder; it is of use to the run alone",
    _OTHER: "move it out of the folder, or hide it: names that start with a dot are left out",
}


def _reason(path: Path) -> str:
    if path.suffix.lower() in _CHECKPOINTS or path.name.startswith("checkpoint") or path.name in _RUNS:
        return _CHECKPOINT
    if path.is_file() and (path.suffix.lower() in _PICKLES or _starts_as_a_pickle(path)):
        return _PICKLE
    return _OTHER


def _starts_as_a_pickle(path: Path) -> bool:
    """By its bytes: a pickle of protocol 2 to 5, or an archive with one, as PyTorch writes it."""
    import zipfile

    with path.open("rb") as file:
        start = file.read(2)
    if start == b"PK" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith((".pkl", ".npy")) for name in archive.namelist())
    return start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"


_SHAPES = {
    "a Hugging Face token": r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}",
    "a GitHub token": r"\b(?:gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "an API key": r"\bsk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}|\bAIza[A-Za-z0-9_-]{35}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "an AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
}
_TEXTS = (".md", ".json")


def check_secrets(files: Mapping[str, bytes | Path], message: str = "") -> None:
    """Looks into cards, JSON files and what safetensors files say of themselves.

    Args:
        files: By name.
        message: What is said besides, of the commit.

    Raises:
        ModelError: With the file and the line, never with the secret.
    """
    _check(message, "the message")
    for name, content in files.items():
        if name.endswith(_TEXTS):
            text = content if isinstance(content, bytes) else content.read_bytes()
            _check(text.decode("utf-8", errors="replace"), name)
        elif name.endswith(".safetensors") and isinstance(content, Path):
            _check(_metadata(content), f"the metadata of {name}")


def _check(text: str, place: str) -> None:
    known = {"your own token": re.escape(token)} if (token := _own_token()) else {}
    for kind, shape in (known | _SHAPES).items():
        found = re.search(shape, text)
        if found is not None:
            line = text.count("\n", 0, found.start()) + 1
            where = f"line {line} of {place}" if "\n" in text.strip() else place
            hint = "take it out; if it was ever public, revoke it"
            raise ModelError(f"{where} looks like it holds {kind}; nothing was sent", hint=hint)


def _own_token() -> str:
    import_client()
    from huggingface_hub import get_token

    return get_token() or ""


def _metadata(path: Path) -> str:
    """What a safetensors file says of itself: names and values, one a line."""
    return "\n".join(f"{name}\n{value}" for name, value in read_header(path)[1].items())
