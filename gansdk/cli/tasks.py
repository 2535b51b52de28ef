"""What ``run`` and ``map`` share: a command per task, built from its options when that task is asked for."""

from __future__ import annotations

from abc import abstractmethod
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED, Command, Group, complete_ref, context_of, flag, made_command
from gansdk.cli.output import uninterrupted
from gansdk.errors import GansdkError, UsageError
from gansdk.options import Options, describe, describe_all, parse_mapping, split
from gansdk.plugins.registry import groups_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gansdk.cli.commands import CommandContext
    from gansdk.jobs.plan import JobSpec
    from gansdk.models.catalog import Catalog
    from gansdk.models.pipelines import Pipeline
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import OptionInfo
    from gansdk.plugins.declarations import Task


class TaskGroup(Group):
    """One command per task of the registry."""

    @abstractmethod
    def command_of(self, task: Task) -> Any:
        """The command of one task."""

    def takes(self, _task: Task) -> bool:
        """Whether the verb does such a task."""
        return True

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the tasks that the verb does."""
        return sorted(name for name, task in context_of(ctx).registry.tasks.items() if self.takes(task))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one task."""
        task = context_of(ctx).registry.tasks.get(cmd_name)
        return self.command_of(task) if task is not None else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Lists the tasks without building their commands."""
        with formatter.section("Tasks"):
            tasks = context_of(ctx).registry.tasks
            formatter.write_dl([(name, tasks[name].summary) for name in self.list_commands(ctx)])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the task that is named first."""
        if not args[0].startswith("-"):
            context_of(ctx).registry.task(args[0])  # raises with the near names
        return super().resolve_command(ctx, args)


class TaskCommand(Command):
    """The command of one task; its help ends with the installed models that can do it."""

    task: Task | None = None

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and options, then the models."""
        from gansdk.models.catalog import fits

        super().format_options(ctx, formatter)
        catalog, task = context_of(ctx).catalog, self.task
        if task is None:
            return
        models = [(model.ref, model.config) for model in catalog.installed()]
        rows = [(ref, config.summary) for ref, config in models if config is not None and fits(task, config)]
        if rows:
            with formatter.section("Installed models that can do it"):
                formatter.write_dl(_marked(catalog, task, rows))


def _marked(catalog: Catalog, task: Task, rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The rows, the default model first and marked as such."""
    try:
        chosen = catalog.choose(task).ref
    except GansdkError:  # several could be meant; a call without --model says so
        return rows
    first = [(ref, f"{summary} (default)") for ref, summary in rows if ref == chosen]
    return [*first, *(row for row in rows if row[0] != chosen)]


def command(
    task: Task,
    arguments: Sequence[Parameter],
    options: Sequence[Parameter],
    call: Callable[[CommandContext, Task, dict[str, Any]], None],
    text: str,
) -> Any:
    """A command for a task: arguments, the model, the task's options in their groups, and the verb's own.

    Args:
        task: The task.
        arguments: The verb's arguments.
        options: The verb's own options.
        call: Does it; gets the values by parameter name.
        text: What it does, as help.
    """

    def invoke(context: typer.Context, values: dict[str, Any]) -> None:
        call(context_of(context), task, values)

    made = made_command(task.name, invoke, [*arguments, _model(), *parameters_of(task), *options], text, TaskCommand)
    made.task = task
    return made


def _model() -> Parameter:
    help_text = f"{NAMED} (default: as `gansdk tasks` says)"
    option = typer.Option(
        "--model",
        "-m",
        metavar="REF",
        help=help_text,
        show_default=False,
        rich_help_panel="Model",
        autocompletion=complete_ref,
    )
    return Parameter("model", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option])


def spec_of(
    session: CommandContext, task: Task, values: Mapping[str, Any], outputs: Sequence[str | None] = (None,)
) -> tuple[JobSpec, Callable[[], Pipeline]]:
    """The spec of a call, its options validated and its model found; and what loads the model here.

    Args:
        session: The command's.
        task: What to do.
        values: Options as typed.
        outputs: Where results go, as typed; their endings say which outputs of the task are wanted.

    Raises:
        UsageError: If an option is wrong, or the model cannot do the task.
    """
    from gansdk.jobs.plan import JobSpec
    from gansdk.media.medium import target_of
    from gansdk.model.config import check_network_interpolation

    groups = groups_of(task)
    infos = {info.name: info for info in describe_all(groups.values())}
    given = {name: _value(infos[name], value) for name, value in values.items() if name in infos}
    options: dict[str, Any] = dict(zip(groups, split(list(groups.values()), given), strict=True))
    resolved, why = _locate(session, task, values["model"])
    load = options["load"]
    check_network_interpolation(resolved.config, load.network_interpolation)
    targets = tuple(target_of(output, task.writers, options["write"]) for output in outputs)
    for at, target in enumerate(targets):
        if target.output in {other.output for other in targets[:at]}:
            what = f"{outputs[at]} and another output would both hold the {target.output} of {task.name}"
            raise UsageError(what, hint="leave one out, or give them endings of different outputs")
    source = session.registry.source_of(task.name)
    version = "" if source is None else f"{source.distribution} {source.version}"
    spec = JobSpec(task, resolved, load, options["call"], options.get("read", Options()), targets, version)
    return spec, _loader(session, spec, why)


def _locate(session: CommandContext, task: Task, named: str | None) -> tuple[ResolvedModel, str]:
    """The model, and why it was chosen if it was not named."""
    from gansdk.models.catalog import check_fit

    choice = session.catalog.choose(task) if named is None else None
    resolved = session.catalog.locate(choice.ref if choice is not None else str(named))
    check_fit(task, resolved)
    resolved.check_plugin()  # a missing plugin is reported before any file is read
    return resolved, "" if choice is None else f" ({choice.why})"


def _loader(session: CommandContext, spec: JobSpec, why: str) -> Callable[[], Pipeline]:
    def make() -> Pipeline:
        session.output.note(f"{spec.task.name} with {spec.model.ref}{why}")
        with uninterrupted():
            from gansdk.models.pipelines import Pipeline

        pipeline = Pipeline(spec.task, spec.model, spec.load)
        session.output.detail(f"computing on {pipeline.placement.device} in {pipeline.placement.precision}")
        return pipeline

    return make


_TITLES = {"call": "Options of {task}", "load": "Model", "read": "Reading", "write": "Writing"}


def slot_flags(task: Task, text: str) -> list[Parameter]:
    """An option for each slot but the first, and for that too if it may be left out: what fills it for all items."""
    slots = [slot for at, slot in enumerate(task.slots) if at or slot.optional]
    return [
        flag(slot.name, list[str], metavar="PATH", text=f"{slot.help or slot.reader.name}{text}", section="Inputs")
        for slot in slots
    ]


def held_slots(task: Task, values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What was given for slots by their options."""
    return {slot.name: tuple(values[slot.name]) for slot in task.slots if values.get(slot.name)}


def parameters_of(task: Task) -> list[Parameter]:
    """One parameter per option, annotated for Typer.

    Typer hands on each option as the text that was typed. Its metavar shows what it may be, and pydantic alone checks
    it, because Typer cannot say ``auto|off|32..4096``.
    """
    return [
        parameter_of(info, _TITLES[kind].format(task=task.name))
        for kind, group in groups_of(task).items()
        for info in describe(group)
    ]


def _value(info: OptionInfo, value: Any) -> Any:
    if not info.is_mapping:
        return value
    return parse_mapping(info.flag, value) if value else None


def parameter_of(info: OptionInfo, title: str) -> Parameter:
    """One option as a parameter annotated for Typer, listed in the section ``title``; it hands on what was typed."""
    kind: Any = str | None
    flags = [info.flag]
    if info.is_flag:
        kind = bool | None
        flags = [f"{info.flag}/{info.flag.replace('--', '--no-', 1)}"]
    elif info.is_mapping or info.is_repeated:
        kind = list[str] | None
    option = typer.Option(
        *flags,
        metavar=None if info.is_flag else info.metavar,
        help=_help(info),
        show_default=False,
        rich_help_panel=title,
    )
    return Parameter(info.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _help(info: OptionInfo) -> str:
    if info.required:
        return f"{info.help} (required)"
    if info.is_flag:
        return f"{info.help} (default: {'yes' if info.default else 'no'})"
    if info.is_mapping:
        return f"{info.help} (may be repeated)"
    if info.is_repeated:
        return f"{info.help} (may be repeated; default: {' and '.join(map(str, info.default))})"
    return info.help if info.default in {None, ""} else f"{info.help} (default: {info.default})"
