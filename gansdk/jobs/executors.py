"""What runs the items of a job: an interface, and the one that runs them in this process.

An executor gets a spec and items, both plain data, and reports how each item ended. It never prints, plans or keeps
a report. So another one may send them to other machines: there, ``catalog.locate(spec.model.ref)`` finds the model, a
:class:`Pipeline` is made once and kept, and :func:`read`, ``pipeline.compute`` and :func:`write` do an item.
"""

from __future__ import annotations

import stat
import sys
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from gansdk.errors import GansdkError, UnforeseenError, UsageError
from gansdk.files import cannot_write
from gansdk.jobs.plan import STANDARD
from gansdk.media.records import plain_record
from gansdk.models.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gansdk.jobs.plan import Item, JobSpec, Source
    from gansdk.models.pipelines import Pipeline


_AHEAD = 2
"""Items that are read before their turn. One thread does it: Python's filters of warnings allow one at a time."""

_WRITERS = 3
"""Threads that write: packing an image takes longer than reading one, and forcing it to the disk is waiting."""

_BEHIND = 16
"""Results that may wait to be written."""

_BYTES_BEHIND = 2**30
"""Bytes of those; a result that is larger alone is waited for."""

_SLOW_TO_WRITE = 2**26
"""Bytes of a result from which on a user who pressed Ctrl-C reads that it is still being written."""


@dataclass(frozen=True)
class Outcome:
    """How an item ended.

    Attributes:
        item: Which one.
        seconds: What it took: reading, computing and writing, without waiting in between.
        output: Where its result is; None if it went to a stream, is a record, or there is none.
        further: Where its further outputs are.
        record: What it gave, if the task gives records.
        shown: What of that is printed, if it does not go to a file.
        words: The record in a line for people; empty if it speaks for itself.
        error: Why there is no result.
        is_skipped: Whether its output exists already and is kept.
    """

    item: Item
    seconds: float = 0.0
    output: Path | None = None
    record: Mapping[str, Any] | None = None
    shown: Mapping[str, Any] | None = None
    words: str = ""
    error: GansdkError | None = None
    is_skipped: bool = False
    further: tuple[Path, ...] = ()


class Executor(Protocol):
    """Runs items."""

    def run(
        self, spec: JobSpec, items: Sequence[Item], context: Callable[[Item], Context], tell: Callable[[Outcome], None]
    ) -> None:
        """Runs all items; the failure of one never stops the rest.

        Args:
            spec: What to do to each.
            items: In the order in which they are reported, where that costs nothing.
            context: Gives the context of an item, for its progress and notes.
            tell: Takes the outcome of each item, called in this thread. If the run ends early, by Ctrl-C too, the
                outcomes of all items that were written have been passed on.

        Raises:
            UsageError: If an option is wrong for every item.
            GansdkError: If the model does not load.
        """
        ...


class Local:
    """Runs items in this process, one after the other; meanwhile the next are read and the last are written.

    Args:
        load: Loads the model; called once, before the first item.
    """

    def __init__(self, load: Callable[[], Pipeline]) -> None:
        self._load = load

    def run(
        self, spec: JobSpec, items: Sequence[Item], context: Callable[[Item], Context], tell: Callable[[Outcome], None]
    ) -> None:
        """See :class:`Executor`."""
        _AssemblyLine(spec, self._load(), context, tell).run(items)


@dataclass
class _Read:
    """An item whose inputs are being read, or are read when its turn comes; and what comes of it."""

    item: Item
    future: Future[tuple[dict[str, Any], float]] | None = None
    notes: list[str] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    result: Any = None
    error: GansdkError | None = None


@dataclass
class _Written:
    """An item that is being written; its notes wait until it is reported, so that they come in order."""

    item: Item
    future: Future[Outcome]
    notes: list[str] = field(default_factory=list)
    bytes: int = 0


class _AssemblyLine:
    """The way of items from reading over computing to writing."""

    def __init__(
        self, spec: JobSpec, pipeline: Pipeline, context: Callable[[Item], Context], tell: Callable[[Outcome], None]
    ) -> None:
        self._spec = spec
        self._pipeline = pipeline
        self._context = context
        self._tell = tell
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reading")
        self._writer = ThreadPoolExecutor(_WRITERS, thread_name_prefix="writing")
        self._ahead: deque[_Read] = deque()
        self._behind: deque[_Written] = deque()
        batch = getattr(spec.call, "batch", 1) if spec.task.many else 1
        self._batch = batch if isinstance(batch, int) else 1

    def run(self, items: Iterable[Item]) -> None:
        left = iter(items)
        try:
            self._read_ahead(left)
            while self._ahead:
                now = [self._ahead.popleft() for _ in range(min(self._batch, len(self._ahead)))]
                self._read_ahead(left)
                self._compute(now)
                del now  # and with it its images
                self._tell_of_ended(_BEHIND)
            self._tell_of_ended(0)
        finally:
            self._stop()

    def _read_ahead(self, left: Iterator[Item]) -> None:
        for item in left:
            begun = _Read(item)
            if all(_is_regular(name) for name in item.files):  # waiting for a pipe in a thread cannot be interrupted
                begun.future = self._reader.submit(copy_context().run, self._read, item, begun.notes)
            self._ahead.append(begun)
            if len(self._ahead) >= max(_AHEAD, self._batch):
                return

    def _read(self, item: Item, notes: list[str]) -> tuple[dict[str, Any], float]:
        start = time.perf_counter()
        inputs = read(self._spec, self._pipeline, item, notes.append)
        return inputs, time.perf_counter() - start

    def _compute(self, begun: Sequence[_Read]) -> None:
        """Computes items, together if the task can; they end in their order."""
        ready = [work for work in begun if self._is_read(work)]
        if len(ready) > 1:
            self._compute_together(ready)
        for work in ready:
            if work.result is None:
                self._compute_alone(work)
        for work in begun:
            self._end(work)

    def _is_read(self, work: _Read) -> bool:
        start = time.perf_counter()
        try:
            work.inputs, work.seconds = work.future.result() if work.future else self._read(work.item, work.notes)
        except Exception as error:  # noqa: BLE001 - one item must not take thousands with it
            work.error, work.seconds = _as_ours(work.item, error), time.perf_counter() - start
            return False
        for text in work.notes:
            self._context(work.item).note(text)
        return True

    def _compute_together(self, ready: Sequence[_Read]) -> None:
        start = time.perf_counter()
        context = self._context(ready[0].item)
        try:
            results = self._pipeline.compute_many([work.inputs for work in ready], self._spec.call, context)
        except Exception:  # noqa: BLE001 - whose fault it is shows when each is done alone
            return
        share = (time.perf_counter() - start) / len(ready)
        for work, result in zip(ready, results, strict=True):
            work.result, work.seconds = result, work.seconds + share

    def _compute_alone(self, work: _Read) -> None:
        start = time.perf_counter()
        call, context = work.item.call or self._spec.call, self._context(work.item)
        try:
            work.result = self._pipeline.compute(work.inputs, call, context)
        except Exception as error:  # noqa: BLE001 - one item must not take thousands with it
            work.error = _as_ours(work.item, error)
        work.seconds += time.perf_counter() - start

    def _end(self, work: _Read) -> None:
        """Writes what an item gave; one that failed only waits to be reported in its turn."""
        if work.error is not None:
            failed: Future[Outcome] = Future()
            failed.set_result(Outcome(work.item, work.seconds, error=work.error))
            self._behind.append(_Written(work.item, failed))
            return
        values = self._spec.task.values(work.result)
        size = sum(target.medium.nbytes(values[target.output]) for target in self._spec.targets)
        self._tell_of_ended(_BEHIND, size)
        notes: list[str] = []
        # Each is written in its caller's context, which says how messages spell options.
        future = self._writer.submit(copy_context().run, self._write, work.item, values, work.seconds, notes)
        self._behind.append(_Written(work.item, future, notes, size))

    def _write(self, item: Item, values: Mapping[str, Any], seconds: float, notes: list[str]) -> Outcome:
        start = time.perf_counter()
        try:
            outcome = write(self._spec, item, values, notes.append)
        except BrokenPipeError:
            raise  # standard output is closed: the end of the job
        except Exception as error:  # noqa: BLE001 - one item must not take thousands with it
            return Outcome(item, seconds, error=_as_ours(item, error))
        return replace(outcome, seconds=seconds + time.perf_counter() - start)

    def _tell_of_ended(self, most: int, coming: int = 0) -> None:
        """Reports what has ended, in order; waits until at most ``most`` are left, and memory for ``coming`` bytes."""
        while self._behind:
            first, size = self._behind[0], coming + sum(written.bytes for written in self._behind)
            if not first.future.done() and len(self._behind) <= most and size <= _BYTES_BEHIND:
                return
            self._tell_of(first)
            self._behind.popleft()  # reported first: Ctrl-C may come in between, and twice is better than never

    def _tell_of(self, written: _Written) -> None:
        outcome, context = written.future.result(), self._context(written.item)
        for text in written.notes:
            context.note(text)
        self._tell(outcome)

    def _stop(self) -> None:
        """Begins nothing any more; what is being written still ends, and is reported."""
        self._reader.shutdown(cancel_futures=True)
        for written in [written for written in self._behind if not written.future.cancel()]:
            if not written.future.done() and written.bytes > _SLOW_TO_WRITE:
                self._context(written.item).note("is being written, which takes a moment")
            with suppress(BrokenPipeError, UsageError):  # raised already, or soon to be
                self._tell_of(written)
        self._writer.shutdown()


def read(spec: JobSpec, pipeline: Pipeline, item: Item, note: Callable[[str], None]) -> dict[str, Any]:
    """An item's inputs, and whether its result will fit the format, which is better known before than after."""
    inputs = pipeline.read(tuple(map(_opened, item.inputs)), spec.reading, Context(note=note))
    for slot in spec.task.slots[:1]:
        size = slot.reader.size_of(inputs.get(slot.name))
        for target, path in zip(spec.targets, item.places, strict=True):
            if size is not None and target.kind == "image":
                extent, source = spec.extent(target, size), inputs[slot.name]
                target.medium.check_output(path, target.writing, extent, source=source, name=item.name)
    return inputs


def _opened(source: Source) -> Any:
    if isinstance(source, tuple):
        return [_opened(name) for name in source]
    return source if source is None else sys.stdin.buffer if source == STANDARD else Path(source)


def write(spec: JobSpec, item: Item, values: Mapping[str, Any], note: Callable[[str], None]) -> Outcome:
    """Puts what an item gave, by output, where it goes; see :meth:`gansdk.media.medium.Medium.write`."""
    outcome = Outcome(item)
    written: list[Path | None] = []
    for target, place in zip(spec.targets, item.places, strict=True):
        value = values[target.output]
        if target.medium.is_gathered:
            shown = value.shown() if hasattr(value, "shown") else value
            words = value.words() if hasattr(value, "words") else ""
            outcome = replace(outcome, record=plain_record(value), shown=shown, words=words)
            continue
        options = target.writing
        if item.replaces:
            options = options.model_copy(update={"on_exists": "overwrite"})
        to: Path | IO[bytes] = sys.stdout.buffer
        if place is not None:
            to = place.parent if target.kind == "folder" else place
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise cannot_write(place, error) from error
        done = target.medium.write(value, to, options, note, kind=target.kind, provenance=spec.provenance)
        written += [done] if place is not None else []
    first, *further = [*written, None][: max(1, len(written))]
    is_skipped = bool(written) and not any(written)  # something came there meanwhile
    return replace(outcome, output=first, further=tuple(filter(None, further)), is_skipped=is_skipped)


def _is_regular(name: str) -> bool:
    try:
        return name != STANDARD and stat.S_ISREG(Path(name).stat().st_mode)
    except OSError:
        return True  # reading it says what is wrong


def _as_ours(item: Item, error: Exception) -> GansdkError:
    """An item's error; one that is wrong for every item is raised instead."""
    if isinstance(error, UsageError):
        raise error
    if isinstance(error, GansdkError):
        return error
    said = " ".join(str(error).split())[:200]
    unforeseen = UnforeseenError(f"{item.name}: {type(error).__name__}: {said}", hint="--verbose says where")
    unforeseen.__cause__ = error
    return unforeseen
