"""Many inputs, one model: the items of a plan one after the other, going on after a failure."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from gansdk._version import __version__
from gansdk.errors import GansdkError, OutputExistsError, UsageError
from gansdk.files import whole_file
from gansdk.inference.planning import (
    STANDARD,
    Item,
    Job,
    as_picture_writing,
    check_folder,
    check_output,
    find_obstacles,
    on_exists_of,
    plan,
)
from gansdk.media.writing import check_fits, free_name, picture_format, write_picture
from gansdk.model.config import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gansdk.inference.catalog import Located
    from gansdk.inference.context import Context
    from gansdk.inference.pipelines import Pipeline
    from gansdk.media.picture import Picture


@dataclass
class Summary:
    """How a job ended."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    failures: list[tuple[Item, GansdkError]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many items there were."""
        return self.done + self.skipped + self.failed

    @property
    def exit_code(self) -> int:
        return 1 if self.failed else 0


class Reporter(Protocol):
    """Who is told what happens; the command line prints it."""

    def context(self, item: Item) -> Context:
        """The surroundings in which an item is computed."""
        ...

    def done(self, item: Item, output: Path | None, result: Any, seconds: float) -> None: ...
    def skipped(self, item: Item) -> None: ...
    def failed(self, item: Item, error: GansdkError) -> None: ...


def run(job: Job, load: Callable[[], Pipeline], reporter: Reporter) -> Summary:
    """Runs a job. One item's failure never stops the rest.

    Args:
        job: What to do.
        load: Loads the model; called only when an item is left to compute.
        reporter: Told about each item.

    Returns:
        Counts and failures; ``exit_code`` is 0 if nothing failed, else 1.

    Raises:
        UsageError: From :func:`plan`, before anything was done.
        OutputError: If the folder for the results does not exist.
        GansdkError: If the model does not load.
    """
    start = time.perf_counter()
    summary = Summary()
    items = plan(job)
    check_folder(job)
    ready, skipped, failed = find_obstacles(job, items)
    with _Records(job) as records:
        for item in skipped:
            summary.skipped += 1
            reporter.skipped(item)
        for item, error in failed:
            _fail(summary, reporter, item, error)
        if ready:
            worker = _Worker(job, load(), reporter, records)
            for item in ready:
                worker.run(item, summary)
    summary.seconds = time.perf_counter() - start
    return summary


@dataclass(frozen=True)
class _Worker:
    """What computes a job's items, one after the other."""

    job: Job
    pipeline: Pipeline
    reporter: Reporter
    records: _Records

    def run(self, item: Item, summary: Summary) -> None:
        start = time.perf_counter()
        try:
            output, result = self._compute(item)
        except UsageError:
            raise  # a wrong option is wrong for every item
        except GansdkError as error:
            _fail(summary, self.reporter, item, error)
            return
        summary.done += 1
        self.reporter.done(item, output, result, time.perf_counter() - start)

    def _compute(self, item: Item) -> tuple[Path | None, Any]:
        job, context = self.job, self.reporter.context(item)
        inputs = self.pipeline.read(tuple(_open(name) for name in item.inputs), job.reading, context)
        if job.task.output == "record":
            record = self.pipeline.compute(inputs, job.call, context)
            return self.records.add(item, record), record
        _check_fits(job, item, inputs)
        picture = self.pipeline.compute(inputs, job.call, context)
        return _write(job, item, picture, context, _provenance(self.pipeline.located)), picture


def _fail(summary: Summary, reporter: Reporter, item: Item, error: GansdkError) -> None:
    summary.failed += 1
    summary.failures.append((item, error))
    reporter.failed(item, error)


def _open(name: str) -> Path | IO[bytes]:
    return sys.stdin.buffer if name == STANDARD else Path(name)


def _check_fits(job: Job, item: Item, inputs: dict[str, Picture]) -> None:
    """Finds what the format cannot hold before the work is done instead of after it."""
    writing = as_picture_writing(job.writing)
    for picture in inputs.values():
        check_fits(picture, picture_format(item.output, writing), writing)


def _provenance(located: Located) -> str:
    """What made a picture: a public ref, else the weights' digest, since a path is nobody else's business."""
    digest = located.config.files[WEIGHTS].removeprefix("sha256:")[:12]
    public = located.ref.startswith(("builtin:", "hub:"))
    return f"gansdk {__version__} ({located.ref if public else f'{located.config.method} {digest}'})"


def _write(job: Job, item: Item, picture: Picture, context: Context, provenance: str) -> Path | None:
    writing = as_picture_writing(job.writing)
    if item.output is None:
        write_picture(picture, sys.stdout.buffer, writing, context.note, provenance=provenance)
        return None
    return write_picture(picture, item.output, writing, context.note, provenance=provenance)


class _Records:
    """Where a job's records go: a file of JSON lines, whole at the end; without ``-o`` the reporter prints them."""

    def __init__(self, job: Job) -> None:
        self._lines: list[str] = []
        wanted = job.task.output == "record" and job.output not in {None, STANDARD}
        self._path = Path(str(job.output)) if wanted else None
        self._writing = job.writing

    def __enter__(self) -> _Records:
        if self._path is not None:
            if not check_output(self._path, self._writing):
                raise OutputExistsError(f"{self._path} exists already", hint="nothing was done")
            if on_exists_of(self._writing) == "rename":
                self._path = free_name(self._path)
        return self

    def add(self, item: Item, record: Any) -> Path | None:
        self._lines.append(json.dumps({"input": item.key, **record}, ensure_ascii=False))
        return self._path

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._path is None or not self._lines or kind is not None:
            return
        with whole_file(self._path, replace=on_exists_of(self._writing) != "error") as file:
            file.write("".join(line + "\n" for line in self._lines).encode())
