"""The tree of commands, and how one command line goes through it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.completion import shell_complete
from typer.main import get_command

from gansdk._version import __version__
from gansdk.cli import cache, check, evaluate, import_weights, listings, models, preferences, train, transfer
from gansdk.cli.commands import Command, CommandContext, Group, context_of, in_our_words, new_app
from gansdk.errors import GansdkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansdk.cli.output import Output


PROGRAM = "gansdk"

_COMPLETING = "_GANSDK_COMPLETE"
"""Set by what ``--install-completion`` puts into the shell's settings."""

_ORDER = [
    "run",
    "map",
    "tasks",
    "models",
    "pull",
    "push",
    "cache",
    "bundle",
    "unbundle",
    "import",
    "alias",
    "default",
    "plugins",
    "datasets",
    "train",
    "resume",
    "eval",
    "bench",
    "card",
    "check",
    "doctor",
]


_MADE = {"resume": train, "eval": evaluate, "bench": check}
"""Files of commands that are made when they are called: each has the command's text, and a function that makes it."""

_JOBS = {
    "run": ("gansdk.cli.run:run_app", "Do a task with a model."),
    "map": ("gansdk.cli.run:map_app", "Do a task with all images of a folder."),
}
"""Groups that are imported when they are called, since the options of tasks take longer to import than all else: where
each is, and the first sentence of its help."""


class _Root(Group):
    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which a new user meets them; Typer would put groups last."""
        return sorted([*super().list_commands(ctx), *_MADE, *_JOBS], key=_ORDER.index)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name, made or imported if need be."""
        if cmd_name in _MADE:
            return _MADE[cmd_name].command()
        if cmd_name in _JOBS:
            module, _, app = _JOBS[cmd_name][0].partition(":")
            return get_command(getattr(import_module(module), app))
        return super().get_command(ctx, cmd_name)

    def first_sentence(self, ctx: Any, name: str) -> str:
        """What a command does; one that is yet to be made or imported is left alone."""
        if name in _MADE:
            text: str = _MADE[name].TEXT
            return text.partition("\n")[0]
        return _JOBS[name][1] if name in _JOBS else super().first_sentence(ctx, name)


def build() -> Any:
    """The whole tree, as the command that Typer makes of it."""
    app = new_app(
        _Root, add_completion=True, context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100}
    )
    app.callback(invoke_without_command=True)(_root)
    app.command("tasks", cls=Command)(listings.list_tasks)
    app.add_typer(models.app, name="models")
    app.command("pull", cls=Command)(transfer.pull)
    app.command("push", cls=Command)(transfer.push)
    app.add_typer(cache.app, name="cache")
    app.command("bundle", cls=Command)(transfer.bundle)
    app.command("unbundle", cls=Command)(transfer.unbundle)
    app.command("import", cls=Command)(import_weights.import_file)
    app.add_typer(listings.app, name="plugins")
    app.add_typer(preferences.app, name="alias")
    app.command("default", cls=Command)(preferences.default)
    app.command("datasets", cls=Command)(listings.list_datasets)
    app.add_typer(train.app, name="train")
    app.command("card", cls=Command)(check.card)
    app.command("check", cls=Command)(check.check)
    app.command("doctor", cls=Command)(listings.doctor)
    return get_command(app)


def execute(arguments: Sequence[str], output: Output) -> int:
    """Runs a command line without the flags that stand everywhere, and returns its exit code.

    Raises:
        GansdkError: Whatever is wrong, what cannot be parsed included.
    """
    command = build()
    if _COMPLETING in os.environ:
        return _complete(command, output)
    try:
        with command.make_context(PROGRAM, list(arguments), obj=CommandContext(output)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except SystemExit as end:  # Typer's way to end after --show-completion
        return int(end.code or 0)
    except typer.TyperException as error:
        raise in_our_words(error) from error
    return 0


def _complete(command: Any, output: Output) -> int:
    """Answers a shell that asks how a line may go on; whatever is wrong with the line, it is not the time to say it."""
    try:
        return shell_complete(command, {"obj": CommandContext(output)}, PROGRAM, _COMPLETING, os.environ[_COMPLETING])
    except GansdkError:
        return 0


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Sharpen, repair and make images with models of the GAN family."""
    output = context_of(context).output
    if version:
        if output.flags.json:
            output.record({"gansdk": __version__})
        else:
            output.data(f"gansdk {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        output.data(context.get_help())
