"""Which requests fail, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from hub import faults

if TYPE_CHECKING:
    from hub.server import Hub


@pytest.fixture
def api(hub: Hub) -> HfApi:
    hub.repo("org/m")
    return HfApi()


def test_skipped_ones_go_well(hub: Hub, api: HfApi) -> None:
    rule = hub.fail(faults.status(418), "GET", "/api/models/org/*", skip=1, times=1)
    for well in (True, False, True):
        if well:
            assert api.model_info("org/m").id == "org/m"
        else:
            with pytest.raises(HfHubHTTPError, match="418"):
                api.model_info("org/m")
    assert rule.hits == 1


def test_late_answers_come(hub: Hub, api: HfApi) -> None:
    hub.fail(faults.pause(0.2), "GET", "/api/models/*")
    with pytest.raises(httpx2.ReadTimeout):
        api.model_info("org/m", timeout=0.05)
    assert api.model_info("org/m").id == "org/m"


def test_cleared_rules_are_gone(hub: Hub, api: HfApi) -> None:
    hub.fail(faults.status(500), times=None)
    hub.faults.clear()
    assert api.model_info("org/m").id == "org/m"
