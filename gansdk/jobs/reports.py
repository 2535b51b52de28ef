"""What a folder run writes down about each item, one line of JSON each, and what a later run learns from it.

A line is added when its item has ended and never changed; of several lines of one input the last one counts, and at
the end only that one is kept. Where a process is killed, the last results may have no line, or half of one: what has
come since its start is its own, and may be replaced.

A result is *whole* if it is there in the size that its line gives and was made from the same inputs (size and time of
change) with the same model and options, by the same version of the plugin that brings the task. Options that do not
shape it (``--tile``, ``--device``) do not count, nor does gansdk's own version, which the line records.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from gansdk.errors import OutputError
from gansdk.files import MOST_JSON, cannot_write, parse_json, stands, whole_file
from gansdk.media.records import json_line
from gansdk.options import shaping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gansdk.jobs.executors import Outcome
    from gansdk.jobs.plan import Item, JobSpec


NAME = "gansdk-map.jsonl"
"""Of the report, in the folder of the results."""

_LOCK = ".gansdk-map.lock"
_BEGUN = ".gansdk-map.begun"
"""Is there while a run is at work; its time is when that began, by the clock of that file system."""

State = Literal["new", "whole", "outdated", "foreign"]
"""What is at the place of a result: nothing; that very result; one of an earlier run from the same folder, made
otherwise; something else."""


@dataclass(frozen=True)
class Making:
    """What a run makes its results from, and with.

    Attributes:
        folder: Where the inputs are.
        target: Where the results go.
        digests: Of the task, the model and the options, in this order.
        provenance: Of model and version, for people.
        task: The task's name and version, for people.
    """

    folder: Path
    target: Path
    digests: tuple[str, str, str]
    provenance: str
    task: str

    @classmethod
    def of(cls, spec: JobSpec, folder: Path, target: Path) -> Making:
        """What a job makes of a folder."""
        task = f"{spec.task.name} of {spec.version}" if spec.version else spec.task.name
        return cls(folder.resolve(), target, _digests(spec), spec.provenance, task)


class Report:
    """A report that is open: what it said before, and lines to come. The file is made with the first of them.

    Args:
        lines: Those that count so far, by input.
        making: What this run makes its results from.
        killed: When the run began that was killed before this one, in nanoseconds; None if none was.

    Attributes:
        refused: What lines say that do not count, since they name a result outside of the folder. A report may come
            from a stranger.
    """

    def __init__(
        self, lines: dict[str, bytes], refused: dict[str, str], making: Making, killed: int | None = None
    ) -> None:
        self.refused = refused
        self._file: IO[bytes] | None = None
        self._killed = killed
        self._lines = lines
        self._making = making

    @property
    def was_killed(self) -> bool:
        """Whether the run before this one did not end."""
        return self._killed is not None

    def state(self, item: Item, stamp: tuple[int, ...] | None) -> tuple[State, Path | None]:
        """What is at the place of an item's result.

        Args:
            item: As planned.
            stamp: Size and time of change of its input.

        Returns:
            Its state; and where it is: not always where it was planned, with ``--on-exists rename``.

        Raises:
            OutputError: If no file can be there.
        """
        said, folder = self._said(item), str(self._making.folder)
        place = self._making.target / said["output"] if "output" in said else item.output
        if place is not None and item.output is not None and place.suffix != item.output.suffix:
            said, place = {}, item.output  # in another format now; the result in the old one stays where it is
        if place is None and "record" not in said:
            return "new", None
        if place is not None and not stands(place):
            return ("foreign" if item.output is not None and stands(item.output) else "new"), item.output
        if place is not None and not self._is_ours(said, place):
            return "foreign", item.output
        is_same = (said.get("making"), said.get("stamp")) == (list(self._making.digests), list(stamp or ()))
        if is_same and "error" not in said:
            return "whole", place
        # What a link leads to outside of the folder is not replaced for the sake of a report.
        is_inside = place is None or place.resolve().is_relative_to(self._making.target.resolve())
        may_be_replaced = is_inside and said.get("folder", folder) == folder
        return ("outdated", place) if may_be_replaced else ("foreign", item.output)

    def change(self, item: Item, stamp: tuple[int, ...] | None) -> str:
        """Why the result of an earlier run does not count any more, as the end of a sentence."""
        said = self._said(item)
        if "error" in said:
            return "they failed before"
        if said.get("stamp") != list(stamp or ()):
            return "their inputs changed"
        pairs = zip(said.get("making", ()), self._making.digests, ("task", "model", "options"), strict=False)
        changed = [name for before, now, name in pairs if before != now]
        return f"the {' and the '.join(changed) or 'report'} changed"

    def _is_ours(self, said: dict[str, Any], place: Path) -> bool:
        """Whether an earlier run made what is there, and it did not change since."""
        status = place.stat()
        if "bytes" in said:
            return bool(said["bytes"] == status.st_size)
        return self._killed is not None and status.st_mtime_ns >= self._killed

    def record(self, item: Item) -> Any:
        """What the task gave for an item; None if nothing."""
        said = self._said(item)
        return said.get("record") if "error" not in said else None

    def add(self, outcome: Outcome, stamp: tuple[int, ...] | None) -> None:
        """Writes down how an item ended.

        Raises:
            OutputError: If it cannot be written.
        """
        key, said = outcome.item.key or "", self._said(outcome.item)
        seconds = round(outcome.seconds, 3)
        if outcome.is_skipped and "bytes" in said:
            return  # what is known of its result holds
        if outcome.error is not None:  # what an earlier run left there is still known
            line = {**said, "input": key, "seconds": seconds, "error": outcome.error.as_record()}
        elif outcome.is_skipped:
            line = {"input": key, "output": self._relative(outcome.item.output), "skipped": True}
        else:
            result: dict[str, Any] = {"record": outcome.record}
            if outcome.output is not None:
                result = {"output": self._relative(outcome.output), "bytes": outcome.output.stat().st_size}
            line = {"input": key, **result, "seconds": seconds, "by": self._making.provenance}
            line |= {"task": self._making.task, "making": list(self._making.digests)}
            line |= {"folder": str(self._making.folder), "stamp": list(stamp or ())}
        path, text = self._making.target / NAME, json_line(line)
        try:
            if self._file is None:
                self._file = path.open("ab", buffering=0)
            self._file.write(text)
        except OSError as error:
            raise cannot_write(path, error) from error
        self._lines[key] = text

    def _relative(self, path: Path | None) -> str | None:
        return path.relative_to(self._making.target).as_posix() if path is not None else None

    def _said(self, item: Item) -> dict[str, Any]:
        line = self._lines.get(item.key or "")
        said = _line(line) if line is not None else None
        return said.model_dump(exclude_unset=True) if said is not None else {}

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@contextmanager
def open_report(making: Making) -> Iterator[Report]:
    """Opens the report of a folder, one process at a time; the folder is made if it is not there.

    Raises:
        OutputError: If the folder cannot be written to, another process fills it, or a link stands for the report.
    """
    path = making.target / NAME
    try:
        making.target.mkdir(parents=True, exist_ok=True)
        _check_own(making.target)
        lock = FileLock(making.target / _LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputError(f"another process fills {making.target}", hint="wait for it or stop it") from None
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        begun = making.target / _BEGUN
        killed = _killed(path, begun)
        report = Report(*_tidied(path), making, killed)
        if not begun.exists():
            begun.touch()
        try:
            yield report
        finally:
            report.close()
            _tidied(path)
            begun.unlink(missing_ok=True)
    finally:
        lock.release()


def _check_own(folder: Path) -> None:
    """Refuses links and pipes in place of the files that are written here directly, without a hidden one."""
    for name in (NAME, _LOCK, _BEGUN):
        path = folder / name
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OutputError(f"{path} is a link, or no file at all, and would be written to", hint="remove it")


def _killed(path: Path, begun: Path) -> int | None:
    """When the last run began, if it did not end; 0 where that is not known."""
    if begun.exists():
        return begun.stat().st_mtime_ns
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return None if file.read() == b"\n" else 0
    except OSError:  # not there, or empty
        return None


def _tidied(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """The lines that count, by input, and the results of those that name one outside; others leave the file."""
    lines: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    count = 0
    try:
        with path.open("rb") as file:
            for count, line in enumerate(iter(lambda: file.readline(MOST_JSON), b""), 1):  # noqa: B007 - the last count is what is asked for
                said = _line(line)
                if said is None:
                    continue
                lines.pop(said.input, None)  # in the order of the last ones
                lines[said.input] = line
                refused.pop(said.input, None)
                output = Path(said.output)
                if output.is_absolute() or ".." in output.parts or "\0" in said.output:
                    refused[said.input] = said.output
    except FileNotFoundError:
        return {}, {}
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror or error}") from error
    if count != len(lines):
        with whole_file(path) as new:
            new.writelines(lines.values())
    for key in refused:
        del lines[key]
    return lines, refused


class _ReportLine(BaseModel):
    """A line of a report, as far as it is read; one that does not validate does not count."""

    model_config = ConfigDict(extra="allow")

    input: str
    output: str = ""
    record: dict[str, Any] = {}
    bytes: int = 0
    stamp: list[int] = []
    making: list[str] = []
    folder: str = ""


def _line(line: bytes) -> _ReportLine | None:
    try:
        return _ReportLine.model_validate(parse_json(line, names=True)) if line.endswith(b"\n") else None
    except ValueError:
        return None


def _digests(spec: JobSpec) -> tuple[str, str, str]:
    """Of all that shapes a result: the task, the model's network and weights, and the options.

    The version counts of a task that a plugin brings: what the core's own tasks give is the same from release to
    release.
    """
    config = spec.model.config
    task = {"name": spec.task.name, "version": "" if spec.version.startswith("gansdk ") else spec.version}
    model = {
        "method": config.method,
        "network": config.network,
        "facts": config.facts.model_dump(mode="json", exclude_none=True),  # a facet that comes to be changes nothing
        "weights": {name: digest for name, digest in config.files.items() if name.endswith(".safetensors")},
    }
    options = {
        "load": shaping(spec.load),
        "call": shaping(spec.call),
        "read": shaping(spec.reading),
        "write": [{**shaping(target.writing), "format": target.format()} for target in spec.targets],
    }
    return _sha256(task), _sha256(model), _sha256(options)


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]
