"""What the unmodified client makes of each fault when it pulls: what it mends, what it lets through, what it believes.

Where these tests show that the client fails or takes bad bytes, callers have to close the gap. Should a later client do
better, the test that says so fails, and the caller's own remedy can go.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from hub import faults
from hub.unloaded import NAME, WEIGHTS

if TYPE_CHECKING:
    from hub.repos import Repo
    from hub.server import Hub

FILES = {NAME: WEIGHTS, "config.json": b"{}"}


def pull(name: str = NAME) -> bytes:
    return Path(hf_hub_download("org/m", name)).read_bytes()


def blobs(cache: Path | None = None) -> list[Path]:
    return list((cache or Path(constants.HF_HUB_CACHE)).glob("models--org--m/blobs/*"))


class TestAsking:
    """The request before a file, and those about repositories."""

    @pytest.mark.usefixtures("repo")
    def test_a_hub_that_is_down_for_a_moment(self, hub: Hub) -> None:
        rule = hub.fail(faults.status(503), "HEAD")
        assert pull() == WEIGHTS
        assert rule.hits == 1

    @pytest.mark.usefixtures("repo")
    def test_a_hub_that_is_down_has_been_cached(self, hub: Hub) -> None:
        assert pull() == WEIGHTS
        rule = hub.fail(faults.status(503), times=None)
        assert pull() == WEIGHTS
        assert rule.hits == 1

    @pytest.mark.usefixtures("repo")
    def test_a_hub_that_is_gone_has_been_cached(self, hub: Hub) -> None:
        assert pull() == WEIGHTS
        hub.close()
        assert pull() == WEIGHTS

    @pytest.mark.usefixtures("repo")
    def test_too_many_requests(self, hub: Hub) -> None:
        rule = hub.fail(faults.status(429, retry_after=0), "GET", side="cdn")
        assert pull() == WEIGHTS
        assert rule.hits == 1

    @pytest.mark.usefixtures("repo")
    def test_a_reset_connection_leaks(self, hub: Hub) -> None:
        hub.fail(faults.drop(), "HEAD")
        with pytest.raises(httpx2.ReadError):
            pull()

    @pytest.mark.usefixtures("repo")
    def test_a_stalled_answer(self, hub: Hub) -> None:
        rule = hub.fail(faults.stall(), "HEAD")
        found = hf_hub_download("org/m", NAME, etag_timeout=0.3)
        assert Path(found).read_bytes() == WEIGHTS
        assert rule.hits == 1

    def test_questions_about_repositories_are_asked_once(self, hub: Hub, api: HfApi) -> None:
        rule = hub.fail(faults.status(503), "GET", "/api/models/*", times=None)
        with pytest.raises(HfHubHTTPError, match="503"):
            api.model_info("org/m")
        assert rule.hits == 1

    def test_questions_about_repositories_have_no_timeout_unless_given(self, hub: Hub, api: HfApi) -> None:
        hub.fail(faults.stall(), "GET", "/api/models/*")
        with pytest.raises(httpx2.ReadTimeout):
            api.model_info("org/m", timeout=0.3)

    def test_a_sign_in_page_for_json_leaks(self, hub: Hub, api: HfApi) -> None:
        hub.fail(faults.page(), "GET", "/api/models/*")
        with pytest.raises(json.JSONDecodeError):
            api.model_info("org/m")

    @pytest.mark.usefixtures("repo")
    def test_a_sign_in_page_for_everything(self, hub: Hub) -> None:
        hub.fail(faults.page(), times=None)
        with pytest.raises(LocalEntryNotFoundError, match="X-Repo-Commit"):
            pull()


class TestBodies:
    """Files on their way."""

    @pytest.mark.usefixtures("repo")
    def test_a_closed_connection_is_begun_again(self, hub: Hub) -> None:
        hub.fail(faults.truncate(1000, honest=False), "GET", side="cdn")
        assert pull() == WEIGHTS
        assert [request.headers.get("range") for request in hub.asked("GET", side="cdn")] == [None, None]

    @pytest.mark.usefixtures("repo")
    def test_only_whole_chunks_are_kept(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 512)  # it is 10 MiB, more than a test should move
        hub.fail(faults.truncate(1000, honest=False), "GET", side="cdn")
        assert pull() == WEIGHTS
        assert [request.headers.get("range") for request in hub.asked("GET", side="cdn")] == [None, "bytes=512-"]

    @pytest.mark.usefixtures("repo")
    def test_a_reset_connection_leaks(self, hub: Hub) -> None:
        hub.fail(faults.drop(1000), "GET", side="cdn")
        with pytest.raises(httpx2.ReadError):
            pull()
        assert blobs() == []

    @pytest.mark.usefixtures("repo")
    def test_a_stalled_connection_is_begun_again(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
        hub.fail(faults.stall(1000), "GET", side="cdn")
        assert pull() == WEIGHTS
        assert len(hub.asked("GET", side="cdn")) == 2

    @pytest.mark.usefixtures("repo")
    def test_a_store_that_is_down_is_asked_once(self, hub: Hub) -> None:
        rule = hub.fail(faults.status(503), "GET", side="cdn", times=None)
        with pytest.raises(HfHubHTTPError, match="503"):
            pull()
        assert rule.hits == 1

    @pytest.mark.usefixtures("repo")
    def test_a_slow_body_never_times_out(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
        hub.fail(faults.trickle(len(WEIGHTS) / 2), "GET", side="cdn")
        begun = time.monotonic()
        assert pull() == WEIGHTS
        assert time.monotonic() - begun > 1.5
        assert len(hub.asked("GET", side="cdn")) == 1

    @pytest.mark.usefixtures("repo")
    def test_compressed_bodies(self, hub: Hub) -> None:
        hub.world.compresses = True
        hub.fail(faults.flip(12), "GET", "*config.json")
        with pytest.raises(httpx2.DecodingError):
            pull("config.json")
        assert pull("config.json") == b"{}"

    @pytest.mark.usefixtures("repo")
    @pytest.mark.parametrize("fault", [faults.truncate(1000, honest=True), faults.page()], ids=["short", "page"])
    def test_another_size_is_seen(self, hub: Hub, fault: faults.Fault) -> None:
        hub.fail(fault, "GET", side="cdn")
        with pytest.raises(OSError, match="Consistency check failed"):
            pull()
        assert blobs() == []

    @pytest.mark.usefixtures("repo")
    @pytest.mark.parametrize("fault", [faults.flip(-1), faults.page(padded=True)], ids=["bit", "page"])
    def test_other_bytes_of_the_same_size_are_taken(self, hub: Hub, fault: faults.Fault) -> None:
        hub.fail(fault, "GET", side="cdn")
        taken = pull()
        assert len(taken) == len(WEIGHTS)
        assert taken != WEIGHTS
        assert [path.name for path in blobs()] == [hashlib.sha256(WEIGHTS).hexdigest()]
        assert pull() == taken

    @pytest.mark.usefixtures("repo")
    def test_a_wrong_name_is_taken(self, hub: Hub) -> None:
        hub.fail(faults.etag("0" * 64), "HEAD", f"*{NAME}")
        assert pull() == WEIGHTS
        assert [path.name for path in blobs()] == ["0" * 64]

    @pytest.mark.usefixtures("repo")
    def test_a_missing_commit_is_seen(self, hub: Hub) -> None:
        hub.fail(faults.header("X-Repo-Commit", None), "HEAD", times=None)
        with pytest.raises(LocalEntryNotFoundError, match="X-Repo-Commit"):
            pull()

    @pytest.mark.usefixtures("repo")
    def test_a_name_that_is_a_path_is_followed(self, hub: Hub, tmp_path: Path) -> None:
        assert Path(constants.HF_HUB_CACHE) == tmp_path / "hf" / "hub"
        hub.fail(faults.etag("../../../../escaped"), "HEAD", f"*{NAME}")
        pull()
        assert (tmp_path / "escaped").exists()

    @pytest.mark.usefixtures("repo")
    def test_a_killed_process_leaves_a_part(self, hub: Hub, tmp_path: Path) -> None:
        hub.fail(faults.stall(1000), "GET", side="cdn")
        code = f"from huggingface_hub import hf_hub_download\nhf_hub_download('org/m', '{NAME}')"
        cache = tmp_path / "home" / "hub"
        process = subprocess.Popen([sys.executable, "-c", code], env=hub.environment(tmp_path / "home"))
        try:
            while not hub.asked("GET", side="cdn"):
                assert process.poll() is None
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
        (part,) = blobs(cache)
        assert part.suffix == ".incomplete"
        hf_hub_download("org/m", NAME, cache_dir=cache)
        assert part in blobs(cache)
        assert len(blobs(cache)) == 2


class TestMovingBranches:
    def test_a_file_is_that_of_the_commit_which_was_named(self, hub: Hub, repo: Repo) -> None:
        hub.fail(faults.meanwhile(lambda: repo.commit({"config.json": b"[]"})), "GET", "*config.json")
        before = repo.head.oid
        found = hf_hub_download("org/m", "config.json")
        assert repo.head.oid != before
        assert before in found
        assert Path(found).read_bytes() == b"{}"

    def test_two_files_may_be_of_two_commits(self, hub: Hub, repo: Repo) -> None:
        hub.fail(faults.meanwhile(lambda: repo.commit({NAME: b"new"})), "HEAD", f"*/{NAME}")
        config = hf_hub_download("org/m", "config.json")
        weights = hf_hub_download("org/m", NAME)
        assert Path(config).parent != Path(weights).parent

    def test_a_snapshot_is_of_one_commit(self, hub: Hub, repo: Repo) -> None:
        moved = faults.meanwhile(lambda: repo.commit({NAME: b"new"}), then="answer")
        rule = hub.fail(moved, "GET", "/api/models/org/m/revision/main")
        folder = Path(snapshot_download("org/m"))
        assert rule.hits == 1
        assert (folder / NAME).read_bytes() == WEIGHTS
