"""What is said of a model, as data: facts, tasks that apply, sizes, measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from gansdk.cli.session import Session
    from gansdk.evaluation.record import Evaluation
    from gansdk.inference.catalog import Installed
    from gansdk.inference.located import Located
    from gansdk.model.config import ModelConfig


def short_record(session: Session, installed: Installed) -> dict[str, Any]:
    """A built-in model's line in a listing."""
    from gansdk.inference.catalog import fits

    config, tasks = installed.config, session.registry.tasks
    return {
        "ref": installed.ref,
        "method": installed.model.method.name,
        "tasks": sorted(name for name, task in tasks.items() if config is not None and fits(task, config)),
        "bytes": sum(_sizes(installed.model.folder, config).values()) if config is not None else 0,
        "licence": config.licence if config is not None else "",
        "summary": config.summary if config is not None else "",
        "error": str(installed.error) if installed.error is not None else "",
    }


def full_record(session: Session, located: Located) -> dict[str, Any]:
    """All that a model declares, what it can do and how good it is."""
    from gansdk.evaluation.record import read_evaluation

    config = located.config
    evaluation = read_evaluation(located.folder)
    tasks = _tasks(session, config)
    sizes = _sizes(located.folder, config)
    return {
        "ref": located.ref,
        "folder": str(located.folder),
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
        "evaluation": _evaluation(evaluation) if evaluation is not None else None,
        "files": [{"name": name, "bytes": sizes[name], "sha256": digest} for name, digest in config.files.items()],
    }


def _tasks(session: Session, config: ModelConfig) -> list[dict[str, Any]]:
    from gansdk.inference.catalog import misfit

    reasons = {name: misfit(task, config.facts) for name, task in sorted(session.registry.tasks.items())}
    return [{"task": name, "applies": reason is None, "reason": reason or ""} for name, reason in reasons.items()]


def _schemas(session: Session, task: str) -> dict[str, Any]:
    from gansdk.cli.task_options import groups_of

    return {kind: group.model_json_schema() for kind, group in groups_of(session.registry.task(task)).items()}


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """The means alone; the figures of single items stay in the file."""
    measurements = [
        one.model_dump(mode="json", exclude={"values": True, "twin": {"values"}}) for one in evaluation.measurements
    ]
    return {"measurements": measurements, "twin": evaluation.twin}


def _sizes(folder: Path, config: ModelConfig) -> dict[str, int]:
    return {name: (folder / name).stat().st_size if (folder / name).is_file() else 0 for name in config.files}
