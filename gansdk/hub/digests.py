"""The two names that the Hub gives to a file's content: sha256 of large ones, git's of small ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gansdk.files import sha256

if TYPE_CHECKING:
    from pathlib import Path

_SHA256 = 64


def content_digest(content: bytes, like: str) -> str:
    """The digest of bytes, of the kind that ``like`` is: sha256, or the name that git gives small files; hex."""
    if len(like) == _SHA256:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def file_digest(path: Path, like: str) -> str:
    """The same of a file's content."""
    return sha256(path).removeprefix("sha256:") if len(like) == _SHA256 else content_digest(path.read_bytes(), like)
