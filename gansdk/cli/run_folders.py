"""What ``gansdk train`` and ``gansdk resume`` share: a bar while steps are taken, and what is said at the end."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansdk.cli.output import seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gansdk.cli.progress import Bar
    from gansdk.cli.session import Session
    from gansdk.training import Finished, Progress


@contextmanager
def watching(session: Session, run: str) -> Iterator[Any]:
    """A bar while steps are taken; whoever interrupts is told how to go on."""
    from gansdk.cli.progress import Bar
    from gansdk.training.events import is_installed

    bar: Bar = Bar(session.output)
    if not is_installed():
        session.output.detail("tensorboard is not installed, so no events are written for it")

    def progress(at: Progress) -> None:
        bar.show(f"{run} {at.rate:.2f} steps/s", at.step, at.steps, unit="steps")

    try:
        yield progress, session.output.note
    except KeyboardInterrupt:
        bar.clear()
        session.output.note(f"go on with `gansdk resume {shlex.quote(run)}`")
        raise
    finally:
        bar.clear()


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
