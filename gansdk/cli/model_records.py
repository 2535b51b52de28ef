"""What is said of a model, as data: facts, tasks that apply, sizes, measurements."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from gansdk.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gansdk.cli.commands import CommandContext
    from gansdk.hub.listings import SearchResult
    from gansdk.hub.snapshots import Described
    from gansdk.model.config import ModelConfig
    from gansdk.models.catalog import Installed
    from gansdk.models.resolved import ResolvedModel


def short_record(session: CommandContext, installed: Installed) -> dict[str, Any]:
    """A built-in model's line in a listing."""
    from gansdk.models.catalog import fits

    config, tasks = installed.config, session.registry.tasks
    return {
        "ref": installed.ref,
        "method": installed.model.method.name,
        "tasks": sorted(name for name, task in tasks.items() if config is not None and fits(task, config)),
        "bytes": sum(_sizes(installed.model.folder, config).values()) if config is not None else 0,
        "licence": config.licence if config is not None else "",
        "summary": config.summary if config is not None else "",
        "remarks": _remarks(config, installed.model.folder) if config is not None else [],
        "error": str(installed.error) if installed.error is not None else "",
    }


def found_record(session: CommandContext, found: SearchResult, method: str = "") -> dict[str, Any]:
    """A line of what a search found.

    Args:
        session: Knows which of a card's tags are tasks and which is the method.
        found: What the Hub says.
        method: The method that was searched for, which may be known to no plugin here.
    """
    methods = {*session.registry.methods, *([method] if method else [])}
    return {
        "ref": found.ref,
        "commit": found.sha,
        "method": next((tag for tag in found.tags if tag in methods), ""),
        "tasks": sorted({*found.tags} & {*session.registry.tasks}),
        "licence": found.licence,
        "downloads": found.downloads,
        "likes": found.likes,
        "modified": found.modified,
        "private": found.private,
        "gated": found.gated,
        "tags": list(found.tags),
    }


def full_record(session: CommandContext, resolved: ResolvedModel) -> dict[str, Any]:
    """All that a model of this machine declares, what it can do and how good it is."""
    sizes = _sizes(resolved.folder, resolved.config)
    declared = _declared(session, resolved.config, sizes)
    return {
        "ref": resolved.ref,
        "folder": str(resolved.folder),
        "remarks": _remarks(resolved.config, resolved.folder),
        **declared,
        "evaluation": _evaluation(resolved.folder),
    }


def hub_record(session: CommandContext, text: str, described: Described) -> dict[str, Any]:
    """The same of a model on the Hub, and where it is there.

    Args:
        session: Knows tasks and methods.
        text: How the model was named.
        described: What the Hub and the cache have told.

    Raises:
        ModelError: If its cached measurements are damaged.
    """
    from gansdk.model.config import CONFIG

    snapshot, listing = described.snapshot, described.snapshot.listing
    folder = snapshot.folder if (snapshot.folder / CONFIG).exists() else None
    try:
        measured = _evaluation(folder) if folder is not None else None
    except ModelError as error:
        raise ModelError(error.message, hint=f"gansdk pull {shlex.quote(str(snapshot.ref))}") from None
    return {
        "ref": text,
        "repo": snapshot.ref.repo,
        "commit": snapshot.sha,
        "private": listing.private if listing is not None else None,
        "gated": listing.gated if listing is not None else None,
        "folder": str(folder or ""),
        "remarks": _remarks(described.config, folder),
        **_declared(session, described.config, described.sizes),
        "evaluation": measured or _stated(described),
    }


def _declared(session: CommandContext, config: ModelConfig, sizes: Mapping[str, int | None]) -> dict[str, Any]:
    tasks = _tasks(session, config)
    return {
        "summary": config.summary,
        "method": config.method,
        "requires": config.requires,
        "installed": config.method in session.registry.methods,
        "licence": config.licence,
        "facts": config.facts.model_dump(mode="json"),
        "network": config.network,
        "tasks": tasks,
        "options": {one["task"]: _schemas(session, one["task"]) for one in tasks if one["applies"]},
        "trained": config.trained.model_dump(mode="json") if config.trained is not None else None,
        "origin": config.origin.model_dump(mode="json") if config.origin is not None else None,
        "files": [{"name": name, "bytes": sizes[name], "sha256": digest} for name, digest in config.files.items()],
    }


def _tasks(session: CommandContext, config: ModelConfig) -> list[dict[str, Any]]:
    from gansdk.models.catalog import unsupported_reason

    reasons = {name: unsupported_reason(task, config.facts) for name, task in sorted(session.registry.tasks.items())}
    return [{"task": name, "applies": reason is None, "reason": reason or ""} for name, reason in reasons.items()]


def _schemas(session: CommandContext, task: str) -> dict[str, Any]:
    from gansdk.plugins.registry import groups_of

    return {kind: group.model_json_schema() for kind, group in groups_of(session.registry.task(task)).items()}


def _remarks(config: ModelConfig, folder: Path | None) -> list[str]:
    """What a user should know before all else: that its training is unfinished, or that its images were not evaluated.

    Args:
        config: What the model declares.
        folder: Where its measurements are; None where they are not here.
    """
    from gansdk.evaluation.record import read_evaluation, unevaluated

    unfinished = config.trained.unfinished if config.trained is not None else ""
    try:
        unknown = unevaluated(config.facts, read_evaluation(folder)) if folder is not None else ""
    except ModelError:
        unknown = "its measurements cannot be read"
    return [*([f"training unfinished, {unfinished}"] if unfinished else []), *([unknown] if unknown else [])]


def _evaluation(folder: Path) -> dict[str, Any] | None:
    """The means alone; the figures of single items stay in the file."""
    from gansdk.evaluation.record import read_evaluation
    from gansdk.model.config import EVALUATION

    evaluation = read_evaluation(folder)
    if evaluation is None:
        return None
    left_out: Any = {"values": True, "baseline": {"values"}}
    measurements = [one.model_dump(mode="json", exclude=left_out) for one in evaluation.measurements]
    return {"measurements": measurements, "baseline": evaluation.baseline, "source": EVALUATION}


def _stated(described: Described) -> dict[str, Any] | None:
    """What the card's front matter states of the same, which is less: no intervals, no baseline, no protocol."""
    from gansdk.model.config import README

    measurements: list[dict[str, Any]] = [
        {
            "metric": one.metric,
            "data": one.data,
            "value": one.value,
            "unit": one.unit,
            "baseline": None,
            "references": {},
        }
        for one in described.stated
    ]
    return {"measurements": measurements, "baseline": "", "source": README} if measurements else None


def _sizes(folder: Path, config: ModelConfig) -> dict[str, int]:
    return {name: (folder / name).stat().st_size if (folder / name).is_file() else 0 for name in config.files}
