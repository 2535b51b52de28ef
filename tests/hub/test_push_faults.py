"""What the unmodified client makes of each fault when it pushes: what it tries again, and what is left behind."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from hub import faults
from hub.unloaded import NAME, WEIGHTS

if TYPE_CHECKING:
    from hub.repos import Repo
    from hub.server import Hub

# The client itself uses an argument of httpx2's that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

FILES = {NAME: WEIGHTS, "config.json": b"{}"}


def push(api: HfApi, parent: str | None = None) -> str:
    operations = [CommitOperationAdd("config.json", b"[]"), CommitOperationAdd(NAME, WEIGHTS[1:])]
    return api.create_commit("org/m", operations, commit_message="push", parent_commit=parent).oid


def test_an_upload_is_tried_again(hub: Hub, repo: Repo, api: HfApi) -> None:
    rule = hub.fail(faults.drop(took_effect=False), "PUT", side="cdn")
    assert push(api) == repo.head.oid
    assert rule.hits == 1
    assert repo.head.files[NAME].content == WEIGHTS[1:]


@pytest.mark.parametrize("took_effect", [False, True])
def test_a_commit_is_not_tried_again(hub: Hub, repo: Repo, api: HfApi, took_effect: bool) -> None:
    before = len(repo.commits)
    rule = hub.fail(faults.drop(took_effect=took_effect), "POST", "*/commit/main", times=None)
    with pytest.raises(httpx2.TransportError):
        push(api)
    assert rule.hits == 1
    assert len(repo.commits) == before + took_effect


def test_a_hub_that_is_down_at_the_commit(hub: Hub, repo: Repo, api: HfApi) -> None:
    before = repo.head
    rule = hub.fail(faults.status(503), "POST", "*/commit/main")
    with pytest.raises(HfHubHTTPError, match="503"):
        push(api)
    assert rule.hits == 1
    assert repo.head == before


def test_somebody_else_is_faster(hub: Hub, repo: Repo, api: HfApi) -> None:
    hub.fail(faults.meanwhile(lambda: repo.commit({"theirs": b"1"})), "POST", "*/commit/main")
    with pytest.raises(HfHubHTTPError, match="A commit has happened since"):
        push(api, repo.head.oid)
    assert "theirs" in repo.head.files
    assert repo.head.files["config.json"].content == b"{}"


def test_an_upload_that_gets_lost(hub: Hub, repo: Repo, api: HfApi) -> None:
    before = repo.head
    oid = hashlib.sha256(WEIGHTS[1:]).hexdigest()
    lost = faults.meanwhile(lambda: repo.objects.pop(oid), then="answer")
    hub.fail(lost, "PUT", side="cdn")
    with pytest.raises(RuntimeError, match="Error while uploading"):
        push(api)
    assert repo.head == before
