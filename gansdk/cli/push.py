"""``gansdk push``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED
from gansdk.cli.importing import uninterrupted
from gansdk.cli.output import bytes_text
from gansdk.cli.progress import Bar
from gansdk.cli.session import Session, known_refs, session_of
from gansdk.errors import HubError

if TYPE_CHECKING:
    from gansdk.inference.located import Located
    from gansdk.publishing.pushing import Plan, Pushed

_COMMIT = 12


def push(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help=NAMED, autocompletion=known_refs)],
    ref: Annotated[str, typer.Argument(metavar="REF", help="where to: hub:ORG/NAME, which is made if it is not there")],
    *,
    private: Annotated[bool, typer.Option("--private", help="Only the namespace may see the repository.")] = False,
    message: Annotated[
        str, typer.Option("--message", metavar="TEXT", help="what the commit is about", show_default=False)
    ] = "",
    tag: Annotated[
        str, typer.Option("--tag", metavar="NAME", help="what the commit shall be called, as v1", show_default=False)
    ] = "",
    card: Annotated[
        str,
        typer.Option(
            "--card",
            metavar="folder|hub",
            help="whose text by an author the card keeps, where the folder and the Hub have different ones",
            show_default=False,
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")] = False,
) -> None:
    """Put a model on the Hub, in one commit: all of it arrives, or nothing changes.

    The model is checked before, as `gansdk check` does it. Its card is renewed, and what an author wrote stays.
    Pickles, checkpoints, other files and whatever looks like a secret are refused. The same content again makes no
    commit.
    """
    session = session_of(context)
    located = session.catalog.locate(model)
    from gansdk.publishing.pushing import Wish, make_plan

    wish = Wish(private, message, tag, card or None, dry_run)  # type: ignore[arg-type]  # make_plan checks it
    plan = make_plan(session.catalog, located, ref, wish)
    if plan.pushed.is_change:
        with uninterrupted():
            import torch  # noqa: F401 - the checks need it; it takes its time, and must not be torn apart
    pushed = _carried_out(session, plan)
    if session.output.flags.json:
        session.output.record(pushed.as_record())
    elif dry_run:
        _list(session, plan, pushed)
    else:
        _say(session, located, pushed)


def _carried_out(session: Session, plan: Plan) -> Pushed:
    from gansdk.publishing.pushing import carry_out

    bar = Bar(session.output)

    def show(check: str, number: int, total: int) -> None:
        bar.show(check, number, total)
        if number == total:  # the client's own bars come next
            bar.clear()

    try:
        return carry_out(plan, show)
    finally:
        bar.clear()


def _list(session: Session, plan: Plan, pushed: Pushed) -> None:
    columns: dict[str, Any] = {
        "file": lambda one: one["name"],
        "size": lambda one: bytes_text(one["bytes"]),
        "": lambda one: one["state"],
    }
    session.output.listing(pushed.as_record()["files"], columns)
    from gansdk.hub.pushing import check_login

    try:
        check_login(plan.place.ref)
    except HubError as error:
        session.output.note(str(error))
    what = "this would go" if pushed.is_change else "nothing would change"
    session.output.note(f"{what}: {pushed.url}{f', as {pushed.tag}' if pushed.tag else ''}")


def _say(session: Session, located: Located, pushed: Pushed) -> None:
    what = "is there, as commit" if pushed.is_change else "was there already: no new commit, it is"
    named = f", which is {pushed.tag} now" if pushed.tag and not pushed.is_change else ""
    session.output.note(f"{pushed.ref} {what} {pushed.commit[:_COMMIT]}{named}: {pushed.url}")
    from gansdk.cards.exhibits import applicable

    if not {one.name for one in pushed.changes} & set(applicable(located.config)):
        session.output.note("its card has no pictures; `gansdk card` puts them into a model folder of yours")
    session.output.note(f"others type: {_line(session, located, pushed.ref)}")


def _line(session: Session, located: Located, ref: str) -> str:
    """What somebody else types to use the model."""
    from gansdk.cards.examples import examples
    from gansdk.inference.catalog import fits

    own = session.catalog.method(located).defaults if located.config.method in session.registry.methods else {}
    fitting = [task for task in session.registry.tasks.values() if fits(task, located.config)]
    tasks = sorted(fitting, key=lambda task: (task.name not in own, len(task.slots), task.name))
    shown = (one for task in tasks for one in examples(task, located.config.facts))
    return next((one.command(ref) for one in shown), f"gansdk pull {shlex.quote(ref)}")
