"""``models search`` and ``models show`` of what is on the Hub, through the installed command."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
from command import Gansdk
from hub import faults
from huggingface_hub import constants

from gansdk.evaluation.record import Evaluation, Measurement

EVALUATION = Evaluation(
    measurements=(Measurement(metric="psnr-y", data="Set5", protocol={}, unit="dB", value=29.876),), baseline="none"
)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def mine(kinds_path, tmp_path_factory):
    """A model folder with its card."""
    place = tmp_path_factory.mktemp("mine")
    tiny.write(place / "mine", evaluation=EVALUATION, licence="MIT", summary="random weights")
    assert Gansdk(home=place / "home", cwd=place, path=kinds_path)("card", "./mine", "--no-images").code == 0
    return place / "mine"


@pytest.fixture
def published(hub, mine):
    """The same, as somebody put it on the Hub."""
    repo = hub.repo("org/tiny-x2", files(mine))
    repo.tag("v1")
    return repo


@pytest.fixture
def cache(hub):
    """Where nothing may be left."""
    return Path(constants.HF_HUB_CACHE)


def test_a_card_that_gansdk_wrote_is_found_by_text_task_and_method(with_kinds, published, hub):
    hub.repo("org/other", {"README.md": b"---\ntags: [gansdk, stylegan, generate]\n---\n"})
    for arguments in (["tiny"], ["--task", "superres"], ["--method", "tiny"], ["TINY", "--task", "kinds"]):
        (record,) = with_kinds("models", "search", *arguments, "--json").records
        assert (record["ref"], record["commit"]) == ("hub:org/tiny-x2", published.head.oid)
        assert (record["method"], record["tasks"], record["licence"]) == ("tiny", ["kinds", "superres"], "mit")
    done = with_kinds("models", "search")
    assert (done.code, done.err) == (0, "")
    head, other, mine = (line.split() for line in done.out.splitlines())
    assert head == ["model", "method", "tasks", "licence", "downloads", "changed", "access"]
    assert other[:4] == ["hub:org/other", "-", "generate", "-"]
    assert mine[:5] == ["hub:org/tiny-x2", "tiny", "kinds,", "superres", "mit"]


def test_nothing_found_is_said_and_no_failure(with_kinds, published):
    done = with_kinds("models", "search", "nothing of the kind")
    assert (done.code, done.out) == (0, "")
    assert done.error == "no model on the Hub is like that; the Hub looks for a text in names; ask for less"
    assert with_kinds("models", "search", "nothing", "--json").out == ""


def test_a_method_that_is_not_installed_is_searched_for(with_kinds, published, hub):
    near = with_kinds("models", "search", "--method", "tinny")
    assert (near.code, near.error) == (0, "no model on the Hub is like that; did you mean tiny?")
    hub.repo("org/tinny", {"README.md": b"---\ntags: [gansdk, tinny, superres]\n---\n"})
    done = with_kinds("models", "search", "--method", "tinny", "--json")
    assert [(record["ref"], record["method"]) for record in done.records] == [("hub:org/tinny", "tinny")]
    assert done.error == "no plugin here brings tinny; `gansdk models show hub:org/tinny` says what to install"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "supres"], "there is no task 'supres'; did you mean superres?"),
        (["--method", "Tiny"], "there is no method 'Tiny'; did you mean tiny?"),
        (["--limit", "101"], "a search finds 1 to 100 models, not 101; narrow it"),
        (["a", "b"], "got unexpected extra argument"),
    ],
)
def test_a_wrong_search_asks_nobody(with_kinds, hub, arguments, said):
    done = with_kinds("models", "search", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.error
    assert not hub.asked()


def test_a_search_that_was_cut_says_so(with_kinds, hub):
    hub.world.page_size = 2
    for number in range(5):
        hub.repo(f"org/m{number}", {"README.md": b"---\ntags: [gansdk]\n---\n"})
    done = with_kinds("models", "search", "--limit", "3", "--json")
    assert len(done.records) == 3
    assert done.error == "these are the first 3; there may be more: raise --limit, or narrow the search"
    assert with_kinds("models", "search", "--limit", "3", "--json", "--quiet").err == ""


def test_offline_no_socket_is_opened_and_the_way_out_is_told(with_kinds, published, hub):
    before = len(hub.asked())
    searched = with_kinds("models", "search", "tiny", "--offline")
    assert (searched.code, searched.out) == (1, "")
    assert searched.error.startswith("gansdk: the Hub is not searched offline; search while online")
    shown = with_kinds("models", "show", "hub:org/tiny-x2", "--offline")
    assert shown.code == 1
    assert "not in the cache" in shown.error
    assert len(hub.asked()) == before


@pytest.mark.parametrize(("is_redirected", "requests"), [(True, 3), (False, 2)])
def test_show_tells_all_in_three_requests_and_keeps_nothing(
    with_kinds, published, mine, hub, cache, is_redirected, requests
):
    hub.world.resolve_cache = is_redirected
    (record,) = with_kinds("models", "show", "hub:org/tiny-x2@v1", "--json").records
    assert len(hub.asked()) == requests
    assert not hub.asked(side="cdn")
    assert not list(cache.glob("models--*"))
    (local,) = with_kinds("models", "show", mine, "--json").records
    same = set(local) - {"ref", "folder", "evaluation"}
    assert {key: record[key] for key in same} == {key: local[key] for key in same}
    assert set(record) - set(local) == {"repo", "commit", "private", "gated"}
    assert (record["ref"], record["folder"], record["commit"]) == ("hub:org/tiny-x2@v1", "", published.head.oid)
    (stated,), (measured,) = record["evaluation"]["measurements"], local["evaluation"]["measurements"]
    assert stated == {key: measured[key] for key in stated}


def test_show_for_people_through_an_alias(with_kinds, published):
    assert with_kinds("alias", "set", "sr", "hub:org/tiny-x2@v1").code == 0
    done = with_kinds("models", "show", "sr")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "sr  random weights"
    assert f"  hub       org/tiny-x2, commit {published.head.oid[:12]}" in lines
    assert "    superres: yes" in lines
    assert lines[lines.index("  measured, as its README.md states") + 1] == "    psnr-y on Set5: 29.88 dB"


def test_what_is_cached_is_shown_offline_with_its_own_measurements(with_kinds, published, hub):
    assert with_kinds("pull", "hub:org/tiny-x2").code == 0
    hub.close()
    (record,) = with_kinds("models", "show", "hub:org/tiny-x2", "--offline", "--json").records
    assert record["folder"]
    assert (record["private"], record["gated"]) == (None, None)
    assert record["evaluation"] == {
        "measurements": [EVALUATION.measurements[0].model_dump(mode="json", exclude={"values"})],
        "baseline": "none",
        "source": "evaluation.json",
    }
    assert "  measured" in with_kinds("models", "show", "hub:org/tiny-x2", "--offline").out.splitlines()
    (Path(record["folder"]) / "evaluation.json").resolve().write_text("{")
    damaged = with_kinds("models", "show", "hub:org/tiny-x2", "--offline")
    assert damaged.code == 1
    assert damaged.error.endswith("; gansdk pull hub:org/tiny-x2")


def test_show_without_the_plugin_says_what_to_install(gansdk, hub, tmp_path):
    tiny.write(tmp_path / "model")
    hub.repo("org/m", files(tmp_path / "model"))
    (record,) = gansdk("models", "show", "hub:org/m", "--json").records
    assert (record["installed"], record["method"]) == (False, "tiny")
    assert "(not installed: pip install 'gansdk-plugin-tiny>=0.1')" in gansdk("models", "show", "hub:org/m").out


def test_what_cannot_be_shown_is_one_line_with_the_way_on(with_kinds, published, hub):
    hub.repo("org/gated", {"config.json": b"{}"}, gate="manual")
    hub.repo("org/theirs", {"config.json": b"{}", "net.pth": b"..."})
    for ref, said in {
        "hub:org/none": "hf auth login",
        "hub:org/gated": "ask for access at",
        "hub:org/theirs": "gansdk import hub:org/theirs@",
        "hub:org/tiny-x2@v9": "no such revision",
    }.items():
        done = with_kinds("models", "show", ref)
        assert (done.code, done.out) == (1, "")
        assert said in done.error
    assert with_kinds("models", "show", "hub:org/none", "--json").records[0]["error"]["kind"] == "hub"


@pytest.mark.parametrize("verb", [["search", "tiny"], ["show", "hub:org/tiny-x2"]])
def test_a_fault_that_lasts_is_one_line_and_one_that_passes_is_none(with_kinds, published, hub, cache, verb):
    rule = hub.fail(faults.drop(), "GET", "/api/models*")
    done = with_kinds("models", *verb)
    assert (done.code, done.err, rule.hits) == (0, "", 1)
    hub.fail(faults.status(503), "GET", "/api/models*", times=None)
    done = with_kinds("models", *verb)
    assert (done.code, done.out) == (1, "")
    assert "status 503" in done.error
    assert not list(cache.glob("models--*"))


def test_the_token_is_never_shown(with_kinds, hub, monkeypatch):
    token = hub.user("eve").token
    monkeypatch.setenv("HF_TOKEN", token)
    hub.repo("org/secret", {"config.json": b"{}"}, private=True)
    for verb in (["search"], ["show", "hub:org/secret"]):
        done = with_kinds("models", *verb, "--verbose")
        assert token not in done.out + done.err
    assert {request.token for request in hub.asked()} == {token}


def test_what_strangers_wrote_does_not_reach_the_terminal_as_commands(with_kinds, hub, tmp_path):
    tiny.write(tmp_path / "model", summary="\x1b[2Jgone")
    hub.repo("org/m", files(tmp_path / "model") | {"README.md": b'---\ntags: [gansdk]\nlicense: "\\e[2J"\n---\n'})
    for verb in (["search"], ["show", "hub:org/m"]):
        done = with_kinds("models", *verb)
        assert done.code == 0
        assert "\x1b" not in done.out
        assert "\\x1b[2J" in done.out
