"""What is known of a model on the Hub without its weights: in how many requests, and through every fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import EvalResult, ModelCard, ModelCardData, constants

from gansdk.errors import DamagedError, HubError, ModelError, UnreachableError
from gansdk.hub import transfers
from gansdk.hub.access import Access
from gansdk.hub.snapshots import Stated, config_of, describe, pull, resolve, stated
from gansdk.refs import parse
from hub import faults
from hub.messages import Answer
from hub.unloaded import CONFIG, NAME, WEIGHTS

if TYPE_CHECKING:
    from hub.repos import Repo
    from hub.server import Hub

RESULT = EvalResult(
    task_type="image-to-image",
    dataset_type="set5",
    dataset_name="Set5",
    metric_type="psnr-y",
    metric_name="psnr-y [dB]",
    metric_value=29.88,
)
CARD = ModelCard(
    f"---\n{ModelCardData(library_name='gansdk', model_name='m', eval_results=[RESULT])}\n---\n# A model\n"
)
FILES = {NAME: WEIGHTS, "config.json": CONFIG.to_json().encode(), "README.md": str(CARD).encode()}
REF = parse("hub:org/m")

pytestmark = pytest.mark.usefixtures("impatient")


def cached() -> list[Path]:
    return list(Path(constants.HF_HUB_CACHE).glob("models--*"))


@pytest.mark.parametrize(("is_redirected", "requests"), [(True, 3), (False, 2)])
def test_all_but_weights_in_three_requests_and_nothing_is_kept(
    hub: Hub, repo: Repo, is_redirected: bool, requests: int
) -> None:
    hub.world.resolve_cache = is_redirected
    described = describe(REF)
    assert described.config == CONFIG
    assert described.sizes == {NAME: len(WEIGHTS)}
    assert described.stated == (Stated("psnr-y", "Set5", 29.88, "dB"),)
    assert described.snapshot.sha == repo.head.oid
    assert len(hub.asked()) == requests
    assert not hub.asked(side="cdn")
    assert not cached()


def test_compressed_answers_are_read(hub: Hub, repo: Repo) -> None:
    hub.world.compresses = True
    assert describe(REF).snapshot.sha == repo.head.oid


def test_a_tag_is_described_and_not_the_newest(hub: Hub, repo: Repo) -> None:
    repo.tag("v1")
    first = repo.head.oid
    repo.commit({"config.json": b"{}"})
    assert describe(parse("hub:org/m@v1")).snapshot.sha == first
    assert describe(parse(f"hub:org/m@{first}")).snapshot.sha == first


def test_the_token_follows_no_redirect_to_another_host(hub: Hub, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    token = hub.user("ada", orgs=("org",)).token
    monkeypatch.setenv("HF_TOKEN", token)
    there = f"{hub.world.cdn_url}/elsewhere/config.json"
    hub.fail(lambda _exchange: Answer(302, {"Location": there}), "GET", "*/resolve/*config.json")
    hub.fail(lambda _exchange: Answer(200, {}, FILES["config.json"]), "GET", "/elsewhere/*", side="cdn")
    assert describe(REF).snapshot.sha == repo.head.oid
    assert [request.token for request in hub.asked(side="cdn")] == [None]
    assert {request.token for request in hub.asked(side="hub")} == {token}


def test_whoever_may_sees_that_it_is_private_or_gated(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", hub.user("ada", orgs=("org",)).token)
    hub.repo("org/m", FILES, private=True, gate="manual")
    listing = describe(REF).snapshot.listing
    assert listing is not None
    assert (listing.private, listing.gated) == (True, True)


class TestCached:
    def test_a_cached_model_costs_the_question_for_its_commit(self, hub: Hub, repo: Repo) -> None:
        folder = pull(REF)[0].folder
        before = len(hub.asked())
        described = describe(REF)
        assert (described.snapshot.folder, described.config) == (folder, CONFIG)
        assert len(hub.asked()) == before + 1

    def test_a_whole_pinned_one_costs_nothing(self, hub: Hub, repo: Repo) -> None:
        pinned = parse(f"hub:org/m@{repo.head.oid}")
        pull(pinned)
        before = len(hub.asked())
        assert describe(pinned).sizes == {NAME: len(WEIGHTS)}
        assert len(hub.asked()) == before

    def test_the_sizes_of_a_pinned_one_that_is_not_whole_are_asked_for(self, hub: Hub, repo: Repo) -> None:
        pinned = parse(f"hub:org/m@{repo.head.oid}")
        config_of(resolve(pinned))
        before = len(hub.asked())
        assert describe(pinned).sizes == {NAME: len(WEIGHTS)}
        assert len(hub.asked()) == before + 1
        hub.close()
        assert describe(pinned).sizes == {NAME: None}

    def test_offline_it_is_all_there_is(self, hub: Hub, repo: Repo) -> None:
        with pytest.raises(UnreachableError, match=r"not in the cache.*pull it once"):
            describe(REF, Access(offline=True))
        config_of(resolve(REF))
        before = len(hub.asked())
        described = describe(REF, Access(offline=True))
        assert (described.config, described.sizes, described.stated) == (CONFIG, {NAME: None}, ())
        assert len(hub.asked()) == before

    def test_a_hub_that_is_gone_has_been_cached(self, hub: Hub, repo: Repo) -> None:
        pull(REF)
        hub.close()
        notes: list[str] = []
        assert describe(REF, note=notes.append).sizes == {NAME: len(WEIGHTS)}
        assert len(notes) == 1
        assert "continuing with the cached" in notes[0]


INFO, RESOLVE, FILE = "/api/models/org/m", "/org/m/resolve/*", "/api/resolve-cache/*config.json"
OF_CONFIG = faults.OF_ANSWERS | {"flipped": faults.flip(-3), "page of its length": faults.page(padded=True)}
CELLS = [
    *(("listing", INFO, fault) for fault in faults.OF_ANSWERS),
    *(("redirect", RESOLVE, fault) for fault in ("503", "429", "drop", "stall", "page")),
    *(("config", FILE, fault) for fault in OF_CONFIG),
]


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize(("what", "path", "fault"), CELLS)
def test_what_passes_is_mended(hub: Hub, what: str, path: str, fault: str) -> None:
    rule = hub.fail(OF_CONFIG[fault], "GET", path)
    assert describe(REF).config == CONFIG
    assert rule.hits == 1
    assert not cached()


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize(("what", "path", "fault"), CELLS)
def test_what_lasts_is_one_line(hub: Hub, what: str, path: str, fault: str) -> None:
    rule = hub.fail(OF_CONFIG[fault], "GET", path, times=None)
    with pytest.raises(HubError) as refused:
        describe(REF)
    assert rule.hits == transfers.TRIES == 2
    assert str(refused.value).startswith(("the Hub did not give hub:org/m: ", "config.json of hub:org/m came damaged"))
    assert "\n" not in str(refused.value)
    assert refused.value.hint
    assert not cached()


@pytest.mark.usefixtures("repo")
def test_damage_to_the_end_names_both_digests(hub: Hub) -> None:
    hub.fail(faults.flip(-3), "GET", FILE, times=None)
    with pytest.raises(DamagedError, match=r"came damaged twice: expected [0-9a-f]{40}, got [0-9a-f]{40}; try again"):
        describe(REF)


def test_refusals_are_those_of_a_pull(hub: Hub) -> None:
    hub.repo("org/secret", FILES, private=True)
    hub.repo("org/gated", FILES, gate="manual")
    hub.repo("org/empty", {"notes.txt": b"none"})
    hub.repo("org/theirs", {"config.json": b'{"architectures": []}', "net.pth": b"..."})
    hub.repo("org/large", {"config.json": b" " * (17 * 2**20)})
    hub.repo("org/m", FILES)
    for text in ("none", "secret", "gated", "empty", "theirs", "m@v9"):
        ref = parse(f"hub:org/{text}")
        with pytest.raises(HubError) as pulled:
            config_of(resolve(ref))
        with pytest.raises(HubError) as shown:
            describe(ref)
        assert str(shown.value) == str(pulled.value)
    with pytest.raises(HubError, match="holds no model of gansdk's"):
        describe(parse("hub:org/large"))
    assert len(hub.asked("GET", "/org/large/*")) == 0


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (b'{"gansdk": 99}', "config.json of hub:org/m has format version 99, this gansdk reads 1; pip install"),
        (b'{"gansdk": 1}', "config.json of hub:org/m: field 'method' is missing"),
        (b'{"gansdk": ', "config.json of hub:org/m cannot be read as JSON"),
        (b"\xff\xfe{", "config.json of hub:org/m cannot be read as JSON"),
    ],
)
def test_a_config_that_is_wrong_is_one_line(hub: Hub, config: bytes, said: str) -> None:
    hub.repo("org/m", {"config.json": config})
    with pytest.raises(ModelError) as refused:
        describe(REF)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "index",
    [
        None,
        "none",
        [],
        ["x"],
        [{"results": "x"}],
        [{"results": [{"dataset": "x", "metrics": [{"type": "psnr", "value": "29"}]}]}],
        [{"results": [{"metrics": [{"type": "seen", "value": True}]}]}],
    ],
)
def test_what_is_no_figure_is_passed_over(index: object) -> None:
    assert list(stated(json.loads(json.dumps({"model-index": index})))) == []
