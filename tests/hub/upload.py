"""What changes the world: repositories, large files, commits, names of commits."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import yaml

from hub.facts import front_matter
from hub.messages import Answer, Refusal
from hub.repos import Repo

if TYPE_CHECKING:
    from hub.messages import Request
    from hub.repos import Commit
    from hub.world import World


def create(world: World, request: Request) -> Answer:
    asked = request.json
    user = world.writer(request, asked.get("organization") or "")
    if asked.get("type", "model") != "model":
        raise Refusal(400, "this Hub has models only")
    repo_id = f"{asked.get('organization') or user.name}/{asked['name']}"
    named = {"url": f"{world.url}/{repo_id}", "name": repo_id}
    if repo_id in world.repos:
        return Answer.of(named | {"error": "You already created this model repo"}, 409)
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    world.repos[repo_id] = Repo(repo_id, private)
    return Answer.of(named | {"id": repo_id, "private": private})


def delete(world: World, request: Request) -> Answer:
    asked = request.json
    user = world.writer(request, asked.get("organization") or "")
    repo, _ = world.writable(request, f"{asked.get('organization') or user.name}/{asked['name']}")
    del world.repos[repo.id]
    return Answer.of({})


def settings(world: World, request: Request, repo_id: str) -> Answer:
    repo, _ = world.writable(request, repo_id)
    asked = request.json
    repo.private = asked.get("visibility", "private" if asked.get("private", repo.private) else "public") == "private"
    repo.gate = asked.get("gated", repo.gate)
    return Answer.of({"private": repo.private, "gated": repo.gate})


def validate_card(_world: World, request: Request) -> Answer:
    """Says whether a card's front matter can be read; one without gets a warning, as on the Hub."""
    try:
        data = front_matter(request.json["content"])
    except yaml.YAMLError as error:
        return Answer.of({"errors": [{"message": str(error)}], "warnings": []}, 400)
    warnings = [] if data else [{"message": "empty or missing yaml metadata in repo card"}]
    return Answer.of({"errors": [], "warnings": warnings})


def preupload(world: World, request: Request, repo_id: str, revision: str) -> Answer:
    """Says which files go the way of large ones, and what is there already under each name."""
    repo, _ = world.writable(request, repo_id)
    commit = repo.resolve(revision)
    said = [
        {
            "path": asked["path"],
            "uploadMode": "lfs" if repo.is_large(asked["path"], asked["size"]) else "regular",
            "shouldIgnore": False,
        }
        | ({"oid": blob.etag} if (blob := commit.files.get(asked["path"])) else {})
        for asked in request.json["files"]
    ]
    return Answer.of({"files": said, "commitOid": commit.oid})


def batch(world: World, request: Request, repo_id: str) -> Answer:
    """Says for each large file where to put it; nothing for those that are there."""
    repo, _ = world.writable(request, repo_id)
    said = [_actions(world, repo, asked["oid"], asked["size"]) for asked in request.json["objects"]]
    return Answer.of({"transfer": "basic", "objects": said})


def _actions(world: World, repo: Repo, oid: str, size: int) -> dict[str, Any]:
    said: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    if oid in repo.objects:
        return said
    put = f"{world.cdn_url}/upload/{repo.id}/{oid}"
    upload: dict[str, Any] = {"href": put, "header": {}}
    if world.part_size is not None and size > world.part_size:
        parts = range(1, -(-size // world.part_size) + 1)
        upload["header"] = {f"{part:05d}": f"{put}/{part}" for part in parts} | {"chunk_size": str(world.part_size)}
        upload["href"] = f"{world.url}/api/complete_multipart/{repo.id}"
    verify = {"href": f"{world.url}/{repo.id}.git/info/lfs/objects/verify", "header": {}}
    return said | {"actions": {"upload": upload, "verify": verify}}


def put(world: World, request: Request, repo_id: str, oid: str) -> Answer:
    """A large file comes to the other listener, whole."""
    if hashlib.sha256(request.body).hexdigest() != oid:
        raise Refusal(400, "The content is not what was announced")
    world.repos[repo_id].objects[oid] = request.body
    return Answer(200, {"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})


def put_part(world: World, request: Request, _repo_id: str, oid: str, number: str) -> Answer:
    world.parts[oid, int(number)] = request.body
    return Answer(200, {"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})


def complete(world: World, request: Request, repo_id: str) -> Answer:
    """All parts of a large file are there."""
    oid, parts = request.json["oid"], request.json["parts"]
    content = b"".join(world.parts.pop((oid, part["partNumber"])) for part in parts)
    return put(world, request.with_body(content), repo_id, oid)


def verify(world: World, request: Request, repo_id: str) -> Answer:
    repo, _ = world.writable(request, repo_id)
    if len(repo.objects.get(request.json["oid"], b"")) != request.json["size"]:
        raise Refusal(404, "The object is not there")
    return Answer.of({})


def commit(world: World, request: Request, repo_id: str, revision: str) -> Answer:
    """One commit, on top of the parent that was asked for or not at all."""
    repo, user = world.writable(request, repo_id)
    if request.flag("create_pr"):
        raise Refusal(400, "this Hub has no pull requests")
    if revision not in repo.branches:
        repo.resolve(revision)
        raise Refusal(400, f"{revision} is no branch")
    lines = [json.loads(line) for line in request.body.splitlines()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    if header.get("parentCommit", repo.branches[revision]) != repo.branches[revision]:
        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
    files = dict(_content(repo, line) for line in lines if line["key"] in ("file", "lfsFile"))
    gone = [_gone(repo.resolve(revision), line) for line in lines if line["key"].startswith("deleted")]
    said = {"title": header["summary"], "description": header.get("description", ""), "author": user.name}
    made = repo.commit(files, delete=gone, branch=revision, **said)
    url = f"{world.url}/{repo.id}/commit/{made.oid}"
    return Answer.of({"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": ""})


def _content(repo: Repo, line: dict[str, Any]) -> tuple[str, bytes]:
    value = line["value"]
    path = value["path"]
    if line["key"] == "file":
        content = base64.b64decode(value["content"])
        if repo.is_large(path, len(content)):
            raise Refusal(400, f"{path} must be uploaded as a large file")
        return path, content
    if (stored := repo.objects.get(value["oid"])) is None:
        raise Refusal(400, f"LFS pointer pointed to a file that does not exist: {path}")
    return path, stored


def _gone(commit: Commit, line: dict[str, Any]) -> str:
    path = line["value"]["path"].rstrip("/") + "/" * (line["key"] == "deletedFolder")
    if not any(each == path or (path.endswith("/") and each.startswith(path)) for each in commit.files):
        raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
    return path


def tag(world: World, request: Request, repo_id: str, revision: str) -> Answer:
    repo, _ = world.writable(request, repo_id)
    name = request.json["tag"]
    target = repo.resolve(revision).oid
    if name in repo.tags:
        raise Refusal(409, f"Tag reference exists already: {name}")
    repo.tags[name] = target
    return Answer.of({})


def untag(world: World, request: Request, repo_id: str, name: str) -> Answer:
    repo, _ = world.writable(request, repo_id)
    return _dropped(repo.tags, name)


def branch(world: World, request: Request, repo_id: str, name: str) -> Answer:
    repo, _ = world.writable(request, repo_id)
    if name in repo.branches:
        raise Refusal(409, f"Reference exists already: {name}")
    repo.branch(name, request.json.get("startingPoint", "main"))
    return Answer.of({})


def unbranch(world: World, request: Request, repo_id: str, name: str) -> Answer:
    repo, _ = world.writable(request, repo_id)
    return _dropped(repo.branches, name)


def _dropped(named: dict[str, str], name: str) -> Answer:
    if named.pop(name, None) is None:
        raise Refusal(404, f"No such reference: {name}", "RevisionNotFound")
    return Answer.of({})
