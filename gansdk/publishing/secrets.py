"""Refuses what looks like a secret in anything that would be read by everybody. No secret is ever said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.errors import ModelError
from gansdk.hub.access import import_client
from gansdk.model.config import read_header

if TYPE_CHECKING:
    from collections.abc import Mapping

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
