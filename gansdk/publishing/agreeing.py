"""What an author's text was when a folder and a repository last had the same, so that an edit of one is no conflict.

It is kept beside the cache. To lose it costs a question.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gansdk.files import write_whole
from gansdk.settings import folders

if TYPE_CHECKING:
    from pathlib import Path

    from gansdk.refs import Hub


def agreed(folder: Path, ref: Hub) -> str:
    """The digest of the text that both last had; empty where that is not known."""
    try:
        return _file(folder, ref).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def remember(folder: Path, ref: Hub, digest: str) -> None:
    """Notes that both have this text now; empty: that they differ."""
    path = _file(folder, ref)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, digest)


def _file(folder: Path, ref: Hub) -> Path:
    name = hashlib.sha256(f"{folder.resolve()}\0{ref.repo}".encode()).hexdigest()[:32]
    return folders().cache / "pushed" / name
