"""What ``gansdk train`` and ``gansdk resume`` share: a bar while steps are taken, and what is said at the end."""

from __future__ import annotations

import shlex
import signal
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansdk.cli.output import seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gansdk.cli.progress import Bar
    from gansdk.cli.session import Session
    from gansdk.training import Finished, Progress


@contextmanager
def watching(session: Session, run: str) -> Iterator[dict[str, Any]]:
    """A bar while steps are taken; whoever ends it before its end is told how to continue.

    Gives what :func:`gansdk.training.train` and :func:`gansdk.training.resume` tell their caller, by keyword.
    """
    from gansdk.cli.progress import Bar
    from gansdk.training.events import is_installed

    bar: Bar = Bar(session.output)
    if not is_installed():
        session.output.detail("tensorboard is not installed, so no events are written for it")

    def progress(at: Progress) -> None:
        bar.show(f"{run} {at.rate:.2f} steps/s", at.step, at.steps, unit="steps")

    def measuring(name: str, done: int, total: int) -> None:
        bar.show(f"{run} measured on {name}", done, total)

    def note(text: str) -> None:
        with suppress(OSError):  # a terminal that was closed does not end a training that outlives it
            session.output.note(text)

    def ended() -> None:
        bar.clear()
        if (Path(run) / "train.json").is_file():  # else nothing has begun
            note(f"continue with `gansdk resume {shlex.quote(run)}`")

    try:
        with _before_the_end(ended):
            yield {"progress": progress, "note": note, "measuring": measuring}
    except KeyboardInterrupt:
        ended()
        raise
    finally:
        bar.clear()


@contextmanager
def _before_the_end(say: Callable[[], None]) -> Iterator[None]:
    """A block in which a signal that ends the process lets something be said first."""
    from gansdk.training.interruption import ENDING

    def end(number: int, _frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        say()
        signal.raise_signal(number)

    main = threading.current_thread() is threading.main_thread()  # Python handles no signals elsewhere
    numbers = [number for number in ENDING if main and signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def report(session: Session, run: str, finished: Finished) -> None:
    """Says how a run ended."""
    from gansdk.evaluation.wording import number

    evaluation = finished.evaluation
    if session.output.flags.json:
        measured = evaluation.model_dump(mode="json") if evaluation is not None else None
        record = {"run": run, "steps": finished.steps, "seconds": round(finished.seconds, 1), "evaluation": measured}
        session.output.record(record)
        return
    for one in evaluation.measurements if evaluation is not None else ():
        session.output.note(f"{one.metric} on {one.data}: {number(one.value, one.unit)} {one.unit}".rstrip())
    took = seconds_text(finished.seconds)
    session.output.note(f"{finished.steps} steps in {took}; use it with --model {shlex.quote(str(Path(run)) + '/')}")
