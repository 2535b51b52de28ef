"""What is said of a model without its weights, from its repository and the front matter of its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from hub.repos import Blob, Commit, Repo

BRIEF = ("_id", "id", "modelId", "likes", "downloads", "private", "tags", "pipeline_tag", "library_name", "createdAt")
"""What an entry of a listing has unless more is asked for."""

FULL = (*BRIEF, "author", "sha", "lastModified", "gated", "disabled", "siblings")


def front_matter(card: str) -> dict[str, Any]:
    """The YAML between the first two lines of three hyphens.

    Raises:
        yaml.YAMLError: It is none.
    """
    if not card.startswith("---\n"):
        return {}
    text, found, _ = card[4:].partition("\n---")
    data = yaml.safe_load(text) if found else None
    return data if isinstance(data, dict) else {}


def card_data(commit: Commit) -> dict[str, Any]:
    """The card's front matter; empty where there is no card."""
    card = commit.files.get("README.md")
    return front_matter(card.content.decode()) if card else {}


def tags(commit: Commit, card: dict[str, Any]) -> list[str]:
    """As the Hub derives them: library, files' formats, the author's own, licence, data sets, models."""
    found = [str(card["library_name"])] if "library_name" in card else []
    found += ["safetensors"] * any(path.endswith(".safetensors") for path in commit.files)
    found += [str(card["pipeline_tag"])] if "pipeline_tag" in card else []
    found += _several(card.get("tags"))
    for field, kind in (("license", "license"), ("datasets", "dataset"), ("base_model", "base_model")):
        found += [f"{kind}:{value}" for value in _several(card.get(field))]
    return list(dict.fromkeys([*found, "region:us"]))


def _several(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value] if value is not None else [])]


def facts(repo: Repo, commit: Commit, *, blobs: bool = False) -> dict[str, Any]:
    """All that the Hub says of a model at one commit; with ``blobs``, sizes and digests of its files."""
    card = card_data(commit)
    first = next(iter(repo.commits.values()))
    found = {
        "_id": first.oid[:24],
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.namespace,
        "sha": commit.oid,
        "lastModified": commit.when,
        "createdAt": first.when,
        "private": repo.private,
        "gated": repo.gate,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags(commit, card),
        "cardData": card or None,
        "pipeline_tag": card.get("pipeline_tag"),
        "library_name": card.get("library_name"),
        "siblings": [sibling(path, blob, blobs=blobs) for path, blob in commit.files.items()],
        "spaces": [],
        "usedStorage": sum(map(len, repo.objects.values())),
    }
    return {name: value for name, value in found.items() if value is not None}


def sibling(path: str, blob: Blob, *, blobs: bool) -> dict[str, Any]:
    """A file as `model_info` lists it."""
    said: dict[str, Any] = {"rfilename": path}
    if blobs:
        said |= {"size": blob.size, "blobId": blob.oid}
        if blob.lfs:
            said["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": len(blob.pointer)}
    return said


def chosen(said: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name in names}
