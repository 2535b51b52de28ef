import sys

import pytest
from exemplars import NAME, install

from gansdk.models.catalog import Catalog
from gansdk.plugins.registry import discover
from gansdk.settings import Settings
from gansdk.testing import kit_for


@pytest.fixture
def kit_of(tmp_path, monkeypatch):
    """Makes the kit for the exemplar with one change, or none."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def make(change=None, **settings):
        install(tmp_path / "site", change)
        return kit_for(NAME, Catalog(discover(), Settings(tmp_path / "settings.json")), **settings)

    return make
