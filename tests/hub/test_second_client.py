"""A client by others, in another language, reads what the first one wrote."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import publishable
import pytest
from huggingface_hub import CommitOperationAdd, HfApi

if TYPE_CHECKING:
    from command import Gansdk

    from hub.server import Hub

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

SCRIPT = Path(__file__).with_name("second_client.mjs")
FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 20, "images/a.png": b"png"}


@pytest.fixture
def client() -> Path:
    """The entry of npm's ``@huggingface/hub``, from below ``NODE_PATH``."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    for folder in filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)):
        if (entry := Path(folder, "@huggingface", "hub", "dist", "index.mjs")).is_file():
            return entry
    pytest.skip("npm's @huggingface/hub is not below NODE_PATH: npm install @huggingface/hub, NODE_PATH=node_modules")


@pytest.mark.parametrize("private", [False, True])
def test_it_reads_every_file(hub: Hub, client: Path, private: bool) -> None:
    token = hub.user("ada").token
    api = HfApi(token=token)
    api.create_repo("ada/m", private=private)
    additions = [CommitOperationAdd(path, content) for path, content in FILES.items()]
    api.create_commit("ada/m", additions, commit_message="first")
    api.create_tag("ada/m", tag="v1")
    found = read(hub, client, "ada/m", *([token] if private else []))
    assert {path: (each["size"], each["sha256"]) for path, each in found.items()} == {
        path: (len(content), hashlib.sha256(content).hexdigest()) for path, content in FILES.items()
    }
    assert found["model.safetensors"]["listed"] == found["model.safetensors"]["sha256"]
    assert all(request.token is None for request in hub.asked(side="cdn"))


def test_it_reads_what_gansdk_pushed(
    hub: Hub, client: Path, with_kinds: Gansdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", hub.user("ada").token)
    publishable.write(with_kinds.cwd / "mine")
    assert with_kinds("push", "./mine", "hub:ada/m", "--tag", "v1").code == 0
    found = read(hub, client, "ada/m")
    sent = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (with_kinds.cwd / "mine").iterdir()}
    assert {path: each["sha256"] for path, each in found.items() if path != "README.md"} == sent
    assert "README.md" in found


def read(hub: Hub, client: Path, repo: str, *token: str) -> dict[str, Any]:
    """What the other client finds at the tag v1, by path, but for what the Hub itself puts there."""
    line = ["node", str(SCRIPT), hub.url, repo, "v1", *token]
    told = os.environ | {"HUB_CLIENT": str(client)}
    done = subprocess.run(line, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    del found[".gitattributes"]
    return found
