"""How all commands parse and look: plain help in sections, and our own words for what cannot be parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from gansdk.cli.output import EVERYWHERE, Flags, Output
from gansdk.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gansdk.errors import GansdkError
    from gansdk.models.catalog import Catalog
    from gansdk.plugins.registry import Registry
    from gansdk.settings import Settings


_EPILOG = f"Every command takes {', '.join(EVERYWHERE)} too, before or after it."
_OPTIONS = "Options"

NAMED = "builtin:NAME, hub:ORG/NAME, a model or run folder, or an alias"
"""How the help of a command says what names a model."""


def new_app(look: type[Group] | None = None, *, add_completion: bool = False, **settings: Any) -> typer.Typer:
    """A group of commands that looks like all others. Rich markup is off: it would slow every start."""
    return typer.Typer(
        cls=look or Group,
        add_completion=add_completion,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        **settings,
    )


def made_command(
    name: str,
    call: Callable[[typer.Context, dict[str, Any]], None],
    parameters: Sequence[Parameter],
    text: str,
    look: type[Command] | None = None,
) -> Any:
    """A command whose parameters are made, from option classes say, and not written.

    Importing those classes takes longer than all else at the start, so listing commands makes none.

    Args:
        name: What it is called.
        call: Does it; gets the values by parameter name.
        parameters: Annotated for Typer.
        text: What it does, as help.
        look: How its help looks; as of all others if not given.
    """

    def invoke(context: typer.Context, **values: Any) -> None:
        call(context, values)

    context = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    # Typer reads a function's signature, which Python lets one set and its stubs do not know.
    invoke.__signature__ = Signature([context, *parameters])  # type: ignore[attr-defined]
    invoke.__doc__ = text
    single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    single.command(name, cls=look or Command)(invoke)
    return get_command(single)


def flag(name: str, kind: Any, *more: str, metavar: str | None = None, text: str, section: str = _OPTIONS) -> Parameter:
    """An option of a made command that may be left out; its value is None then.

    Args:
        name: Of the parameter; the command line spells it as in ``--on-exists``, without an underscore at its end.
        kind: ``str``, ``bool``, or ``list[str]`` for one that may be repeated.
        more: Other spellings, as in ``-o``.
        metavar: How its value is written.
        text: Its help.
        section: Where the help lists it.
    """
    spelled = "--" + name.rstrip("_").replace("_", "-")
    option = typer.Option(spelled, *more, metavar=metavar, help=text, show_default=False, rich_help_panel=section)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


class Command(TyperCommand):
    """A command whose options are listed in the sections that they name as ``rich_help_panel``."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the command's name in its first line of help: arguments as their metavars spell them."""
        arguments = (param for param in self.get_params(ctx) if param.param_type_name == "argument")
        return [*(str(argument.metavar or argument.name.upper()) for argument in arguments), "[OPTIONS]"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments and options, one section each."""
        for section, rows in sections(self, ctx).items():
            with formatter.section(section):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Writes what holds for every command."""
        _format_epilog(ctx, formatter)


class Group(TyperGroup):
    """A group of commands that answers a wrong name with the near ones."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes options, then commands; the root lists the flags that stand everywhere."""
        for section, rows in sections(self, ctx).items():
            with formatter.section(section):
                formatter.write_dl(rows)
        if ctx.parent is None:
            with formatter.section("Options of every command, before or after it"):
                formatter.write_dl(list(EVERYWHERE.items()))
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Lists the commands, each with the first sentence of its help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.first_sentence(ctx, name)) for name in self.list_commands(ctx)])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Writes what holds for every command."""
        if ctx.parent is not None:
            _format_epilog(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the command that is named first."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            hint = f"see `{ctx.command_path} --help`"
            what = f"command of {ctx.info_name}" if ctx.parent is not None else "command"
            raise UnknownNameError(what, name, self.list_commands(ctx), hint=hint)
        return super().resolve_command(ctx, args)

    def first_sentence(self, ctx: Any, name: str) -> str:
        """What a command does, in the first sentence of its help."""
        command = self.get_command(ctx, name)
        return command.get_short_help_str(200) if command is not None else ""


def sections(command: TyperCommand | TyperGroup, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Arguments and options as (spelling, help), by the title of their section."""
    found: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is None:
            continue
        is_argument = param.param_type_name == "argument"
        title = "Arguments" if is_argument else getattr(param, "rich_help_panel", None) or _OPTIONS
        if is_argument:  # Typer would add the Python type of the text that it hands on, which says nothing
            record = (param.metavar or record[0], getattr(param, "help", "") or "")
        found.setdefault(title, []).append(record)
    found[_OPTIONS] = found.pop(_OPTIONS, [])  # the section of --help comes last
    return {title: rows for title, rows in found.items() if rows}


def in_our_words(error: typer.TyperException) -> GansdkError:
    """What Typer says about a call that it cannot parse, as one of our errors."""
    ctx = getattr(error, "ctx", None)
    hint = f"see `{ctx.command_path} --help`" if ctx is not None else "see --help"
    option = getattr(error, "option_name", None)
    if option is not None and type(error).__name__ == "NoSuchOption":
        known = [flag for param in ctx.command.get_params(ctx) for flag in param.opts] if ctx is not None else []
        return UnknownNameError("option", option, [*known, *EVERYWHERE], hint=hint)
    message = error.format_message().strip().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def _format_epilog(_ctx: Any, formatter: Any) -> None:
    formatter.write_paragraph()
    formatter.write_text(_EPILOG)


def _discover() -> Registry:
    from gansdk.plugins.registry import discover

    return discover()


@dataclass(frozen=True)
class CommandContext:
    """One call.

    Attributes:
        output: Where it prints.
        find: Finds the plugins. ``--version`` and help never ask for it.
    """

    output: Output = field(default_factory=lambda: Output(Flags()))
    find: Callable[[], Registry] = _discover

    @cached_property
    def registry(self) -> Registry:
        """All that the working plugins bring."""
        return self.find()

    @cached_property
    def settings(self) -> Settings:
        """The user's aliases and defaults."""
        from gansdk.settings import Settings

        return Settings()

    @cached_property
    def catalog(self) -> Catalog:
        """Finds models."""
        from gansdk.hub.access import Access
        from gansdk.models.catalog import Catalog

        flags = self.output.flags
        access = Access(offline=flags.offline, bars=not flags.quiet)
        return Catalog(self.registry, self.settings, access, self.output.note)


def context_of(context: typer.Context) -> CommandContext:
    """The session that :func:`gansdk.cli.main` put into the context."""
    session = context.obj
    if not isinstance(session, CommandContext):
        raise TypeError("the command line was called without a session")
    return session


def complete_ref(context: typer.Context, incomplete: str) -> list[str]:
    """What a shell may complete the name of a model to: aliases, and models that ship with plugins."""
    session = context_of(context)
    names = [*session.settings.aliases(), *(f"builtin:{name}" for name in session.registry.models)]
    return [name for name in names if name.startswith(incomplete)]


def complete_task(context: typer.Context, incomplete: str) -> list[str]:
    """What a shell may complete the name of a task to."""
    return [name for name in sorted(context_of(context).registry.tasks) if name.startswith(incomplete)]
