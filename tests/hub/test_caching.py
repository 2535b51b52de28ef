"""What is in the cache: found, held against what it should be, and removed, without a question to anybody."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tiny
from huggingface_hub import constants, hf_hub_download, scan_cache_dir

from gansdk.errors import HubError, OutputError, UnknownNameError
from gansdk.hub.access import Access
from gansdk.hub.cache import cached, find, leftovers, remove, remove_leftovers, verify
from gansdk.hub.snapshots import config_of, ensure_files, pull, resolve
from gansdk.model.config import ModelConfig
from gansdk.refs import parse
from hub import faults
from hub.repos import git_oid

if TYPE_CHECKING:
    from hub.repos import Repo
    from hub.server import Hub

WEIGHTS, INITIAL = bytes(range(256)) * 20, bytes(range(255, -1, -1)) * 20
NAME = "model.safetensors"


def config(**files: bytes) -> bytes:
    digests = {
        name.replace("_", "."): f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in files.items()
    }
    made = ModelConfig(
        gansdk=1, method="tiny", requires=tiny.METHOD.requires, facts=tiny.FACTS, network={}, files=digests
    )
    return made.to_json().encode()


FILES = {NAME: WEIGHTS, "config.json": config(model_safetensors=WEIGHTS), "README.md": b"# A model\n"}
OTHERS = {"config.json": b'{"model_type": "bert"}', NAME: WEIGHTS, "tokenizer.json": b"{}"}
REF = parse("hub:org/m")


@pytest.fixture
def pulled(repo: Repo) -> Path:
    """The folder of the one commit that is cached."""
    assert repo.head
    return pull(REF)[0].folder


def cache(repo: str = "org/m") -> Path:
    return Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"


def tree() -> dict[str, bytes | None]:
    """All that is in the cache but for locks."""
    found = {path: path.read_bytes() if path.is_file() else None for path in Path(constants.HF_HUB_CACHE).rglob("*")}
    return {str(path): content for path, content in found.items() if ".locks" not in path.parts}


def flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def damaged() -> dict[str, tuple[str, str]]:
    return {one.name: one.wrong for one in verify(cached()) if one.wrong is not None}


def unlink_blobs(folder: Path) -> None:
    """Makes of a commit what the client makes on systems without links: the files themselves are in its folder."""
    for path in folder.iterdir():
        blob = path.resolve()
        path.unlink()
        blob.replace(path)


def test_an_empty_cache(hub: Hub) -> None:
    assert cached() == []
    Path(constants.HF_HUB_CACHE).mkdir(parents=True)
    assert cached() == []
    assert not hub.asked()


def test_what_is_listed(hub: Hub, repo: Repo) -> None:
    first = pull(REF)[0].sha
    repo.commit({"README.md": b"# Another\n"})
    repo.tag("v1")
    pull(parse("hub:org/m@v1"))
    pull(REF)
    hub.repo("org/other", OTHERS)
    for name in OTHERS:
        hf_hub_download("org/other", name)
    asked = len(hub.asked())
    found = {one.sha: one for one in cached()}
    assert set(found) == {first, repo.head.oid}
    assert (found[first].names, found[repo.head.oid].names) == ((), ("main", "v1"))
    assert found[first].size == sum(map(len, FILES.values()))
    assert all(time.time() - one.used < 60 for one in found.values())
    assert {str(one.ref) for one in found.values()} == {f"hub:org/m@{sha}" for sha in found}
    assert len(hub.asked()) == asked


@pytest.mark.usefixtures("pulled")
def test_a_whole_model_is_as_it_should_be() -> None:
    checked = list(verify(cached()))
    assert {one.name: one.size for one in checked} == {name: len(content) for name, content in FILES.items()}
    assert damaged() == {}


def test_one_flipped_bit_is_found_and_mended(hub: Hub, pulled: Path) -> None:
    flip(pulled / NAME)
    content = (pulled / NAME).read_bytes()
    asked = len(hub.asked())
    (one,) = [one for one in verify(cached()) if one.wrong is not None]
    assert (one.name, one.wrong) == (NAME, (hashlib.sha256(WEIGHTS).hexdigest(), hashlib.sha256(content).hexdigest()))
    assert one.mend == f"gansdk pull hub:org/m@{pulled.name}"
    assert len(hub.asked()) == asked
    pull(parse(one.mend.removeprefix("gansdk pull ")))
    assert damaged() == {}


def test_small_files_have_the_names_that_git_gives(pulled: Path) -> None:
    flip(pulled / "README.md")
    assert damaged() == {"README.md": (git_oid(b"# A model\n"), git_oid(b"# A model\x0b"))}
    pull(REF)
    assert damaged() == {}


def test_a_damaged_blob_is_found_in_all_commits_that_share_it(repo: Repo, pulled: Path) -> None:
    repo.commit({"README.md": b"# Another\n"})
    pull(REF)
    flip(pulled / NAME)
    assert [one.name for one in verify(cached()) if one.wrong is not None] == [NAME, NAME]


def test_another_file_of_the_repository_is_mended_by_the_client(repo: Repo, pulled: Path) -> None:
    repo.commit({"notes.txt": b"notes"})
    sha = pull(REF)[0].sha
    flip(Path(hf_hub_download("org/m", "notes.txt")))
    (one,) = [one for one in verify(cached()) if one.wrong is not None]
    assert one.mend == f"hf download org/m notes.txt --revision {sha} --force-download"
    program = Path(sys.executable).with_name("hf")
    subprocess.run([program, *one.mend.split()[1:]], check=True, capture_output=True)
    assert damaged() == {}


@pytest.mark.parametrize("kind", ["truncated", "short", "garbage", "empty", "flipped", "gone"])
def test_a_damaged_config_hides_nothing(pulled: Path, kind: str) -> None:
    blob = (pulled / "config.json").resolve()
    content = blob.read_bytes()
    if kind == "gone":
        blob.unlink()
    else:
        kinds = {"truncated": content[:100], "short": content[:3], "garbage": b"\x80\x02\xff", "empty": b""}
        blob.write_bytes(
            kinds.get(kind) or (b"" if kind == "empty" else content.replace(b'"gansdk":', b'"gansdj":', 1))
        )
    (one,) = cached()
    assert (one.config, one.problem, one.is_damaged) == (None, "config.json is damaged", True)
    assert set(damaged()) == {"config.json"}
    pull(one.ref)
    (one,) = cached()
    assert not one.is_damaged
    assert damaged() == {}


def test_a_damaged_config_of_another_tool_is_not_ours(hub: Hub) -> None:
    hub.repo("org/other", OTHERS)
    paths = [Path(hf_hub_download("org/other", name)) for name in OTHERS]
    paths[0].write_bytes(b"{")
    assert cached() == []


def test_without_links(pulled: Path) -> None:
    unlink_blobs(pulled)
    assert damaged() == {}
    flip(pulled / NAME)
    assert set(damaged()) == {NAME}
    pull(REF)
    assert damaged() == {}
    (pulled / "config.json").write_bytes(b"{")
    assert damaged() == {"config.json": ("a config of gansdk's", "something else")}
    assert remove("org/m").commits
    assert not cache().exists()


def test_what_no_task_needed_yet_is_no_damage(hub: Hub) -> None:
    files = {NAME: WEIGHTS, "initial.safetensors": INITIAL}
    settings = config(model_safetensors=WEIGHTS, initial_safetensors=INITIAL)
    hub.repo("org/m", {**files, "config.json": settings})
    snapshot = resolve(REF)
    ensure_files(snapshot, {NAME: config_of(snapshot).files[NAME]})
    (one,) = cached()
    assert one.missing == ["initial.safetensors"]
    assert damaged() == {}


def test_a_later_format_is_no_damage(hub: Hub) -> None:
    later = {**json.loads(FILES["config.json"]), "gansdk": 2}
    hub.repo("org/m", {**FILES, "config.json": json.dumps(later).encode()})
    hf_hub_download("org/m", "config.json")
    (one,) = cached()
    assert not one.is_damaged
    assert "format version 2, this gansdk reads 1; pip install --upgrade gansdk" in one.problem
    assert damaged() == {}


def test_refs_find_what_they_mean(repo: Repo) -> None:
    first = pull(REF)[0].sha
    repo.commit({"README.md": b"# Another\n"})
    second = pull(REF)[0].sha
    items = cached()
    means = {"": {first, second}, "@main": {second}, f"@{first}": {first}, f"@{first[:12]}": {first}}
    for revision, shas in means.items():
        assert {one.sha for one in find(parse(f"hub:org/m{revision}"), items)} == shas
    for text, hint in {"hub:org/n": "hub:org/m", "hub:org/m@mian": "hub:org/m@main"}.items():
        with pytest.raises(UnknownNameError, match=f"no cached model {text!r}; did you mean {hint}"):
            find(parse(text), items)


def test_what_another_commit_shares_stays(hub: Hub, repo: Repo) -> None:
    first = pull(REF)[0]
    repo.commit({"README.md": b"# Another\n"})
    second = pull(REF)[0]
    before = tree()
    planned = remove("org/m", second.sha, dry_run=True)
    assert tree() == before
    asked = len(hub.asked())
    removed = remove("org/m", second.sha)
    assert removed == planned
    assert removed.freed == len(b"# Another\n")
    assert len(hub.asked()) == asked
    assert [one.sha for one in cached()] == [first.sha]
    assert pull(parse(f"hub:org/m@{first.sha}"), Access(offline=True))[0].folder == first.folder
    assert damaged() == {}


def test_all_commits_go_and_a_repository_with_the_same_ones_stays(repo: Repo, pulled: Path) -> None:
    shutil.copytree(cache(), cache("org/renamed"), symlinks=True)
    shutil.copytree(cache(), cache("org/also"), symlinks=True)
    assert {one.repo for one in cached()} == {"org/also", "org/m", "org/renamed"}
    assert remove("org/m").freed == sum(map(len, FILES.values()))
    assert not cache().exists()
    assert {one.repo for one in cached()} == {"org/also", "org/renamed"}
    assert {one.repo_id for one in scan_cache_dir(constants.HF_HUB_CACHE).repos} == {"org/also", "org/renamed"}
    assert damaged() == {}


def test_another_tools_commit_of_the_same_repository_stays(hub: Hub) -> None:
    repo = hub.repo("org/m", OTHERS)
    theirs = Path(hf_hub_download("org/m", "config.json", revision=repo.head.oid))
    weights = Path(hf_hub_download("org/m", NAME, revision=repo.head.oid))
    repo.commit(FILES)
    pull(REF)
    removed = remove("org/m")
    assert [one.sha for one in removed.commits] == [repo.head.oid]
    assert removed.freed == len(FILES["config.json"]) + len(FILES["README.md"])
    assert (theirs.read_bytes(), weights.read_bytes()) == (OTHERS["config.json"], WEIGHTS)


def test_what_the_client_cannot_look_at_is_removed_all_the_same(repo: Repo, pulled: Path) -> None:
    (pulled / NAME).resolve().unlink()
    (cache() / "refs" / "gone").write_text("0" * 40)
    assert not scan_cache_dir(constants.HF_HUB_CACHE).repos
    assert set(damaged()) == {NAME}
    assert len(remove("org/m").commits) == 1
    assert not cache().exists()


@pytest.mark.usefixtures("pulled")
def test_a_cache_that_cannot_be_changed_is_one_line() -> None:
    locks = Path(constants.HF_HUB_CACHE) / ".locks"
    shutil.rmtree(locks)
    locks.write_text("in the way")
    with pytest.raises(OutputError, match=r"^hub:org/m cannot be removed from the cache: .*; see whose .* is$"):
        remove("org/m")
    assert len(cached()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="files that are open are not removed there")
def test_what_killed_downloads_left(hub: Hub, pulled: Path, repo: Repo) -> None:
    repo.commit({NAME: INITIAL, "config.json": config(model_safetensors=INITIAL)})
    hub.fail(faults.stall(1000), "GET", side="cdn", times=None)
    code = "from gansdk.hub.snapshots import pull; from gansdk.refs import parse; pull(parse('hub:org/m'))"
    digest = hashlib.sha256(INITIAL).hexdigest()
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not (found := list(cache().glob(f"blobs/{digest}.*.incomplete"))) and time.monotonic() < until:
            time.sleep(0.05)
        (path,) = found
        assert leftovers("org/m") == []
        with pytest.raises(HubError, match="hub:org/m is being downloaded by another process; try again"):
            remove("org/m", pulled.name)
    finally:
        process.kill()
        process.wait()
    assert leftovers("org/m") == [path]
    assert remove_leftovers("org/m", dry_run=True).leftovers == (path,)
    assert path.exists()
    assert remove_leftovers("org/m").leftovers == (path,)
    assert not path.exists()
    assert len(cached()) == 2
    path.write_bytes(b"half")
    removed = remove("org/m", pulled.name)
    assert removed.leftovers == (path,)
    assert not path.exists()
