"""What a job will do, before anything is loaded: which items, where their results go, what is in the way.

Outputs that two items would share stop the whole job, and nothing is done. Missing files, outputs that exist and
folders that cannot be written to are found for all items; those items fail, the others go on.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk._version import __version__
from gansdk.errors import InputError, OutputError, OutputExistsError, UsageError
from gansdk.files import stands
from gansdk.media.formats import file_format
from gansdk.media.gallery import most_in_grid
from gansdk.media.reading import check_readable, size_of
from gansdk.media.records import record_format
from gansdk.media.results import as_image_writing, is_folder, numbered
from gansdk.media.writing import check_size, has_limit
from gansdk.model.config import WEIGHTS
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.options import AnyImageWriting, RecordWriting
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gansdk.errors import GansdkError
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import LoadOptions, Options
    from gansdk.plugins.declarations import OutputKind, Task


STANDARD = "-"
"""Stands for standard input or output."""

_DESCRIPTOR = re.compile(r"/dev/(fd/\d+|stdin)|/proc/(self|\d+)/fd/\d+")
"""What a shell gives for ``<(…)``: a pipe without a name, beside which no file can be."""

_ELSEWHERE: Mapping[OutputKind, str] = {
    "folder": "write single files with -o FOLDER/",
    "arrays": "write arrays with -o FILE.npz",
}
"""What to do with more images than a grid holds, the better first."""


@dataclass(frozen=True)
class JobSpec:
    """What is done to each item: plain data, which can be sent to wherever items are run.

    Attributes:
        task: What to do.
        model: Which model does it; its ref names it on other machines too.
        load: How the model is brought into memory.
        call: The task's own options.
        reading: How inputs are read.
        writing: How results are written: :class:`AnyImageWriting` or :class:`RecordWriting`, as the task gives.
        kind: What as.
    """

    task: Task
    model: ResolvedModel
    load: LoadOptions
    call: Options
    reading: Options
    writing: Options
    kind: OutputKind

    @property
    def provenance(self) -> str:
        """What makes its results: a public ref, else the weights' digest, since a path is nobody else's business."""
        model, network_interpolation = self.model, self.load.network_interpolation
        digest = model.config.files[WEIGHTS].removeprefix("sha256:")[:12]
        public = model.ref.startswith(("builtin:", "hub:"))
        name = model.ref if public else f"{model.config.method} {digest}"
        between = "" if network_interpolation is None else f", network_interpolation {network_interpolation:g}"
        return f"gansdk {__version__} ({name}{between})"


@dataclass(frozen=True)
class Job:
    """What a user asked for with inputs by name.

    Attributes:
        spec: What to do to them.
        inputs: Paths as typed, or ``-``; ``len(task.slots)`` per item.
        output: A file, a folder (ends with a separator, or is one already), ``-``, or None for beside each input.
    """

    spec: JobSpec
    inputs: tuple[str, ...]
    output: str | None


@dataclass(frozen=True)
class NumberedFiles:
    """Files that are called by numbers, of which a million take no more memory than one.

    Attributes:
        folder: Where they stand.
        ending: As in ``png``.
        numbers: Theirs.
    """

    folder: Path
    ending: str
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, at: int) -> Path:
        return self.folder / numbered(self.numbers[at], self.ending)

    def __iter__(self) -> Iterator[Path]:
        return (self.folder / numbered(number, self.ending) for number in self.numbers)


@dataclass(frozen=True)
class Item:
    """One call of the task: plain data too.

    Attributes:
        inputs: Paths, or ``-``.
        output: Where its result goes; None for standard output.
        label: What records and messages call it, if not by its first input.
        replaces: Whether the result of an earlier run stands at ``output`` and may be replaced whatever the options
            say.
        call: The task's options for this item alone, where a call is made in pieces.
        others: All files that its result becomes, where these are several; ``output`` is their first.
    """

    inputs: tuple[str, ...]
    output: Path | None
    label: str | None = None
    replaces: bool = False
    call: Options | None = None
    others: NumberedFiles | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        if self.key is not None and _DESCRIPTOR.fullmatch(self.key):
            return f"the pipe {self.key}"
        return "standard input" if self.key == STANDARD else self.key or "(no input)"

    @property
    def key(self) -> str | None:
        """What records call it; None where it has no input."""
        return self.label or (self.inputs[0] if self.inputs else None)

    @property
    def results(self) -> int:
        """How many it gives."""
        return len(self.others) if self.others is not None else 1


def plan(job: Job) -> list[Item]:
    """The items of a job with their outputs, before any file is looked into.

    Raises:
        UsageError: If the call does not fit the model's facts, the inputs do not fill the slots, two items would write
            the same file, one would overwrite another's input, the output's ending names no format, or a grid or its
            format could not hold what was asked for.
    """
    check_call(job.spec)
    task, size = job.spec.task, len(job.spec.task.slots)
    if size and (not job.inputs or len(job.inputs) % size):
        names = " ".join(slot.name.upper() for slot in task.slots)
        what = f"{task.name} takes {names} for each result; {len(job.inputs) or 'none'} given"
        raise UsageError(what, hint=f"give it as in `gansdk run {task.name} {names}`, or see --help")
    if not size and job.inputs:
        raise UsageError(f"{task.name} takes no input", hint="see --help")
    if job.inputs.count(STANDARD) > 1:
        raise UsageError("standard input can be read only once", hint="give - once")
    groups = [job.inputs[at : at + size] for at in range(0, len(job.inputs), size)] if size else [()]
    if task.gives_records:
        records_file(job)
        return [Item(group, None) for group in groups]
    if job.spec.kind == "image" and task.count:
        _check_grid(job.spec)
    if not size:
        _check_extent(job)
    if job.spec.kind == "folder" and task.pieces:
        return _pieces(job)
    items = [Item(group, _output(job, group, len(groups))) for group in groups]
    _check_inputs_stay(items)
    check_collisions(items)
    return items


def check_call(spec: JobSpec) -> None:
    """Refuses a call that a model with these facts cannot answer, before its weights are read.

    Raises:
        UsageError: As the task says.
    """
    if spec.task.check:
        resolve(spec.task.check)(spec.model.config.facts, spec.call)


def _pieces(job: Job) -> list[Item]:
    """An item for each piece of a call that fills a folder."""
    ending, folder = file_format(None, as_image_writing(job.spec.writing)), Path(str(job.output))
    items = []
    for call, numbers in resolve(job.spec.task.pieces)(job.spec.call):
        files = NumberedFiles(folder, ending, numbers)
        first, last = files[0], files[-1]
        label = f"{first.name} to {last.name}" if len(files) > 1 else first.name
        items.append(Item((), first, label=label, call=call, others=files))
    return items


def _check_grid(spec: JobSpec) -> None:
    """Refuses one image of more than it can hold before any of them is made."""
    facts = spec.model.config.facts
    if not isinstance(facts.generator, LatentGeneratorFacts):
        return
    count = resolve(spec.task.count)(facts, spec.call)
    height, width = facts.generator.output.height, facts.generator.output.width
    most = most_in_grid(height, width)
    if count > most:
        what = f"{count} images of {width}×{height} are too many for one grid, which holds {most}"
        otherwise = [text for kind, text in _ELSEWHERE.items() if kind in spec.task.outputs]
        raise UsageError(what, hint=", or ".join([*otherwise[:1], "ask for fewer"]))


def extent_of(spec: JobSpec, size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Width and height of the largest image that a call writes.

    Args:
        spec: What is done.
        size: That of the input; None where there is none.
    """
    if not spec.task.extent:
        return size
    width, height = resolve(spec.task.extent)(spec.model.config.facts, spec.call, spec.kind, size)
    return width, height


def _check_extent(job: Job) -> None:
    """Refuses a format that cannot hold what is made out of nothing."""
    size = extent_of(job.spec, None)
    if size is None or job.spec.kind == "arrays":
        return
    path = Path(job.output) if job.output not in {None, STANDARD} and job.spec.kind != "folder" else None
    try:
        check_size(file_format(path, as_image_writing(job.spec.writing)), *size)
    except OutputError as error:
        otherwise = "" if job.spec.kind == "animation" else f"{error.hint}, or "
        raise UsageError(error.message, hint=f"{otherwise}ask for fewer") from None


def check_result(spec: JobSpec, item: Item) -> None:
    """Refuses a result that its format cannot hold, as far as the headers of its inputs say how large it will be.

    Raises:
        OutputError: With the size, and the formats that can.
    """
    if spec.kind != "image" or not item.inputs or STANDARD in item.inputs or getattr(spec.reading, "frame", None):
        return
    encoding = file_format(item.output, as_image_writing(spec.writing))
    source = Path(item.inputs[0])
    size = size_of(source) if has_limit(encoding) and source.is_file() else None
    extent = extent_of(spec, size) if size is not None else None
    if extent is not None:
        check_size(encoding, *extent, name=item.name)


def records_file(job: Job) -> Path | None:
    """The file that all records of a job go to; None where they are printed.

    Raises:
        OptionError: If its name ends as no format does.
    """
    if job.output is None or job.output == STANDARD:
        return None
    if is_folder(job.output):
        return Path(job.output) / f"{job.spec.task.name}.{record_format(None, job.spec.writing)}"
    record_format(Path(job.output), job.spec.writing)
    return Path(job.output)


def _output(job: Job, inputs: Sequence[str], count: int) -> Path | None:
    writing, task = as_image_writing(job.spec.writing), job.spec.task
    if job.output == STANDARD or (job.output is not None and not is_folder(job.output)):
        if count > 1:
            raise UsageError(f"{count} results cannot go to {job.output}", hint="name a folder that ends with /")
        file_format(None if job.output == STANDARD else Path(job.output), writing)
        return None if job.output == STANDARD else Path(job.output)
    source = _named(inputs[0]) if inputs else Path()
    folder = source.parent if job.output is None else Path(job.output)
    stem = f"{source.stem}-{task.name}" if inputs else task.name
    return folder / f"{stem}.{file_format(None, writing)}"


def _named(name: str) -> Path:
    """The file after which a result is called; standard input and pipes have none, and no folder either."""
    if name == STANDARD:
        return Path("stdin")
    return Path("pipe") if _DESCRIPTOR.fullmatch(name) else Path(name)


def check_collisions(items: Sequence[Item], same: Callable[[str], str] = str) -> None:
    """Refuses items of which several would write one file; all of them are named.

    Args:
        items: The items of a job.
        same: Gives one text for all spellings of a path that are one file.

    Raises:
        UsageError: If there are such items.
    """
    by_output: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.output is not None:
            by_output[same(_absolute(item.output))].append(item)
    clashes = [_clash(path, sharing) for path, sharing in by_output.items() if len(sharing) > 1]
    if clashes:
        raise UsageError("; ".join(clashes), hint="rename one of them, or do them apart")


def _clash(output: str, sharing: Sequence[Item]) -> str:
    *first, last = (item.name for item in sharing)
    share = "both" if len(first) == 1 else "all"
    return f"{', '.join(first)} and {last} would {share} be written to {Path(output).name}"


def _absolute(path: str | Path) -> str:
    """The path from the root, links as they are: a link is not the file that it leads to."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() follows links


def _check_inputs_stay(items: Sequence[Item]) -> None:
    sources = {_absolute(name): item for item in items for name in item.inputs if name != STANDARD}
    for item in items:
        if item.output is not None and sources.get(_absolute(item.output), item) is not item:
            raise UsageError(f"{item.name} would be written over {item.output.name}, an input too", hint="use -o")


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
            is_made = job.output is not None and is_folder(job.output)
            is_wanted = item.output is None or check_output(item.output, job.spec.writing, is_made=is_made)
            for other in item.others or ():
                check_output(other, job.spec.writing, is_made=is_made)
            if is_wanted:
                check_result(job.spec, item)
            (ready if is_wanted else skipped).append(item)
        except (InputError, OutputError) as error:
            failed.append((item, error))
    return ready, skipped, failed


def check_folder(job: Job) -> None:
    """A folder for all results is looked at once, so that it is not refused once per item.

    Raises:
        OutputError: If it is not there and cannot be made.
    """
    if job.output not in {None, STANDARD} and is_folder(str(job.output)):
        _check_parent(Path(str(job.output)) / "result", is_made=True)


def _check_parent(output: Path, *, is_made: bool) -> None:
    """Whether a file can come into its folder, which is made if need be, with those above it, where ``is_made``."""
    folder = next(one for one in output.parents if one.exists()) if is_made else output.parent
    if not folder.exists():
        raise OutputError(f"there is no folder {folder}", hint=f"create it with mkdir -p {shlex.quote(str(folder))}")
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder", hint="name another folder for the results")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the folder {folder} cannot be written to", hint="choose another one with -o")


def check_output(output: Path, writing: Options, *, is_made: bool = False) -> bool:
    """Whether to go on with an output; False if it exists and shall be skipped.

    Args:
        output: The file.
        writing: Says what to do where it exists.
        is_made: Whether its folder is made if it is not there.

    Raises:
        OutputError: If it cannot be written.
        OutputExistsError: If it exists and nothing is said of that.
    """
    is_there = stands(output)
    _check_parent(output, is_made=is_made)
    on_exists = on_exists_of(writing)
    if not is_there or on_exists in {"overwrite", "rename"}:
        return True
    if on_exists == "skip":
        return False
    raise OutputExistsError(f"{output} exists already", hint="use --on-exists overwrite, skip or rename")


def on_exists_of(writing: Options) -> str:
    """What to do where an output exists."""
    if not isinstance(writing, AnyImageWriting | RecordWriting):
        raise TypeError(f"{type(writing).__name__} does not say what to do with an output that exists")
    return writing.on_exists
