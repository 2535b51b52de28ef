"""Training from the first step to the evaluation: everything that a recipe does not say."""

from __future__ import annotations

import inspect
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansdk.errors import InputError, MissingPluginError, UnknownNameError, UsageError, as_typed, entry
from gansdk.evaluation.run import no_progress
from gansdk.files import mend_folder
from gansdk.models.context import silent
from gansdk.options import validate
from gansdk.training.options import ResumeOptions, TrainingOptions
from gansdk.training.recipe import build
from gansdk.training.runs import (
    OpenedData,
    RunFolder,
    RunRecord,
    check_dependencies,
    check_unchanged,
    commit_of,
    versions,
)
from gansdk.training.session import TrainingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    from gansdk.options import Options
    from gansdk.plugins.declarations import Method, MetricSpec
    from gansdk.training.callbacks import Progress
    from gansdk.training.recipe import Built, InitialModel, Recipe
    from gansdk.training.runs import Data, DataSource, Opener
    from gansdk.training.session import Finished


def _unseen(_progress: Progress, /) -> None:
    """Does nothing."""


def train(
    method: Method,
    config: str,
    run: str | PathLike[str],
    *,
    data: Mapping[str, Data],
    tests: Mapping[str, Data] | None = None,
    options: Mapping[str, Any] | None = None,
    ablated_terms: Iterable[tuple[str, str]] = (),
    progress: Callable[[Progress], None] = _unseen,
    note: Callable[[str], None] = silent,
    measuring: Callable[[str, int, int], None] = no_progress,
    open_data: Opener | None = None,
    metrics: Iterable[MetricSpec] | None = None,
    **training: Any,
) -> Finished:
    """Trains a method into a new run folder.

    Args:
        method: What to train.
        config: Name of one of its ways to train.
        run: The run folder; it must not exist, or be empty.
        data: Data sets, each a path or a name as in ``mnist``, by the recipe's names for them; the name ``""`` means
            its first.
        tests: Test sets by the names that the record shall have, for evaluations; none for no evaluation.
        options: Values of the recipe's options that differ from the config's.
        ablated_terms: (player, term) pairs that are multiplied by 0: the ablation of this training.
        progress: Is told after every step; may raise KeyboardInterrupt to stop, which saves the run first.
        note: Takes lines that the user should read.
        measuring: Is told of each test set at the end how many of how many items are done.
        open_data: How such a text becomes a data set, given with a text that finds it again from any folder; as
            :func:`gansdk.open_data` if not given.
        metrics: What to measure by, where it fits the model; all that are installed if not given.
        training: The fields of :class:`~gansdk.training.TrainingOptions`, by keyword. On one device the same ``seed``,
            data, versions and number of threads give the same weights, unless torch warns that it cannot promise that.

    Returns:
        How it ended.

    Raises:
        UsageError: If the config, an option, a data set's name, the device or the precision is wrong.
        InputError: If data is missing or empty.
        OutputError: If the disk is full or cannot be written to; the last whole checkpoint stays.
        TrainingError: If the folder is in use, or training fails; the last whole checkpoint stays.
        KeyboardInterrupt: After Ctrl-C, once the last whole step has been saved.
    """
    folder = RunFolder(Path(run))
    folder.refuse_if_used()
    chosen = validate(TrainingOptions, training)
    if chosen.evaluate_every and not tests:
        raise UsageError(
            "evaluate_every needs something to measure on",
            hint=f"add a test set: {as_typed('--test NAME=DATA', 'tests={NAME: DATA}')}",
        )
    built = build(method, config, options or {}, chosen)
    opened = OpenedData(_under_recipe_names(built.recipe, data), tests or {}, open_data)
    for line in opened.left_out():
        note(line)
    chosen = chosen.model_copy(update={"licence": _licence(chosen.licence, built.recipe.initial, note)})
    record = _record(built, opened, chosen, tuple(sorted(ablated_terms)))
    session = TrainingSession(
        folder, record, built, opened, metrics=metrics, progress=progress, note=note, measuring=measuring
    )
    with folder.begin(record):
        return session.run()


def resume(
    run: str | PathLike[str],
    *,
    methods: Mapping[str, Method],
    data: Mapping[str, str] | None = None,
    tests: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] = _unseen,
    note: Callable[[str], None] = silent,
    measuring: Callable[[str, int, int], None] = no_progress,
    open_data: Opener | None = None,
    metrics: Iterable[MetricSpec] | None = None,
    **changes: Any,
) -> Finished:
    """Continues a run from its last checkpoint, as if it had never stopped.

    Args:
        run: The run folder.
        methods: The methods that are installed, by name.
        data: Where data sets are that have moved since the run began, by the recipe's names for them; the name ``""``
            means its first. Their content must be what it was.
        tests: The same of test sets, by the run's names for them; the name ``""`` means the only one.
        progress: As for :func:`train`.
        note: As for :func:`train`.
        measuring: As for :func:`train`.
        open_data: As for :func:`train`.
        metrics: As for :func:`train`.
        changes: The fields of :class:`~gansdk.training.ResumeOptions`, by keyword. With other ``steps``, a schedule
            that looks at their number continues as if it had been planned so.

    Returns:
        How it ended.

    Raises:
        InputError: If there is no such folder, or its data is gone.
        MissingPluginError: If the run's method is not installed.
        OutputError: If the disk is full or cannot be written to; the last whole checkpoint stays.
        TrainingError: If it is not a run, its data has changed, or its checkpoint is damaged or does not fit.
        KeyboardInterrupt: After Ctrl-C, once the last whole step has been saved.
    """
    chosen = validate(ResumeOptions, changes)
    folder = RunFolder(Path(run))
    record = folder.read()
    method = methods.get(record.method)
    if method is None:
        what = f"{folder.path} is a run of {record.method!r}, which is not installed"
        raise MissingPluginError(what, hint=f"pip install {shlex.quote(record.requires)}")
    with folder.lock():
        record = folder.read()  # once more, for another process may have continued the run since
        mend_folder(folder.model)
        planned = {} if chosen.steps is None else {"steps": chosen.steps}
        # The device and threads are for this session alone; the record keeps those it began with.
        here = record.model_copy(update=chosen.model_dump(include={"device", "threads"}, exclude_none=True))
        built = build(method, record.config, {**record.options, **planned}, here)
        places = _places(record.data, data or {}), _places(record.tests, tests or {})
        opened = _reopened(folder, places, open_data)
        check_unchanged(record.data, opened.train_sources)
        check_unchanged(record.tests, opened.test_sources)
        check_dependencies(record.dependencies, built.recipe.dependencies)
        _note_versions(record, method, note)
        record = _changed(record, built.options, chosen, opened)
        session = TrainingSession(
            folder, record, built, opened, metrics=metrics, progress=progress, note=note, measuring=measuring
        )
        if planned or data or tests or chosen.licence is not None:
            folder.write(record)
        return session.run()


def _under_recipe_names(recipe: Recipe, data: Mapping[str, Data]) -> dict[str, Data]:
    """Data sets by the recipe's names for them; the name ``""`` means its first."""
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


def _record(
    built: Built, opened: OpenedData, chosen: TrainingOptions, ablated_terms: tuple[tuple[str, str], ...]
) -> RunRecord:
    where = {"device": str(built.placement.device), "precision": built.placement.precision}
    return RunRecord(
        **{**chosen.model_dump(), **where},
        gansdk=1,
        method=built.method.name,
        requires=built.method.requires,
        config=built.config,
        options=built.options.model_dump(mode="json"),
        data=opened.train_sources,
        tests=opened.test_sources,
        dependencies=dict(built.recipe.dependencies),
        ablated_terms=ablated_terms,
        versions=versions(built.method),
        commit=commit_of(Path(inspect.getfile(type(built.recipe)))),
    )


def _licence(stated: str, initial: InitialModel | None, note: Callable[[str], None]) -> str:
    """The licence of the weights to be trained: the one stated, else that of the model that training starts from."""
    trained = initial.config.trained if initial is not None else None
    if initial is not None and trained is not None and trained.unfinished:
        note(f"the training of {initial.ref}, which this one starts from, stopped at {trained.unfinished}")
    if stated:
        return stated
    flag = as_typed("--licence SPDX", 'licence="SPDX"')
    if initial is not None and initial.config.licence:
        note(f"the licence is {initial.config.licence}, as of {initial.ref}; {flag} states another")
        return initial.config.licence
    later = as_typed("`gansdk resume RUN --licence SPDX`", 'resume(run, licence="SPDX")')
    note(f"no licence is stated, and `gansdk check` and `gansdk push` will ask for one: add {flag}, or later {later}")
    return ""


def _places(recorded: Mapping[str, DataSource], moved: Mapping[str, str]) -> dict[str, str]:
    """Where the data sets of a run are: as it was recorded, or as they are said to have moved."""
    places = {name: source.path for name, source in recorded.items()}
    for name, text in moved.items():
        meant = name or next(iter(recorded), "")
        if meant not in recorded:
            known = f"the run has {', '.join(recorded)}" if recorded else "the run has none"
            raise UnknownNameError("data set of the run", meant, recorded, hint=known)
        places[meant] = text
    return places


def _reopened(
    folder: RunFolder, places: tuple[Mapping[str, str], Mapping[str, str]], opener: Opener | None
) -> OpenedData:
    try:
        return OpenedData(*places, opener)
    except InputError as error:
        flags = [
            f"{flag} {name}=DATA"
            for flag, sets in zip(("--data", "--test"), places, strict=True)
            for name, place in sets.items()
            if Path(place).is_absolute() and not Path(place).exists()
        ]
        if not flags:
            raise
        moved = f"if it has moved: gansdk resume {shlex.quote(str(folder.path))} {' '.join(flags)}"
        raise InputError(error.message, hint=moved) from None


def _changed(record: RunRecord, values: Options, chosen: ResumeOptions, opened: OpenedData) -> RunRecord:
    changes = chosen.model_dump(include={"licence", "won_steps"}, exclude_none=True)
    changes["options"] = values.model_dump(mode="json")
    for key, recorded, found in (
        ("data", record.data, opened.train_sources),
        ("tests", record.tests, opened.test_sources),
    ):
        changes[key] = {name: source.model_copy(update={"path": found[name].path}) for name, source in recorded.items()}
    return record.model_copy(update=changes)


def _note_versions(record: RunRecord, method: Method, note: Callable[[str], None]) -> None:
    now = versions(method)
    changed = [
        f"{name} {old} → {now.get(name, 'none')}" for name, old in record.versions.items() if now.get(name) != old
    ]
    if changed:
        note(f"versions have changed since the run began, so results may differ a little: {', '.join(changed)}")
