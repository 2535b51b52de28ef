"""``gansdk push`` through the installed command."""

from __future__ import annotations

import dataclasses
import json
import shlex
from typing import TYPE_CHECKING

import publishable
import pytest
from hub import faults
from sample_images import encoded, pil_image

if TYPE_CHECKING:
    from pathlib import Path

    from command import Gansdk
    from hub.server import Hub


@pytest.fixture
def token(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of ada, who calls the command."""
    token = hub.user("ada").token
    monkeypatch.setenv("HF_TOKEN", token)
    return token


@pytest.fixture
def folder(with_kinds: Gansdk) -> Path:
    publishable.write(with_kinds.cwd / "mine")
    return with_kinds.cwd / "mine"


def writes(hub: Hub) -> list[str]:
    return [str(request) for request in hub.asked() if request.method not in ("GET", "HEAD")]


@pytest.mark.usefixtures("folder")
def test_what_one_pushes_another_runs(
    hub: Hub, with_kinds: Gansdk, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = with_kinds("push", "./mine", "hub:ada/m", "--tag", "v1", "--message", "First", "--verbose")
    assert (done.code, done.out) == (0, "")
    repo = hub.world.repos["ada/m"]
    said, line = done.err.splitlines()
    assert said == f"hub:ada/m@v1 is there, as commit {repo.head.oid[:12]}: {hub.url}/ada/m"
    assert (repo.head.title, repo.tags) == ("First", {"v1": repo.head.oid})
    assert token not in done.err

    before = len(writes(hub))
    again = with_kinds("push", "./mine", "hub:ada/m", "--json")
    (record,) = again.records
    assert (again.code, again.err) == (0, "")
    assert (record["commit"], record["changed"], record["dry_run"]) == (repo.head.oid, False, False)
    assert {one["state"] for one in record["files"]} == {"same"}
    assert len(writes(hub)) == before

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "other" / "hub"))
    other = dataclasses.replace(with_kinds, home=tmp_path / "others-settings")
    (with_kinds.cwd / "photo.jpg").write_bytes(encoded(pil_image("RGB").resize((8, 6)), "JPEG"))
    words = shlex.split(line.removeprefix("others type: "))
    assert words[:2] == ["gansdk", "run"]
    assert "hub:ada/m@v1" in words
    assert other(*words[1:]).code == 0


@pytest.mark.usefixtures("folder", "hub")
def test_a_dry_run_lists_what_would_go(hub: Hub, with_kinds: Gansdk) -> None:
    done = with_kinds("push", "./mine", "hub:ada/m", "--dry-run", "--tag", "v1")
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert [(row[0], row[-1]) for row in rows[1:]] == [
        ("README.md", "new"),
        ("attributions.json", "new"),
        ("card-strip.webp", "new"),
        ("config.json", "new"),
        ("model.safetensors", "new"),
    ]
    missing, would = done.err.splitlines()
    assert missing.startswith("pushing to hub:ada/m needs a login")
    assert would == f"this would go: {hub.url}/ada/m, as v1"
    assert not writes(hub)


@pytest.mark.usefixtures("token")
def test_what_is_wrong_is_one_line(hub: Hub, with_kinds: Gansdk, folder: Path, token: str) -> None:
    read_only = hub.user("eve", role="read").token
    (with_kinds.cwd / "bad").mkdir()
    cases = [
        (["./mine", "./there"], 2, "names no repository on the Hub; write hub:ORG/NAME"),
        (["./mine", "hub:ada/m", "--card", "mine"], 2, "card is folder or hub"),
        (["./mine", "hub:ada/m", "--tag", "a b"], 2, "cannot be a tag"),
        (["./mine"], 2, "missing argument"),
        (["./none", "hub:ada/m"], 1, "there is no folder ./none"),
        (["./bad", "hub:ada/m"], 1, "is not a model folder"),
        (["./mine", "hub:ada/m", "--offline"], 1, "push it while online"),
        (["./mine", "hub:ada/m", "--message", f"by {read_only}"], 1, "the message looks like it holds a Hugging Face"),
    ]
    for arguments, code, told in cases:
        done = with_kinds("push", *arguments)
        assert (done.code, done.out) == (code, ""), arguments
        assert told in done.error.lower() if told.islower() else told in done.error
        assert "hf_" not in done.err
    (folder / "model.pth").write_bytes(b"\x80\x04")
    done = with_kinds("push", "./mine", "hub:ada/m", "--json")
    (record,) = done.records
    assert (done.code, record["error"]["kind"]) == (1, "model")
    assert "mine/model.pth is a pickle" in record["error"]["message"]
    assert not writes(hub)


@pytest.mark.usefixtures("folder")
def test_who_may_not_write_is_told_so_and_no_token_is_shown(
    hub: Hub, with_kinds: Gansdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = with_kinds("push", "./mine", "hub:ada/m")
    assert done.error.endswith(
        "pushing to hub:ada/m needs a login; `hf auth login` with a token that may write for ada"
    )
    token = hub.user("eve", role="read").token
    monkeypatch.setenv("HF_TOKEN", token)
    done = with_kinds("push", "./mine", "hub:ada/m", "--verbose")
    assert done.code == 1
    assert (
        "the Hub does not let you write to hub:ada/m; `hf auth login` with a token that may write for ada" in done.err
    )
    assert "Traceback" in done.err
    assert token not in done.err + done.out
    assert not hub.world.repos


@pytest.mark.usefixtures("folder")
def test_a_hub_that_fails_is_one_line(hub: Hub, with_kinds: Gansdk, token: str) -> None:
    hub.fail(faults.drop(took_effect=False), "POST", "*/commit/main", times=None)
    done = with_kinds("push", "./mine", "hub:ada/m")
    assert (done.code, done.out) == (1, "")
    assert "the Hub did not take hub:ada/m: the connection failed" in done.error
    assert token not in done.err
    assert len(hub.world.repos["ada/m"].commits) == 1


@pytest.mark.usefixtures("folder", "token")
def test_it_is_a_function_too(hub: Hub, with_kinds: Gansdk) -> None:
    hub.repo("ada/m", {"notes.txt": b"1"})
    code = "import gansdk, json; print(json.dumps(gansdk.push('./mine', 'hub:ada/m', dry_run=True).as_record()))"
    record = json.loads(with_kinds.python(code))
    assert (record["ref"], record["url"], record["dry_run"]) == ("hub:ada/m", f"{hub.url}/ada/m", True)
    assert not writes(hub)


@pytest.mark.usefixtures("folder", "token")
def test_a_dry_run_without_the_hub_lists_what_would_go_and_says_so(hub: Hub, with_kinds: Gansdk) -> None:
    done = with_kinds("push", "./mine", "hub:ada/m", "--dry-run", "--offline")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[1:]][:2] == ["README.md", "attributions.json"]
    assert "new" not in done.out
    assert done.err.splitlines()[-1].startswith("the Hub was not asked: offline; ")
    assert not hub.asked()

    hub.close()
    done = with_kinds("push", "./mine", "hub:ada/m", "--dry-run")
    assert done.code == 1
    assert "README.md" in done.out
    assert "the Hub could not be asked: the connection failed" in done.err.splitlines()[-1]
