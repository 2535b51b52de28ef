"""Many inputs, one model: what goes where, what is in the way, and going on after a failure.

A job is planned before anything is loaded. What can be known by then is found for all items: outputs that two items
would share (nothing is done at all), files that are missing, outputs that exist, folders that cannot be written to
(those items fail, the others go on).
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from gansdk._version import __version__
from gansdk.errors import GansdkError, InputError, OutputError, OutputExistsError, UsageError
from gansdk.files import whole_file
from gansdk.media.images import check_readable
from gansdk.media.writing import check_fits, free_name, picture_format, write_picture
from gansdk.model.config import WEIGHTS
from gansdk.options import PictureWriting, RecordWriting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gansdk.inference.catalog import Located
    from gansdk.inference.context import Context
    from gansdk.inference.pipelines import Pipeline
    from gansdk.media.picture import Picture
    from gansdk.options import Options
    from gansdk.plugins.declarations import Task

STANDARD = "-"
"""Stands for standard input or output."""


@dataclass(frozen=True)
class Job:
    """What a user asked for, options validated.

    Attributes:
        task: What to do.
        inputs: Paths as typed, or ``-``; ``len(task.slots)`` per item.
        output: A file, a folder (ends with a separator, or is one already), ``-``, or None for beside each input.
        call: The task's own options.
        reading: How inputs are read.
        writing: How results are written: :class:`PictureWriting` or :class:`RecordWriting`, as the task gives.
    """

    task: Task
    inputs: tuple[str, ...]
    output: str | None
    call: Options
    reading: Options
    writing: Options


@dataclass
class Item:
    """One call of the task.

    Attributes:
        inputs: Paths, or ``-``.
        output: Where its result goes; None for standard output.
    """

    inputs: tuple[str, ...]
    output: Path | None

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.key or "(no input)"

    @property
    def key(self) -> str | None:
        """What records call it: its first input; None where it has none."""
        return self.inputs[0] if self.inputs else None


@dataclass
class Summary:
    """How a job ended."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    failures: list[tuple[Item, GansdkError]] = field(default_factory=list)

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


def plan(job: Job) -> list[Item]:
    """The items of a job with their outputs, before any file is looked into.

    Raises:
        UsageError: If the inputs do not fill the slots, two items would write the same file, one would overwrite
            another's input, or the output's ending names no format.
    """
    size = len(job.task.slots)
    if size and (not job.inputs or len(job.inputs) % size):
        names = " ".join(slot.name.upper() for slot in job.task.slots)
        what = f"{job.task.name} takes {names} for each result; {len(job.inputs) or 'none'} given"
        raise UsageError(what, hint=f"give it as in `gansdk run {job.task.name} {names}`, or see --help")
    if not size and job.inputs:
        raise UsageError(f"{job.task.name} takes no input", hint="see --help")
    if job.inputs.count(STANDARD) > 1:
        raise UsageError("standard input can be read only once", hint="give - once")
    groups = [job.inputs[at : at + size] for at in range(0, len(job.inputs), size)] if size else [()]
    if job.task.output == "record":
        return [Item(group, None) for group in groups]
    items = [Item(group, _output(job, group, len(groups))) for group in groups]
    _check_collisions(items)
    return items


def _output(job: Job, inputs: Sequence[str], count: int) -> Path | None:
    writing = _as_picture_writing(job.writing)
    source = Path("stdin" if not inputs or inputs[0] == STANDARD else inputs[0])
    if job.output == STANDARD or (job.output is not None and not _is_folder(job.output)):
        if count > 1:
            raise UsageError(f"{count} results cannot go to {job.output}", hint="name a folder that ends with /")
        picture_format(None if job.output == STANDARD else Path(job.output), writing)
        return None if job.output == STANDARD else Path(job.output)
    folder = source.parent if job.output is None else Path(job.output)
    return folder / f"{source.stem}-{job.task.name}.{picture_format(None, writing)}"


def _is_folder(output: str) -> bool:
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return output.endswith(separators) or Path(output).is_dir()


def _check_collisions(items: Sequence[Item]) -> None:
    by_output: dict[Path, list[Item]] = defaultdict(list)
    for item in items:
        if item.output is not None:
            by_output[Path(os.path.abspath(item.output))].append(item)  # noqa: PTH100 - resolve() follows links
    for output, sharing in by_output.items():
        if len(sharing) > 1:
            what = f"{sharing[0].name} and {sharing[1].name} would both be written to {output.name}"
            raise UsageError(what, hint="run them apart with different -o")
        others = (name for item in items if item is not sharing[0] for name in item.inputs if name != STANDARD)
        if any(Path(os.path.abspath(name)) == output for name in others):  # noqa: PTH100
            raise UsageError(f"{sharing[0].name} would be written over {output.name}, an input too", hint="use -o")


def find_obstacles(job: Job, items: Sequence[Item]) -> tuple[list[Item], list[Item], list[tuple[Item, GansdkError]]]:
    """Looks, for all items, whether inputs are there and outputs can be written; nothing is opened or loaded.

    Returns:
        The items to compute, those to skip because their output exists, and those that fail already.
    """
    ready: list[Item] = []
    skipped: list[Item] = []
    failed: list[tuple[Item, GansdkError]] = []
    for item in items:
        try:
            for name in item.inputs:
                if name != STANDARD:
                    check_readable(Path(name))
            is_wanted = item.output is None or _check_output(item.output, job.writing)
            (ready if is_wanted else skipped).append(item)
        except (InputError, OutputError) as error:
            failed.append((item, error))
    return ready, skipped, failed


def _check_folder(job: Job) -> None:
    """A folder for all results is looked at once, so that it is not missed once per item."""
    if job.output not in {None, STANDARD} and _is_folder(str(job.output)) and not Path(str(job.output)).is_dir():
        raise _no_folder(Path(str(job.output)))


def _no_folder(folder: Path) -> OutputError:
    return OutputError(f"there is no folder {folder}", hint=f"create it with mkdir -p {shlex.quote(str(folder))}")


def _check_output(output: Path, writing: Options) -> bool:
    """Whether to go on with an output; False if it exists and shall be skipped."""
    if not output.parent.is_dir():
        raise _no_folder(output.parent)
    if not os.access(output.parent, os.W_OK):
        raise OutputError(f"the folder {output.parent} cannot be written to", hint="choose another one with -o")
    if output.is_dir():
        raise OutputError(f"{output} is a folder", hint="end it with / to write into it")
    on_exists = _on_exists(writing)
    if not output.exists() or on_exists in {"overwrite", "rename"}:
        return True
    if on_exists == "skip":
        return False
    raise OutputExistsError(f"{output} exists already", hint="use --on-exists overwrite, skip or rename")


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
    _check_folder(job)
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
    writing = _as_picture_writing(job.writing)
    for picture in inputs.values():
        check_fits(picture, picture_format(item.output, writing), writing)


def _provenance(located: Located) -> str:
    """What made a picture: a public ref, else the weights' digest, since a path is nobody else's business."""
    digest = located.config.files[WEIGHTS].removeprefix("sha256:")[:12]
    public = located.ref.startswith(("builtin:", "hub:"))
    return f"gansdk {__version__} ({located.ref if public else f'{located.config.method} {digest}'})"


def _write(job: Job, item: Item, picture: Picture, context: Context, provenance: str) -> Path | None:
    writing = _as_picture_writing(job.writing)
    if item.output is None:
        write_picture(picture, sys.stdout.buffer, writing, context.note, provenance=provenance)
        return None
    return write_picture(picture, item.output, writing, context.note, provenance=provenance)


def _as_picture_writing(writing: Options) -> PictureWriting:
    if not isinstance(writing, PictureWriting):
        raise TypeError("a task that gives pictures is written with PictureWriting")
    return writing


def _on_exists(writing: Options) -> str:
    if not isinstance(writing, PictureWriting | RecordWriting):
        raise TypeError(f"{type(writing).__name__} does not say what to do with an output that exists")
    return writing.on_exists


class _Records:
    """Where a job's records go: a file of JSON lines, whole at the end; without ``-o`` the reporter prints them."""

    def __init__(self, job: Job) -> None:
        self._lines: list[str] = []
        wanted = job.task.output == "record" and job.output not in {None, STANDARD}
        self._path = Path(str(job.output)) if wanted else None
        self._writing = job.writing

    def __enter__(self) -> _Records:
        if self._path is not None:
            if not _check_output(self._path, self._writing):
                raise OutputExistsError(f"{self._path} exists already", hint="nothing was done")
            if _on_exists(self._writing) == "rename":
                self._path = free_name(self._path)
        return self

    def add(self, item: Item, record: Any) -> Path | None:
        self._lines.append(json.dumps({"input": item.key, **record}, ensure_ascii=False))
        return self._path

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._path is None or not self._lines or kind is not None:
            return
        with whole_file(self._path, replace=_on_exists(self._writing) != "error") as file:
            file.write("".join(line + "\n" for line in self._lines).encode())
