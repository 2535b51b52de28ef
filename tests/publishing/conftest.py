"""A model that may be published, and a catalog that knows its method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import publishable
import pytest
import tiny

from gansdk.models.catalog import Catalog
from gansdk.plugins.registry import Contributions, PluginSource, discover
from gansdk.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSDK_HOME", str(tmp_path / "home"))


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    source = PluginSource("gansdk-plugin-tiny", "0.1", "tiny")
    registry = discover().add(Contributions(source, methods=(tiny.METHOD,)))
    return Catalog(registry, Settings(tmp_path / "settings.json"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder with all that one can have but a card."""
    publishable.write(tmp_path / "mine")
    return tmp_path / "mine"
