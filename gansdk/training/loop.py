"""Training from the first step to the evaluation: everything that a recipe does not say."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from gansdk.data.opening import find_data
from gansdk.data.pictures import Pictures
from gansdk.errors import MissingPluginError, TrainingError, UnknownNameError, UsageError
from gansdk.inference.context import silent
from gansdk.inference.runtime import place, set_threads
from gansdk.model.facts import Facts
from gansdk.options import LoadOptions, validate
from gansdk.plugins.declarations import resolve
from gansdk.plugins.discovery import discover
from gansdk.training.runs import (
    Pace,
    RunFolder,
    RunRecord,
    Source,
    check_relied_on,
    check_unchanged,
    commit_of,
    describe_source,
    versions,
)
from gansdk.training.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Literal

    from gansdk.data.pictures import Dataset
    from gansdk.options import Options
    from gansdk.plugins.declarations import Config, Method
    from gansdk.training.recipe import Recipe
    from gansdk.training.session import Finished, Progress

    Opener = Callable[[str], tuple[str, Dataset]]


def _unseen(_progress: Progress, /) -> None:
    """Nobody watches."""


def train(
    method: Method,
    config: str,
    run: Path | str,
    *,
    data: Mapping[str, str],
    tests: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    threads: int | Literal["auto"] = "auto",
    pace: Pace | None = None,
    silenced: Iterable[tuple[str, str]] = (),
    licence: str = "",
    summary: str = "",
    progress: Callable[[Progress], None] = _unseen,
    note: Callable[[str], None] = silent,
    open_data: Opener | None = None,
) -> Finished:
    """Trains a method into a new run folder.

    Args:
        method: What to train.
        config: Name of one of its ways to train.
        run: The run folder; it must not exist, or be empty.
        data: Data sets, each a path or a name as in ``mnist``, by the recipe's names for them; the name ``""`` means
            its first.
        tests: Test sets by the names that the record shall have, for the evaluation at the end; none for no evaluation.
        options: Values of the recipe's options that differ from the config's.
        seed: Where random numbers start. On a CPU the same seed, data and versions give the same weights.
        device: As the load option of that name.
        precision: ``fp32``, ``bf16``, or ``auto``: bf16 where the hardware computes in it.
        threads: CPU threads.
        pace: How often things are written.
        silenced: (player, term) pairs that are multiplied by 0: the twin of this training.
        licence: SPDX expression for the trained weights.
        summary: One line about the trained model, for listings.
        progress: Is told after every step; may raise KeyboardInterrupt to stop, which saves the run first.
        note: Takes lines that the user should read.
        open_data: How such a text becomes a data set, given with a text that finds it again from any folder; as
            :func:`gansdk.open_data` if not given.

    Returns:
        How it ended.

    Raises:
        UsageError: If the config, an option, a data set's name, the device or the precision is wrong.
        InputError: If data is missing or empty.
        TrainingError: If the folder is in use, or training fails; the last whole checkpoint stays.
        KeyboardInterrupt: After Ctrl-C, once the last whole step has been saved.
    """
    folder = RunFolder(Path(run))
    folder.refuse_if_used()
    chosen = _config(method, config)
    values = _options(chosen, options or {})
    placement = _place(device, precision)
    set_threads(threads)
    recipe = _build(chosen, values, seed)
    opened = _Data(_named(recipe, data), tests or {}, open_data)
    for line in opened.left_out():
        note(line)
    record = RunRecord(
        gansdk=1,
        method=method.name,
        requires=method.requires,
        config=config,
        options=values.model_dump(mode="json"),
        data=opened.train_sources,
        tests=opened.test_sources,
        relies_on=dict(recipe.relies_on),
        seed=seed,
        device=str(placement.device),
        precision=placement.precision,
        threads=threads,
        silenced=tuple(sorted(silenced)),
        pace=pace or Pace(),
        licence=licence,
        summary=summary,
        versions=versions(method),
        commit=commit_of(Path(inspect.getfile(type(recipe)))),
    )
    session = Session(
        folder=folder,
        record=record,
        method=method,
        recipe=recipe,
        device=placement.device,
        data=opened.train,
        tests=opened.tests,
        progress=progress,
        note=note,
    )
    folder.begin(record)
    with folder.lock():
        return session.run()


def resume(
    run: Path | str,
    *,
    methods: Mapping[str, Method],
    steps: int | None = None,
    device: str | None = None,
    threads: int | Literal["auto"] | None = None,
    progress: Callable[[Progress], None] = _unseen,
    note: Callable[[str], None] = silent,
    open_data: Opener | None = None,
) -> Finished:
    """Goes on with a run where its last checkpoint stands, as if it had never stopped.

    Args:
        run: The run folder.
        methods: The methods that are installed, by name.
        steps: Train to this step instead of the one that was planned. A schedule that looks at the number of steps
            continues as if it had been planned so.
        device: Another device than the run began on.
        threads: Another number of CPU threads than the run began with.
        progress: As for :func:`train`.
        note: As for :func:`train`.
        open_data: As for :func:`train`.

    Returns:
        How it ended.

    Raises:
        InputError: If there is no such folder, or its data is gone.
        MissingPluginError: If the run's method is not installed.
        TrainingError: If it is no run, its data has changed, or its checkpoint is damaged or does not fit.
        KeyboardInterrupt: After Ctrl-C, once the last whole step has been saved.
    """
    folder = RunFolder(Path(run))
    record = folder.read()
    method = methods.get(record.method)
    if method is None:
        what = f"{folder.path} is a run of {record.method!r}, which is not installed"
        raise MissingPluginError(what, hint=f"pip install '{record.requires}'")
    with folder.lock():
        chosen = _config(method, record.config)
        values = _options(chosen, record.options if steps is None else {**record.options, "steps": steps})
        placement = _place(device or record.device, record.precision)
        set_threads(record.threads if threads is None else threads)
        recipe = _build(chosen, values, record.seed)
        opened = _Data(_paths(record.data), _paths(record.tests), open_data)
        check_unchanged(record.data, opened.train_sources)
        check_unchanged(record.tests, opened.test_sources)
        check_relied_on(record.relies_on, recipe.relies_on)
        _note_versions(record, method, note)
        record = record.model_copy(update={"options": values.model_dump(mode="json")})
        session = Session(
            folder=folder,
            record=record,
            method=method,
            recipe=recipe,
            device=placement.device,
            data=opened.train,
            tests=opened.tests,
            progress=progress,
            note=note,
        )
        if steps is not None:
            folder.write(record)
        return session.run()


def _config(method: Method, name: str) -> Config:
    if name not in method.configs:
        known = ", ".join(method.configs) or "none"
        raise UnknownNameError(f"config of {method.name}", name, method.configs, hint=f"it has {known}")
    return method.configs[name]


def _options(config: Config, values: Mapping[str, Any]) -> Options:
    options: Options = validate(resolve(config.options), {**config.values, **values})
    if not isinstance(getattr(options, "steps", None), int):
        raise TrainingError(f"{config.options} has no option 'steps'", hint="a recipe says how long it trains")
    return options


def _place(device: str, precision: str) -> Any:
    """The runtime's choice; training in bf16 is always safe to try, since weights and sums stay in fp32."""
    if precision == "fp16":
        raise UsageError("training does not compute in fp16", hint="use --precision bf16 or fp32")
    load = validate(LoadOptions, {"device": device, "precision": precision})
    return place(load, Facts(safe_precisions=("bf16",)))


def _build(config: Config, options: Options, seed: int) -> Recipe:
    torch.manual_seed(seed)  # before the recipe, which initialises its weights
    return cast("Recipe", resolve(config.recipe)(options))


def _named(recipe: Recipe, data: Mapping[str, str]) -> dict[str, str]:
    """Data sets under the recipe's names for them."""
    named: dict[str, str] = {}
    for name, path in data.items():
        meant = name or recipe.sources[0]
        if meant not in recipe.sources:
            raise UnknownNameError("data set", meant, recipe.sources, hint=f"it takes {', '.join(recipe.sources)}")
        if meant in named:
            raise UsageError(f"the data set {meant!r} is given twice", hint="give each once")
        named[meant] = path
    for name in recipe.sources:
        if name not in named:
            raise UsageError(f"the recipe needs a data set {name!r}", hint=f"add --data {name}=FOLDER")
    return named


def _paths(sources: Mapping[str, Source]) -> dict[str, str]:
    return {name: source.path for name, source in sources.items()}


class _Data:
    """Opened data sets, and what a run records of them, so that they are found again from another folder."""

    def __init__(self, train: Mapping[str, str], tests: Mapping[str, str], opener: Opener | None) -> None:
        opener = opener or _open_installed
        found = {name: opener(text) for name, text in train.items()}
        found_tests = {name: opener(text) for name, text in tests.items()}
        self.train = {name: data for name, (_, data) in found.items()}
        self.tests = {name: data for name, (_, data) in found_tests.items()}
        self.train_sources = {name: describe_source(*one) for name, one in found.items()}
        self.test_sources = {name: describe_source(*one) for name, one in found_tests.items()}

    def left_out(self) -> Iterator[str]:
        """A line for each set of pictures that has other files among them."""
        for data in (*self.train.values(), *self.tests.values()):
            if isinstance(data, Pictures) and data.others:
                shown = ", ".join(data.others[:3]) + (" …" if len(data.others) > 3 else "")
                yield f"{data.name}: left out what is no picture by its content ({len(data.others)}): {shown}"


def _open_installed(text: str) -> tuple[str, Dataset]:
    return find_data(text, discover().datasets)


def _note_versions(record: RunRecord, method: Method, note: Callable[[str], None]) -> None:
    now = versions(method)
    changed = [
        f"{name} {old} → {now.get(name, 'none')}" for name, old in record.versions.items() if now.get(name) != old
    ]
    if changed:
        note(f"versions have changed since the run began, so results may differ a little: {', '.join(changed)}")
