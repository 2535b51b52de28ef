"""What every command says, and where: data on stdout, words on stderr, and nothing else anywhere."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from gansdk.errors import OutputError, one_line
from gansdk.files import dump_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.progress import Progress, TaskID

    from gansdk.errors import GansdkError

    Columns = Mapping[str, str | Callable[[Any], str]]
    """By its title in a table, the field that a column shows, or what makes its text of a record."""

EVERYWHERE = {
    "--json": "write JSON lines to stdout, one object per input or row; failures too",
    "--quiet": "say nothing on stderr but errors",
    "--verbose": "say more on stderr; errors come with their traceback",
    "--offline": "open no network connection",
}
"""The flags that stand on every command, before or after it."""


@dataclass(frozen=True)
class Flags:
    """Which of the flags that stand everywhere were given."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    offline: bool = False


def hoist(arguments: Sequence[str]) -> tuple[Flags, list[str]]:
    """Takes the flags that stand everywhere out of the arguments, up to ``--``.

    They are looked for before anything is parsed, so that a call that cannot be parsed is answered in JSON too.
    """
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    given = {argument for argument in arguments[:end] if argument in EVERYWHERE}
    rest = [argument for argument in arguments[:end] if argument not in EVERYWHERE]
    flags = Flags(**{flag.removeprefix("--"): flag in given for flag in EVERYWHERE})
    return flags, [*rest, *arguments[end:]]


class StandardOutputError(OutputError):
    """Standard output takes nothing: it is closed, or what it leads to is full."""


class Output:
    """Prints as the flags say."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags

    def data(self, text: str) -> None:
        """Puts a line of data on stdout.

        Raises:
            StandardOutputError: If it takes nothing.
            BrokenPipeError: If nobody reads it any more.
        """
        try:
            print(text, file=sys.stdout)  # noqa: T201 - the one place where data is printed
        except BrokenPipeError:
            raise
        except OSError as error:
            raise lost_stdout(error) from error

    def flush(self) -> None:
        """Lets go of what was put on stdout; raises as `data` does."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise lost_stdout(error) from error

    def record(self, record: Mapping[str, Any]) -> None:
        """Puts one object on stdout, as a line of JSON."""
        utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self.data(dump_json(record, ascii_only=not utf8))

    def listing(self, records: Sequence[Mapping[str, Any]], columns: Columns) -> None:
        """Puts a listing on stdout: a table for people, a line of JSON per row for programs.

        Args:
            records: The rows.
            columns: What the table shows; a field that is empty is a hyphen.
        """
        if self.flags.json:
            for record in records:
                self.record(record)
            return
        rows = [[_cell(record, column) for column in columns.values()] for record in records]
        for line in table([list(columns), *rows]) if rows else []:
            self.data(line)

    def outcome(self, record: Mapping[str, Any], *lines: str) -> None:
        """Says what was done: one object on stdout for programs, notes for people; an empty line is left out."""
        if self.flags.json:
            self.record(record)
            return
        for line in filter(None, lines):
            self.note(line)

    def note(self, text: str) -> None:
        """Says something that the user should read."""
        if not self.flags.quiet:
            self._say(text)

    def detail(self, text: str) -> None:
        """Says something to users who asked for more."""
        if self.flags.verbose:
            self._say(text)

    def error(self, error: GansdkError, input_name: str | None = None) -> None:
        """Says what failed: one line, or one object, that names the input; the traceback for users who asked."""
        if self.flags.json and not isinstance(error, StandardOutputError):
            self.record({"input": input_name, "error": error.as_record()})
        else:
            is_named = input_name in {None, "-"} or str(input_name) in error.message
            self._say(f"gansdk: {error}" if is_named else f"gansdk: {input_name}: {error}")
        if self.flags.verbose:
            self.trace(error)

    def trace(self, error: BaseException) -> None:
        """Says where an error came from."""
        _print_words("".join(traceback.format_exception(error)).rstrip("\n"))

    def interrupted(self) -> None:
        """Says that the user ended it."""
        if self.flags.json:
            error = {"kind": "interrupted", "message": "interrupted", "hint": ""}
            self.record({"input": None, "error": error})
        else:
            self._say("gansdk: interrupted")

    def _say(self, text: str) -> None:
        _print_words(one_line(text))


def _print_words(text: str) -> None:
    try:
        print(text, file=sys.stderr)  # noqa: T201 - the one place where words are printed
    except OSError:  # there is nowhere to say that stderr takes nothing, and the work goes on
        forget(sys.stderr)


def forget(stream: TextIO) -> None:
    """Points a stream at nothing, or the interpreter would complain about it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def lost_stdout(error: OSError) -> StandardOutputError:
    """What to say where standard output took nothing; it is not tried again."""
    forget(sys.stdout)
    return StandardOutputError(f"cannot write to standard output: {error.strerror or error}")


def _cell(record: Mapping[str, Any], column: str | Callable[[Any], str]) -> str:
    if not isinstance(column, str):
        return column(record)
    value = record[column]
    return (", ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)) or "-"


def table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Rows as lines with aligned columns; the last one is not padded."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in clean) for at in range(len(clean[0]))]
    for row in clean:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def bytes_text(count: int) -> str:
    """A size for people, as in ``3.1 MB``."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def seconds_text(seconds: float) -> str:
    """A duration for people, as in ``2 min 5 s``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


LINE_SECONDS = 60.0
"""The shortest time between two lines where stderr is not a terminal; what takes less says nothing."""


class Bar:
    """One bar at a time. Lines that are printed meanwhile appear above it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._said = time.monotonic()
        self._begun = (self._said, 0.0, 0.0)

    def show(self, label: str, done: float, total: float, *, unit: str = "") -> None:
        """Shows how far something is; the first call draws the bar.

        Args:
            label: What.
            done: How much of it.
            total: How much it is altogether.
            unit: What is counted, as in ``files``; where none is given, a percentage says it.
        """
        if self._output.flags.quiet:
            return
        share = f"{100 * done / total:.0f} %" if total else ""
        count = f"{int(done)} of {total:.0f} {unit}" if unit else share
        if not self._is_terminal:
            self._say(f"{label}: {count}", done, total)
            return
        with suppress(OSError):  # the terminal was closed: what is shown does not end what is done
            if self._progress is None or self._task is None:
                self._progress = _draw()
                self._task = self._progress.add_task("", count="")
                self._progress.start()
            self._progress.update(self._task, description=label, completed=done, total=total, count=count)

    def _say(self, text: str, done: float, total: float) -> None:
        now = time.monotonic()
        begun, first, of = self._begun
        if total != of or done < first:  # something else
            self._begun = (now, done, total)
        elif now - self._said >= LINE_SECONDS:
            self._said = now
            left = (total - done) * (now - begun) / (done - first) if done > first else None
            with suppress(OSError):
                self._output.note(text if left is None else f"{text}, about {seconds_text(left)} left")

    def clear(self) -> None:
        """Takes the bar away."""
        if self._progress is not None:
            with suppress(OSError):
                self._progress.stop()
        self._progress = self._task = None


def _draw() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    label, count = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[count]}", markup=False)
    columns = (label, BarColumn(), count, TimeRemainingColumn(), TextColumn("left"))
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that Ctrl-C does not enter; it takes effect when the block ends.

    An exception that reaches the C++ code which registers torch's types aborts the whole process.
    """
    if threading.current_thread() is not threading.main_thread():  # Python handles no signals there
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if received:
        raise KeyboardInterrupt
