"""The data sets of a run: opened, and described so that they are found again from any folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk.data.folders import Images
from gansdk.data.opening import find_data
from gansdk.errors import UnknownNameError, UsageError, as_typed, entry
from gansdk.evaluation.evaluated_model import EvaluatedModel, about_baseline, digests
from gansdk.evaluation.run import evaluate, fitting, no_progress
from gansdk.model.config import WEIGHTS
from gansdk.models.catalog import Catalog
from gansdk.models.context import silent
from gansdk.models.loading import load_model
from gansdk.models.runtime import Placement, assemble
from gansdk.plugins.registry import discover
from gansdk.training.runs import describe_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    from gansdk.data.folders import Dataset
    from gansdk.training.recipe import Recipe

    Opener = Callable[[str], tuple[str, Dataset]]
    Data = str | PathLike[str]
    """A path or a name, as users give it."""
    from collections.abc import Callable, Iterable

    import torch
    from torch import nn

    from gansdk.evaluation.record import Evaluation
    from gansdk.model.config import ModelConfig
    from gansdk.models.writing import Export
    from gansdk.plugins.declarations import Method, MetricSpec
    from gansdk.training.runs import RunRecord


class OpenedData:
    """Opened data sets, and what a run records of them.

    Args:
        train: What to learn from, as users name it, by the recipe's names.
        tests: What to measure on, by the names that the record shall have.
        opener: How such a text becomes a data set; as :func:`gansdk.open_data` if None.

    Raises:
        InputError: If data is missing or empty.
    """

    def __init__(self, train: Mapping[str, Data], tests: Mapping[str, Data], opener: Opener | None) -> None:
        opener = opener or _open_installed
        found = {name: opener(_text(one)) for name, one in train.items()}
        found_tests = {name: opener(_text(one)) for name, one in tests.items()}
        self.train = {name: data for name, (_, data) in found.items()}
        self.tests = {name: data for name, (_, data) in found_tests.items()}
        self.train_sources = {name: describe_source(*one) for name, one in found.items()}
        self.test_sources = {name: describe_source(*one) for name, one in found_tests.items()}

    def left_out(self) -> Iterator[str]:
        """A line for each set of images that has other files among them."""
        for data in (*self.train.values(), *self.tests.values()):
            if isinstance(data, Images) and data.others:
                shown = ", ".join(data.others[:3]) + (" …" if len(data.others) > 3 else "")
                yield f"{data.name}: left out what is not an image by its content ({len(data.others)}): {shown}"


def under_recipe_names(recipe: Recipe, data: Mapping[str, Data]) -> dict[str, Data]:
    """Data sets by the recipe's names for them; the name ``""`` means its first.

    Raises:
        UsageError: If one is not the recipe's, missing, or given twice.
    """
    named: dict[str, Data] = {}
    for name, text in data.items():
        meant = name or recipe.sources[0]
        if meant not in recipe.sources:
            raise UnknownNameError("data set", meant, recipe.sources, hint=f"it takes {', '.join(recipe.sources)}")
        if meant in named:
            raise UsageError(f"the data set {meant!r} is given twice", hint="give each once")
        named[meant] = text
    for name in recipe.sources:
        if name not in named:
            raise UsageError(f"the recipe needs a data set {name!r}", hint=f"add {entry('data', name, 'FOLDER')}")
    return named


def _text(data: Data) -> str:
    """It as text; what is a path by its type is so spelled that it is no name of a data set."""
    return data if isinstance(data, str) else str(Path(data).absolute())


def _open_installed(text: str) -> tuple[str, Dataset]:
    return find_data(text, discover().datasets)


@dataclass(frozen=True)
class InitialModel:
    """A model to start from.

    Attributes:
        ref: As the user named it.
        config: What it declares.
        networks: By name, filled, in eval mode, without gradients.
        digest: Of its weights.
    """

    ref: str
    config: ModelConfig
    networks: Mapping[str, nn.Module]
    digest: str


def load_initial_model(ref: str, method: Method) -> InitialModel:
    """The model that a recipe's option ``init_from`` names; of one with two checkpoints, its own.

    Args:
        ref: How the user names it.
        method: The recipe's own method, which it must be of.

    Raises:
        UsageError: If no model is named, or it is of another method.
        GansdkError: If there is no such model, or it does not load.
    """
    if not ref:
        raise UsageError(
            "this config continues from another model",
            hint=as_typed("add --set init_from=REF", 'add options={"init_from": REF}'),
        )
    resolved = Catalog.installed_here().locate(ref)
    if resolved.config.method != method.name:
        what = f"{ref} is a model of {resolved.config.method!r}, and this training starts from one of {method.name!r}"
        raise UsageError(what, hint="see `gansdk models`")
    networks = load_model(replace(resolved, plugin=method)).networks
    return InitialModel(ref, resolved.config, networks, resolved.config.files[WEIGHTS])


class Measuring:
    """A run's test sets and the metrics that are installed.

    Args:
        method: What is trained.
        record: What the run was asked to do.
        tests: Test sets by name; empty for no measurement.
        metrics: All that are installed; those that fit the model are used.
        device: Where to compute.
    """

    def __init__(
        self,
        method: Method,
        record: RunRecord,
        tests: Mapping[str, Dataset],
        metrics: Iterable[MetricSpec],
        device: torch.device,
    ) -> None:
        self._method, self._record = method, record
        self._tests, self._metrics, self._device = tests, tuple(metrics), device

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the test sets."""
        return tuple(self._tests)

    def at_end(
        self, export: Export, note: Callable[[str], None], progress: Callable[[str, int, int], None] = no_progress
    ) -> Evaluation:
        """Measures a trained model, with its ablation beside it."""
        metrics = fitting(self._metrics, export.facts, note)
        return evaluate(self._subject(export), self._tests, metrics, note=note, progress=progress)

    def on_the_way(self, export: Export) -> Evaluation:
        """Measures a model in training, alone and without a word: what there is to say is said at the end."""
        metrics = fitting(self._metrics, export.facts, silent)
        return evaluate(self._subject(export).without_baseline(), self._tests, metrics)

    def _subject(self, export: Export) -> EvaluatedModel:
        placement = Placement(self._device, "fp32")
        loaded, start = export.loaded(self._method), export.initial
        return EvaluatedModel(
            model=assemble(loaded, placement),
            device=placement.device,
            baseline=assemble(replace(loaded, networks=start), placement) if start is not None else None,
            about_baseline=about_baseline(self._method, self._record.config, has_initial=start is not None),
            trained_on=digests(source.data for source in self._record.data.values()),
            conditions={"precision": placement.precision, "device": placement.device.type},
        )
