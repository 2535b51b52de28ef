"""What several tests of the Hub start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from huggingface_hub import HfApi, constants

from gansdk.hub import listings, transfers

if TYPE_CHECKING:
    from hub.repos import Repo
    from hub.server import Hub


@pytest.fixture
def repo(hub: Hub, request: pytest.FixtureRequest) -> Repo:
    """org/m, with the ``FILES`` of the test's module."""
    return hub.repo("org/m", request.module.FILES)


@pytest.fixture
def api(hub: Hub, repo: Repo) -> HfApi:
    """The unmodified client of somebody who may write to the repository."""
    return HfApi(token=hub.user("ada", orgs=(repo.namespace,)).token)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries within three seconds, and a second for each answer."""
    monkeypatch.setattr(transfers, "TRIES", 2)
    monkeypatch.setattr(transfers, "RETRY_SECONDS", 3.0)
    for module in (transfers, listings):
        monkeypatch.setattr(module, "REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
