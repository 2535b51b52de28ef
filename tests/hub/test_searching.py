"""Searching the Hub: what is found, in how many requests, and through every fault."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import HfApi, ModelCard, ModelCardData, constants

import gansdk
from gansdk.errors import HubError, OptionError, UnknownNameError, UnreachableError
from gansdk.hub import transfers
from gansdk.hub.access import Access
from gansdk.hub.listings import SearchResult, search
from hub import faults

if TYPE_CHECKING:
    from hub.faults import Exchange
    from hub.messages import Answer
    from hub.server import Hub

MODELS = "/api/models"

pytestmark = pytest.mark.usefixtures("impatient")


def card(*tags: str, library: str = "gansdk", **fields: object) -> dict[str, bytes]:
    data = ModelCardData(library_name=library, tags=[library, *tags], **fields)
    return {"README.md": str(ModelCard(f"---\n{data}\n---\n# A model\n")).encode()}


@pytest.fixture
def shelf(hub: Hub) -> Hub:
    """Three models of gansdk's and one of another library."""
    hub.repo("org/srgan-x4", card("srgan", "superres", license="apache-2.0"))
    hub.repo("org/srresnet-x4", card("srresnet", "superres", license="other", license_name="s-lab-1.0"))
    hub.repo("ada/infogan-mnist", card("infogan", "generate", "traverse", license="unknown"))
    hub.repo("org/srgan-by-others", card("srgan", "superres", library="pytorch"))
    return hub


def refs(found: tuple[SearchResult, ...]) -> list[str]:
    return sorted(one.ref for one in found)


@pytest.mark.usefixtures("shelf")
def test_text_task_and_method_each_narrow_it() -> None:
    assert refs(search()) == ["hub:ada/infogan-mnist", "hub:org/srgan-x4", "hub:org/srresnet-x4"]
    assert refs(search("SRGAN")) == ["hub:org/srgan-x4"]
    assert refs(search(task="superres")) == ["hub:org/srgan-x4", "hub:org/srresnet-x4"]
    assert refs(search("x4", task="superres", method="srresnet")) == ["hub:org/srresnet-x4"]
    assert search("srgan", task="generate") == ()


def test_what_is_found_is_what_the_client_lists(shelf: Hub) -> None:
    shelf.repo("org/gated", card("tiny"), gate="manual")
    theirs = {f"hub:{one.id}": one for one in HfApi().list_models(filter="gansdk", full=True, cardData=True)}
    ours = {one.ref: one for one in search()}
    assert set(ours) == set(theirs)
    for ref, one in ours.items():
        assert (one.sha, list(one.tags), one.gated) == (theirs[ref].sha, theirs[ref].tags, bool(theirs[ref].gated))
        assert one.modified[:19] == theirs[ref].last_modified.isoformat()[:19]
    licences = {ref: one.licence for ref, one in ours.items()}
    assert licences == {
        "hub:org/srgan-x4": "apache-2.0",
        "hub:org/srresnet-x4": "s-lab-1.0",
        "hub:ada/infogan-mnist": "",
        "hub:org/gated": "",
    }


def test_private_models_are_found_by_those_who_may_know_of_them(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repo("ada/own", card("tiny"), private=True)
    assert search() == ()
    monkeypatch.setenv("HF_TOKEN", hub.user("ada").token)
    (own,) = search()
    assert (own.ref, own.private) == ("hub:ada/own", True)


def test_the_front_door_searches(shelf: Hub) -> None:
    assert [one.ref for one in gansdk.search("srgan-x4", task="superres")] == ["hub:org/srgan-x4"]
    with pytest.raises(UnknownNameError, match="did you mean superres"):
        gansdk.search("srgan-x4", task="superes")
    with pytest.raises(UnreachableError, match="not searched offline"):
        gansdk.search("srgan-x4", offline=True)
    assert len(shelf.asked()) == 1


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (2, 1), (3, 2), (5, 3), (100, 4)])
def test_no_more_pages_than_needed(hub: Hub, limit: int, requests: int) -> None:
    hub.world.page_size = 2
    for number in range(7):
        hub.repo(f"org/m{number}", card("tiny"))
    found = search(limit=limit)
    assert [one.ref for one in found] == [f"hub:org/m{number}" for number in (6, 5, 4, 3, 2, 1, 0)[:limit]]
    assert len(hub.asked()) == requests


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_refused(hub: Hub, limit: int) -> None:
    with pytest.raises(OptionError, match=f"finds 1 to 100 models, not {limit}"):
        search(limit=limit)
    assert not hub.asked()


@pytest.mark.parametrize("body", [None, b"[]"], ids=["the same page", "empty pages"])
def test_a_server_that_pages_for_ever_is_left(shelf: Hub, body: bytes | None) -> None:
    def endless(exchange: Exchange) -> Answer:
        answer = exchange.answer().having(Link=f'<{shelf.url}{MODELS}?filter=gansdk>; rel="next"')
        return answer if body is None else replace(answer, body=body)

    shelf.fail(endless, "GET", MODELS, times=None)
    assert len(search(limit=100)) == (3 if body is None else 0)
    assert len(shelf.asked()) <= 2


def test_the_next_page_is_asked_of_the_hub_alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", hub.user("ada").token)
    hub.world.page_size = 1
    hub.repo("org/a", card("tiny"))
    hub.repo("org/b", card("tiny"))

    def elsewhere(exchange: Exchange) -> Answer:
        answer = exchange.answer()
        return answer.having(Link=answer.headers["Link"].replace(hub.url, hub.world.cdn_url))

    hub.fail(elsewhere, "GET", MODELS)
    assert refs(search()) == ["hub:org/a", "hub:org/b"]
    assert not hub.asked(side="cdn")


@pytest.mark.parametrize("fault", faults.OF_ANSWERS.values(), ids=faults.OF_ANSWERS)
def test_what_passes_is_mended(shelf: Hub, fault: faults.Fault) -> None:
    rule = shelf.fail(fault, "GET", MODELS)
    assert len(search()) == 3
    assert rule.hits == 1


@pytest.mark.parametrize("fault", faults.OF_ANSWERS.values(), ids=faults.OF_ANSWERS)
def test_what_lasts_is_one_line(shelf: Hub, fault: faults.Fault) -> None:
    rule = shelf.fail(fault, "GET", MODELS, times=None)
    with pytest.raises(UnreachableError, match=r"^the Hub did not give a list of models: .*; try again later$"):
        search()
    assert rule.hits == transfers.TRIES
    assert not list(Path(constants.HF_HUB_CACHE).glob("models--*"))


def test_a_fault_on_a_later_page_is_mended(shelf: Hub) -> None:
    shelf.world.page_size = 2
    rule = shelf.fail(faults.drop(), "GET", MODELS, skip=1)
    assert len(search()) == 3
    assert rule.hits == 1


def test_a_long_pause_is_not_waited_for(shelf: Hub) -> None:
    rule = shelf.fail(faults.status(503, retry_after=3600), "GET", MODELS, times=None)
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="status 503"):
        search()
    assert rule.hits == 1
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("body", [b"{}", b"[1]", b'[{"name": "x"}]', b"null"])
def test_json_that_is_no_list_of_models_is_one_line(shelf: Hub, body: bytes) -> None:
    shelf.fail(lambda exchange: replace(exchange.answer(), body=body), "GET", MODELS, times=None)
    with pytest.raises(UnreachableError, match="not what a Hub says"):
        search()


def test_a_name_that_no_ref_can_have_is_left_out(shelf: Hub) -> None:
    body = b'[{"id": "gpt2", "tags": ["gansdk"]}, {"id": "org/ok"}, {"id": "org/\\u001b[2J"}]'
    shelf.fail(lambda exchange: replace(exchange.answer(), body=body), "GET", MODELS)
    assert search() == (SearchResult("hub:org/ok"),)


def test_a_token_that_is_nobodys_is_told_and_not_shown(shelf: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    with pytest.raises(HubError, match=r"does not know the token .*hf auth login") as refused:
        search()
    assert "xxx" not in str(refused.value)
    assert len(shelf.asked()) == 1


@pytest.mark.usefixtures("shelf")
def test_another_server_refuses(shelf: Hub) -> None:
    shelf.fail(faults.status(404), "GET", MODELS)
    with pytest.raises(HubError, match="refuses to search: status 404; check HF_ENDPOINT"):
        search()


def test_offline_asks_nobody(shelf: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreachableError, match="not searched offline; search while online"):
        search(access=Access(offline=True))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UnreachableError, match="not searched offline"):
        search()
    assert not shelf.asked()


def test_a_hub_that_is_gone_is_one_line(shelf: Hub) -> None:
    shelf.close()
    with pytest.raises(UnreachableError, match="the connection failed"):
        search()
