"""Which function answers which path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hub import listing, resolving, upload
from hub.messages import Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.messages import Request
    from hub.world import World

ID = r"([^/]+/[^/]+?)"
REV = r"([^/]+)"
REST = r"(.+)"

HUB: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/api/whoami-v2", listing.whoami),
    ("GET", "/api/agent-harnesses", listing.harnesses),
    ("GET", "/api/models", listing.models),
    ("GET", f"/api/models/{ID}", listing.model),
    ("GET", f"/api/models/{ID}/revision/{REV}", listing.model),
    ("GET", f"/api/models/{ID}/tree/{REV}", listing.tree),
    ("GET", f"/api/models/{ID}/tree/{REV}/{REST}", listing.tree),
    ("POST", f"/api/models/{ID}/paths-info/{REV}", listing.paths_info),
    ("GET", f"/api/models/{ID}/refs", listing.refs),
    ("GET", f"/api/models/{ID}/commits/{REV}", listing.commits),
    ("GET", f"/api/models/{ID}/auth-check", listing.auth_check),
    ("GET", f"/api/resolve-cache/models/{ID}/{REV}/{REST}", resolving.cached),
    ("GET", f"/{ID}/resolve/{REV}/{REST}", resolving.resolve),
    ("POST", "/api/validate-yaml", upload.validate_card),
    ("POST", "/api/repos/create", upload.create),
    ("DELETE", "/api/repos/delete", upload.delete),
    ("PUT", f"/api/models/{ID}/settings", upload.settings),
    ("POST", f"/api/models/{ID}/preupload/{REV}", upload.preupload),
    ("POST", f"/api/models/{ID}/commit/{REV}", upload.commit),
    ("POST", f"/api/models/{ID}/tag/{REV}", upload.tag),
    ("DELETE", f"/api/models/{ID}/tag/{REV}", upload.untag),
    ("POST", f"/api/models/{ID}/branch/{REV}", upload.branch),
    ("DELETE", f"/api/models/{ID}/branch/{REV}", upload.unbranch),
    ("POST", rf"/{ID}\.git/info/lfs/objects/batch", upload.batch),
    ("POST", rf"/{ID}\.git/info/lfs/objects/verify", upload.verify),
    ("POST", f"/api/complete_multipart/{ID}", upload.complete),
)

CDN: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", f"/repos/{REV}", resolving.stored),
    ("PUT", f"/upload/{ID}/{REV}", upload.put),
    ("PUT", f"/upload/{ID}/{REV}/{REV}", upload.put_part),
)


def answer(world: World, request: Request) -> Answer:
    """The answer of a Hub that has nothing wrong with it; HEAD is GET, and the server leaves the body out."""
    method = "GET" if request.method == "HEAD" else request.method
    for wanted, pattern, function in HUB if request.side == "hub" else CDN:
        if wanted == method and (found := re.fullmatch(pattern, request.raw_path)):
            try:
                return function(world, request, *map(unquote, found.groups()))
            except Refusal as refusal:
                return refusal.answer
    return Refusal(404, f"This Hub knows no {request.method} {request.raw_path}").answer
