"""Pulling a model through every fault: each ends in success or one clear line, and a cache without damage."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import constants

from gansdk.errors import DamagedError, HubError, UnreachableError
from gansdk.hub import transfers
from gansdk.hub.access import Access
from gansdk.hub.layout import remove_file
from gansdk.hub.snapshots import pull, resolve
from gansdk.refs import parse
from hub import faults
from hub.unloaded import CONFIG, NAME, WEIGHTS, config_for

if TYPE_CHECKING:
    from hub.repos import Repo
    from hub.server import Hub

FILES = {
    NAME: WEIGHTS,
    "config.json": CONFIG.to_json().encode(),
    "README.md": b"# A model\n",
    "notes.txt": b"not asked for",
}
REF = parse("hub:org/m")

pytestmark = pytest.mark.usefixtures("impatient")


def blobs() -> set[bytes]:
    return {path.read_bytes() for path in Path(constants.HF_HUB_CACHE).glob("models--org--m/blobs/*")}


MENDED = {
    "info-503": (faults.status(503), "GET", "/api/models/*"),
    "info-429": (faults.status(429, retry_after=0), "GET", "/api/models/*"),
    "info-drop": (faults.drop(), "GET", "/api/models/*"),
    "info-page": (faults.page(), "GET", "/api/models/*"),
    "file-503": (faults.status(503), "GET", "*safetensors"),
    "file-drop": (faults.drop(1000), "GET", "*safetensors"),
    "head-drop": (faults.drop(), "HEAD", "*safetensors"),
    "file-short": (faults.truncate(1000, honest=True), "GET", "*"),
    "file-flip": (faults.flip(-1), "GET", "*"),
    "file-page": (faults.page(padded=True), "GET", "*"),
    "file-stall": (faults.stall(1000), "GET", "*"),
}


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("fault", MENDED.values(), ids=MENDED)
def test_what_lasts_is_one_line(hub: Hub, fault: tuple) -> None:
    what, method, path = fault
    on_store = path in ("*", "*safetensors") and method == "GET"
    hub.fail(what, method, "*" if on_store else path, side="cdn" if on_store else None, times=None)
    with pytest.raises(HubError) as refused:
        pull(REF)
    assert "\n" not in str(refused.value)
    assert refused.value.hint
    assert blobs() <= {FILES["config.json"], FILES["README.md"]}


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("fault", MENDED.values(), ids=MENDED)
def test_what_passes_is_mended(hub: Hub, fault: tuple) -> None:
    what, method, path = fault
    on_store = path in ("*", "*safetensors") and method == "GET"
    rule = hub.fail(what, method, "*" if on_store else path, side="cdn" if on_store else None)
    snapshot, _ = pull(REF)
    assert rule.hits == 1
    assert (snapshot.folder / NAME).read_bytes() == WEIGHTS
    assert blobs() == {FILES[name] for name in (NAME, "config.json", "README.md")}


def slowly(fault: faults.Fault) -> faults.Fault:
    """With a reset, what was sent and not yet read is lost; so it is sent no faster than it is read."""
    return lambda exchange: replace(fault(exchange), intervals=2e6)


@pytest.mark.parametrize(
    "fault", [faults.drop(900_000), faults.truncate(900_000, honest=False)], ids=["reset", "close"]
)
def test_a_half_file_is_gone_on_with(hub: Hub, fault: faults.Fault) -> None:
    large = bytes(range(256)) * 4096
    hub.repo("org/m", {"config.json": config_for(large).to_json().encode(), NAME: large})
    hub.fail(slowly(fault), "GET", side="cdn")
    assert (pull(REF)[0].folder / NAME).read_bytes() == large
    first, second = (request.headers.get("range") for request in hub.asked("GET", side="cdn"))
    assert first is None
    assert second in [f"bytes={chunks * 2**18}-" for chunks in (1, 2, 3)]


def test_damage_to_the_end_leaves_nothing(hub: Hub, repo: Repo) -> None:
    hub.fail(faults.flip(-1), "GET", side="cdn", times=None)
    with pytest.raises(DamagedError, match=r"model\.safetensors .* expected .* got .*gansdk pull hub:org/m"):
        pull(REF)
    assert blobs() == {FILES["config.json"]}
    assert not (Path(constants.HF_HUB_CACHE) / "models--org--m/snapshots" / repo.head.oid / NAME).is_symlink()


def test_a_damaged_config_is_fetched_again(hub: Hub, repo: Repo) -> None:
    hub.fail(faults.flip(2), "GET", "*config.json")
    assert pull(REF)[0].sha == repo.head.oid


@pytest.mark.usefixtures("repo")
def test_a_name_that_is_a_path_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.fail(faults.etag("../../../../escaped"), "HEAD", f"*{NAME}")
    with pytest.raises(HubError, match="nothing was downloaded"):
        pull(REF)
    assert not (tmp_path / "escaped").exists()
    assert not hub.asked("GET", side="cdn")


@pytest.mark.usefixtures("repo")
def test_a_hub_that_stays_down(hub: Hub) -> None:
    rule = hub.fail(faults.status(503), "GET", "/api/models/*", times=None)
    with pytest.raises(UnreachableError, match="status 503"):
        pull(REF)
    assert rule.hits == transfers.TRIES


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("path", ["/api/models/*", "/repos/*"])
def test_a_long_pause_is_not_waited_for(hub: Hub, path: str) -> None:
    rule = hub.fail(faults.status(429, retry_after=3600), "GET", path, times=None)
    with pytest.raises(UnreachableError, match="status 429"):
        pull(REF)
    assert rule.hits == 1


def test_a_cached_commit_makes_no_request(hub: Hub, repo: Repo) -> None:
    pinned = parse(f"hub:org/m@{repo.head.oid}")
    pull(pinned)
    asked = len(hub.asked())
    assert pull(pinned)[0].sha == repo.head.oid
    assert len(hub.asked()) == asked


@pytest.mark.usefixtures("repo")
def test_a_cached_branch_is_asked_for_once(hub: Hub) -> None:
    pull(REF)
    asked = len(hub.asked())
    pull(REF)
    assert len(hub.asked()) == asked + 1


@pytest.mark.usefixtures("repo")
def test_a_hub_that_is_gone_has_been_cached(hub: Hub) -> None:
    sha = pull(REF)[0].sha
    hub.close()
    notes: list[str] = []
    assert pull(REF, note=notes.append)[0].sha == sha
    assert "continuing with the cached" in notes[0]
    assert pull(REF, Access(offline=True))[0].sha == sha


@pytest.mark.usefixtures("repo")
def test_offline_asks_nobody(hub: Hub) -> None:
    with pytest.raises(UnreachableError, match="not in the cache"):
        resolve(REF, Access(offline=True))
    assert not hub.asked()


def test_a_branch_that_moves_meanwhile(hub: Hub, repo: Repo) -> None:
    before = repo.head.oid
    hub.fail(faults.meanwhile(lambda: repo.commit({NAME: b"new"})), "HEAD", "*config.json")
    assert (pull(REF)[0].folder / NAME).read_bytes() == WEIGHTS
    assert before != repo.head.oid


def test_refusals_say_what_to_do(hub: Hub) -> None:
    hub.repo("org/secret", FILES, private=True)
    hub.repo("org/gated", FILES, gate="manual")
    hub.repo("org/m", FILES)
    for text, told in {
        "hub:org/none": "hf auth login",
        "hub:org/secret": "hf auth login",
        "hub:org/gated": "ask for access at",
        "hub:org/m@v9": "no such revision",
    }.items():
        with pytest.raises(HubError, match=told):
            pull(parse(text))


def test_no_error_shows_the_token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    token = hub.user("eve").token
    monkeypatch.setenv("HF_TOKEN", token)
    hub.repo("org/gated", FILES, gate="manual")
    with pytest.raises(HubError) as refused:
        pull(parse("hub:org/gated"))
    assert any(request.token == token for request in hub.asked())
    assert token not in str(refused.value)


def test_a_blob_that_snapshots_share_goes_from_all(hub: Hub, repo: Repo) -> None:
    first = pull(REF)[0].folder
    repo.commit({"README.md": b"# Another\n"})
    second = pull(REF)[0].folder
    assert first != second
    remove_file(first / NAME)
    assert not [path for path in (first / NAME, second / NAME) if path.is_symlink()]
    assert blobs() == {FILES["config.json"], FILES["README.md"], b"# Another\n"}
    assert (pull(REF)[0].folder / NAME).read_bytes() == WEIGHTS


def test_another_tools_repository(hub: Hub) -> None:
    hub.repo("org/m", {"config.json": b"{}", NAME: WEIGHTS})
    with pytest.raises(
        HubError, match=r"no model of gansdk's; .* gansdk import hub:org/m@[0-9a-f]{40}:model.safetensors"
    ):
        pull(REF)
    assert not hub.asked("GET", side="cdn")


def test_the_client_is_left_as_it_was(hub: Hub, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    with transfers.transfer():
        assert constants.HF_HUB_DISABLE_XET
    assert not constants.HF_HUB_DISABLE_XET


def test_xet_is_the_clients_choice_where_the_user_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    monkeypatch.setenv(transfers.XET, "1")
    with transfers.transfer():
        assert not constants.HF_HUB_DISABLE_XET


def test_the_client_is_imported_when_needed() -> None:
    code = "import sys, gansdk.hub.snapshots; assert not {'huggingface_hub', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
