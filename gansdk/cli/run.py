"""``gansdk run TASK``: a task with inputs by name."""

from __future__ import annotations

import sys
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import context_of, new_app
from gansdk.cli.tasks import TaskGroup, command, held_slots, slot_flags, spec_of
from gansdk.errors import UsageError, option

if TYPE_CHECKING:
    from gansdk.cli.commands import CommandContext
    from gansdk.plugins.declarations import Task


_INPUTS = "inputs"


class _Run(TaskGroup):
    def command_of(self, task: Task) -> Any:
        """The command of one task."""
        text = f"{task.summary[:1].upper()}{task.summary[1:]}."
        return command(task, _inputs(task), [*slot_flags(task, "; for all"), _output(task)], _run, text)


run_app = new_app(_Run, invoke_without_command=True, subcommand_metavar="TASK [INPUTS]...")


@run_app.callback()
def run(context: typer.Context) -> None:
    """Do a task with a model. `gansdk run TASK --help` shows that task's options."""
    if context.invoked_subcommand is None:
        raise UsageError("run needs a task", hint="see `gansdk tasks`")


def _inputs(task: Task) -> list[Parameter]:
    slots = [slot for slot in task.slots if not slot.optional]
    if not slots:
        return []
    names = " ".join(slot.name.upper() for slot in slots)
    words = "; ".join(f"{slot.name.upper()}: {slot.help or slot.reader.name}" for slot in slots)
    several = "several at once" if len(slots) == 1 else "several of each in turn"
    argument = typer.Argument(metavar=f"[{names}]...", help=f"{words}; {several}, - is standard input")
    kind = Annotated[list[str] | None, argument]
    return [Parameter(_INPUTS, Parameter.KEYWORD_ONLY, default=None, annotation=kind)]


def _default_place(task: Task) -> str:
    if task.gives_records:
        return "standard output"
    return "beside each input" if task.slots else f"{task.name}.png"


def _output(task: Task) -> Parameter:
    where = _default_place(task)
    several = "; once for each output of the task" if len(task.outputs) > 1 else ""
    help_text = f"a file, a folder if it ends with /, or - for standard output{several} (default: {where})"
    declared = typer.Option(
        "--output", "-o", metavar="PATH", help=help_text, show_default=False, rich_help_panel="Writing"
    )
    return Parameter("output", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[list[str] | None, declared])


def _run(session: CommandContext, task: Task, values: dict[str, Any]) -> None:
    from gansdk.cli.reporting import TerminalReporter, closing
    from gansdk.jobs.executors import Local
    from gansdk.jobs.plan import STANDARD, Job
    from gansdk.jobs.run import run as run_job

    outputs: tuple[str | None, ...] = tuple(values["output"] or ()) or (None,)
    if STANDARD in outputs and session.output.flags.json:
        raise UsageError("--json and -o - both want standard output", hint="give -o a file, or leave --json out")
    if any(output is not None and not output.strip() for output in outputs):
        raise UsageError("--output is empty", hint="give a file, a folder or -")
    spec, load = spec_of(session, task, values, outputs)
    for target, output in zip(spec.targets, outputs, strict=True):
        if output == STANDARD and not target.medium.is_gathered and sys.stdout.isatty():
            what = f"{target.medium.name} would be written to the terminal"
            raise UsageError(what, hint="send it on with | or >, or give -o a file")
    job = Job(spec, tuple(values.get(_INPUTS) or ()), outputs, held_slots(task, values))
    with TerminalReporter(session.output) as reporter:
        summary = run_job(job, Local(load), reporter)
    if summary.total > 1:
        session.output.note(closing(summary, "images" if spec.kind == "folder" else ""))
    raise typer.Exit(summary.exit_code)


_HELP = """{summary}: with every image in a folder and the folders below it.

    Results go to the same places below OUT_DIR, which also gets a report, gansdk-map.jsonl, with one line per image.
    What is an image, its content decides. Hidden files and links to folders are passed over.
"""


class _Map(TaskGroup):
    def takes(self, task: Task) -> bool:
        """A task that begins with a file for each item."""
        return bool(task.slots) and not (task.slots[0].many or task.slots[0].optional)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the task that is named first; one that takes no file is refused with the reason."""
        from gansdk.jobs.folders import check_takes_files

        task = context_of(ctx).registry.tasks.get(args[0])
        if task is not None:
            check_takes_files(task)
        return super().resolve_command(ctx, args)

    def command_of(self, task: Task) -> Any:
        """The command of one task."""
        text = _HELP.format(summary=f"{task.summary[:1].upper()}{task.summary[1:]}")
        held = slot_flags(task, "; a file for all, or a folder with one of the same name for each")
        return command(task, _folders(), [*held, _resumes()], _map, text)


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
    declared = typer.Option("--continue", help=help_text, show_default=False, rich_help_panel="Writing")
    return Parameter("resumes", Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, declared])


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
    held = {}
    for name, paths in held_slots(task, values).items():
        if len(paths) > 1:
            raise UsageError(f"{option(name)} was given {len(paths)} times", hint="give it once")
        held[name] = Path(paths[0])
    job = FolderJob(spec, Path(values["source"]), target, values["resumes"], held)
    try:
        with TerminalFolderReporter(session.output) as reporter:
            summary = run_folder(job, Local(load), reporter)
    except KeyboardInterrupt:
        session.output.note("the same command with --continue picks up from here")
        raise
    if len(task.outputs) > 1:
        others = f"{option('format')} asks for another, and `gansdk run` takes an -o for each"
        session.output.note(f"map writes one output of {task.name}, {spec.targets[0].output}; {others}")
    session.output.note(f"{closing(summary)}; the report is {target / NAME}")
    raise typer.Exit(summary.exit_code)
