"""``gansdk train`` and ``gansdk resume``."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.computing import Device, Threads, computing
from gansdk.cli.importing import uninterrupted
from gansdk.cli.output import seconds_text
from gansdk.cli.session import Session, session_of
from gansdk.errors import OptionError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gansdk.cli.progress import Bar
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method
    from gansdk.training.session import Finished, Progress

_MODEL = "About the model"

Run = Annotated[str, typer.Argument(metavar="RUN", help="the folder of the run")]


def train(
    context: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="see `gansdk plugins`")],
    *,
    config: Annotated[str, typer.Option(metavar="NAME", help="one of the method's ways to train (required)")] = "",
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DATA",
            help="a name as in mnist, a folder or a zip archive; once per data set of the recipe (required)",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="RUN", help="the folder to fill, new or empty (required)")
    ] = "",
    test: Annotated[
        list[str] | None, typer.Option(metavar="NAME=DATA", help="measure on this at the end; may be repeated")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="change an option of the recipe; may be repeated"),
    ] = None,
    seed: Annotated[
        str, typer.Option(metavar="0..", help="where random numbers start (default: 0)", show_default=False)
    ] = "0",
    checkpoint_every: Annotated[
        str | None,
        typer.Option(metavar="1..", help="steps between checkpoints (default: 500)", show_default=False),
    ] = None,
    device: Device = None,
    precision: Annotated[str | None, computing("auto|fp32|bf16", "numbers to train in")] = None,
    threads: Threads = None,
    licence: Annotated[
        str,
        typer.Option(metavar="SPDX", help="licence of the trained weights", show_default=False, rich_help_panel=_MODEL),
    ] = "",
    summary: Annotated[
        str,
        typer.Option(metavar="TEXT", help="one line about it for listings", show_default=False, rich_help_panel=_MODEL),
    ] = "",
) -> None:
    """Train a method on your data into a run folder, which is a model at any time.

    What `--set` takes stands in the method's README; a wrong name is answered with the near ones.
    """
    session = session_of(context)
    chosen = session.registry.method(method)
    _check_config(chosen, config)
    if not output:
        raise UsageError("train needs a folder to fill", hint="add -o RUN")
    datasets = dict(named(one) for one in _once("--data", data or ()))
    tests = dict(named(one) for one in _once("--test", test or ()))
    if "" in tests:
        raise OptionError(f"--test {tests['']!r} has no name", hint="write --test NAME=DATA")
    from gansdk.options import parse_mapping

    options = parse_mapping("--set", set_ or ())
    load = _load(device, precision, threads)
    start = _whole("--seed", seed, 0)
    every = _whole("--checkpoint-every", checkpoint_every, 1) if checkpoint_every is not None else None
    with _watching(session, output) as (progress, note):
        with uninterrupted():
            from gansdk.data.opening import find_data
            from gansdk.training.loop import train as train_run
            from gansdk.training.runs import Pace

        finished = train_run(
            chosen,
            config,
            output,
            data=datasets,
            tests=tests,
            options=options,
            seed=start,
            device=load.device,
            precision=load.precision,
            threads=load.threads,
            pace=Pace(checkpoint=every) if every is not None else None,
            licence=licence,
            summary=summary,
            progress=progress,
            note=note,
            open_data=partial(find_data, named=session.registry.datasets),
        )
    _report(session, output, finished)


def resume(
    context: typer.Context,
    run: Run,
    steps: Annotated[
        str | None,
        typer.Option(metavar="1..", help="train to this step instead of the planned one", show_default=False),
    ] = None,
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Go on with a run where its last checkpoint stands, as if it had never stopped."""
    session = session_of(context)
    load = _load(device, None, threads)
    until = _whole("--steps", steps, 1) if steps is not None else None
    with _watching(session, run) as (progress, note):
        with uninterrupted():
            from gansdk.data.opening import find_data
            from gansdk.training.loop import resume as resume_run

        finished = resume_run(
            run,
            methods=session.registry.methods,
            steps=until,
            device=load.device if device is not None else None,
            threads=load.threads if threads is not None else None,
            progress=progress,
            note=note,
            open_data=partial(find_data, named=session.registry.datasets),
        )
    _report(session, run, finished)


def _check_config(method: Method, config: str) -> None:
    known = ", ".join(method.configs) or "none"
    if not config:
        raise UsageError(f"train needs a config of {method.name}", hint=f"add --config; it has {known}")
    if config not in method.configs:
        raise UnknownNameError(f"config of {method.name}", config, method.configs, hint=f"it has {known}")


def named(text: str) -> tuple[str, str]:
    """``NAME=DATA`` as a pair; a path alone has the empty name. A path with ``=`` in it that exists is a path."""
    name, equals, path = text.partition("=")
    if not equals or not name.isidentifier() or Path(text).exists():
        return "", text
    return name, path


def _once(flag: str, texts: Iterable[str]) -> list[str]:
    """Refuses a name that comes twice, before a mapping would swallow it."""
    texts = list(texts)
    names = [named(text)[0] for text in texts]
    for name in names:
        if names.count(name) > 1:
            what = f"{flag} names {name!r} twice" if name else f"{flag} is given twice without a name"
            raise OptionError(what, hint=f"write {flag} NAME=DATA, each name once")
    return texts


def _load(device: str | None, precision: str | None, threads: str | None) -> LoadOptions:
    from gansdk.options import LoadOptions, validate

    return validate(LoadOptions, {"device": device, "precision": precision, "threads": threads}, flags=True)


def _whole(flag: str, text: str, low: int) -> int:
    if not text.isdecimal() or not low <= int(text) < 2**63:
        raise OptionError(f"{flag} {text!r} is not one of {low}..")
    return int(text)


@contextmanager
def _watching(session: Session, run: str) -> Iterator[Any]:
    """A bar while steps are taken; whoever interrupts is told how to go on."""
    from gansdk.cli.progress import Bar

    bar: Bar = Bar(session.output)

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


def _report(session: Session, run: str, finished: Finished) -> None:
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
