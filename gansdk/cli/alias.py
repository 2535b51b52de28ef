"""``gansdk alias``."""

from __future__ import annotations

from typing import Annotated

import typer

from gansdk.cli.commands import Command, new_app
from gansdk.cli.session import Session, session_of
from gansdk.errors import UsageError
from gansdk.refs import Folder, parse

app = new_app(invoke_without_command=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="letters, digits and . _ + -")]


@app.callback()
def alias(context: typer.Context) -> None:
    """List, set and remove names of your own for models."""
    if context.invoked_subcommand is None:
        _list(session_of(context))


@app.command("list", cls=Command)
def list_aliases(context: typer.Context) -> None:
    """List your aliases."""
    _list(session_of(context))


@app.command("set", cls=Command)
def set_alias(
    context: typer.Context,
    name: Name,
    ref: Annotated[
        str, typer.Argument(metavar="REF", help="the model: builtin:NAME, hub:ORG/NAME, a folder, or another alias")
    ],
    *,
    pin: Annotated[bool, typer.Option(help="Of a model on the Hub: name the commit that it is at now.")] = False,
) -> None:
    """Give a model a name of your own."""
    session = session_of(context)
    located = session.catalog.locate(ref)
    if pin and located.snapshot is None:
        raise UsageError(f"{ref} is not on the Hub, so there is no commit to pin", hint="leave out --pin")
    pinned = f"hub:{located.snapshot.ref.repo}@{located.snapshot.sha}" if pin and located.snapshot is not None else ref
    session.settings.set_alias(name, lasting(pinned))
    session.output.outcome({"alias": name, "ref": lasting(pinned)}, f"{name} is {lasting(pinned)} now")


@app.command("remove", cls=Command)
def remove_alias(context: typer.Context, name: Name) -> None:
    """Take an alias away."""
    session = session_of(context)
    session.settings.remove_alias(name)
    session.output.outcome({"alias": name, "ref": None}, f"{name} is removed")
    for task, ref in session.settings.defaults().items():
        if ref == name:
            session.output.note(f"it was your default for {task}: set another, or `gansdk default {task} --unset`")


def lasting(ref: str) -> str:
    """A ref that means the same from another working directory."""
    parsed = parse(ref)
    return str(parsed.absolute() if isinstance(parsed, Folder) else parsed)


def _list(session: Session) -> None:
    records = [{"alias": name, "ref": ref} for name, ref in session.settings.aliases().items()]
    columns = {"alias": lambda record: str(record["alias"]), "ref": lambda record: str(record["ref"])}
    session.output.listing(records, columns)
    if not records:
        session.output.note("no aliases; set one with `gansdk alias set NAME REF`")
