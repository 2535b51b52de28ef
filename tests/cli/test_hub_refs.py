"""Models on the Hub, named by their refs, with the installed command and nothing else than a Hub beside it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

import pytest
import tiny
from hub import faults
from PIL import Image as PILImage
from sample_images import encoded, pil_image

from gansdk.model.config import CONFIG, WEIGHTS

IMAGE = encoded(pil_image("RGB").resize((8, 6)), "PNG")

BLOCKED = """\
import socket
from pathlib import Path

def refused(*arguments, **settings):
    with Path({log!r}).open("a") as file:
        file.write(f"{{arguments}}\\n")
    raise OSError("no socket may be opened")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refused
"""


@pytest.fixture
def folder(tmp_path):
    tiny.write(tmp_path / "m", licence="CC0-1.0", summary="random weights")
    (tmp_path / "m" / "README.md").write_text("# A model\n", "utf-8")
    return tmp_path / "m"


@pytest.fixture
def repo(hub, folder):
    repo = hub.repo("org/m", {path.name: path.read_bytes() for path in folder.iterdir()})
    repo.tag("v1")
    return repo


@pytest.fixture
def command(with_kinds, hub):
    """The command with the method of the model, before its first contact with the Hub."""
    (with_kinds.cwd / "a.png").write_bytes(IMAGE)
    return with_kinds


def snapshot(repo) -> Path:
    return Path(os.environ["HF_HUB_CACHE"]) / "models--org--m" / "snapshots" / repo.head.oid


def test_it_runs_as_the_same_model_in_a_folder(command, hub, repo, folder):
    assert command("run", "superres", "a.png", "--model", "hub:org/m@v1", "-o", "hub.png").code == 0
    assert command("run", "superres", "a.png", "--model", folder, "-o", "folder.png").code == 0
    ours, theirs = (PILImage.open(command.cwd / name) for name in ("hub.png", "folder.png"))
    assert ours.tobytes() == theirs.tobytes()
    assert {path.name for path in snapshot(repo).iterdir()} == {CONFIG, WEIGHTS}  # no card, which no task needs


def test_what_is_cached_is_asked_for_once_or_not_at_all(command, hub, repo):
    run = ("run", "superres", "a.png", "--on-exists", "overwrite", "-o", "b.png", "--model")
    command(*run, "hub:org/m")
    for ref, requests in {"hub:org/m": 1, f"hub:org/m@{repo.head.oid}": 0}.items():
        before = len(hub.asked())
        done = command(*run, ref)
        assert (done.code, len(hub.asked()) - before) == (0, requests)


def test_a_hub_that_is_gone_is_a_warning_where_something_is_cached(command, hub, repo):
    run = ("run", "superres", "a.png", "--model")
    command(*run, "hub:org/m@v1", "-o", "1.png")
    hub.fail(faults.status(401), times=None)
    hub.faults.clear()
    hub.close()
    done = command(*run, "hub:org/m@v1", "-o", "2.png")
    assert done.code == 0
    assert f"continuing with the cached {repo.head.oid[:12]}" in done.err
    quiet = command(*run, "hub:org/m@v1", "-o", "3.png", "--offline")
    assert (quiet.code, "going on" in quiet.err) == (0, False)
    never = command(*run, "hub:org/m@v2", "-o", "4.png")
    assert never.code == 1
    assert "the connection failed" in never.err.splitlines()[-1]
    assert not (command.cwd / "4.png").exists()


WRONG = {
    "HF_HUB_DOWNLOAD_TIMEOUT": ("abc", "is not a whole number of seconds"),
    "HF_HUB_ETAG_TIMEOUT": ("1.5", "is not a whole number of seconds"),
    "HF_ENDPOINT": ("huggingface.co", "is not an address, which begins with https://"),
    "HF_ENDPOINT ": ("https://[", "is not an address, which begins with https://"),
    "HF_TOKEN": ("hf_ü", "holds what no token has"),
    "HF_TOKEN ": ("hf_a b", "holds what no token has"),
    "SSL_CERT_FILE": ("/not/there", "is not there"),
    "SSL_CERT_FILE ": (__file__, "as set: "),
    "SSL_CERT_DIR": ("/not/there", "is not there"),
    "ALL_PROXY": ("socks5://127.0.0.1:9", "names a SOCKS proxy"),
    "https_proxy": ("ftp://127.0.0.1:9", "as set: Unknown scheme"),
}


@pytest.mark.parametrize("variable", WRONG)
def test_a_variable_that_keeps_one_from_the_hub_is_named_and_what_is_cached_runs(
    command, hub, repo, monkeypatch, variable
):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert command("pull", "hub:org/m").code == 0
    name, (value, said) = variable.strip(), WRONG[variable]
    monkeypatch.setenv(name, value)
    for verb in ("pull hub:org/other", "models search word", "push hub:org/m hub:org/new"):
        done = command(*verb.split())
        assert (done.code, done.out) == (1, "")
        assert name in done.err.splitlines()[-1], done.err
        assert said in done.err.splitlines()[-1]
        assert "Traceback" not in done.err
        assert "ü" not in done.err
    done = command("run", "superres", "a.png", "--model", f"hub:org/m@{repo.head.oid}")
    assert (done.code, name in done.err) == (0, False)
    done = command("run", "superres", "a.png", "--model", "hub:org/m", "--on-exists", "overwrite")
    assert (done.code, name in done.err, "continuing with the cached" in done.err) == (0, True, True)
    assert command("cache").code == 0


def test_a_proxy_is_named_where_no_connection_comes_about(command, hub, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert "the connection failed (ConnectError), with the proxy of http_proxy" in command("pull", "hub:org/m").error


VERBS = [
    "run superres a.png --model hub:org/m -o o.png",
    "map superres images larger --model hub:org/m",
    "models show hub:org/m",
    "models list",
    "models search word",
    "pull hub:org/m",
    "pull hub:org/other",
    "import hub:org/other:w.pth",
    "push ./m hub:org/new",
    "push ./m hub:org/new --dry-run",
    "cache list",
    "cache verify",
    "cache remove hub:org/m",
    "bundle hub:org/m -o m.tar",
    "alias set one hub:org/m",
    "alias set one hub:org/m --pin",
    "alias list",
    "default superres hub:org/m",
    "eval hub:org/m --data images --metric psnr-y",
    "card hub:org/m --no-images -o card.md",
    "check hub:org/m",
    "bench hub:org/m --side 32 --rounds 1",
    "tasks",
    "plugins",
    "datasets",
    "doctor",
]


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("verb", VERBS)
def test_offline_no_verb_opens_a_socket(command, hub, folder, tmp_path, verb):
    assert command("pull", "hub:org/m").code == 0
    shutil.copytree(folder, command.cwd / "m")
    (command.cwd / "images").mkdir()
    (command.cwd / "images" / "p.png").write_bytes(encoded(pil_image("RGB").resize((48, 48)), "PNG"))
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKED.format(log=str(tmp_path / "log")), "utf-8")
    blocked = dataclasses.replace(command, path=(tmp_path / "blocked", *command.path))
    done = blocked.spawn(*verb.split(), "--offline")
    assert not (tmp_path / "log").exists(), (tmp_path / "log").read_text("utf-8")
    assert "Traceback" not in done.err
    if verb.endswith("--dry-run"):
        assert done.code == 1
        assert "the card was not made by gansdk" in done.err.splitlines()[-1]  # what is wrong here comes first
    elif any(word in verb for word in ("other", "search", "push")):
        assert done.code == 1
        assert "offline" in done.err.splitlines()[-1]
    else:
        assert done.code in ((0, 1) if verb.startswith("check") else (0,)), done.err  # the model breaks some checks


def test_the_clients_own_switch_means_offline_too(command, hub, repo, monkeypatch):
    assert command("pull", "hub:org/m").code == 0
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(hub.asked())
    assert command("run", "superres", "a.png", "--model", "hub:org/m", "-o", "b.png").code == 0
    refused = command("pull", "hub:org/m@v2")
    assert (refused.code, "not asked offline" in refused.error) == (1, True)
    assert len(hub.asked()) == before


def test_sockets_are_blocked_by_what_blocks_them(command, tmp_path):
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKED.format(log=str(tmp_path / "log")), "utf-8")
    blocked = dataclasses.replace(command, path=(tmp_path / "blocked", *command.path))
    assert blocked.spawn("pull", "hub:org/m").code == 1
    assert (tmp_path / "log").exists()


def test_a_missing_plugin_is_known_before_weights_are_asked_for(gansdk, hub, repo):
    (gansdk.cwd / "a.png").write_bytes(IMAGE)
    done = gansdk("run", "superres", "a.png", "--model", "hub:org/m", "-o", "b.png")
    assert (done.code, done.out) == (2, "")
    assert done.error == (
        "gansdk: hub:org/m needs the method 'tiny', which no plugin here brings; pip install 'gansdk-plugin-tiny>=0.1'"
    )
    assert not hub.asked(path=f"*{WEIGHTS}")


def test_it_is_pulled_without_its_plugin_and_that_is_said(gansdk, hub, repo):
    done = gansdk("pull", "hub:org/m")
    assert done.code == 0
    assert "pip install 'gansdk-plugin-tiny" in done.err
    assert {path.name for path in snapshot(repo).iterdir()} == {CONFIG, WEIGHTS, "README.md"}


def test_a_format_of_tomorrow_is_known_before_weights_are_asked_for(command, hub, repo):
    raw = json.loads(repo.head.files[CONFIG].content)
    repo.commit({CONFIG: json.dumps(raw | {"gansdk": 2}).encode()})
    done = command("pull", "hub:org/m")
    assert (done.code, done.out) == (1, "")
    assert done.error.endswith("has format version 2, this gansdk reads 1; pip install --upgrade gansdk")
    assert not hub.asked(path=f"*{WEIGHTS}")


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_damage_in_the_cache_is_mended_or_told_with_the_line_that_mends_it(command, hub, repo, name):
    run = ("run", "superres", "a.png", "--model", "hub:org/m", "--on-exists", "overwrite", "-o", "b.png")
    command("pull", "hub:org/m")
    blob = (snapshot(repo) / name).resolve()
    whole = blob.read_bytes()
    damaged = whole.replace(b"random weights", b"random freight") if name == CONFIG else whole[:-1] + b"?"
    assert damaged != whole
    blob.write_bytes(damaged)
    done = command(*run, "--offline")
    assert (done.code, "while online: gansdk pull hub:org/m" in done.err) == (1, True)
    assert blob.read_bytes() == damaged
    assert command(*run).code == 0
    assert (snapshot(repo) / name).read_bytes() == whole


def test_what_a_run_did_not_need_is_pulled_later(command, hub, repo):
    pinned = f"hub:org/m@{repo.head.oid}"
    command("run", "superres", "a.png", "--model", pinned, "-o", "b.png")
    assert not (snapshot(repo) / "README.md").exists()
    assert command("pull", pinned).code == 0
    assert (snapshot(repo) / "README.md").exists()
    before = len(hub.asked())
    assert command("pull", pinned).code == 0
    assert len(hub.asked()) == before


def test_a_token_that_is_nobodys_is_told(command, repo, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    done = command("pull", "hub:org/m")
    assert (done.code, "does not know the token" in done.error) == (1, True)
    assert "xxxx" not in done.err


def test_an_alias_may_be_pinned(command, repo):
    command("alias", "set", "one", "hub:org/m@v1", "--pin")
    assert command("alias", "list", "--json").records == [{"alias": "one", "ref": f"hub:org/m@{repo.head.oid}"}]
    assert command("run", "superres", "a.png", "--model", "one", "-o", "b.png").code == 0
    local = command("alias", "set", "two", "builtin:tiny-x2", "--pin")
    assert (local.code, "no commit to pin" in local.error) == (2, True)


def test_a_note_is_all_that_is_written_of_a_measurement(command, repo):
    (command.cwd / "images").mkdir()
    (command.cwd / "images" / "p.png").write_bytes(encoded(pil_image("RGB").resize((48, 48)), "PNG"))
    command("pull", "hub:org/m")
    before = {path.name for path in snapshot(repo).iterdir()}
    done = command("eval", "hub:org/m", "--data", "images", "--metric", "psnr-y")
    assert done.code == 0
    assert "nothing is written" in done.err
    assert {path.name for path in snapshot(repo).iterdir()} == before


def test_what_it_is_not_is_said(command, hub, repo):
    hub.repo("org/other", {"config.json": b"{}", "w.pth": b"x"})
    hub.repo("org/weights", {"w.pth": b"x"})
    for call, code, told in [
        ("pull builtin:tiny-x2", 2, "is on this machine already"),
        ("pull org/m", 1, "for a model on the Hub write hub:org/m"),
        ("pull hub:org/m:w.pth", 2, "names a file, not a model; to make a model of it: gansdk import"),
        ("pull hub:org/m@mian", 1, "the repository has no such revision; did you mean main?"),
        ("run superres image.png --model hub:org/m@2024", 1, "the repository has no such revision; it has main"),
        ("pull hub:org/none", 1, "hf auth login"),
        ("pull hub:org/a--b", 1, "is not a name that the Hub can have"),
        ("pull hub:org/other", 1, "gansdk import hub:org/other@"),
        ("pull hub:org/weights", 1, "gansdk import hub:org/weights@"),
        ("import hub:org/other", 2, "names a repository, not a file of weights"),
        ("import hub:org/m:none.pth", 1, "has no file none.pth; look at the repository's page"),
        ("import hub:org/m:model.safetensor", 1, "did you mean model.safetensors?"),
    ]:
        done = command(*call.split())
        assert (done.code, done.out) == (code, ""), call
        assert told in done.error
