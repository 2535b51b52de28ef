"""Which files of a medium are in a folder, and where their results go: a mirrored tree.

Folders are entered in the order of names. Hidden files and folders (a name that begins with a dot) are passed over.
A link to a file is that file; links to folders are not entered, so that there is no endless way. What a file is, its
content decides; one that is not an image but is named like one is taken as well, and fails, since it was meant to be
one.
"""

from __future__ import annotations

import glob
import os
import stat
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gansdk.errors import InputError, OutputError, UsageError, option
from gansdk.jobs.plan import Item, check_collisions
from gansdk.media.formats import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gansdk.jobs.plan import JobSpec, Source
    from gansdk.media.medium import Medium
    from gansdk.plugins.declarations import Slot, Task


@dataclass(frozen=True)
class FolderJob:
    """What a user asked for with a folder.

    Attributes:
        spec: What to do to each image in it.
        source: The folder.
        target: Where the results go; made if it is not there.
        resumes: Whether what is whole already stays; what an earlier run left otherwise is made anew.
        held: By slot, of all but the first: a file that fills it for all items, or a folder in which each item finds
            the file of its own name.
    """

    spec: JobSpec
    source: Path
    target: Path
    resumes: bool = False
    held: Mapping[str, Path] = field(default_factory=dict)


@dataclass
class FoundFiles:
    """What is in a folder; names are relative to it, with forward slashes.

    Attributes:
        medium: Of which files were looked for.
        stamps: Size and time of change, in nanoseconds, of each file and of what else its item takes, by name.
        others: Files of another medium.
        links: Links to folders.
        closed: Folders that cannot be read, and why.
        left_out: Whether the folder of the results was among them.
    """

    medium: Medium
    stamps: dict[str, tuple[int, ...]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    closed: list[tuple[str, InputError]] = field(default_factory=list)
    left_out: bool = False


def check(job: FolderJob) -> None:
    """Finds what is wrong with the call and the two folders.

    Raises:
        UsageError: If the task does not take files, something else that it needs is not given, the call does not fit
            the model's facts, or both folders are the same.
        InputError: If there is no such folder.
        OutputError: If the target is not a folder.
    """
    check_takes_files(job.spec.task)
    for slot in job.spec.task.slots[1:]:
        if not slot.optional and slot.name not in job.held:
            article = "an" if slot.name[0] in "aeiou" else "a"
            what = f"{job.spec.task.name} takes {article} {slot.name} with each file"
            hint = f"give {option(slot.name)} a file for all of them, or a folder with one of the same name for each"
            raise UsageError(what, hint=hint)
    job.spec.check_call()
    if not job.source.exists():
        raise InputError(f"there is no folder {job.source}", hint="check its name")
    if not job.source.is_dir():
        raise InputError(f"{job.source} is a file", hint=f"use gansdk run {job.spec.task.name}")
    if job.target.exists() and not job.target.is_dir():
        raise OutputError(f"{job.target} is a file, not a folder", hint="name another one")
    if job.source.resolve() == job.target.resolve():
        raise UsageError("the results would stand among their inputs", hint="name another folder for them")


def check_takes_files(task: Task) -> None:
    """Refuses a task that does not begin with a file for each item.

    Raises:
        UsageError: With what it takes.
    """
    if not task.slots or task.slots[0].many or task.slots[0].optional:
        takes = " and ".join(slot.name for slot in task.slots if not slot.optional) or "nothing"
        what = f"map gives each file to the task, and {task.name} takes {takes}"
        raise UsageError(what, hint="use gansdk run")


def search(source: Path, target: Path, medium: Medium) -> FoundFiles:
    """Looks for the files of a medium in a folder and all folders below it, ``target`` left out."""
    found = FoundFiles(medium)
    left_out = _identity(target)

    def cannot_enter(error: OSError) -> None:
        name = _relative(error.filename, source)
        what = InputError(f"the folder {error.filename} cannot be read: {error.strerror}", hint="check its permissions")
        found.closed.append((name, what))

    for folder, subfolders, files in os.walk(source, onerror=cannot_enter):
        subfolders[:] = sorted(_entered(folder, subfolders, source, left_out, found))
        for name in sorted(files):
            if not name.startswith("."):
                _take(os.path.join(folder, name), source, found, medium)
    return found


def _entered(
    folder: str, names: list[str], source: Path, left_out: tuple[int, int] | None, found: FoundFiles
) -> Iterator[str]:
    for name in names:
        path = os.path.join(folder, name)
        if name.startswith("."):
            continue
        if os.path.islink(path):
            found.links.append(_relative(path, source))
        elif left_out is not None and _identity(path) == left_out:
            found.left_out = True
        else:
            yield name


def _take(path: str, source: Path, found: FoundFiles, medium: Medium) -> None:
    name = _relative(path, source)
    try:
        status = os.stat(path)
    except OSError:  # a link that leads nowhere
        found.others.append(name)
        return
    if stat.S_ISREG(status.st_mode) and (medium.claims(name) or _is_one(path, medium)):
        found.stamps[name] = (status.st_size, status.st_mtime_ns)
    else:
        found.others.append(name)


def _is_one(path: str, medium: Medium) -> bool:
    try:
        with open(path, "rb") as file:
            return medium.identify(file.read(HEAD))
    except OSError:
        return False


def _relative(path: str, source: Path) -> str:
    return Path(path).relative_to(source).as_posix()


def _identity(path: str | Path) -> tuple[int, int] | None:
    """What tells a folder from all others, whatever it is called."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def mirrored(job: FolderJob, found: FoundFiles) -> list[Item]:
    """An item per image, its result at the same place in the target's tree.

    The result keeps its name and takes the ending of its format: of ``a.jpg`` comes ``a.png``, of ``a.2024``, which no
    format is called, ``a.2024.png``.

    Raises:
        UsageError: If results would stand in one place, or in the place of an input; all such are named.
    """
    task, target = job.spec.task, job.spec.main
    ending = "" if target.medium.is_gathered else target.format()
    items = []
    for name in found.stamps:
        path = PurePosixPath(name)
        stem = path.stem if task.slots[0].reader.claims(name) else path.name
        output = None if target.medium.is_gathered else job.target / path.with_name(f"{stem}.{ending}")
        further = tuple(_held(job, slot, path) for slot in task.slots[1:])
        items.append(Item((str(job.source / path), *further), output, label=name))
        found.stamps[name] += tuple(number for other in items[-1].files[1:] for number in _stamp(other))
    check_collisions(items, _spelling(job.target))
    _check_inputs_stay(job, items)
    return items


def _held(job: FolderJob, slot: Slot, path: PurePosixPath) -> Source:
    """What fills a slot for one file: what is held for all, or what has the same place and name in its folder."""
    held = job.held.get(slot.name)
    if held is None:
        return None
    if held.is_dir():
        medium, folder = slot.reader, held / path.parent
        found = [held / path] if (held / path).is_file() else sorted(folder.glob(f"{glob.escape(path.stem)}.*"))
        held = next((file for file in found if medium.claims(file.name)), held / path)
    return (str(held),) if slot.many else str(held)


def _stamp(path: str) -> tuple[int, ...]:
    try:
        status = os.stat(path)
    except OSError:  # found missing when all inputs are looked at
        return ()
    return status.st_size, status.st_mtime_ns


def _check_inputs_stay(job: FolderJob, items: list[Item]) -> None:
    """Where the inputs lie below the target, results may come to stand on them."""
    source, target = job.source.resolve(), job.target.resolve()
    if not source.is_relative_to(target):
        return
    inputs = {source / (item.label or "") for item in items}
    clashes = [
        f"{item.name} would be written over {item.output}, an input too"
        for item in items
        if item.output is not None and target / item.output.relative_to(job.target) in inputs
    ]
    if clashes:
        raise UsageError("; ".join(clashes), hint="name another folder for the results")


def _spelling(target: Path) -> Callable[[str], str]:
    """How the file system of a folder tells names apart: some take upper and lower case, or accents, as the same."""
    if _tells_case_apart(target):
        return str
    return lambda name: unicodedata.normalize("NFC", name).casefold()


def _tells_case_apart(target: Path) -> bool:
    """Found out without writing: whether something that is there answers to its name in the other case."""
    for place in (target, *target.absolute().parents):
        try:
            with os.scandir(place) as entries:
                known = next((Path(entry) for entry in entries if entry.name.swapcase() != entry.name), None)
        except OSError:  # not there yet
            continue
        if known is not None:
            other = known.with_name(known.name.swapcase())
            return not (other.exists() and known.exists() and other.samefile(known))
    return sys.platform not in {"darwin", "win32"}
