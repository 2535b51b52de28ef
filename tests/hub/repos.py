"""Repositories: commits with parents, branches and tags, files small and large."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from hub.messages import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Gate = Literal[False, "auto", "manual"]

PATTERNS = ("*.bin", "*.ckpt", "*.npy", "*.onnx", "*.pkl", "*.pt", "*.pth", "*.safetensors", "*.tar", "*.zip")

ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in PATTERNS).encode()
"""What a new repository has in its first commit."""

LARGE = 10 * 2**20
"""From this size on, files are large ones whatever their name."""


def git_oid(content: bytes) -> str:
    """The name that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class Blob:
    """The content of a file; ``lfs``: git has a pointer only."""

    content: bytes = field(repr=False)
    lfs: bool

    @property
    def size(self) -> int:
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        """What git has in place of a large file."""
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode()

    @cached_property
    def oid(self) -> str:
        return git_oid(self.pointer if self.lfs else self.content)

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid


@dataclass(frozen=True)
class Commit:
    """A state of all files."""

    oid: str
    parent: str | None
    files: Mapping[str, Blob] = field(repr=False)
    title: str
    description: str
    author: str
    date: datetime

    @property
    def when(self) -> str:
        return self.date.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class Repo:
    """A model's repository.

    Attributes:
        id: ``namespace/name``.
        private: Whether only its namespace may know of it.
        gate: Whether files are for people with access only.
        admitted: Names of the people with access.
        branches: Name → commit.
        tags: Name → commit.
        commits: All commits, in the order of their making.
        objects: Large files that were uploaded, by sha256, committed or not.
    """

    id: str
    private: bool = False
    gate: Gate = False
    admitted: set[str] = field(default_factory=set)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.commit({".gitattributes": ATTRIBUTES}, title="initial commit")

    @property
    def namespace(self) -> str:
        return self.id.partition("/")[0]

    @property
    def head(self) -> Commit:
        return self.commits[self.branches["main"]]

    def commit(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        delete: Iterable[str] = (),
        branch: str = "main",
        title: str = "commit",
        description: str = "",
        author: str = "somebody",
    ) -> Commit:
        """Adds and removes files in one commit.

        Args:
            files: Path → content; large ones by the repository's rules.
            delete: Files, and folders with a slash at the end.
            branch: Where; it must exist, but for the first commit.
            title: First line of the message.
            description: Rest of the message.
            author: A user's name.
        """
        parent = self.commits[self.branches[branch]] if self.commits else None
        kept = dict(parent.files) if parent else {}
        for gone in delete:
            kept = {path: blob for path, blob in kept.items() if not _within(path, gone)}
        for path, content in (files or {}).items():
            blob = Blob(content, self.is_large(path, len(content)))
            kept[path] = blob
            if blob.lfs:
                self.objects[blob.sha256] = content
        return self._add(kept, branch, parent and parent.oid, title, description, author)

    def _add(
        self, files: dict[str, Blob], branch: str, parent: str | None, title: str, description: str, author: str
    ) -> Commit:
        named = {path: blob.oid for path, blob in sorted(files.items())}
        date = datetime.now(UTC)
        said = json.dumps([self.id, len(self.commits), parent, title, description, author, named])
        oid = hashlib.sha1(said.encode()).hexdigest()
        commit = Commit(oid, parent, dict(sorted(files.items())), title, description, author, date)
        self.commits[oid] = commit
        self.branches[branch] = oid
        return commit

    def is_large(self, path: str, size: int) -> bool:
        """Whether a file goes to LFS: by ``.gitattributes`` or by its size; never an empty one."""
        if not size:
            return False
        rules = self.head.files[".gitattributes"].content.decode() if self.commits else ""
        patterns = [line.split()[0] for line in rules.splitlines() if "filter=lfs" in line]
        name = path.rpartition("/")[2]
        return size >= LARGE or any(fnmatch(path, pattern) or fnmatch(name, pattern) for pattern in patterns)

    def tag(self, name: str, revision: str = "main") -> None:
        self.tags[name] = self.resolve(revision).oid

    def branch(self, name: str, revision: str = "main") -> None:
        self.branches[name] = self.resolve(revision).oid

    def resolve(self, revision: str) -> Commit:
        """The commit that a branch, a tag or a sha (whole, or seven digits and more of it) names.

        Raises:
            Refusal: There is none.
        """
        oid = self.branches.get(revision) or self.tags.get(revision)
        if oid is None and len(revision) >= 7:
            oid = next((known for known in self.commits if known.startswith(revision)), None)
        if oid is None:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[oid]

    def history(self, revision: str) -> list[Commit]:
        """Commits, newest first."""
        found: list[Commit] = [self.resolve(revision)]
        while (parent := found[-1].parent) is not None:
            found.append(self.commits[parent])
        return found


def _within(path: str, gone: str) -> bool:
    return path.startswith(gone) if gone.endswith("/") else path == gone
