"""``gansdk run TASK``: a task with inputs by name."""

from __future__ import annotations

import sys
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import new_app
from gansdk.cli.task_commands import TaskGroup, command, work_of
from gansdk.errors import UsageError

if TYPE_CHECKING:
    from gansdk.cli.session import Session
    from gansdk.plugins.declarations import Task

_INPUTS = "inputs"


class _Run(TaskGroup):
    def command_of(self, task: Task) -> Any:
        """The command of one task."""
        text = f"{task.summary[:1].upper()}{task.summary[1:]}."
        return command(task, _inputs(task), [_output(task)], _run, text)


app = new_app(_Run, invoke_without_command=True, subcommand_metavar="TASK [INPUTS]...")


@app.callback()
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


def _run(session: Session, task: Task, values: dict[str, Any]) -> None:
    from gansdk.cli.reporting import Reporter, closing
    from gansdk.inference.executors import Local
    from gansdk.inference.jobs import run as run_job
    from gansdk.inference.planning import STANDARD, Job

    where: str | None = values["output"]
    if where == STANDARD and session.output.flags.json:
        raise UsageError("--json and -o - both want standard output", hint="give -o a file, or leave --json out")
    if where == STANDARD and not task.gives_records and sys.stdout.isatty():
        raise UsageError("a picture would be written to the terminal", hint="send it on with | or >, or give -o a file")
    if where is not None and not where.strip():
        raise UsageError("--output is empty", hint="give a file, a folder or -")
    work, load = work_of(session, task, values, where)
    with Reporter(session.output) as reporter:
        summary = run_job(Job(work, tuple(values.get(_INPUTS) or ()), where), Local(load), reporter)
    if summary.total > 1:
        session.output.note(closing(summary, "pictures" if work.kind == "folder" else ""))
    raise typer.Exit(summary.exit_code)
