"""The client's cache, as the client itself fills it with what its Xet path shares between repositories."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import _shared_blobs

from gansdk.hub.layout import blob_of, difference, remove_file, repo_folder, snapshot_folder

WEIGHTS = b"weights"
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
SHA, NAME, XET = "1" * 40, "model.safetensors", "ab" * 32


def download(repo: str) -> Path:
    """What the client does with a file that came by Xet, once its bytes are here."""
    blob, path = repo_folder(repo) / "blobs" / DIGEST, snapshot_folder(repo, SHA) / NAME
    for folder in (blob.parent, path.parent):
        folder.mkdir(parents=True)
    cache = Path(constants.HF_HUB_CACHE)
    found = _shared_blobs.try_link_from_shared_store(
        blob_path=str(blob), xet_hash=XET, cache_dir=cache, expected_size=len(WEIGHTS)
    )
    if not found:
        blob.write_bytes(WEIGHTS)
        assert _shared_blobs.publish_blob_to_shared_store(
            blob_path=str(blob), xet_hash=XET, cache_dir=cache, expected_size=len(WEIGHTS)
        )
    path.symlink_to(f"../../blobs/{DIGEST}")
    return path


@pytest.mark.usefixtures("hub")
def test_what_repositories_share_stays_when_one_gives_it_up() -> None:
    one, other = download("org/one"), download("org/other")
    assert one.resolve() == other.resolve()
    assert (one.resolve().name, blob_of(one).name) == (XET, DIGEST)
    assert difference(one, [DIGEST]) is None
    remove_file(one)
    assert not one.is_symlink()
    assert list(repo_folder("org/one").glob("blobs/*")) == []
    assert other.read_bytes() == WEIGHTS
