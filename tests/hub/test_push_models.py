"""Pushing a model through every fault: the repository is as it was, or has all of it, in one commit."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import tiny
from huggingface_hub import HfApi
from huggingface_hub.utils import _http

from gansdk.errors import HubError, RefError, UnreachableError
from gansdk.hub import transfers
from gansdk.hub.access import Access
from gansdk.hub.pushing import check, compare, find, send
from gansdk.hub.snapshots import pull
from gansdk.model.config import ModelConfig
from gansdk.refs import parse
from hub import faults
from hub.messages import Ending

if TYPE_CHECKING:
    from pathlib import Path

    from hub.faults import Exchange
    from hub.messages import Answer, Request
    from hub.repos import Repo
    from hub.server import Hub

WEIGHTS, INITIAL = bytes(range(256)) * 20, bytes(range(256)) * 30
CARD = b"---\nlibrary_name: gansdk\n---\n# A model\n"
REF = parse("hub:org/m")


def config(**files: bytes) -> bytes:
    """A ``config.json`` that names files; underscores stand for dots."""
    digests = {
        name.replace("_", "."): f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in files.items()
    }
    return (
        ModelConfig(gansdk=1, method="tiny", requires=tiny.METHOD.requires, facts=tiny.FACTS, network={}, files=digests)
        .to_json()
        .encode()
    )


FILES = {
    "config.json": config(model_safetensors=WEIGHTS),
    "model.safetensors": WEIGHTS,
    "README.md": CARD,
    "card-strip.webp": b"RIFFxxxxWEBP",
}


@pytest.fixture(autouse=True)
def _impatient(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "RETRY_SECONDS", 5.0)
    monkeypatch.setattr(transfers, "SENDING_SECONDS", 0.7)
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _seconds: None))  # the client's pauses alone


@pytest.fixture(autouse=True)
def token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of somebody who may write for org."""
    token = hub.user("ada", orgs=("org",)).token
    monkeypatch.setenv("HF_TOKEN", token)
    return token


def push(
    files: dict[str, bytes | Path] | None = None, *, ref: str = "hub:org/m", private: bool = False, tag: str = ""
) -> str:
    place = find(parse(ref))
    changes = compare(place, files or FILES)
    check(place, changes, private=private, tag=tag)
    return send(place, files or FILES, changes, "Push it\n\nand say why", private=private, tag=tag)


def content(repo: Repo) -> dict[str, bytes]:
    return {name: blob.content for name, blob in repo.head.files.items() if name != ".gitattributes"}


def writes(hub: Hub) -> list[Request]:
    return [request for request in hub.asked() if request.method not in ("GET", "HEAD")]


STAGES = {
    "create": ("POST", "/api/repos/create"),
    "preupload": ("POST", "*/preupload/main"),
    "batch": ("POST", "*/objects/batch"),
    "store": ("PUT", "/upload/*"),
    "verify": ("POST", "*/objects/verify"),
    "card": ("POST", "/api/validate-yaml"),
    "commit": ("POST", "*/commit/main"),
    "tag": ("POST", "*/tag/*"),
}
FAULTS = {
    "503": faults.status(503),
    "429": faults.status(429, retry_after=0),
    "drop-before": faults.drop(took_effect=False),
    "drop-after": faults.drop(),
    "stall-before": faults.stall(took_effect=False),
    "stall-after": faults.stall(),
}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_passes_is_mended(hub: Hub, stage: tuple[str, str], fault: faults.Fault) -> None:
    rule = hub.fail(fault, *stage)
    sha = push(tag="v1")
    repo = hub.world.repos["org/m"]
    assert rule.hits == 1
    assert content(repo) == FILES
    assert [commit.title for commit in repo.history("main")] == ["Push it", "initial commit"]
    assert sha == repo.head.oid == repo.tags["v1"]


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "verify"])  # then it is stored already
@pytest.mark.parametrize("fault", ["503", "drop-before"])
def test_what_lasts_is_one_line_and_nothing_changes(hub: Hub, stage: str, fault: str) -> None:
    hub.fail(FAULTS[fault], *STAGES[stage], times=None)
    with pytest.raises(UnreachableError, match="push again") as refused:
        push(tag="v1")
    assert "\n" not in str(refused.value)
    assert len(hub.asked(*STAGES[stage])) == transfers.TRIES
    repo = hub.world.repos.get("org/m")
    if stage == "create":
        assert repo is None
    elif stage == "tag":
        assert repo is not None
        assert f"on the Hub as hub:org/m@{repo.head.oid}, but without the tag v1" in str(refused.value)
        assert content(repo) == FILES
    else:
        assert repo is not None
        assert content(repo) == {}
    hub.faults.clear()
    assert push(tag="v1") == hub.world.repos["org/m"].tags["v1"]
    assert len(hub.world.repos["org/m"].commits) == 2


@pytest.mark.parametrize("path", ["/api/models/org/m", "*/refs", "*config.json", "*README.md"])
@pytest.mark.parametrize("fault", ["503", "drop-after", "stall-after"])
def test_looking_is_tried_again(hub: Hub, path: str, fault: str) -> None:
    hub.repo("org/m", FILES)
    rule = hub.fail(FAULTS[fault], "GET", path)
    assert push() == hub.world.repos["org/m"].head.oid
    assert rule.hits == 1
    assert not writes(hub)


def test_a_commit_whose_answers_all_get_lost_is_found(hub: Hub) -> None:
    rule = hub.fail(faults.drop(), "POST", "*/commit/main", times=None)
    assert push() == hub.world.repos["org/m"].head.oid
    assert rule.hits == 1


def test_a_commit_whose_answer_gets_lost_below_another_is_found(hub: Hub) -> None:
    repo = hub.repo("org/m")

    def lose(exchange: Exchange) -> Answer:
        answer = exchange.answer()
        repo.commit({"theirs": b"1"})
        return replace(answer, ending=Ending(None, "reset"))

    hub.fail(lose, "POST", "*/commit/main")
    sha = push(tag="v1")
    ours, head = repo.commits[sha], repo.head
    assert head.parent == ours.oid == repo.tags["v1"]
    assert len(repo.commits) == 3


PROGRAM = """
from gansdk.hub.pushing import compare, find
from gansdk.hub.pushing import send
from gansdk.refs import parse
files = {"config.json": b'{"gansdk": 1}', "model.safetensors": b"weights"}
place = find(parse("hub:org/m"))
send(place, files, compare(place, files), "Push it")
"""


@pytest.mark.parametrize(
    ("stage", "took_effect"), [("store", False), ("verify", True), ("commit", False), ("commit", True)]
)
def test_a_push_that_is_killed_left_all_or_nothing(hub: Hub, stage: str, took_effect: bool) -> None:
    repo = hub.repo("org/m", FILES)
    rule = hub.fail(faults.stall(took_effect=took_effect), *STAGES[stage])
    process = subprocess.Popen([sys.executable, "-c", PROGRAM])
    while not rule.hits:
        assert process.poll() is None
        time.sleep(0.02)
    is_whole = stage == "commit" and took_effect
    while is_whole and len(repo.commits) == 2:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert (content(repo) == FILES) is not is_whole
    assert len(repo.commits) == 2 + is_whole
    push()
    assert content(repo) == FILES


def test_a_long_pause_is_not_waited_for(hub: Hub) -> None:
    rule = hub.fail(faults.status(429, retry_after=3600), "PUT", side="cdn", times=None)
    with pytest.raises(UnreachableError, match="status 429"):
        push()
    assert rule.hits == 1


def test_one_commit_holds_all_and_can_be_pulled(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(WEIGHTS)
    sha = push({**FILES, "model.safetensors": path})
    repo = hub.world.repos["org/m"]
    assert (repo.head.title, repo.head.description, repo.head.author) == ("Push it", "and say why", "ada")
    snapshot, _ = pull(REF)
    assert snapshot.sha == sha
    assert (snapshot.folder / "model.safetensors").read_bytes() == WEIGHTS
    order = [str(request) for request in writes(hub)]
    assert order.index("hub POST /api/models/org/m/commit/main") == len(order) - 1
    assert all(request.token is None for request in hub.asked(side="cdn"))


def test_the_same_again_sends_nothing(hub: Hub) -> None:
    sha = push(tag="v1")
    before = len(writes(hub))
    assert push(tag="v1") == sha
    assert len(writes(hub)) == before


def test_only_what_changed_is_sent(hub: Hub) -> None:
    push()
    before = len(hub.asked("PUT"))
    push({**FILES, "README.md": CARD + b"More.\n"})
    assert len(hub.asked("PUT")) == before
    assert len(hub.asked("POST", "*/preupload/main")) == len(FILES) + 1


def test_what_is_no_longer_of_the_model_goes_in_the_same_commit(hub: Hub) -> None:
    both = {
        **FILES,
        "config.json": config(model_safetensors=WEIGHTS, initial_safetensors=INITIAL),
        "initial.safetensors": INITIAL,
        "card-trials.webp": b"RIFF",
        "evaluation.json": b"{}",
    }
    push(both)
    repo = hub.world.repos["org/m"]
    theirs = {"notes.txt": b"1", "other.safetensors": b"2", "card.png": b"3", "deep/card-a.webp": b"4", "a.json": b"5"}
    repo.commit(theirs)
    changes = {change.name: change.state for change in compare(find(REF), FILES)}
    removed = {name for name, state in changes.items() if state == "removed"}
    assert removed == {"initial.safetensors", "card-trials.webp", "evaluation.json"}
    push()
    assert content(repo) == {**FILES, **theirs}
    assert len(repo.history("main")) == 4


def test_somebody_else_is_faster(hub: Hub) -> None:
    repo = hub.repo("org/m", FILES)
    hub.fail(faults.meanwhile(lambda: repo.commit({"theirs": b"1"})), "POST", "*/commit/main")
    with pytest.raises(HubError, match=r"changed meanwhile; nothing of yours was written; .*push again"):
        push({**FILES, "README.md": CARD + b"Mine.\n"})
    assert content(repo) == {**FILES, "theirs": b"1"}


def test_two_who_push_never_mix(hub: Hub) -> None:
    mine, theirs = ({**FILES, "README.md": CARD + who} for who in (b"Mine.\n", b"Theirs.\n"))
    repo = hub.repo("org/m", FILES)
    place = find(REF)
    push(theirs)
    with pytest.raises(HubError, match="changed meanwhile"):
        send(place, mine, compare(place, mine), "mine")
    assert content(repo) == theirs
    assert send(place, theirs, compare(place, theirs), "the same") == repo.head.oid  # what they want is there
    assert len(repo.history("main")) == 3


def test_a_repository_that_somebody_else_makes_meanwhile(hub: Hub) -> None:
    made = faults.meanwhile(lambda: hub.repo("org/m", {"theirs": b"1"}))
    hub.fail(made, "POST", "/api/repos/create")
    with pytest.raises(HubError, match="changed meanwhile"):
        push()
    assert content(hub.world.repos["org/m"]) == {"theirs": b"1"}


def test_a_new_repository_is_private_if_asked(hub: Hub) -> None:
    push(private=True)
    assert hub.world.repos["org/m"].private
    push(ref="hub:org/open")
    assert not hub.world.repos["org/open"].private
    before = len(writes(hub))
    with pytest.raises(HubError, match="public already"):
        push(ref="hub:org/open", private=True)
    assert len(writes(hub)) == before


def test_a_tag_is_looked_at_before_anything_is_sent(hub: Hub) -> None:
    repo = hub.repo("org/m", FILES)
    repo.tag("v1")
    repo.branch("dev")
    repo.commit({"theirs": b"1"})
    changed = {**FILES, "README.md": CARD + b"More.\n"}
    for tag, kind in {"v1": HubError, "dev": HubError, "main": HubError, "a b": RefError, "0" * 40: RefError}.items():
        for files in (changed, FILES):
            with pytest.raises(kind, match=r"has the tag v1 already|is a branch|cannot be a tag"):
                push(files, tag=tag)
    assert not writes(hub)


def test_a_tag_that_somebody_else_makes_meanwhile(hub: Hub) -> None:
    repo = hub.repo("org/m", FILES)
    first = repo.history("main")[-1].oid
    hub.fail(faults.meanwhile(lambda: repo.tag("v1", first)), "POST", "*/tag/*")
    with pytest.raises(HubError, match=r"on the Hub as hub:org/m@[0-9a-f]{40}, but the tag v1 became another"):
        push(tag="v1")
    assert repo.tags["v1"] == first


def test_who_may_not_write_is_told_what_to_do(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repo("org/m", {**FILES, "README.md": b"# Other\n"})
    not_theirs = r"`hf auth login` with a token that may write for org"
    tokens = {
        None: not_theirs,
        hub.user("bob").token: not_theirs,
        hub.user("eve", orgs=("org",), role="read").token: not_theirs,
        "hf_" + "x" * 34: "does not know the token that it was sent; `hf auth login` with another",
    }
    for token, told in tokens.items():
        if token is None:
            monkeypatch.delenv("HF_TOKEN")
        else:
            monkeypatch.setenv("HF_TOKEN", token)
        for ref in ("hub:org/m", "hub:org/new"):
            with pytest.raises(HubError, match=told) as refused:
                push(ref=ref)
            assert "hf_" not in str(refused.value)
    assert set(hub.world.repos) == {"org/m"}
    assert len(hub.world.repos["org/m"].commits) == 2


def test_another_programs_model_is_not_written_over(hub: Hub) -> None:
    for other in (b'{"architectures": ["Bert"]}', b"no JSON", b"[]"):
        hub.repo("org/m", {"config.json": other})
        with pytest.raises(HubError, match="another program"):
            push()
    assert not writes(hub)


def test_a_card_that_the_hub_refuses(hub: Hub) -> None:
    with pytest.raises(HubError, match=r"the Hub refuses the card of hub:org/m: Invalid metadata"):
        push({**FILES, "README.md": b"---\na: [\n---\n"})
    assert content(hub.world.repos["org/m"]) == {}


def test_offline_asks_nobody(hub: Hub) -> None:
    with pytest.raises(UnreachableError, match="offline"):
        find(REF, Access(offline=True))
    assert not hub.asked()


def test_looking_leaves_nothing_in_the_cache(hub: Hub, tmp_path: Path) -> None:
    hub.repo("org/m", FILES)
    assert find(REF).card == CARD
    assert not list((tmp_path / "hf").rglob("*.json"))
    assert not list((tmp_path / "hf").rglob("models--*"))


def test_another_client_sees_the_commit(hub: Hub, token: str) -> None:
    sha = push(tag="v1")
    newest, _ = HfApi(token=token).list_repo_commits("org/m")
    assert (newest.commit_id, newest.title, newest.message) == (sha, "Push it", "and say why")
