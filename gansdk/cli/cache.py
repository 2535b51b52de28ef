"""``gansdk cache``: the models of the Hub that are on this disk. Nobody is asked about them."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import Command, CommandContext, context_of, new_app
from gansdk.cli.output import Bar, bytes_text
from gansdk.errors import UsageError
from gansdk.refs import Hub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansdk.hub.cache import Cached, Checked, Removed


app = new_app(invoke_without_command=True)

_REF = "hub:ORG/NAME, with @TAG, @BRANCH or @COMMIT (12 digits will do), or an alias of one"
_SHORT = 12


@app.callback()
def cache(context: typer.Context) -> None:
    """List, verify and remove the models of the Hub that are on this disk."""
    if context.invoked_subcommand is None:
        _list(context_of(context))


@app.command("list", cls=Command)
def list_cached(context: typer.Context) -> None:
    """List the models of the Hub that are on this disk, one line a commit.

    The cache is that of the Hub's own client; what other tools have there is not listed.
    """
    _list(context_of(context))


@app.command("verify", cls=Command)
def verify(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="[REF]", help=f"{_REF}; all if not given", show_default=False)] = "",
) -> None:
    """Hold every cached file against what config.json and the Hub say of it.

    Exit code 1 if something is damaged; each line ends with the command that mends it.
    """
    session = context_of(context)
    from gansdk.hub.cache import cached, find

    items = find(_followed(session, ref), cached()) if ref else cached()
    checked = _check(session, items)
    damaged = [one for one in checked if one.wrong is not None]
    if session.output.flags.json:
        for one in items:
            session.output.record(_verified(one, [each for each in checked if each.cached is one]))
    else:
        _tell(session, items, checked, damaged)
    if damaged:
        raise typer.Exit(1)


@app.command("remove", cls=Command)
def remove(
    context: typer.Context,
    ref: Annotated[
        str, typer.Argument(metavar="REF", help=f"{_REF}; without a revision all commits of it", show_default=False)
    ],
    *,
    leftovers: Annotated[
        bool, typer.Option("--leftovers", help="Remove only what killed downloads of the repository left.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
) -> None:
    """Remove a model of the Hub from this disk, with what killed downloads of it left.

    Files that another commit shares stay, and so does all that other tools have in the cache.
    """
    session = context_of(context)
    from gansdk.hub import cache
    from gansdk.hub.cache import cached, find

    wanted = _followed(session, ref)
    items = find(wanted, cached())
    if leftovers:
        _report(session, wanted, [cache.remove_leftovers(wanted.repo, dry_run=dry_run)], dry_run=dry_run)
        return
    shas = [one.sha for one in items] if wanted.revision else [None]
    _report(session, wanted, [cache.remove(wanted.repo, sha, dry_run=dry_run) for sha in shas], dry_run=dry_run)


def _followed(session: CommandContext, text: str) -> Hub:
    ref = session.catalog.follow(text)
    if not isinstance(ref, Hub):
        raise UsageError(f"{text} is not on the Hub, so it is not in the cache", hint="see `gansdk cache list`")
    if ref.file:
        raise UsageError(f"{text} names a file, not a model", hint=f"leave out :{ref.file}")
    return ref


def _list(session: CommandContext) -> None:
    from gansdk.hub.cache import cached

    items = cached()
    columns = {
        "model": lambda record: f"hub:{record['repo']}",
        "commit": lambda record: str(record["commit"])[:_SHORT],
        "names": lambda record: ", ".join(record["names"]) or "-",
        "size": lambda record: bytes_text(record["bytes"]),
        "last used": lambda record: str(record["used"])[:16].replace("T", " "),
        "": lambda record: str(record["problem"]),
    }
    session.output.listing([_record(one) for one in items], columns)
    if not items:
        _nothing(session)


def _nothing(session: CommandContext) -> None:
    session.output.note("no model of the Hub is cached; bring one with `gansdk pull hub:ORG/NAME`")


def _record(one: Cached) -> dict[str, Any]:
    return {
        "ref": str(one.ref),
        "repo": one.repo,
        "commit": one.sha,
        "names": list(one.names),
        "folder": str(one.folder),
        "bytes": one.size,
        "used": datetime.fromtimestamp(one.used).astimezone().isoformat(timespec="seconds"),
        "problem": one.problem,
    }


def _check(session: CommandContext, items: Sequence[Cached]) -> list[Checked]:
    from gansdk.hub.cache import verify as verified

    bar, total, done = Bar(session.output), sum(one.size for one in items), 0
    checked = []
    try:
        for one in verified(items):
            checked.append(one)
            done += one.size
            bar.show(f"hub:{one.cached.repo}", done, total)
    finally:
        bar.clear()
    return checked


def _verified(one: Cached, checked: Sequence[Checked]) -> dict[str, Any]:
    from gansdk.hub.cache import leftovers

    left = leftovers(one.repo)
    return {
        **_record(one),
        "files": len(checked),
        "damaged": [
            {"file": each.name, "expected": each.wrong[0], "got": each.wrong[1], "mend": each.mend}
            for each in checked
            if each.wrong is not None
        ],
        "missing": one.missing,
        "leftovers": [str(path) for path in left],
    }


def _tell(
    session: CommandContext, items: Sequence[Cached], checked: Sequence[Checked], damaged: Sequence[Checked]
) -> None:
    from gansdk.hub.cache import leftovers

    output = session.output
    for one in damaged:
        expected, got = one.wrong or ("", "")
        output.data(f"{one.cached.ref}: {one.name}: expected {expected}, got {got}; {one.mend}")
    for item in items:
        if item.problem and not item.is_damaged:
            output.note(f"{item.ref}: {item.problem}")
        if item.missing:
            output.detail(f"{item.ref}: not fetched, which is no damage: {', '.join(item.missing)}")
    for repo in dict.fromkeys(item.repo for item in items):
        if left := leftovers(repo):
            size = bytes_text(sum(path.stat().st_size for path in left))
            what = f"killed downloads of hub:{repo} left {_count(len(left), 'file')}, {size}"
            output.note(f"{what}; gansdk cache remove {shlex.quote(f'hub:{repo}')} --leftovers")
    if not items:
        _nothing(session)
    else:
        output.note(_summary(items, checked, damaged))


def _summary(items: Sequence[Cached], checked: Sequence[Checked], damaged: Sequence[Checked]) -> str:
    size = bytes_text(sum(one.size for one in items))
    told = f"{_count(len(checked), 'file')} of {_count(len(items), 'commit')}, {size}"
    missing = sum(len(one.missing) for one in items)
    more = f"; not fetched, which is no damage: {missing} more" if missing else ""
    return f"{told}: {f'{len(damaged)} damaged' if damaged else 'all as they should be'}{more}"


def _report(session: CommandContext, wanted: Hub, removed: Sequence[Removed], *, dry_run: bool) -> None:
    commits = [str(one.ref) for each in removed for one in each.commits]
    left = [str(path) for each in removed for path in each.leftovers]
    freed = sum(each.freed for each in removed)
    if session.output.flags.json:
        record = {"ref": str(wanted), "removed": commits, "leftovers": left, "bytes": freed, "dry_run": dry_run}
        session.output.record(record)
        return
    for text in commits:
        session.output.note(f"{text} {'would go' if dry_run else 'is removed'}")
    if left:
        what = f"what killed downloads left, {_count(len(left), 'file')}, "
        session.output.note(what + ("would go" if dry_run else "is removed"))
    if not commits and not left:
        session.output.note("there is nothing to remove")
    else:
        session.output.note(f"{bytes_text(freed)} {'would be' if dry_run else 'are'} free")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
