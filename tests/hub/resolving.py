"""Files: where they are, and their bytes."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from hub.messages import Answer, Refusal

if TYPE_CHECKING:
    from hub.messages import Request
    from hub.repos import Blob, Commit
    from hub.world import World

ANONYMOUS = (
    "unauthenticated; Warning: You are sending unauthenticated requests to the HF Hub. "
    "Please set a HF_TOKEN to enable higher rate limits and faster downloads."
)
"""What clients without a token are told with each file, and log."""


def resolve(world: World, request: Request, repo_id: str, revision: str, path: str) -> Answer:
    """Says which commit and which content a path means, and sends large files' readers to the other listener."""
    commit = world.open_files(request, repo_id).resolve(revision)
    blob = _blob(commit, path)
    headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes"}
    if request.token is None:
        headers["X-HF-Warning"] = ANONYMOUS
    if blob.lfs:
        linked = {
            "X-Linked-Size": str(blob.size),
            "X-Linked-ETag": f'"{blob.etag}"',
            "Location": _signed(world, path, blob),
        }
        return Answer(302, headers | linked)
    if world.resolve_cache:
        cached = f"/api/resolve-cache/models/{repo_id}/{commit.oid}/{quote(path)}"
        query = urlencode({request.raw_path: "", "etag": f'"{blob.etag}"'})
        return Answer(307, headers | {"Location": f"{cached}?{query}", "X-Linked-Size": str(blob.size)})
    return _sent(request, blob.content, headers)


def cached(world: World, request: Request, repo_id: str, oid: str, path: str) -> Answer:
    """A small file, where `resolve` sends its readers."""
    commit = world.open_files(request, repo_id).resolve(oid)
    blob = _blob(commit, path)
    answer = _sent(request, blob.content, {"X-Repo-Commit": commit.oid, "ETag": f'"{blob.etag}"'})
    compressible = world.compresses and answer.status == 200 and "gzip" in request.headers.get("accept-encoding", "")
    if not compressible:
        return answer
    return replace(answer, body=gzip.compress(blob.content), headers=answer.headers | {"Content-Encoding": "gzip"})


def stored(world: World, request: Request, sha256: str) -> Answer:
    """A large file from the other listener, which knows nobody: its URLs are signed."""
    for repo in world.repos.values():
        if (content := repo.objects.get(sha256)) is not None:
            if request.one("Signature") != _signature(sha256):
                raise Refusal(403, "Access denied: the signature does not match")
            # Stores of large files have names of their own for contents, which are no sha256.
            return _sent(request, content, {"ETag": f'"{sha256[:32]}"'})
    raise Refusal(404, "No such object")


def _blob(commit: Commit, path: str) -> Blob:
    if (blob := commit.files.get(path)) is None:
        raise Refusal(404, "Entry not found", "EntryNotFound", X_Repo_Commit=commit.oid)
    return blob


def _signed(world: World, path: str, blob: Blob) -> str:
    shown = f'inline; filename="{path.rpartition("/")[2]}";'
    query = urlencode({"response-content-disposition": shown, "Expires": "1", "Signature": _signature(blob.sha256)})
    return f"{world.cdn_url}/repos/{blob.sha256}?{query}"


def _signature(sha256: str) -> str:
    return hashlib.sha256(f"signed {sha256}".encode()).hexdigest()[:16]


def _sent(request: Request, content: bytes, headers: dict[str, str]) -> Answer:
    """The content, or the range of it that is asked for."""
    headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"} | headers
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if not asked or asked.group() == "bytes=-":
        return Answer(200, headers, content)
    first, last = asked.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    stop = min(int(last) + 1, len(content)) if first and last else len(content)
    if start >= stop:
        return Answer(416, {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return Answer(206, headers, content[start:stop])
