"""What a run was asked to do, in ``train.json``, the data that it learns from, and its folder."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shlex
import subprocess
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from gansdk._version import __version__
from gansdk.data.folders import Images
from gansdk.data.opening import find_data
from gansdk.errors import InputError, OutputError, TrainingError
from gansdk.files import cannot_write, write_whole
from gansdk.model.config import TrainingData, describe_errors, read_json
from gansdk.model.variables import Frozen
from gansdk.plugins.registry import discover
from gansdk.training.options import TrainingOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    from gansdk.data.folders import Dataset
    from gansdk.plugins.declarations import Method

    Opener = Callable[[str], tuple[str, Dataset]]
    Data = str | PathLike[str]
    """A path or a name, as users give it."""


FORMAT = 1
RECORD = "train.json"
LOCK = ".lock"


class DataSource(Frozen):
    """A data set of a run, and what it held when the run began."""

    path: Annotated[str, Field(description="a whole path, or a name and split as in mnist:train")]
    data: TrainingData


class RunRecord(TrainingOptions):
    """The content of ``train.json``: everything that ``gansdk resume`` needs to know."""

    gansdk: Literal[1]
    method: str
    requires: str
    config: str
    options: dict[str, Any]
    data: dict[str, DataSource]
    tests: dict[str, DataSource] = {}
    dependencies: Annotated[dict[str, str], Field(description="models and files by name, with their digests")] = {}
    seed: int
    device: str
    precision: Literal["fp32", "bf16"]
    ablated_terms: tuple[tuple[str, str], ...] = ()
    versions: dict[str, str] = {}
    commit: str = ""


class RunFolder:
    """A run folder, with its lock and its record.

    Attributes:
        path: The folder.
        record: ``train.json``, what was asked for.
        model: Always a whole model folder, once training has begun.
        state: The checkpoints.
        metrics: The metric log.
        curves: The metric log as an image.
        events: The metric log for TensorBoard.
        samples: Sheets of sample images, named by their step.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path / RECORD
        self.model = path / "model"
        self.state = path / "state"
        self.metrics = path / "metrics.jsonl"
        self.curves = path / "curves.png"
        self.events = path / "events"
        self.samples = path / "samples"

    def refuse_if_used(self) -> None:
        """Holds that a new run may start here: nothing is there, or an empty folder."""
        if self.record.exists():
            try:
                method = repr(self.read().method)
            except TrainingError:
                method = "some method"
            hint = f"go on with it by `gansdk resume {shlex.quote(str(self.path))}`, or choose another folder"
            raise TrainingError(f"{self.path} holds a run of {method} already", hint=hint)
        others = self.path.is_dir() and any(path.name != LOCK for path in self.path.iterdir())
        if others or (self.path.exists() and not self.path.is_dir()):
            raise TrainingError(f"{self.path} exists and is not a run", hint="choose a new or empty folder with -o")

    @contextmanager
    def begin(self, record: RunRecord) -> Iterator[None]:
        """A block that alone trains a new run here; ``train.json`` is in place when it begins."""
        self._make(self.path)
        with self.lock():
            self.refuse_if_used()
            for folder in (self.state, self.samples):
                self._make(folder)
            self.write(record)
            yield

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def refuse_if_state_is_gone(self) -> None:
        """Holds that no training was here, since there is no checkpoint of one; to begin anew would overwrite it."""
        places = (self.model, self.metrics, self.curves, self.events, self.samples)
        found = [path for path in places if path.exists() and (path.is_file() or any(path.iterdir()))]
        if found:
            what = f"{self.path} has no checkpoint any more, so it cannot be continued: {self.state} is empty or gone"
            usable = f"; --model {shlex.quote(f'{self.path}/')} still uses its model" if found[0] == self.model else ""
            raise TrainingError(what, hint=f"put {self.state} back, or train anew into another folder{usable}")

    def write(self, record: RunRecord) -> None:
        """Puts ``train.json`` in place."""
        write_whole(self.record, record.model_dump_json(indent=2) + "\n")

    def read(self) -> RunRecord:
        """What the run was asked to do."""
        if not self.path.exists():
            raise InputError(f"there is no folder {self.path}", hint="start a run with `gansdk train`")
        if not self.record.is_file():
            raise TrainingError(f"{self.path} is not a run: it has no {RECORD}", hint="start one with `gansdk train`")
        hint = "start a new run in another folder"
        raw = read_json(self.record, TrainingError, hint)
        if not isinstance(raw, dict) or "gansdk" not in raw:
            raise TrainingError(f"{self.record} is damaged", hint=hint)
        version = raw["gansdk"]
        if isinstance(version, int) and version > FORMAT:
            what = f"{self.record} has format version {version}, this gansdk reads {FORMAT}"
            raise TrainingError(what, hint="pip install --upgrade gansdk")
        try:
            return RunRecord.model_validate(raw)
        except ValidationError as error:
            what = f"{self.record}: {describe_errors(error)}"
            raise TrainingError(what, hint="the file was changed or is damaged") from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """A block in which no other process trains in this folder."""
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise TrainingError(f"another process is training in {self.path}", hint="wait for it or stop it") from None
        except OSError as error:
            raise OutputError(f"cannot write to {self.path}: {error.strerror or error}") from error
        try:
            yield
        finally:
            lock.release()


class OpenedData:
    """Opened data sets, and what a run records of them.

    Args:
        train: What to learn from, as users name it, by the recipe's names.
        tests: What to measure on, by the names that the record shall have.
        opener: How such a text becomes a data set; as :func:`gansdk.open_data` if None.
    """

    def __init__(self, train: Mapping[str, Data], tests: Mapping[str, Data], opener: Opener | None) -> None:
        opener = opener or partial(find_data, named=discover().datasets)
        self.train: dict[str, Dataset] = {}
        self.tests: dict[str, Dataset] = {}
        self.train_sources: dict[str, DataSource] = {}
        self.test_sources: dict[str, DataSource] = {}
        for named, data, sources in (
            (train, self.train, self.train_sources),
            (tests, self.tests, self.test_sources),
        ):
            for name, place in named.items():
                # what is a path by its type is spelled so that it is not the name of a data set
                path, data[name] = opener(place if isinstance(place, str) else str(Path(place).absolute()))
                sources[name] = describe_source(path, data[name])

    def left_out(self) -> Iterator[str]:
        """A line for each set of images that has other files among them."""
        for data in (*self.train.values(), *self.tests.values()):
            if isinstance(data, Images) and data.others:
                shown = ", ".join(data.others[:3]) + (" …" if len(data.others) > 3 else "")
                yield f"{data.name}: left out what is not an image by its content ({len(data.others)}): {shown}"


def describe_source(path: str, data: Dataset) -> DataSource:
    """What is recorded of a data set."""
    if len(data) == 0:
        raise InputError(f"{path} is empty", hint="give data to train on")
    described = TrainingData(name=data.name, licence=data.licence, items=len(data), digest=data.digest)
    return DataSource(path=path, data=described)


def check_unchanged(recorded: Mapping[str, DataSource], found: Mapping[str, DataSource]) -> None:
    """Holds the data of a run against what it began with; with other content it would be another training."""
    for name, source in recorded.items():
        if found[name].data.digest != source.data.digest:  # also where another was named as the one that has moved
            what = f"the data set {name!r} at {found[name].path} has changed since the run began"
            raise TrainingError(what, hint="put the old data back, or start a new run")


def check_dependencies(recorded: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Holds the models and files that a run depends on against those it began with."""
    for name, digest in recorded.items():
        if found.get(name) != digest:
            what = f"{name!r}, which the run depends on, has changed since the run began"
            raise TrainingError(what, hint="put the old file back, or start a new run")


def versions(method: Method) -> dict[str, str]:
    """What computed: gansdk, the method's plugin, torch, Python."""
    plugin = re.split(r"[^A-Za-z0-9._-]", method.requires, maxsplit=1)[0]
    found = {"gansdk": __version__, "torch": _version_of("torch"), "python": platform.python_version()}
    return {**found, plugin: _version_of(plugin)} if plugin and plugin != "gansdk" else found


def _version_of(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def commit_of(source: Path) -> str:
    """The commit of the repository that tracks this source file; empty where none does."""
    where = ["git", "-C", str(source.parent)]
    try:
        tracked = subprocess.run([*where, "ls-files", "--error-unmatch", source.name], capture_output=True, check=False)  # noqa: S603
        if tracked.returncode != 0:
            return ""
        head = subprocess.run([*where, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:  # no git on this machine
        return ""
    return head.stdout.strip()
