"""``gansdk run TASK``. The command of a task is built when that task is asked for, from its options."""

from __future__ import annotations

import sys
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from gansdk.cli.commands import Command, Group, new_app
from gansdk.cli.importing import uninterrupted
from gansdk.cli.output import seconds_text
from gansdk.cli.session import Session, session_of
from gansdk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gansdk.cli.output import Output
    from gansdk.errors import GansdkError
    from gansdk.inference.catalog import Located
    from gansdk.inference.context import Context
    from gansdk.inference.jobs import Summary
    from gansdk.inference.pipelines import Pipeline
    from gansdk.inference.planning import Item
    from gansdk.options import LoadOptions, Options
    from gansdk.plugins.declarations import Task

_INPUTS = "inputs"


class _Tasks(Group):
    """One command per task of the registry."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all tasks."""
        return sorted(session_of(ctx).registry.tasks)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one task."""
        task = session_of(ctx).registry.tasks.get(cmd_name)
        return _command_of(task) if task is not None else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Lists the tasks without building their commands."""
        with formatter.section("Tasks"):
            formatter.write_dl([(name, task.summary) for name, task in sorted(session_of(ctx).registry.tasks.items())])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the task that is named first."""
        if not args[0].startswith("-"):
            session_of(ctx).registry.task(args[0])  # raises with the near names
        return super().resolve_command(ctx, args)


app = new_app(_Tasks, invoke_without_command=True, subcommand_metavar="TASK [INPUTS]...")


@app.callback()
def run(context: typer.Context) -> None:
    """Do a task with a model. `gansdk run TASK --help` shows that task's options."""
    if context.invoked_subcommand is None:
        raise UsageError("run needs a task", hint="see `gansdk tasks`")


def _command_of(task: Task) -> Any:
    from gansdk.cli.task_options import parameters_of

    def invoke(context: typer.Context, **values: Any) -> None:
        _run(session_of(context), task, values)

    where = [_context_parameter(), *_inputs(task), _model(), *parameters_of(task), _output(task)]
    invoke.__signature__ = Signature(where)  # type: ignore[attr-defined]
    invoke.__doc__ = f"{task.summary[:1].upper()}{task.summary[1:]}."
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(task.name, cls=Command)(invoke)
    return get_command(single)


def _context_parameter() -> Parameter:
    return Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


def _inputs(task: Task) -> list[Parameter]:
    if not task.slots:
        return []
    names = " ".join(slot.name.upper() for slot in task.slots)
    words = "; ".join(f"{slot.name.upper()}: {slot.help or slot.kind}" for slot in task.slots)
    several = "several at once" if len(task.slots) == 1 else "several of each in turn"
    argument = typer.Argument(metavar=f"[{names}]...", help=f"{words}; {several}, - is standard input")
    kind = Annotated[list[str] | None, argument]
    return [Parameter(_INPUTS, Parameter.KEYWORD_ONLY, default=None, annotation=kind)]


def _model() -> Parameter:
    help_text = "builtin:NAME, a model or run folder, or an alias (default: as `gansdk tasks` says)"
    option = typer.Option("--model", "-m", metavar="REF", help=help_text, show_default=False, rich_help_panel="Model")
    return Parameter("model", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option])


def _output(task: Task) -> Parameter:
    where = "beside each input" if task.output == "picture" else "standard output"
    help_text = f"a file, a folder if it ends with /, or - for standard output (default: {where})"
    option = typer.Option(
        "--output", "-o", metavar="PATH", help=help_text, show_default=False, rich_help_panel="Writing"
    )
    return Parameter("output", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option])


def _run(session: Session, task: Task, values: dict[str, Any]) -> None:
    from gansdk.cli.task_options import validate
    from gansdk.inference.jobs import run as run_job
    from gansdk.inference.planning import STANDARD, Job
    from gansdk.options import PictureReading

    where: str | None = values["output"]
    if where == STANDARD and session.output.flags.json:
        raise UsageError("--json and -o - both want standard output", hint="give -o a file, or leave --json out")
    if where == STANDARD and task.output == "picture" and sys.stdout.isatty():
        raise UsageError("a picture would be written to the terminal", hint="send it on with | or >, or give -o a file")
    if where is not None and not where.strip():
        raise UsageError("--output is empty", hint="give a file, a folder or -")
    options = validate(task, values)
    reading = options.get("read", PictureReading())
    job = Job(task, tuple(values.get(_INPUTS) or ()), where, options["call"], reading, options["write"])
    located, why = _locate(session, task, values["model"])
    reporter = _Reporter(session.output, session.output.flags.json)
    with reporter:
        summary = run_job(job, _loader(session, task, located, why, options["load"]), reporter)
    if summary.total > 1:
        session.output.note(_closing(summary))
    raise typer.Exit(summary.exit_code)


def _locate(session: Session, task: Task, named: str | None) -> tuple[Located, str]:
    """The model, and what to say of it if nobody named it."""
    from gansdk.inference.catalog import check_fit

    if named is not None:
        located, why = session.catalog.locate(named), ""
    else:
        choice = session.catalog.choose(task)
        located, why = session.catalog.locate(choice.ref), f" ({choice.why})"
    check_fit(task, located)
    session.catalog.method(located)  # a missing plugin is known before any file is looked at
    return located, why


def _loader(session: Session, task: Task, located: Located, why: str, load: Options) -> Callable[[], Pipeline]:
    def make() -> Pipeline:
        session.output.note(f"{task.name} with {located.ref}{why}")
        with uninterrupted():
            from gansdk.inference.pipelines import Pipeline

        pipeline = Pipeline(task, located, session.catalog.method(located), _as_load(load))
        session.output.detail(f"computing on {pipeline.placement.device} in {pipeline.placement.precision}")
        return pipeline

    return make


def _as_load(options: Options) -> LoadOptions:
    from gansdk.options import LoadOptions

    if not isinstance(options, LoadOptions):
        raise TypeError("models are loaded with LoadOptions")
    return options


class _Reporter:
    """Prints what happens to a job's items."""

    def __init__(self, output: Output, as_json: bool) -> None:
        from gansdk.cli.progress import Bar

        self._output = output
        self._json = as_json
        self._bar = Bar(output)

    def __enter__(self) -> _Reporter:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.clear()

    def context(self, item: Item) -> Context:
        """The surroundings in which an item is computed."""
        from gansdk.inference.context import Context

        return Context(
            progress=lambda done, total: self._bar.show(item.name, done, total),
            note=lambda text: self._output.note(_about(item, text)),
            detail=lambda text: self._output.detail(f"{item.name}: {text}"),
            expect=lambda seconds: self._output.note(f"{item.name}: {_foretold(seconds)}"),
        )

    def done(self, item: Item, output: Path | None, result: Any, seconds: float) -> None:
        """Says where the result is, or prints it if it is a record that goes nowhere else."""
        self._bar.clear()
        took = seconds_text(seconds)
        if isinstance(result, dict) and output is None:
            self._output.record({"input": item.key, **result})
        elif self._json:
            place = str(output) if output is not None else None
            self._output.record({"input": item.key, "output": place, "seconds": round(seconds, 3)})
        elif output is not None:
            self._output.note(f"{item.name} → {output} in {took}")

    def skipped(self, item: Item) -> None:
        """Says that an output was there already and stays."""
        if self._json:
            self._output.record({"input": item.key, "output": str(item.output), "skipped": True})
        else:
            self._output.note(f"{item.name}: skipped, {item.output} exists")

    def failed(self, item: Item, error: GansdkError) -> None:
        """Says what went wrong with an item."""
        self._bar.clear()
        self._output.error(error, item.key)


def _foretold(seconds: float) -> str:
    return f"about {seconds_text(seconds)}" if seconds >= 1 else "less than a second"


def _about(item: Item, text: str) -> str:
    """A note with the input's name before it, unless it begins with that already, as those on pictures do."""
    return text if text.startswith(f"{item.name}:") else f"{item.name}: {text}"


def _closing(summary: Summary) -> str:
    parts = [f"{summary.done} done"]
    parts += [f"{summary.skipped} skipped"] if summary.skipped else []
    parts += [f"{summary.failed} failed"] if summary.failed else []
    return f"{', '.join(parts)} in {seconds_text(summary.seconds)}"
