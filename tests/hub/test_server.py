"""The server against the unmodified client."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

if TYPE_CHECKING:
    from hub.server import Hub

# The client itself uses an argument of httpx2's that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

WEIGHTS = bytes(range(256)) * 20
CARD = b"---\nlibrary_name: gansdk\ntags: [superres, srgan]\nlicense: mit\npipeline_tag: image-to-image\n---\nText.\n"
FILES = {"config.json": b'{"method": "srgan"}', "model.safetensors": WEIGHTS, "README.md": CARD}


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(token=hub.user("ada", orgs=("org",)).token)


def additions(files: dict[str, bytes]) -> list[CommitOperationAdd]:
    return [CommitOperationAdd(path, content) for path, content in files.items()]


def test_what_is_pushed_can_be_pulled(hub: Hub, api: HfApi) -> None:
    assert api.create_repo("org/m").repo_id == "org/m"
    done = api.create_commit("org/m", additions(FILES), commit_message="first", commit_description="why")
    for name, content in FILES.items():
        assert Path(hf_hub_download("org/m", name)).read_bytes() == content
    newest, first = api.list_repo_commits("org/m")  # the Hub itself makes the first one
    assert (newest.commit_id, newest.title, newest.message) == (done.oid, "first", "why")
    assert first.title == "initial commit"
    assert len(hub.asked("PUT", "/upload/*", side="cdn")) == 1  # large files only


def test_a_snapshot_has_all_files(hub: Hub) -> None:
    files = {**FILES, "images/a b.png": b"png", "images/deep/é.png": b"2"}
    hub.repo("org/m", files)
    folder = Path(snapshot_download("org/m"))
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        *files,
        ".gitattributes",
    }
    assert all((folder / name).read_bytes() == content for name, content in files.items())


def test_facts_of_a_model(hub: Hub, api: HfApi) -> None:
    commit = hub.repo("org/m", FILES, gate="manual").head
    info = api.model_info("org/m", files_metadata=True)
    assert (info.sha, info.author, info.private, info.gated) == (commit.oid, "org", False, "manual")
    assert (info.library_name, info.pipeline_tag) == ("gansdk", "image-to-image")
    assert {"gansdk", "superres", "license:mit", "safetensors"} <= set(info.tags or ())
    assert info.card_data is not None
    assert info.card_data.license == "mit"
    files = {each.rfilename: each for each in info.siblings or ()}
    assert files["model.safetensors"].lfs is not None
    assert files["model.safetensors"].lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert files["config.json"].lfs is None
    assert files["config.json"].size == len(FILES["config.json"])
    assert all(each.size is None for each in api.model_info("org/m").siblings or ())
    assert api.model_info("org/m", expand=["sha", "gated"]).siblings is None


def test_search_filters_and_pages(hub: Hub, api: HfApi) -> None:
    for number in range(5):
        hub.repo(f"org/superres-{number}", {"README.md": CARD})
    hub.repo("other/superres-5", {"README.md": CARD.replace(b"srgan", b"esrgan")})
    hub.repo("org/faces")
    hub.world.page_size = 2

    def found(**asked: object) -> list[str]:
        return [each.id for each in api.list_models(**asked)]  # type: ignore[arg-type]

    assert len(found()) == 7
    assert found(search="SUPERRES", author="org") == [f"org/superres-{number}" for number in (4, 3, 2, 1, 0)]
    assert found(filter=["gansdk", "esrgan"]) == ["other/superres-5"]
    assert found(filter="srgan", pipeline_tag="text-to-image") == []
    hub.log.clear()
    assert len(found(search="superres", limit=3)) == 3
    assert len(hub.asked("GET", "/api/models")) == 2
    assert next(iter(api.list_models(search="faces", full=True))).sha == hub.world.repos["org/faces"].head.oid
    assert next(iter(api.list_models(filter="esrgan", cardData=True))).card_data is not None


def test_revisions(hub: Hub, api: HfApi) -> None:
    repo = hub.repo("org/m", {"config.json": b"old"})
    old = repo.head.oid
    api.create_tag("org/m", tag="v1", tag_message="first")
    api.create_branch("org/m", branch="try/it")
    repo.commit({"config.json": b"new"})
    for revision, content in {"v1": b"old", old: b"old", "try/it": b"old", "main": b"new"}.items():
        assert Path(hf_hub_download("org/m", "config.json", revision=revision)).read_bytes() == content
    refs = api.list_repo_refs("org/m")
    assert {each.name: each.target_commit for each in refs.tags} == {"v1": old}
    assert {each.name for each in refs.branches} == {"main", "try/it"}
    assert api.model_info("org/m", revision="v1").sha == old
    with pytest.raises(HfHubHTTPError, match="exists already"):
        api.create_tag("org/m", tag="v1")
    api.create_tag("org/m", tag="v1", exist_ok=True)
    api.delete_tag("org/m", tag="v1")
    api.delete_branch("org/m", branch="try/it")
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download("org/m", "config.json", revision="v1")
    with pytest.raises(EntryNotFoundError):
        hf_hub_download("org/m", "nothing.json")


def test_a_cached_sha_costs_no_request(hub: Hub) -> None:
    sha = hub.repo("org/m", FILES).head.oid
    hf_hub_download("org/m", "model.safetensors", revision=sha)
    hub.log.clear()
    hf_hub_download("org/m", "model.safetensors", revision=sha)
    assert hub.log == []


def test_trees_and_paths(hub: Hub, api: HfApi) -> None:
    hub.repo("org/m", {"a/b/c.txt": b"1", "a/d.txt": b"2", "model.safetensors": WEIGHTS})
    hub.world.page_size = 2
    assert [each.path for each in api.list_repo_tree("org/m", "a", recursive=True)] == ["a/b", "a/b/c.txt", "a/d.txt"]
    assert [each.path for each in api.list_repo_tree("org/m")] == [".gitattributes", "a", "model.safetensors"]
    (weights, folder) = api.get_paths_info("org/m", ["model.safetensors", "a", "nothing"], expand=True)
    assert weights.lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert weights.last_commit.title == "commit"
    assert folder.path == "a"
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree("org/m", "nothing"))


def test_private_repositories(hub: Hub, api: HfApi) -> None:
    api.create_repo("org/m", private=True)
    api.create_commit("org/m", additions(FILES), commit_message="first")
    stranger = hub.user("bob").token
    for token in (False, stranger):
        with pytest.raises(RepositoryNotFoundError):
            hf_hub_download("org/m", "config.json", token=token)
        with pytest.raises(RepositoryNotFoundError):
            api.model_info("org/m", token=token)
        assert not list(api.list_models(token=token))
    assert Path(hf_hub_download("org/m", "config.json", token=api.token)).read_bytes() == FILES["config.json"]
    assert [each.id for each in api.list_models()] == ["org/m"]
    api.update_repo_settings("org/m", private=False, gated="auto")
    assert api.model_info("org/m", token=False).gated == "auto"


def test_gated_repositories(hub: Hub, api: HfApi) -> None:
    repo = hub.repo("else/m", FILES, gate="manual")
    for token in (False, api.token):
        with pytest.raises(GatedRepoError):
            hf_hub_download("else/m", "config.json", token=token)
        with pytest.raises(GatedRepoError):
            api.auth_check("else/m", token=token)
    assert api.model_info("else/m", token=False).id == "else/m"
    repo.admitted.add("ada")
    assert Path(hf_hub_download("else/m", "model.safetensors", token=api.token)).read_bytes() == WEIGHTS


def test_a_token_that_nobody_has(hub: Hub, api: HfApi) -> None:
    hub.repo("org/m", FILES)
    assert api.whoami()["name"] == "ada"
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        api.whoami(token="hf_nobodys")
    with pytest.raises(HfHubHTTPError, match="Invalid credentials"):
        hf_hub_download("org/m", "config.json", token="hf_nobodys")


def test_the_log_shows_where_tokens_go(hub: Hub, api: HfApi) -> None:
    hub.repo("org/m", FILES, private=True)
    hf_hub_download("org/m", "model.safetensors", token=api.token)
    (head,) = hub.asked("HEAD", "/org/m/resolve/*")
    (get,) = hub.asked("GET", side="cdn")
    assert head.token == api.token
    assert get.token is None
    assert get.headers["host"].startswith("localhost:")


def test_rights(hub: Hub, api: HfApi) -> None:
    hub.repo("else/m")
    reading = hub.user("reader", role="read").token
    for repo_id, token in (("else/n", api.token), ("reader/n", reading), ("ada/n", False)):
        with pytest.raises(HfHubHTTPError):
            api.create_repo(repo_id, token=token)
    with pytest.raises(HfHubHTTPError, match="rights"):
        api.create_commit("else/m", additions({"a": b"1"}), commit_message="x")
    api.create_repo("mine")
    with pytest.raises(HfHubHTTPError, match="already created"):
        api.create_repo("ada/mine")
    assert api.create_repo("ada/mine", exist_ok=True).repo_id == "ada/mine"
    api.delete_repo("ada/mine")
    assert not api.repo_exists("ada/mine")


def test_two_pushers_never_mix(hub: Hub, api: HfApi) -> None:
    repo = hub.repo("org/m", {"config.json": b"0"})
    parent = repo.head.oid
    api.create_commit("org/m", additions({"config.json": b"1"}), commit_message="one", parent_commit=parent)
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as caught:
        api.create_commit("org/m", additions({"config.json": b"2"}), commit_message="two", parent_commit=parent)
    assert caught.value.response.status_code == 412
    assert repo.head.title == "one"
    assert repo.head.parent == parent


def test_the_same_again_makes_no_commit(hub: Hub, api: HfApi) -> None:
    repo = hub.repo("org/m", FILES)
    again = api.create_commit("org/m", additions(FILES), commit_message="again")
    assert again.oid == repo.head.oid
    assert hub.asked("POST", "/api/models/*/commit/*") == []
    assert hub.asked("PUT") == []


def test_files_go_and_come(hub: Hub, api: HfApi) -> None:
    repo = hub.repo("org/m", {"a": b"1", "ab": b"2", "b/c": b"3", "b/d/e": b"4"})
    operations = [CommitOperationDelete("a"), CommitOperationDelete("b/"), *additions({"f": b""})]
    api.create_commit("org/m", operations, commit_message="tidy")
    assert set(repo.head.files) == {".gitattributes", "ab", "f"}
    with pytest.raises(EntryNotFoundError):
        api.create_commit("org/m", [CommitOperationDelete("a")], commit_message="tidy")


def test_large_files_in_parts(hub: Hub, api: HfApi, tmp_path: Path) -> None:
    hub.world.part_size = 1000
    repo = hub.repo("org/m")
    (tmp_path / "weights").write_bytes(WEIGHTS)
    api.upload_file(path_or_fileobj=tmp_path / "weights", path_in_repo="x.safetensors", repo_id="org/m")
    assert repo.head.files["x.safetensors"].content == WEIGHTS
    assert len(hub.asked("PUT", side="cdn")) == 6


def test_cards_are_looked_at(hub: Hub, api: HfApi) -> None:
    hub.repo("org/m")
    with pytest.warns(UserWarning, match="empty or missing yaml"):
        api.create_commit("org/m", additions({"README.md": b"text"}), commit_message="card")
    with pytest.raises(ValueError, match="Invalid metadata"):
        api.create_commit("org/m", additions({"README.md": b"---\na: [1\n---\n"}), commit_message="card")


def test_another_process_with_a_home_of_its_own(hub: Hub, tmp_path: Path) -> None:
    hub.repo("ada/m", FILES, private=True)
    code = "from huggingface_hub import hf_hub_download\nprint(hf_hub_download('ada/m', 'model.safetensors'))"
    environment = hub.environment(tmp_path / "home", hub.user("ada").token)
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    pulled = Path(done.stdout.strip())
    assert pulled.is_relative_to(tmp_path / "home" / "hub")
    assert pulled.read_bytes() == WEIGHTS


def test_a_mirror_without_redirects(hub: Hub) -> None:
    hub.repo("org/m", FILES)
    hub.world.resolve_cache = False
    assert Path(hf_hub_download("org/m", "config.json")).read_bytes() == FILES["config.json"]
    assert [request.method for request in hub.asked(path="*config.json")] == ["HEAD", "GET"]
