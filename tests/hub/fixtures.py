"""The fixture; ``tests/conftest.py`` hands it to all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hub.server import Hub, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub to which this process and those that it starts speak, with an empty home in ``tmp_path / "hf"``."""
    with Hub() as server:
        for name in [name for name in os.environ if name.startswith(("HF_", "HUGGINGFACE_", "TRANSFORMERS_OFFLINE"))]:
            monkeypatch.delenv(name)
        for name, value in settings(server.url, tmp_path / "hf").items():
            monkeypatch.setenv(name, value)
        yield from _for_this_process(server, tmp_path / "hf", monkeypatch)


def _for_this_process(server: Hub, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Tells the client the same: it read its environment when it was imported, perhaps by another test."""
    from huggingface_hub import close_session, constants

    told = {
        "ENDPOINT": server.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_TOKEN_PATH": str(home / "token"),
        "HF_STORED_TOKENS_PATH": str(home / "stored_tokens"),
        "AGENT_HARNESSES_PATH": str(home / ".agent_harnesses.json"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_PROGRESS_BARS": True,
        "HF_HUB_OFFLINE": False,
    }
    for name, value in told.items():
        monkeypatch.setattr(constants, name, value)
    close_session()
    try:
        yield server
    finally:
        close_session()
