"""What is published of a model: its files, and the card, with what its author wrote here or on the Hub."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from gansdk.cards.card import gather
from gansdk.cards.front_matter import split
from gansdk.cards.rendering import HERE, authors_part, read_card, render, with_images_beside
from gansdk.errors import ModelError, OutputError, option
from gansdk.files import write_whole
from gansdk.hub.access import import_client
from gansdk.model.config import README, belongs
from gansdk.model.tensors import read_header
from gansdk.settings import folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gansdk.cards.card import Card
    from gansdk.hub.pushing import RepoTarget
    from gansdk.models.catalog import Catalog
    from gansdk.models.resolved import ResolvedModel
    from gansdk.refs import Hub


_PICKLES = (".pth", ".pt", ".pkl", ".pickle", ".bin", ".joblib")
_CHECKPOINTS = (".ckpt", ".tar")
_RUNS = ("state", "state.json", "tensors.safetensors", "train.json")
"""What a run has besides its model."""


def contents(resolved: ResolvedModel) -> dict[str, Path]:
    """The files of a model that go to the Hub, by name; hidden files are left out.

    Raises:
        ModelError: If one is missing or damaged, or the folder holds what is not part of a model.
        HubError: If a file of a model on the Hub cannot be had.
    """
    resolved.ensure_all_files()
    seen = [path for path in sorted(resolved.folder.iterdir()) if not path.name.startswith(".")]
    found = {path.name: path for path in seen if path.is_file() and belongs(path.name, resolved.config.files)}
    others = [path for path in seen if path.name not in found]
    if others and resolved.snapshot is None:  # the cache holds what other tools fetched, too
        reasons = {path: _reason(path) for path in others}
        worst = min(others, key=lambda path: list(_ORDER).index(reasons[path]))
        rest = ", ".join(path.name for path in others if path != worst)
        more = f"; nor may {rest} go" if rest else ""
        raise ModelError(f"{worst} {reasons[worst]}{more}; nothing was sent", hint=_ORDER[reasons[worst]])
    return found


_PICKLE = "is a pickle, which may run code where it is opened"
_CHECKPOINT = "is a training checkpoint"
_OTHER = "is not part of a model"

# the worst first
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
    """Looks into cards, JSON files, what safetensors files say of themselves, and the message of the commit.

    Raises:
        ModelError: With the file and the line, never with the secret.
    """
    _check(message, "the message")
    for name, content in files.items():
        if name.endswith(_TEXTS):
            text = content if isinstance(content, bytes) else content.read_bytes()
            _check(text.decode("utf-8", errors="replace"), name)
        elif name.endswith(".safetensors") and isinstance(content, Path):
            metadata = read_header(content)[1]
            _check("\n".join(f"{key}\n{value}" for key, value in metadata.items()), f"the metadata of {name}")


def _check(text: str, place: str) -> None:
    import_client()
    from huggingface_hub import get_token

    known = {"your own token": re.escape(token)} if (token := get_token()) else {}
    for kind, shape in (known | _SHAPES).items():
        found = re.search(shape, text)
        if found is not None:
            line = text.count("\n", 0, found.start()) + 1
            where = f"line {line} of {place}" if "\n" in text.strip() else place
            hint = "take it out; if it was ever public, revoke it"
            raise ModelError(f"{where} looks like it holds {kind}; nothing was sent", hint=hint)


Side = Literal["folder", "hub"]
"""Whose text by an author a card has: that of the model's folder or that of the Hub."""


class Published(NamedTuple):
    """A card as it goes to the Hub."""

    content: bytes
    agreed: str
    """The digest of the author's text, where folder and Hub will have the same; empty where they will not."""


def published_card(catalog: Catalog, resolved: ResolvedModel, place: RepoTarget, side: Side | None = None) -> Published:
    """The card that goes to the Hub. Its commands name the model as others will.

    Args:
        catalog: Knows methods and tasks.
        resolved: The model.
        place: Where it goes to.
        side: Whose text stays where both have one; None: there is no need to decide.

    Raises:
        OutputError: If there is a need to decide, or a card cannot be renewed.
    """
    path = resolved.folder / README
    card = with_images_beside(gather(catalog, resolved), path)
    card = replace(card, name=place.ref.repo.partition("/")[2], ref=str(place.ref))
    texts: dict[Side, str] = {}
    if side != "hub" and (text := read_card(path)) is not None:
        texts["folder"] = text
    if side != "folder" and place.card is not None:
        texts["hub"] = place.card.decode("utf-8", errors="replace")
    parts = {origin: _digest(card, origin, text) for origin, text in texts.items()}
    chosen = _chosen(parts, _agreed(resolved.folder, place.ref))
    if chosen is None:
        return Published(render(card).encode(), "")
    text = texts[chosen]
    if not split(text)[1].strip():  # front matter alone, as the Hub's page makes it, gets room for the generated parts
        text = f"{text.rstrip()}\n\n{HERE}\n"
    with _said_of(chosen):
        text = render(card, text)
    return Published(text.encode(), parts[chosen] if parts.get("folder") == parts[chosen] else "")


def _digest(card: Card, side: Side, text: str) -> str:
    """Identifies what an author wrote; empty where that is nothing."""
    with _said_of(side):
        part = authors_part(card, text)
    return hashlib.sha256(repr(part).encode()).hexdigest() if any(part) else ""


def _chosen(parts: Mapping[Side, str], agreed: str) -> Side | None:
    """Whose text is kept; of two that say the same, and where nobody wrote anything, the folder's.

    Args:
        parts: Digests of the texts.
        agreed: That of the text which both had when this folder was last pushed: who still has it changed nothing.
    """
    written: list[Side] = [side for side, digest in parts.items() if digest]
    if len(written) < 2 or parts["folder"] == parts["hub"] or parts["hub"] == agreed:
        return next(iter([*written, *parts]), None)
    if parts["folder"] == agreed:
        return "hub"
    what = "an author's text stands in the README.md of the folder, and another on the Hub; nothing was sent"
    raise OutputError(what, hint=f"look at both, and decide by {option('card', 'folder', 'hub')}")


@contextmanager
def _said_of(side: Side) -> Iterator[None]:
    try:
        yield
    except OutputError as error:
        place, other = ("of the folder", "hub") if side == "folder" else ("on the Hub", "folder")
        hint = f"put a line {HERE} or marker lines in order, or leave its text out with {option('card', other)}"
        raise OutputError(f"the README.md {place}: {error.message}", hint=hint) from None


def _agreed(folder: Path, ref: Hub) -> str:
    """The digest of the text that both last had; empty where that is not known."""
    try:
        return _agreement(folder, ref).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def remember(folder: Path, ref: Hub, digest: str) -> None:
    """Notes that both have this text now; empty: that they differ."""
    path = _agreement(folder, ref)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, digest)


def _agreement(folder: Path, ref: Hub) -> Path:
    name = hashlib.sha256(f"{folder.resolve()}\0{ref.repo}".encode()).hexdigest()[:32]
    return folders().cache / "pushed" / name
