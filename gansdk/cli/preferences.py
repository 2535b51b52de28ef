"""``gansdk alias`` and ``gansdk default``: what users set once, so that they need not type it again."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from gansdk.cli.commands import Command, CommandContext, complete_ref, complete_task, context_of, new_app
from gansdk.errors import UsageError
from gansdk.refs import Folder, Hub, parse

app = new_app(invoke_without_command=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="letters, digits and . _ + -")]


@app.callback()
def alias(context: typer.Context) -> None:
    """List, set and remove names of your own for models."""
    if context.invoked_subcommand is None:
        _list(context_of(context))


@app.command("list", cls=Command)
def list_aliases(context: typer.Context) -> None:
    """List your aliases."""
    _list(context_of(context))


@app.command("set", cls=Command)
def set_alias(
    context: typer.Context,
    name: Name,
    ref: Annotated[
        str, typer.Argument(metavar="REF", help="the model: builtin:NAME, hub:ORG/NAME, a folder, or another alias")
    ],
    *,
    pin: Annotated[bool, typer.Option(help="Name the commit that a model on the Hub is at now.")] = False,
) -> None:
    """Give a model a name of your own."""
    session = context_of(context)
    followed = session.catalog.follow(ref)
    if pin and not isinstance(followed, Hub):
        raise UsageError(f"{ref} is not on the Hub, so there is no commit to pin", hint="leave out --pin")
    lasting = _lasting(ref)
    if pin or not isinstance(followed, Hub) or followed.file:  # the Hub is asked for a commit, not for a name
        snapshot = session.catalog.locate(ref).snapshot
        if pin and snapshot is not None:
            lasting = f"hub:{snapshot.ref.repo}@{snapshot.sha}"
    session.settings.set_alias(name, lasting)
    session.output.outcome({"alias": name, "ref": lasting}, f"{name} is {lasting} now")


@app.command("remove", cls=Command)
def remove_alias(context: typer.Context, name: Name) -> None:
    """Take an alias away."""
    session = context_of(context)
    session.settings.remove_alias(name)
    session.output.outcome({"alias": name, "ref": None}, f"{name} is removed")
    for task, ref in session.settings.defaults().items():
        if ref == name:
            session.output.note(f"it was your default for {task}: set another, or `gansdk default {task} --unset`")


def _lasting(ref: str) -> str:
    """A ref that means the same from another working directory."""
    parsed = parse(ref)
    return str(parsed.absolute() if isinstance(parsed, Folder) else parsed)


def _list(session: CommandContext) -> None:
    records = [{"alias": name, "ref": ref} for name, ref in session.settings.aliases().items()]
    columns = {"alias": "alias", "ref": "ref"}
    session.output.listing(records, columns)
    if not records:
        session.output.note("no aliases; set one with `gansdk alias set NAME REF`")


def default(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="see `gansdk tasks`", autocompletion=complete_task)],
    ref: Annotated[str, typer.Argument(metavar="[REF]", help="the model to take", autocompletion=complete_ref)] = "",
    unset: Annotated[bool, typer.Option("--unset", help="Forget your default.")] = False,
) -> None:
    """Set or show the model that a task takes where a call names none."""
    session = context_of(context)
    if unset and ref:
        raise UsageError("--unset goes with no REF", hint=f"gansdk default {task} --unset")
    if unset:
        _unset(session, task)
    elif ref:
        _set(session, task, ref)
    else:
        _show(session, task)


def _set(session: CommandContext, name: str, ref: str) -> None:
    from gansdk.models.catalog import check_fit

    task = session.registry.task(name)
    check_fit(task, session.catalog.locate(ref))
    before, lasting = session.settings.defaults().get(task.name), _lasting(ref)
    session.settings.set_default(task.name, lasting)
    undo = f"gansdk default {task.name} {'--unset' if before is None else shlex.quote(before)}"
    words = f"{task.name} takes {lasting} now; undo it with `{undo}`"
    session.output.outcome({"task": task.name, "ref": lasting}, words)


def _unset(session: CommandContext, name: str) -> None:
    # Not looked up first: a default of a task whose plugin is gone must be forgettable too.
    is_forgotten = session.settings.unset_default(name)
    if not is_forgotten:
        session.registry.task(name)
    words = f"your default for {name} is forgotten" if is_forgotten else f"you have no default for {name}"
    session.output.outcome({"task": name, "ref": None}, words)


def _show(session: CommandContext, name: str) -> None:
    choice = session.catalog.choose(session.registry.task(name))
    record = {"task": name, "ref": choice.ref, "why": choice.why}
    columns = {key: key for key in record}
    session.output.listing([record], columns)
