"""Which images are in a folder, and where their results go: a mirrored tree.

Folders are entered in the order of names. Hidden files and folders (a name that begins with a dot) are passed over.
A link to a file stands for that file; links to folders are not entered, so that there is no endless way. What a file
is, its content decides; one that is not an image but is named like one is taken as well, and fails, since somebody
meant it to be an image.
"""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gansdk.errors import InputError, OutputError, UsageError
from gansdk.jobs.plan import Item, check_call, check_collisions
from gansdk.media.formats import HEAD, file_format, identify, kind_by_ending
from gansdk.media.results import as_image_writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gansdk.jobs.plan import JobSpec


@dataclass(frozen=True)
class FolderJob:
    """What a user asked for with a folder.

    Attributes:
        spec: What to do to each image in it.
        source: The folder.
        target: Where the results go; made if it is not there.
        resumes: Whether what is whole already stays; what an earlier run left otherwise is made anew.
    """

    spec: JobSpec
    source: Path
    target: Path
    resumes: bool = False


@dataclass
class FoundFiles:
    """What is in a folder; names are relative to it, with forward slashes.

    Attributes:
        stamps: Size and time of change of each image, in nanoseconds, by name.
        others: Files that are not images.
        links: Links to folders.
        closed: Folders that cannot be read, and why.
        left_out: Whether the folder of the results was among them.
    """

    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    closed: list[tuple[str, InputError]] = field(default_factory=list)
    left_out: bool = False


def check(job: FolderJob) -> None:
    """Finds what is wrong with the call and the two folders.

    Raises:
        UsageError: If the task does not take one image each, the call does not fit the model's facts, or both
            folders are the same.
        InputError: If there is no such folder.
        OutputError: If the target is no folder.
    """
    task = job.spec.task
    if len(task.slots) != 1:
        takes = " and ".join(slot.name for slot in task.slots) or "nothing"
        raise UsageError(f"map gives each image to the task, and {task.name} takes {takes}", hint="use gansdk run")
    check_call(job.spec)
    if not job.source.exists():
        raise InputError(f"there is no folder {job.source}", hint="check its name")
    if not job.source.is_dir():
        raise InputError(f"{job.source} is a file", hint=f"use gansdk run {task.name}")
    if job.target.exists() and not job.target.is_dir():
        raise OutputError(f"{job.target} is a file, not a folder", hint="name another one")
    if job.source.resolve() == job.target.resolve():
        raise UsageError("the results would stand among their inputs", hint="name another folder for them")


def search(source: Path, target: Path) -> FoundFiles:
    """Looks for the images in a folder and all folders below it, ``target`` left out."""
    found = FoundFiles()
    left_out = _identity(target)

    def cannot_enter(error: OSError) -> None:
        name = _relative(error.filename, source)
        what = InputError(f"the folder {error.filename} cannot be read: {error.strerror}", hint="check its permissions")
        found.closed.append((name, what))

    for folder, subfolders, files in os.walk(source, onerror=cannot_enter):
        subfolders[:] = sorted(_entered(folder, subfolders, source, left_out, found))
        for name in sorted(files):
            if not name.startswith("."):
                _take(os.path.join(folder, name), source, found)
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


def _take(path: str, source: Path, found: FoundFiles) -> None:
    name = _relative(path, source)
    try:
        status = os.stat(path)
    except OSError:  # a link that leads nowhere
        found.others.append(name)
        return
    if stat.S_ISREG(status.st_mode) and (kind_by_ending(Path(name).suffix) is not None or _is_image(path)):
        found.stamps[name] = (status.st_size, status.st_mtime_ns)
    else:
        found.others.append(name)


def _is_image(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return identify(file.read(HEAD)) is not None
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
    spec = job.spec
    is_record = spec.task.gives_records
    ending = "" if is_record else file_format(None, as_image_writing(spec.writing))
    items = []
    for name in found.stamps:
        path = PurePosixPath(name)
        stem = path.stem if kind_by_ending(path.suffix) is not None else path.name
        output = None if is_record else job.target / path.with_name(f"{stem}.{ending}")
        items.append(Item((str(job.source / path),), output, label=name))
    check_collisions(items, _spelling(job.target))
    _check_inputs_stay(job, items)
    return items


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
                known = next((Path(one) for one in entries if one.name.swapcase() != one.name), None)
        except OSError:  # not there yet
            continue
        if known is not None:
            other = known.with_name(known.name.swapcase())
            return not (other.exists() and known.exists() and other.samefile(known))
    return sys.platform not in {"darwin", "win32"}
