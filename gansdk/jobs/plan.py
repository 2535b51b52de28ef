"""What a job will do, before anything is loaded: which items, where their results go, and which cannot be made.

Outputs that two items would share stop the whole job, and nothing is done. Missing files, outputs that exist and
folders that cannot be written to are found for all items; those items fail, the others are computed.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gansdk._version import __version__
from gansdk.errors import InputError, OutputError, OutputExistsError, UsageError, option
from gansdk.files import stands
from gansdk.media.gallery import most_in_grid
from gansdk.media.medium import is_folder
from gansdk.media.reading import check_readable
from gansdk.media.stills import numbered
from gansdk.model.config import WEIGHTS
from gansdk.model.facts import LatentGeneratorFacts
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gansdk.errors import GansdkError
    from gansdk.media.medium import Target
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import LoadOptions, Options, Writing
    from gansdk.plugins.declarations import Slot, Task


STANDARD = "-"
"""Means standard input or output."""

_DESCRIPTOR = re.compile(r"/dev/(fd/\d+|stdin)|/proc/(self|\d+)/fd/\d+")
"""What a shell gives for ``<(…)``: a pipe without a name, so that no file can be beside it."""

Source = str | tuple[str, ...] | None
"""What fills a slot: a path or ``-``, several of them for a slot that takes many, or nothing."""


@dataclass(frozen=True)
class JobSpec:
    """What is done to each item: plain data, which can be sent to wherever items are run.

    Attributes:
        task: What to do.
        model: Which model does it; its ref names it on other machines too.
        load: How the model is brought into memory.
        call: The task's own options.
        reading: How inputs are read.
        targets: The outputs that are wanted, and as what they are written.
        version: Of the task: the distribution that brings it, as in ``gansdk-plugin-srgan 0.1.0``.
    """

    task: Task
    model: ResolvedModel
    load: LoadOptions
    call: Options
    reading: Options
    targets: tuple[Target, ...]
    version: str = ""

    @property
    def main(self) -> Target:
        """The first of the wanted outputs."""
        return self.targets[0]

    @property
    def kind(self) -> str:
        """What the first output becomes."""
        return self.main.kind

    @property
    def writing(self) -> Writing:
        """How the first output is written."""
        return self.main.writing

    @property
    def provenance(self) -> str:
        """What makes its results: a public ref, else the weights' digest, since a path is the user's own business."""
        name, weight = self.model.ref, self.load.network_interpolation
        if not name.startswith(("builtin:", "hub:")):
            digest = self.model.config.files[WEIGHTS].removeprefix("sha256:")[:12]
            name = f"{self.model.config.method} {digest}"
        between = "" if weight is None else f", network_interpolation {weight:g}"
        return f"gansdk {__version__} ({name}{between})"

    def extent(self, target: Target, size: tuple[int, int] | None) -> tuple[int, int] | None:
        """Width and height of the largest image that a call writes.

        Args:
            target: The output.
            size: That of the first input; None if there is none.
        """
        if not self.task.extent or target.kind == "arrays":
            return size
        extent: tuple[int, int] = resolve(self.task.extent)(self.model.config.facts, self.call, target.kind, size)
        return extent

    def check_call(self) -> None:
        """Refuses a call that a model with these facts cannot answer, before its weights are read.

        Raises:
            UsageError: As the task says.
        """
        if self.task.check:
            resolve(self.task.check)(self.model.config.facts, self.call)


@dataclass(frozen=True)
class Job:
    """What a user asked for with inputs by name.

    Attributes:
        spec: What to do to them.
        inputs: Paths as typed, or ``-``: one for each slot that must be filled and is not held, for each item.
        outputs: For each target of the spec a file, a folder (ends with a separator, or exists), ``-``, or None for
            beside each input.
        held: By slot, what fills it in all items.
    """

    spec: JobSpec
    inputs: tuple[str, ...]
    outputs: tuple[str | None, ...] = (None,)
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def into_folder(self) -> bool:
        """Whether the first output is a folder, which is made if it is not there."""
        return self.outputs[0] is not None and is_folder(self.outputs[0])


@dataclass(frozen=True)
class NumberedFiles:
    """Files with numbers as names, in ``folder``: a million of them take no more memory than one."""

    folder: Path
    ending: str
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, at: int) -> Path:
        return self.folder / numbered(self.numbers[at], self.ending)

    def __iter__(self) -> Iterator[Path]:
        return (self[at] for at in range(len(self)))


@dataclass(frozen=True)
class Item:
    """One call of the task: plain data too.

    Attributes:
        inputs: What fills each slot, in their order.
        output: Where its result goes; None for standard output.
        label: What records and messages call it, if not by its first input.
        replaces: Whether the result of an earlier run is at ``output`` and may be replaced whatever the options say.
        call: The task's options for this item alone, if a call is made in pieces.
        others: All files that its result becomes, if these are several; ``output`` is their first.
        further: Where its further outputs go, in the order of the spec's targets.
    """

    inputs: tuple[Source, ...]
    output: Path | None
    label: str | None = None
    replaces: bool = False
    call: Options | None = None
    others: NumberedFiles | None = None
    further: tuple[Path | None, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All paths among its inputs, and ``-``."""
        sources = ((source,) if isinstance(source, str) else source or () for source in self.inputs)
        return tuple(name for names in sources for name in names)

    @property
    def name(self) -> str:
        """What messages call it."""
        if self.key is not None and _DESCRIPTOR.fullmatch(self.key):
            return f"the pipe {self.key}"
        return "standard input" if self.key == STANDARD else self.key or "(no input)"

    @property
    def key(self) -> str | None:
        """What records call it; None if it has no input."""
        return self.label or next(iter(self.files), None)

    @property
    def places(self) -> tuple[Path | None, ...]:
        """Where its outputs go, in the order of the spec's targets."""
        return (self.output, *self.further)

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
    spec = job.spec
    spec.check_call()
    groups = _inputs_of_items(job)
    if [*job.inputs, *(name for names in job.held.values() for name in names)].count(STANDARD) > 1:
        raise UsageError("standard input can be read only once", hint="give - once")
    if len(groups) > 1 and any(STANDARD in names for names in job.held.values()):
        raise UsageError("standard input cannot be held for several inputs", hint="give a file")
    if spec.kind == "image" and spec.task.count:
        _check_grid(spec)
    if not any(groups[0]):
        _check_extent(job)
    items = []
    if spec.kind == "folder" and spec.task.pieces and len(spec.targets) == 1:
        for call, numbers in resolve(spec.task.pieces)(spec.call):
            files = NumberedFiles(Path(str(job.outputs[0])), spec.main.format(), numbers)
            first, last = files[0], files[-1]
            label = f"{first.name} to {last.name}" if len(files) > 1 else first.name
            items.append(Item(groups[0], first, label=label, call=call, others=files))
        return items
    for group in groups:
        pairs = zip(spec.targets, job.outputs, strict=True)
        main, *further = (_place(job, target, output, group, len(groups)) for target, output in pairs)
        items.append(Item(group, main, further=tuple(further)))
    sources = {_absolute(name): item for item in items for name in item.files if name != STANDARD}
    for item in items:
        for place in item.places:
            if place is not None and sources.get(_absolute(place), item) is not item:
                raise UsageError(f"{item.name} would be written over {place.name}, an input too", hint="use -o")
    check_collisions(items)
    return items


def _inputs_of_items(job: Job) -> list[tuple[Source, ...]]:
    """For each item what fills its slots: what is held, and the inputs in turn for the others."""
    task = job.spec.task
    open_slots = [slot for slot in task.slots if not slot.optional and slot.name not in job.held]
    names, count = " ".join(slot.name.upper() for slot in open_slots), len(open_slots)
    takes_rest = bool(open_slots) and open_slots[-1].many
    if not count and job.inputs:
        raise UsageError(f"{task.name} takes no input", hint="see --help")
    size = len(job.inputs) if takes_rest else count
    if count and (len(job.inputs) < count or len(job.inputs) % size):
        what = f"{task.name} takes {names} for each result; {len(job.inputs) or 'none'} given"
        raise UsageError(what, hint=f"give it as in `gansdk run {task.name} {names}`, or see --help")
    groups = [job.inputs[at : at + size] for at in range(0, len(job.inputs), size)] if count else [()]
    held_sources = {slot.name: held(slot, job.held.get(slot.name, ())) for slot in task.slots}
    inputs = []
    for group in groups:
        given: dict[str, Source] = {slot.name: name for slot, name in zip(open_slots, group, strict=False)}
        if takes_rest:
            given[open_slots[-1].name] = group[count - 1 :]
        inputs.append(tuple((held_sources | given).values()))
    return inputs


def held(slot: Slot, names: tuple[str, ...]) -> Source:
    """What fills a slot whose paths were named for all items.

    Raises:
        UsageError: If it takes one and several were given.
    """
    if slot.many:
        return names or None
    if len(names) > 1:
        raise UsageError(f"{option(slot.name)} was given {len(names)} times", hint="give it once")
    return names[0] if names else None


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
        ways = {"images": "write single files with -o FOLDER/", "arrays": "write arrays with -o FILE.npz"}
        otherwise = [text for medium, text in ways.items() if medium in spec.task.outputs.values()]
        raise UsageError(what, hint=", or ".join([*otherwise[:1], "ask for fewer"]))


def _check_extent(job: Job) -> None:
    """Refuses a format that cannot hold what is made out of nothing."""
    for target, output in zip(job.spec.targets, job.outputs, strict=True):
        path = Path(output) if output not in {None, STANDARD} and target.kind != "folder" else None
        extent = job.spec.extent(target, None)
        try:
            target.medium.check_output(path, target.writing, extent)
        except OutputError as error:
            otherwise = "" if target.kind == "animation" else f"{error.hint}, or "
            raise UsageError(error.message, hint=f"{otherwise}ask for fewer") from None


def check_result(spec: JobSpec, item: Item) -> None:
    """Refuses a result that its format cannot hold, as far as the headers of its inputs say how large it will be.

    Raises:
        OutputError: With the size, and the formats that can.
    """
    if not item.inputs or not isinstance(item.inputs[0], str) or STANDARD in item.files:
        return
    if getattr(spec.reading, "frame", None):  # whose size the header does not say
        return
    source = Path(item.inputs[0])
    for target, path in zip(spec.targets, item.places, strict=True):
        if target.medium.has_limit(path, target.writing):
            size = spec.task.slots[0].reader.size_of(source)
            if size is not None:
                target.medium.check_output(path, target.writing, spec.extent(target, size), name=item.name)


def records_file(job: Job) -> Path | None:
    """The file that all records of a job go to; None if they are printed, or there are none.

    Raises:
        OptionError: If its name does not end as a format does.
    """
    for target, output in zip(job.spec.targets, job.outputs, strict=True):
        if target.medium.is_gathered and output not in {None, STANDARD}:
            path = Path(str(output))
            if is_folder(str(output)):
                return path / f"{job.spec.task.name}.{target.format()}"
            target.format(path)
            return path
    return None


def _place(job: Job, target: Target, output: str | None, inputs: tuple[Source, ...], count: int) -> Path | None:
    """Where one output of an item goes; None for a stream, and of a record."""
    if target.medium.is_gathered:
        records_file(job)
        return None
    if output == STANDARD or (output is not None and not is_folder(output)):
        if count > 1:
            raise UsageError(f"{count} results cannot go to {output}", hint="name a folder that ends with /")
        path = None if output == STANDARD else Path(output)
        target.format(path)
        return path
    first = Item(inputs, None).key
    source = Path("stdin" if first == STANDARD else first or "")
    if first is not None and _DESCRIPTOR.fullmatch(first):  # a pipe has neither a name nor a folder
        source = Path("pipe")
    folder = source.parent if output is None else Path(output)
    stem = job.spec.task.name if first is None else f"{source.stem}-{job.spec.task.name}"
    return folder / f"{stem}.{target.format()}"


def check_collisions(items: Sequence[Item], same: Callable[[str], str] = str) -> None:
    """Refuses items of which several would write one file; all of them are named.

    Args:
        items: The items of a job.
        same: Gives one text for all spellings of one file's path.

    Raises:
        UsageError: If there are such items.
    """
    by_output: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        for place in item.places:
            if place is not None:
                by_output[same(_absolute(place))].append(item)
    clashes = []
    for output, sharing in by_output.items():
        *first, last = (item.name for item in sharing)
        if first:
            share = "both" if len(first) == 1 else "all"
            clashes.append(f"{', '.join(first)} and {last} would {share} be written to {Path(output).name}")
    if clashes:
        raise UsageError("; ".join(clashes), hint="rename one of them, or do them apart")


def _absolute(path: str | Path) -> str:
    """The path from the root, links as they are: a link is not the file that it leads to."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() follows links


def find_obstacles(job: Job, items: Sequence[Item]) -> tuple[list[Item], list[Item], list[tuple[Item, GansdkError]]]:
    """Checks, for all items, that inputs are there and outputs can be written; nothing is opened or loaded.

    Returns:
        The items to compute, those to skip because their output exists, and those that fail already.
    """
    ready: list[Item] = []
    skipped: list[Item] = []
    failed: list[tuple[Item, GansdkError]] = []
    for item in items:
        try:
            for name in item.files:
                if name != STANDARD:
                    check_readable(Path(name))
            wanted = [check_output(place, job.spec.writing, is_made=job.into_folder) for place in item.places]
            for other in item.others or ():
                check_output(other, job.spec.writing, is_made=job.into_folder)
            if any(wanted):
                check_result(job.spec, item)
            (ready if any(wanted) else skipped).append(item)
        except (InputError, OutputError) as error:
            failed.append((item, error))
    return ready, skipped, failed


def check_folder(job: Job) -> None:
    """Checks a folder for all results once, so that it is not refused once per item.

    Raises:
        OutputError: If it does not exist and cannot be made.
    """
    if job.into_folder:
        check_parent(Path(str(job.outputs[0])) / "result", is_made=True)


def check_parent(output: Path, *, is_made: bool) -> None:
    """Refuses a folder that no file can be written to; with ``is_made``, it and those above it need not exist."""
    folder = next(parent for parent in output.parents if parent.exists()) if is_made else output.parent
    if not folder.exists():
        raise OutputError(f"there is no folder {folder}", hint=f"create it with mkdir -p {shlex.quote(str(folder))}")
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder", hint="name another folder for the results")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the folder {folder} cannot be written to", hint="choose another one with -o")


def check_output(output: Path | None, writing: Writing, *, is_made: bool = False) -> bool:
    """Whether to make an output; False if it exists and is to be skipped.

    Args:
        output: The file; None for a stream.
        writing: Says what to do if it exists.
        is_made: Whether its folder is made if it does not exist.

    Raises:
        OutputError: If it cannot be written.
        OutputExistsError: If it exists and the options do not say what to do.
    """
    if output is None:
        return True
    is_there = stands(output)
    check_parent(output, is_made=is_made)
    if not is_there or writing.on_exists in {"overwrite", "rename"}:
        return True
    if writing.on_exists == "skip":
        return False
    raise OutputExistsError(f"{output} exists already", hint="use --on-exists overwrite, skip or rename")
