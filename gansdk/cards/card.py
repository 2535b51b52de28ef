"""All that a card is made from, gathered without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gansdk.errors import MissingPluginError
from gansdk.evaluation.record import Evaluation, read_evaluation
from gansdk.model.config import read_attributions
from gansdk.models.catalog import fits
from gansdk.refs import Builtin, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.model.config import Attributions, ModelConfig, Record
    from gansdk.models.catalog import Catalog
    from gansdk.models.resolved import ResolvedModel
    from gansdk.plugins.declarations import Method, Task


class KnownSplit(NamedTuple):
    """A split of a data set that has a name here.

    Attributes:
        name: As in ``mnist:test``.
        classes: What its labels mean, in their order.
    """

    name: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """What is known of a model.

    Attributes:
        name: What its card is headed with.
        ref: How commands in the card name it.
        config: What it declares.
        method: Its method; None where the plugin is not installed.
        tasks: Those that it can do, by name.
        evaluation: What was measured; empty where nothing was.
        attributions: Whose works it was trained on, as far as is known.
        images: Names of the images that stand beside the card.
        datasets: By digest, the splits of the data sets that are known here.
    """

    name: str
    ref: str
    config: ModelConfig
    method: Method | None
    tasks: tuple[Task, ...]
    evaluation: Evaluation
    attributions: Attributions
    images: tuple[str, ...] = ()
    datasets: Mapping[str, KnownSplit] = field(default_factory=dict)

    @property
    def checkpoints(self) -> tuple[str, str]:
        """What its two ends are called."""
        return self.method.checkpoints if self.method is not None else ("start", "end")


def gather(catalog: Catalog, resolved: ResolvedModel, images: tuple[str, ...] = ()) -> Card:
    """Reads what a model's folder holds.

    Args:
        catalog: Knows methods and tasks.
        resolved: The model.
        images: Those that stand beside the card, or will.

    Raises:
        ModelError: If a file of the folder cannot be read.
        HubError: If a file of a model on the Hub cannot be had.
    """
    if resolved.snapshot is not None:
        resolved.ensure_all_files()
    try:
        method = catalog.method(resolved)
    except MissingPluginError:
        method = None
    builtin = isinstance(parse(resolved.ref), Builtin)
    name = resolved.ref.removeprefix("builtin:") if builtin else _folder_name(resolved)
    tasks = (task for _, task in sorted(catalog.registry.tasks.items()))
    return Card(
        name=name,
        ref=resolved.ref if builtin else f"./{name}",
        config=_on_lines(resolved.config),
        method=method,
        tasks=tuple(task for task in tasks if fits(task, resolved.config)),
        evaluation=_on_lines(read_evaluation(resolved.folder) or Evaluation()),
        attributions=_on_lines(read_attributions(resolved.folder)),
        images=images,
        datasets={
            split.digest: KnownSplit(f"{one.name}:{name}", one.classes)
            for one in catalog.registry.datasets.values()
            for name, split in one.splits.items()
        },
    )


def _on_lines(record: Record) -> Record:
    """A record whose texts have no line ends: a line of its own could end a list of commands, or a region."""
    return type(record).model_validate(_one_line(record.model_dump()))


def _one_line(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.splitlines()) if not value.isprintable() else value
    if isinstance(value, dict):
        return {_one_line(key): _one_line(one) for key, one in value.items()}
    return [_one_line(one) for one in value] if isinstance(value, list | tuple) else value


def _folder_name(resolved: ResolvedModel) -> str:
    """The folder's name; that of the run, where it is a run's model."""
    folder = resolved.folder.resolve()
    return folder.parent.name if folder.name == "model" and (folder.parent / "train.json").is_file() else folder.name
