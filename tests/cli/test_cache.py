"""``gansdk cache``, as a user calls it: a Hub, its client's cache, and the command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants, hf_hub_download


@pytest.fixture
def repo(gansdk, hub, model):
    """A model on the Hub, with a card; the command comes first, whose folder the model is in."""
    assert model.parent == gansdk.cwd
    files = {path.name: path.read_bytes() for path in model.iterdir()}
    return hub.repo("org/m", {**files, "README.md": b"# A model\n"})


@pytest.fixture
def pulled(repo, with_kinds):
    """The folder of its one commit that is cached."""
    (record,) = with_kinds("pull", "hub:org/m", "--json").records
    assert record["commit"] == repo.head.oid
    return Path(record["folder"])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.usefixtures("hub")
def test_an_empty_cache_says_how_to_fill_it(gansdk):
    for verb in ((), ("list",), ("verify",)):
        done = gansdk("cache", *verb)
        assert (done.code, done.out) == (0, "")
        assert done.error == "no model of the Hub is cached; bring one with `gansdk pull hub:ORG/NAME`"
        assert gansdk("cache", *verb, "--json", "--quiet").out == ""


def test_the_list(hub, repo, pulled, with_kinds):
    repo.tag("v1")
    with_kinds("pull", "hub:org/m@v1")
    hub.repo("org/other", {"config.json": b"{}"})
    hf_hub_download("org/other", "config.json")
    hub.close()
    done = with_kinds("cache")
    assert (done.code, done.err) == (0, "")
    header, line = done.out.splitlines()
    assert header.split() == ["model", "commit", "names", "size", "last", "used"]
    assert line.startswith(f"hub:org/m  {repo.head.oid[:12]}  main, v1  ")
    (record,) = with_kinds("cache", "list", "--json").records
    assert record["ref"] == f"hub:org/m@{repo.head.oid}"
    assert (record["names"], record["problem"]) == (["main", "v1"], "")
    assert record["folder"] == str(pulled)
    assert record["bytes"] == sum(path.stat().st_size for path in pulled.iterdir())


def test_one_flipped_bit_is_found_named_and_mended(repo, pulled, with_kinds):
    good = with_kinds("cache", "verify")
    assert (good.code, good.out) == (0, "")
    assert good.error.startswith("3 files of 1 commit, ")
    assert good.error.endswith(": all as they should be")
    expected = (pulled / "model.safetensors").resolve().name
    flip(pulled / "model.safetensors")
    bad = with_kinds("cache", "verify", "hub:org/m")
    assert bad.code == 1
    (line,) = bad.out.splitlines()
    mend = f"gansdk pull hub:org/m@{repo.head.oid}"
    assert line.startswith(f"hub:org/m@{repo.head.oid}: model.safetensors: expected {expected}, got ")
    assert line.endswith(f"; {mend}")
    assert bad.error.endswith(": 1 damaged")
    (record,) = with_kinds("cache", "verify", "--json").records
    (damaged,) = record["damaged"]
    assert (damaged["file"], damaged["expected"], damaged["mend"]) == ("model.safetensors", expected, mend)
    assert with_kinds(*mend.split()[1:]).code == 0
    assert with_kinds("cache", "verify").code == 0


def sockets(command, *arguments: str) -> list[str]:
    """What a call does with sockets, by the interpreter's own account, whoever does it."""
    code = (
        "import sys; seen = []\n"
        "sys.addaudithook(lambda event, _: seen.append(event) if event.startswith('socket.') else None)\n"
        f"from gansdk.cli import main; print(main({list(arguments)!r}), *seen)"
    )
    *_, last = command.python(code).splitlines()
    return last.split()


@pytest.mark.usefixtures("pulled")
def test_no_socket_is_opened(with_kinds):
    for verb in (("list",), ("verify",), ("verify", "hub:org/m@main"), ("remove", "hub:org/m")):
        assert sockets(with_kinds, "cache", *verb) == ["0"]
    assert sockets(with_kinds, "pull", "hub:org/m")[1:]


def test_a_damaged_config_is_a_line(pulled, with_kinds):
    (pulled / "config.json").write_bytes(b"{")
    listed = with_kinds("cache")
    assert listed.code == 0
    assert "config.json is damaged" in listed.out
    verified = with_kinds("cache", "verify")
    assert verified.code == 1
    assert ": config.json: expected " in verified.out
    assert with_kinds("cache", "remove", "hub:org/m").code == 0
    assert with_kinds("cache", "--json").out == ""


def test_removing_one_commit_leaves_what_the_other_shares(hub, repo, pulled, with_kinds):
    first = repo.head.oid
    repo.commit({"README.md": b"# Another\n"})
    with_kinds("pull", "hub:org/m")
    hub.close()
    (planned,) = with_kinds("cache", "remove", "hub:org/m@main", "--dry-run", "--json").records
    assert planned["removed"] == [f"hub:org/m@{repo.head.oid}"]
    assert len(with_kinds("cache", "--json").records) == 2
    done = with_kinds("cache", "remove", "hub:org/m@main")
    assert done.code == 0
    assert done.err.splitlines() == [f"hub:org/m@{repo.head.oid} is removed", "10 B are free"]
    assert planned["bytes"] == 10
    assert with_kinds("models", "show", f"hub:org/m@{first}", "--offline").code == 0
    assert with_kinds("cache", "verify").code == 0
    assert with_kinds("cache", "remove", f"hub:org/m@{first[:12]}").code == 0
    assert not pulled.exists()


def test_an_alias_is_followed(pulled, with_kinds):
    assert with_kinds("alias", "set", "sharp", "hub:org/m").code == 0
    assert with_kinds("cache", "verify", "sharp").code == 0
    assert with_kinds("cache", "remove", "sharp").code == 0
    assert not pulled.exists()


def test_what_killed_downloads_left_can_go_alone(pulled, with_kinds):
    left = pulled.parents[1] / "blobs" / f"{'0' * 64}.01234567.incomplete"
    left.write_bytes(bytes(5000))
    told = with_kinds("cache", "verify")
    assert told.code == 0
    line = "killed downloads of hub:org/m left 1 file, 5.0 kB; gansdk cache remove hub:org/m --leftovers"
    assert line in told.err
    (record,) = with_kinds("cache", "remove", "hub:org/m", "--leftovers", "--json").records
    assert (record["removed"], record["leftovers"], record["bytes"]) == ([], [str(left)], 5000)
    assert not left.exists()
    assert pulled.exists()
    assert with_kinds("cache", "remove", "hub:org/m", "--leftovers").error == "there is nothing to remove"


def test_wrong_refs(pulled, with_kinds):
    for verb in ("verify", "remove"):
        for ref, told in {
            "hub:org/n": "there is no cached model 'hub:org/n'; did you mean hub:org/m?",
            "hub:org/m@mian": "there is no cached model 'hub:org/m@mian'; did you mean hub:org/m@main",
            "hub:other/thing": "there is no cached model 'hub:other/thing'; see `gansdk cache list`",
            "builtin:tiny-x2": "builtin:tiny-x2 is not on the Hub, so it is not in the cache",
            "hub:org/m:config.json": "names a file, not a model",
            "nothing": "there is no model or alias 'nothing'",
        }.items():
            done = with_kinds("cache", verb, ref)
            assert (done.code, done.out) == (2, "")
            assert told in done.error
    assert with_kinds("cache", "remove").code == 2
    assert pulled.exists()


def test_other_tools_files_are_neither_listed_nor_removed(hub, pulled, with_kinds):
    hub.repo("org/other", {"config.json": b"{}", "model.safetensors": b"theirs"})
    theirs = Path(hf_hub_download("org/other", "model.safetensors"))
    assert with_kinds("cache", "remove", "hub:org/other").code == 2
    assert with_kinds("cache", "remove", "hub:org/m").code == 0
    assert theirs.read_bytes() == b"theirs"


def test_a_cache_that_is_a_mess_is_no_traceback(pulled, with_kinds):
    root = Path(constants.HF_HUB_CACHE)
    (root / "models--org--file").write_text("a file")
    (root / "models--org--odd" / "snapshots").mkdir(parents=True)
    (root / "models--org--odd" / "snapshots" / ("0" * 40)).write_text("a file")
    (root / "models--org--odd" / "refs" / "main").mkdir(parents=True)
    shutil.copytree(pulled, root / "models--org--odd" / "snapshots" / ("1" * 40) / "config.json")
    assert len(with_kinds("cache", "--json").records) == 1
    assert with_kinds("cache", "verify").code == 0
    assert with_kinds("cache", "remove", "hub:org/m").code == 0
