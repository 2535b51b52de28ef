"""Many inputs, one model: plans them, lets an executor run them, and keeps the account.

There are two kinds of job: inputs by name (``gansdk run``), and a folder into a folder (``gansdk map``), which keeps a
report and can continue where it stopped.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gansdk.errors import GansdkError, InputError, OutputError, OutputExistsError
from gansdk.files import remove_leftovers, stands, whole_file
from gansdk.jobs import folders
from gansdk.jobs.executors import Outcome
from gansdk.jobs.plan import (
    Item,
    Job,
    check_folder,
    check_output,
    check_result,
    find_obstacles,
    plan,
    records_file,
)
from gansdk.jobs.reports import NAME, Making, open_report
from gansdk.media.reading import check_readable
from gansdk.media.records import record_format, write_records
from gansdk.media.writing import free_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gansdk.jobs.executors import Executor
    from gansdk.jobs.folders import FolderJob, FoundFiles
    from gansdk.jobs.reports import Report
    from gansdk.models.context import Context
    from gansdk.options import Writing


@dataclass
class Summary:
    """How a job ended, counted in results: a piece of a call gives many, every other item one.

    Attributes:
        done: New ones.
        kept: Those that were whole already.
        anew: Of the new ones, how many an earlier run had made, by why they were made again.
        skipped: Those whose output exists already and is kept.
        failed: Those that could not be made.
        seconds: What it took altogether.
        failures: The items that failed, and why.
    """

    done: int = 0
    kept: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    anew: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[Item, GansdkError]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many were planned."""
        return self.done + self.kept + self.skipped + self.failed

    @property
    def exit_code(self) -> int:
        return 1 if self.failed else 0


class Reporter(Protocol):
    """Hears what happens; the command line prints it."""

    def found(self, found: FoundFiles) -> None:
        """What is in the folder, before anything is done."""
        ...

    def begin(self, count: int) -> None:
        """How many items are to be computed, before the first."""
        ...

    def context(self, item: Item) -> Context:
        """The context in which an item is computed."""
        ...

    def done(self, outcome: Outcome) -> None: ...
    def skipped(self, item: Item, *, is_whole: bool) -> None:
        """An item that needs no work: its result is whole, or its output exists already and is kept."""
        ...

    def failed(self, item: Item, error: GansdkError) -> None: ...


class _Account:
    """Counts the results of items as they end and passes them on."""

    def __init__(self, reporter: Reporter) -> None:
        self.summary = Summary()
        self._reporter = reporter
        self._start = time.perf_counter()

    def end(self, outcome: Outcome) -> None:
        summary, item = self.summary, outcome.item
        summary.seconds = time.perf_counter() - self._start
        if outcome.error is not None:
            summary.failed += item.results
            self._reporter.failed(item, outcome.error)
            # What it was raised from would keep the images of its item in memory.
            outcome.error.__traceback__ = outcome.error.__cause__ = outcome.error.__context__ = None
            summary.failures.append((item, outcome.error))
        elif outcome.is_skipped:
            summary.skipped += item.results
            self._reporter.skipped(item, is_whole=False)
        else:
            summary.done += item.results
            self._reporter.done(outcome)

    def keep(self, item: Item) -> None:
        self.summary.kept += item.results
        self._reporter.skipped(item, is_whole=True)

    def close(self) -> Summary:
        self.summary.seconds = time.perf_counter() - self._start
        return self.summary


def run(job: Job, executor: Executor, reporter: Reporter) -> Summary:
    """Runs a job on inputs by name. One item's failure never stops the rest.

    Args:
        job: What to do.
        executor: Runs what is left to compute; not called if there is nothing.
        reporter: Hears of each item.

    Returns:
        Counts and failures; ``exit_code`` is 0 if nothing failed, else 1.

    Raises:
        UsageError: From :func:`plan`, before anything was done.
        OutputError: If the folder for the results does not exist.
        GansdkError: If the model does not load.
    """
    account = _Account(reporter)
    items = plan(job)
    check_folder(job)
    ready, skipped, failed = find_obstacles(job, items)
    path = _records_path(job)
    records: list[dict[str, Any]] = []

    def tell(outcome: Outcome) -> None:
        if outcome.record is not None and path is not None:
            records.append({"input": outcome.item.key, **outcome.record})
            if job.spec.main.medium.is_gathered:
                outcome = replace(outcome, output=path)
            else:
                outcome = replace(outcome, further=(*outcome.further, path))
        account.end(outcome)

    for item in skipped:
        account.end(Outcome(item, is_skipped=True))
    for item, error in failed:
        account.end(Outcome(item, error=error))
    if ready:
        reporter.begin(len(ready))
        executor.run(job.spec, ready, reporter.context, tell)
    if records and path is not None:
        writing = next(target.writing for target in job.spec.targets if target.medium.is_gathered)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, replace=job.spec.writing.on_exists != "error") as file:
            write_records(records, file, record_format(path, writing))
    return account.close()


def _records_path(job: Job) -> Path | None:
    """The file into which the records go, as free as the options ask; None if the reporter prints them."""
    path, writing = records_file(job), job.spec.writing
    if path is None:
        return None
    if not check_output(path, writing, is_made=job.into_folder):
        raise OutputExistsError(f"{path} exists already", hint="nothing was done")
    return free_name(path) if writing.on_exists == "rename" else path


def run_folder(job: FolderJob, executor: Executor, reporter: Reporter) -> Summary:
    """Runs a job on all images of a folder, with a report in the folder of the results.

    Args:
        job: What to do.
        executor: Runs what is left to compute; not called if there is nothing.
        reporter: Hears of each item.

    Returns:
        Counts and failures; ``exit_code`` is 0 if nothing failed, else 1.

    Raises:
        UsageError: If the folders are the same, or two results would have one path; nothing was done.
        InputError: If there is no such folder, or no image in it.
        OutputExistsError: If the target holds an earlier run's results and the job says nothing about them.
        OutputError: If the target cannot be written to, or another process fills it.
        GansdkError: If the model does not load.
    """
    account = _Account(reporter)
    folders.check(job)
    found = folders.search(job.source, job.target, job.spec.task.slots[0].reader)
    items = folders.mirrored(job, found)
    records = _records_of(job)
    reporter.found(found)
    if not items and not found.closed:
        medium = job.spec.task.slots[0].reader
        what = f"{job.source} holds no {medium.plural}"
        raise InputError(what, hint=f"name a folder with files that end in {', '.join(medium.endings[:6])}")
    with open_report(Making.of(job.spec, job.source, job.target)) as report:
        folder = _FolderRun(job, found, report, account, records)
        for name, output in report.refused.items():
            what = f"the report says that {name} became {output}, outside of {job.target}: that line does not count"
            reporter.context(Item((), None, label=name)).note(what)
        if report.was_killed:
            _sweep(items)
        for name, error in found.closed:
            folder.tell(Outcome(Item((), None, label=name), error=error))
        ready = list(folder.left(items))
        if ready:
            reporter.begin(len(ready))
            executor.run(job.spec, ready, reporter.context, folder.tell)
        if records is not None:
            _gather(records, items, report, job.spec.writing)
    return account.close()


def _records_of(job: FolderJob) -> Path | None:
    """Where a folder's records go, if the task gives records; an earlier run's results are found at once.

    Raises:
        OutputExistsError: If there are any: each would be an error of its own otherwise.
    """
    rule, has_report = job.spec.writing.on_exists, (job.target / NAME).exists()
    records = None
    if job.spec.main.medium.is_gathered:
        records = job.target / f"{job.spec.task.name}.{job.spec.main.format()}"
    if has_report and not job.resumes and rule == "error":
        what = f"{job.target} holds the results of an earlier run"
        raise OutputExistsError(what, hint="go on with --continue, or make them anew with --on-exists overwrite")
    if records is None or not records.exists() or (job.resumes and has_report) or rule == "overwrite":
        return records
    if rule == "rename":
        return free_name(records)
    raise OutputExistsError(f"{records} exists already", hint="use --on-exists overwrite or rename")


@dataclass(frozen=True)
class _FolderRun:
    """A folder on its way through."""

    job: FolderJob
    found: FoundFiles
    report: Report
    account: _Account
    records: Path | None

    def tell(self, outcome: Outcome) -> None:
        """Takes the outcome of an item."""
        self.report.add(outcome, self.found.stamps.get(outcome.item.key or ""))
        self.account.end(replace(outcome, output=self.records) if outcome.record is not None else outcome)

    def left(self, items: Sequence[Item]) -> Iterator[Item]:
        """The items that are to be computed; the others are reported."""
        for planned in items:
            item = planned
            try:
                state, place = self.report.state(item, self.found.stamps[item.key or ""])
                if self.job.resumes and state == "whole":
                    self.account.keep(item)
                    continue
                if self.job.resumes and state == "outdated":
                    item = replace(item, output=place, replaces=True)
                for name in item.files:
                    check_readable(Path(name))
                is_wanted = item.replaces or _is_wanted(item, self.job.spec.writing)
                if is_wanted:
                    check_result(self.job.spec, item)
            except (InputError, OutputError) as error:
                self.tell(Outcome(item, error=error))
                continue
            if not is_wanted:
                self.tell(Outcome(item, is_skipped=True))
                continue
            if self.job.resumes and state == "outdated":
                why = self.report.change(item, self.found.stamps[item.key or ""])
                self.account.summary.anew[why] = self.account.summary.anew.get(why, 0) + item.results
            yield item


def _is_wanted(item: Item, writing: Writing) -> bool:
    """Whether to make an image; its folder is made when it is written."""
    if item.output is None:
        return True
    parent = next((parent for parent in item.output.parents if parent.exists()), None)
    if parent is not None and not parent.is_dir():
        raise OutputError(f"{parent} is a file, not a folder", hint="name another folder for the results")
    return not stands(item.output) or check_output(item.output, writing)


def _sweep(items: Sequence[Item]) -> None:
    """Removes what a killed run left half-written."""
    names: dict[Path, set[str]] = defaultdict(set)
    for item in items:
        if item.output is not None:
            names[item.output.parent].add(item.output.name)
    for folder, those in names.items():
        remove_leftovers(folder, those)


def _gather(path: Path, items: Sequence[Item], report: Report, writing: Writing) -> None:
    """Puts the records of all items into one file, in their order."""
    records = ((item, report.record(item)) for item in items)
    with whole_file(path) as file:
        whole = ({"input": item.key, **record} for item, record in records if record is not None)
        write_records(whole, file, record_format(path, writing))
