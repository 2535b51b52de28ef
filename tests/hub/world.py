"""Who there is, what they have, and who may see and change what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hub.messages import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.messages import Request
    from hub.repos import Repo


@dataclass(frozen=True)
class User:
    """A person with one token.

    Attributes:
        name: Their namespace.
        token: Theirs, of the shape that the Hub's tokens have.
        orgs: Namespaces in which they may write too.
        role: What the token allows.
    """

    name: str
    token: str = field(repr=False)
    orgs: tuple[str, ...] = ()
    role: Literal["read", "write"] = "write"

    @property
    def namespaces(self) -> tuple[str, ...]:
        return (self.name, *self.orgs)


@dataclass
class World:
    """All that the server keeps.

    Attributes:
        url: Of the Hub.
        cdn_url: Of the listener for large files.
        page_size: Entries of a listing's page.
        part_size: From this size on, uploads go in parts; None: never.
        resolve_cache: Whether small files are redirected within the Hub, as the public one does; mirrors do not.
        compresses: Whether small files go out with gzip to those who take it, so that no header tells their size.
        users: By token.
        repos: By id, in the order of their making.
        parts: Uploaded parts of large files: (sha256, number) → content.
    """

    url: str
    cdn_url: str
    page_size: int = 1000
    part_size: int | None = None
    resolve_cache: bool = True
    compresses: bool = False
    users: dict[str, User] = field(default_factory=dict)
    repos: dict[str, Repo] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict, repr=False)

    def add_user(self, name: str, *, orgs: tuple[str, ...] = (), role: Literal["read", "write"] = "write") -> User:
        """A new person; the token is made from name and role."""
        token = "hf_" + hashlib.sha256(f"{name} {role}".encode()).hexdigest()[:34]
        self.users[token] = User(name, token, orgs, role)
        return self.users[token]

    def asking(self, request: Request) -> User | None:
        """Who asks; None: nobody in particular.

        Raises:
            Refusal: The token is no one's. The Hub refuses it everywhere, for public files too.
        """
        if request.token is None:
            return None
        if request.token not in self.users:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return self.users[request.token]

    def known_to(self, user: User | None) -> Callable[[Repo], bool]:
        """Says of repositories whether somebody may know of them."""
        namespaces = user.namespaces if user else ()
        return lambda repo: not repo.private or repo.namespace in namespaces

    def readable(self, request: Request, repo_id: str) -> Repo:
        """A repository of which whoever asks may know.

        Raises:
            Refusal: There is none, or it is hidden from them; both sound the same.
        """
        user = self.asking(request)
        repo = self.repos.get(repo_id)
        if repo is None or not self.known_to(user)(repo):
            if user is None:
                raise Refusal(401, "Invalid username or password.", "RepoNotFound")
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return repo

    def open_files(self, request: Request, repo_id: str) -> Repo:
        """A repository whose files whoever asks may have.

        Raises:
            Refusal: As in `readable`, or it is gated.
        """
        repo = self.readable(request, repo_id)
        user = self.asking(request)
        if not repo.gate or (user and (repo.namespace in user.namespaces or user.name in repo.admitted)):
            return repo
        if user is None:
            message = f"Access to model {repo.id} is restricted. You must have access to it and be authenticated."
            raise Refusal(401, f"{message} Please log in.", "GatedRepo")
        message = f"Access to model {repo.id} is restricted and you are not in the authorized list."
        raise Refusal(403, f"{message} Visit {self.url}/{repo.id} to ask for access.", "GatedRepo")

    def writer(self, request: Request, namespace: str = "") -> User:
        """Who asks, where they may write.

        Raises:
            Refusal: Nobody in particular asks, the token is for reading, or the namespace is another's.
        """
        user = self.asking(request)
        if user is None:
            raise Refusal(401, "Invalid username or password.")
        namespace = namespace or user.name
        if user.role != "write" or namespace not in user.namespaces:
            raise Refusal(403, f'You don\'t have the rights to write under the namespace "{namespace}"')
        return user

    def writable(self, request: Request, repo_id: str) -> tuple[Repo, User]:
        """A repository that whoever asks may change.

        Raises:
            Refusal: As in `readable` and `writer`.
        """
        repo = self.readable(request, repo_id)
        return repo, self.writer(request, repo.namespace)
