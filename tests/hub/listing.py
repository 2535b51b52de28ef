"""What can be read of repositories without their files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from hub.facts import BRIEF, FULL, chosen, facts
from hub.messages import Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hub.messages import Request
    from hub.repos import Blob, Commit
    from hub.world import World


def whoami(world: World, request: Request) -> Answer:
    user = world.asking(request)
    if user is None:
        raise Refusal(401, "Invalid username or password.")
    orgs = [{"type": "org", "name": name, "fullname": name} for name in user.orgs]
    token = {"type": "access_token", "accessToken": {"displayName": "tests", "role": user.role}}
    return Answer.of({"type": "user", "name": user.name, "fullname": user.name, "orgs": orgs, "auth": token})


def model(world: World, request: Request, repo_id: str, revision: str = "main") -> Answer:
    repo = world.readable(request, repo_id)
    said = facts(repo, repo.resolve(revision), blobs=request.flag("blobs"))
    wanted = request.query.get("expand")
    return Answer.of(chosen(said, ("_id", "id", "modelId", *wanted)) if wanted else said)


def models(world: World, request: Request) -> Answer:
    """Those that match all of ``search``, ``author``, ``pipeline_tag`` and every ``filter``; newest first."""
    visible = filter(world.known_to(world.asking(request)), reversed(world.repos.values()))
    found = [said for repo in visible if _matches(said := facts(repo, repo.head), request)]
    size = min(int(request.one("limit", "0")) or world.page_size, world.page_size)
    fields = _fields(request)
    page, headers = _page(world, request, found, size)
    return Answer.of([chosen(said, fields) for said in page], headers=headers)


def _matches(said: dict[str, Any], request: Request) -> bool:
    gated = request.one("gated")
    return (
        request.one("search").lower() in said["id"].lower()
        and request.one("author") in ("", said["author"])
        and request.one("pipeline_tag") in ("", said.get("pipeline_tag"))
        and all(tag in said["tags"] for tag in request.query.get("filter", []))
        and (not gated or request.flag("gated") == bool(said["gated"]))
    )


def _fields(request: Request) -> tuple[str, ...]:
    if "expand" in request.query:
        return ("_id", "id", "modelId", *request.query["expand"])
    return (*(FULL if request.flag("full") else BRIEF), *["cardData"] * request.flag("cardData"))


def _page(world: World, request: Request, found: Sequence[Any], size: int) -> tuple[Sequence[Any], dict[str, str]]:
    """One page, and the header that names the next one as GitHub's API does."""
    start = int(request.one("cursor", "0"))
    if start + size >= len(found):
        return found[start:], {}
    query = urlencode(request.query | {"cursor": [str(start + size)]}, doseq=True)
    return found[start : start + size], {"Link": f'<{world.url}{request.raw_path}?{query}>; rel="next"'}


def tree(world: World, request: Request, repo_id: str, revision: str, folder: str = "") -> Answer:
    """Files and folders of a folder, with ``recursive`` also what is below."""
    commit = world.readable(request, repo_id).resolve(revision)
    within = f"{folder}/" if folder else ""
    below = [path for path in commit.files if path.startswith(within)]
    if folder and not below:
        raise _no_entry(folder, commit)
    folders = {path[:end] for path in below for end in _slashes(path) if end > len(within)}
    known = sorted({*below, *folders})
    if not request.flag("recursive"):
        known = [path for path in known if "/" not in path[len(within) :]]
    entries = [entry(commit, path, expand=request.flag("expand")) for path in known]
    page, headers = _page(world, request, entries, world.page_size)
    return Answer.of(page, headers=headers)


def _slashes(path: str) -> list[int]:
    return [at for at, sign in enumerate(path) if sign == "/"]


def paths_info(world: World, request: Request, repo_id: str, revision: str) -> Answer:
    """What `tree` says of some paths; those that are not there are left out."""
    commit = world.readable(request, repo_id).resolve(revision)
    if "json" in request.headers.get("content-type", ""):
        asked, expand = request.json["paths"], bool(request.json.get("expand"))
    else:
        form = parse_qs(request.body.decode())
        asked, expand = form.get("paths", []), form.get("expand", [""])[-1].lower() == "true"
    there = [path for path in asked if path in commit.files or _under(commit, path)]
    return Answer.of([entry(commit, path, expand=expand) for path in there])


def _under(commit: Commit, folder: str) -> dict[str, Blob]:
    return {path: blob for path, blob in commit.files.items() if path.startswith(f"{folder}/")}


def entry(commit: Commit, path: str, *, expand: bool) -> dict[str, Any]:
    """One file or folder of a tree."""
    said: dict[str, Any]
    if (blob := commit.files.get(path)) is None:
        listed = "".join(f"{each} {blob.oid}\n" for each, blob in _under(commit, path).items())
        said = {"type": "directory", "path": path, "size": 0, "oid": hashlib.sha1(listed.encode()).hexdigest()}
    else:
        said = {"type": "file", "path": path, "size": blob.size, "oid": blob.oid}
        if blob.lfs:
            said["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": len(blob.pointer)}
    if expand:
        said["lastCommit"] = {"id": commit.oid, "title": commit.title, "date": commit.when}
    return said


def refs(world: World, request: Request, repo_id: str) -> Answer:
    repo = world.readable(request, repo_id)
    branches, tags = (
        [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid} for name, oid in named.items()]
        for kind, named in (("heads", repo.branches), ("tags", repo.tags))
    )
    return Answer.of({"branches": branches, "converts": [], "tags": tags, "pullRequests": []})


def commits(world: World, request: Request, repo_id: str, revision: str) -> Answer:
    """The history, newest first."""
    said = [
        {
            "id": each.oid,
            "title": each.title,
            "message": each.description,
            "authors": [{"user": each.author}],
            "date": each.when,
        }
        for each in world.readable(request, repo_id).history(revision)
    ]
    page, headers = _page(world, request, said, world.page_size)
    return Answer.of(page, headers=headers | {"X-Total-Count": str(len(said))})


def auth_check(world: World, request: Request, repo_id: str) -> Answer:
    world.open_files(request, repo_id)
    return Answer.of({})


def harnesses(_world: World, _request: Request) -> Answer:
    """What the client asks for once a day, unless telemetry is off."""
    return Answer.of({"standardEnvVars": [], "harnesses": {}})


def _no_entry(path: str, commit: Commit) -> Refusal:
    return Refusal(404, f"{path} does not exist on this revision", "EntryNotFound", X_Repo_Commit=commit.oid)
