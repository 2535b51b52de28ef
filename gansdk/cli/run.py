"""``gansdk run TASK``: a task with inputs by name."""

from __future__ import annotations

import sys
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import context_of, new_app
from gansdk.cli.tasks import TaskGroup, command, spec_of
from gansdk.errors import UsageError

if TYPE_CHECKING:
    from gansdk.cli.commands import CommandContext
    from gansdk.plugins.declarations import Task


_INPUTS = "inputs"


class _Run(TaskGroup):
    def command_of(self, task: Task) -> Any:
        """The command of one task."""
        text = f"{task.summary[:1].upper()}{task.summary[1:]}."
        return command(task, _inputs(task), [_output(task)], _run, text)


run_app = new_app(_Run, invoke_without_command=True, subcommand_metavar="TASK [INPUTS]...")


@run_app.callback()
def run(context: typer.Context) -> None:
    """Do a task with a model. `gansdk run TASK --help` shows that task's options."""
    if context.invoked_subcommand is None:
        raise UsageError("run needs a task", hint="see `gansdk tasks`")


def _inputs(task: Task) -> list[Parameter]:
    if not task.slots:
        return []
    names = " ".join(slot.name.upper() for slot in task.slots)
    words = "; ".join(f"{slot.name.upper()}: {slot.help or slot.kind}" for slot in task.slots)
    several = "several at once" if len(task.slots) == 1 else "several of each in turn"
    argument = typer.Argument(metavar=f"[{names}]...", help=f"{words}; {several}, - is standard input")
    kind = Annotated[list[str] | None, argument]
    return [Parameter(_INPUTS, Parameter.KEYWORD_ONLY, default=None, annotation=kind)]


def _default_place(task: Task) -> str:
    if task.gives_records:
        return "standard output"
    return "beside each input" if task.slots else f"{task.name}.png"


def _output(task: Task) -> Parameter:
    where = _default_place(task)
    help_text = f"a file, a folder if it ends with /, or - for standard output (default: {where})"
    option = typer.Option(
        "--output", "-o", metavar="PATH", help=help_text, show_default=False, rich_help_panel="Writing"
    )
    return Parameter("output", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option])


def _run(session: CommandContext, task: Task, values: dict[str, Any]) -> None:
    from gansdk.cli.reporting import TerminalReporter, closing
    from gansdk.jobs.executors import Local
    from gansdk.jobs.plan import STANDARD, Job
    from gansdk.jobs.run import run as run_job

    where: str | None = values["output"]
    if where == STANDARD and session.output.flags.json:
        raise UsageError("--json and -o - both want standard output", hint="give -o a file, or leave --json out")
    if where == STANDARD and not task.gives_records and sys.stdout.isatty():
        raise UsageError("an image would be written to the terminal", hint="send it on with | or >, or give -o a file")
    if where is not None and not where.strip():
        raise UsageError("--output is empty", hint="give a file, a folder or -")
    spec, load = spec_of(session, task, values, where)
    with TerminalReporter(session.output) as reporter:
        summary = run_job(Job(spec, tuple(values.get(_INPUTS) or ()), where), Local(load), reporter)
    if summary.total > 1:
        session.output.note(closing(summary, "images" if spec.kind == "folder" else ""))
    raise typer.Exit(summary.exit_code)


_HELP = """{summary}: with every image in a folder and the folders below it.

    Results go to the same places below OUT_DIR, which also gets a report, gansdk-map.jsonl, with one line per image.
    What is an image, its content decides. Hidden files and links to folders are passed over.
"""


class _Map(TaskGroup):
    def takes(self, task: Task) -> bool:
        """A task that takes one image at a time."""
        return len(task.slots) == 1

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the task that is named first; one that takes no image, or several, is refused with the reason."""
        task = context_of(ctx).registry.tasks.get(args[0])
        if task is not None and not self.takes(task):
            takes = " and ".join(slot.name for slot in task.slots) or "nothing"
            what = f"map gives each image to the task, and {task.name} takes {takes}"
            raise UsageError(what, hint="use gansdk run")
        return super().resolve_command(ctx, args)

    def command_of(self, task: Task) -> Any:
        """The command of one task."""
        text = _HELP.format(summary=f"{task.summary[:1].upper()}{task.summary[1:]}")
        return command(task, _folders(), [_resumes()], _map, text)


map_app = new_app(_Map, invoke_without_command=True, subcommand_metavar="TASK IN_DIR OUT_DIR")


@map_app.callback()
def map_(context: typer.Context) -> None:
    """Do a task with all images of a folder. `gansdk map TASK --help` shows that task's options."""
    if context.invoked_subcommand is None:
        raise UsageError("map needs a task", hint="see `gansdk tasks`")


def _folders() -> list[Parameter]:
    texts = {
        "source": ("IN_DIR", "the folder of the images"),
        "target": ("OUT_DIR", "the folder of the results; made if it is not there"),
    }
    return [
        Parameter(
            name, Parameter.KEYWORD_ONLY, annotation=Annotated[str, typer.Argument(metavar=metavar, help=help_text)]
        )
        for name, (metavar, help_text) in texts.items()
    ]


def _resumes() -> Parameter:
    help_text = (
        "keep results that are whole and were made from the same image with the same model and options, "
        "and make all others (default: no)"
    )
    option = typer.Option("--continue", help=help_text, show_default=False, rich_help_panel="Writing")
    return Parameter("resumes", Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option])


def _map(session: CommandContext, task: Task, values: dict[str, Any]) -> None:
    from gansdk.cli.reporting import TerminalFolderReporter, closing
    from gansdk.jobs.executors import Local
    from gansdk.jobs.folders import FolderJob
    from gansdk.jobs.reports import NAME
    from gansdk.jobs.run import run_folder

    for value, metavar in ((values["source"], "IN_DIR"), (values["target"], "OUT_DIR")):
        if not value.strip():
            raise UsageError(f"{metavar} is empty", hint="name a folder")
    spec, load = spec_of(session, task, values)
    target = Path(values["target"])
    job = FolderJob(spec, Path(values["source"]), target, resumes=values["resumes"])
    try:
        with TerminalFolderReporter(session.output) as reporter:
            summary = run_folder(job, Local(load), reporter)
    except KeyboardInterrupt:
        session.output.note("the same command with --continue goes on from here")
        raise
    session.output.note(f"{closing(summary)}; the report is {target / NAME}")
    raise typer.Exit(summary.exit_code)
