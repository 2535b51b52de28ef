"""What a card is made from: a model's own records, and the names of the images that can be made of it.

Nothing here imports torch or runs a model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gansdk.errors import MissingPluginError
from gansdk.evaluation.codes import (
    latent_variables,
    named_code,
    recovered_codes,
    sampling_unsupported_reason,
    swept_codes,
)
from gansdk.evaluation.evaluators import SHAPE, evaluated_dataset
from gansdk.evaluation.record import Evaluation, read_evaluation
from gansdk.model.config import read_attributions
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.model.variables import Categorical
from gansdk.models.catalog import RUN_FILE, RUN_MODEL, fits
from gansdk.plugins.registry import CORE
from gansdk.refs import Builtin, parse
from gansdk.tasks.superres import unsupported_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.evaluation.codes import SweptCode
    from gansdk.model.config import Attributions, ModelConfig, Record
    from gansdk.model.facts import Facts, ImageSpec
    from gansdk.models.catalog import Catalog
    from gansdk.models.resolved import ResolvedModel
    from gansdk.plugins.declarations import Method, NamedDataset, Task
    from gansdk.plugins.registry import Registry


class KnownSplit(NamedTuple):
    """A split of a data set by its name, as in ``mnist:test``, and what its labels mean, in their order."""

    name: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """What is known of a model.

    Attributes:
        name: The heading of its card.
        ref: How commands in the card name it.
        config: What it declares.
        method: Its method; None where the plugin is not installed.
        tasks: Those that it can do and that come with its method or the core, by name.
        evaluation: What was measured; empty where nothing was.
        attributions: Whose works it was trained on, as far as is known.
        images: Names of the images that lie beside the card.
        datasets: The splits of the data sets that are known here, by digest.
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
        """What the first and the last checkpoint of its training are called."""
        return self.method.checkpoints if self.method is not None else ("start", "end")


def gather(catalog: Catalog, resolved: ResolvedModel, images: tuple[str, ...] = ()) -> Card:
    """Reads the records of a model's folder; ``images`` lie beside the card, or will.

    Raises:
        ModelError: If a file of the folder cannot be read.
        HubError: If a file of a model on the Hub cannot be fetched.
    """
    if resolved.snapshot is not None:
        resolved.ensure_all_files()
    try:
        method = resolved.method
    except MissingPluginError:
        method = None
    if isinstance(parse(resolved.ref), Builtin):
        name, ref = resolved.ref.removeprefix("builtin:"), resolved.ref
    else:
        folder = resolved.folder.resolve()
        is_of_run = folder.name == RUN_MODEL and (folder.parent / RUN_FILE).is_file()
        name = folder.parent.name if is_of_run else folder.name
        ref = f"./{name}"
    return Card(
        name=name,
        ref=ref,
        config=_on_lines(resolved.config),
        method=method,
        tasks=own_tasks(catalog.registry, resolved.config),
        evaluation=_on_lines(read_evaluation(resolved.folder) or Evaluation()),
        attributions=_on_lines(read_attributions(resolved.folder)),
        images=images,
        datasets={
            split.digest: KnownSplit(f"{dataset.name}:{name}", dataset.classes)
            for dataset in catalog.registry.datasets.values()
            for name, split in dataset.splits.items()
        },
    )


def own_tasks(registry: Registry, config: ModelConfig) -> tuple[Task, ...]:
    """The tasks that a model can do wherever it is installed, by name: the core's and those of its method's plugin.

    Another plugin that happens to be here may bring more, but whoever reads a card need not have it.
    """
    owners = {CORE, registry.owners.get(("method", config.method))}
    return tuple(
        task
        for name, task in sorted(registry.tasks.items())
        if registry.owners[("task", name)] in owners and fits(task, config)
    )


def _on_lines(record: Record) -> Record:
    """A record whose texts have no line ends: a line of its own could end a list of commands, or a region."""

    def one_line(value: Any) -> Any:
        if isinstance(value, str):
            return " ".join(value.splitlines()) if not value.isprintable() else value
        if isinstance(value, dict):
            return {one_line(key): one_line(item) for key, item in value.items()}
        return [one_line(item) for item in value] if isinstance(value, list | tuple) else value

    return type(record).model_validate(one_line(record.model_dump()))


STRIP, TRIALS = "card-strip.webp", "card-trials.webp"
"""Restored images; those of kinds that are hard."""

SAMPLES, MISTAKEN, DOUBTFUL = "card-samples.webp", "card-mistaken.webp", "card-doubtful.webp"
"""Samples; those that an evaluator takes for another class; those of which the model's own encoder is least sure."""

TRIED, FAILED = 2_000, 16
"""How many samples are searched for failures, and how many of those are shown."""

_SWEEPS = 2


def applicable(config: ModelConfig) -> tuple[str, ...]:
    """The names of the images that can be made of a model."""
    facts = config.facts
    if unsupported_reason(facts) is None:
        return STRIP, TRIALS
    if sampling_unsupported_reason(facts) is not None or sampled(facts).channels not in (1, 3):
        return ()
    if evaluated_by(config) is not None:
        return SAMPLES, *sweeps(facts), MISTAKEN
    return (SAMPLES, *sweeps(facts), *((DOUBTFUL,) if doubted(facts) is not None else ()))


def sampled(facts: Facts) -> ImageSpec:
    """What a generator from a latent gives."""
    return facts.require(LatentGeneratorFacts).output


def first_categorical(facts: Facts) -> Categorical | None:
    """The first categorical code of the generator's latent."""
    return next((variable for variable in latent_variables(facts) if isinstance(variable, Categorical)), None)


def sorted_by(facts: Facts) -> Categorical | None:
    """The code whose values are the columns of the samples: one with labels before one without."""
    return named_code(facts) or first_categorical(facts)


def sweeps(facts: Facts) -> Mapping[str, SweptCode]:
    """The numbers that are swept, by the names of their images."""
    return {f"card-sweep-{code.variable.name}-{code.at}.webp": code for code in swept_codes(facts)[:_SWEEPS]}


def evaluated_by(config: ModelConfig) -> NamedDataset | None:
    """The data set of the training whose evaluator can tell the classes of the model's samples; None without one."""
    code, image = named_code(config.facts), sampled(config.facts)
    if code is None or config.trained is None or (image.height, image.width, image.channels) != SHAPE:
        return None
    found = (evaluated_dataset(data.digest) for data in config.trained.data)
    return next((data for data in found if data is not None and set(code.labels) <= set(data.classes)), None)


def doubted(facts: Facts) -> Categorical | None:
    """The code that the model's encoder reads from the model's samples; None where it cannot."""
    takes_samples = facts.encoder is not None and facts.encoder.data == sampled(facts)
    return next(iter(recovered_codes(facts)), None) if takes_samples else None
