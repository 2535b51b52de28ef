"""``gansdk cache``: the models of the Hub that are on this disk. No network is used."""

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

    from gansdk.cli.output import Columns
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
    damaged = [file for file in checked if file.wrong is not None]
    if session.output.flags.json:
        for item in items:
            session.output.record(_verified(item, [file for file in checked if file.cached is item]))
    else:
        _report_verified(session, items, checked, damaged)
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
        _report_removed(session, wanted, [cache.remove_leftovers(wanted.repo, dry_run=dry_run)], dry_run=dry_run)
        return
    shas = [item.sha for item in items] if wanted.revision else [None]
    _report_removed(session, wanted, [cache.remove(wanted.repo, sha, dry_run=dry_run) for sha in shas], dry_run=dry_run)


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
    columns: Columns = {
        "model": lambda record: f"hub:{record['repo']}",
        "commit": lambda record: str(record["commit"])[:_SHORT],
        "names": "names",
        "size": lambda record: bytes_text(record["bytes"]),
        "last used": lambda record: str(record["used"])[:16].replace("T", " "),
        "": lambda record: str(record["problem"]),
    }
    session.output.listing([_record(item) for item in items], columns)
    if not items:
        _nothing(session)


def _nothing(session: CommandContext) -> None:
    session.output.note("no model of the Hub is cached; bring one with `gansdk pull hub:ORG/NAME`")


def _record(item: Cached) -> dict[str, Any]:
    return {
        "ref": str(item.ref),
        "repo": item.repo,
        "commit": item.sha,
        "names": list(item.names),
        "folder": str(item.folder),
        "bytes": item.size,
        "used": datetime.fromtimestamp(item.used).astimezone().isoformat(timespec="seconds"),
        "problem": item.problem,
    }


def _check(session: CommandContext, items: Sequence[Cached]) -> list[Checked]:
    from gansdk.hub.cache import verify as verified

    bar, total, done = Bar(session.output), sum(item.size for item in items), 0
    checked = []
    try:
        for file in verified(items):
            checked.append(file)
            done += file.size
            bar.show(f"hub:{file.cached.repo}", done, total)
    finally:
        bar.clear()
    return checked


def _verified(item: Cached, checked: Sequence[Checked]) -> dict[str, Any]:
    from gansdk.hub.cache import leftovers

    return {
        **_record(item),
        "files": len(checked),
        "damaged": [
            {"file": file.name, "expected": file.wrong[0], "got": file.wrong[1], "mend": file.mend}
            for file in checked
            if file.wrong is not None
        ],
        "missing": item.missing,
        "leftovers": [str(path) for path in leftovers(item.repo)],
    }


def _report_verified(
    session: CommandContext, items: Sequence[Cached], checked: Sequence[Checked], damaged: Sequence[Checked]
) -> None:
    from gansdk.hub.cache import leftovers

    output = session.output
    for file in damaged:
        expected, got = file.wrong or ("", "")
        output.data(f"{file.cached.ref}: {file.name}: expected {expected}, got {got}; {file.mend}")
    for item in items:
        if item.problem and not item.is_damaged:
            output.note(f"{item.ref}: {item.problem}")
        if item.missing:
            output.detail(f"{item.ref}: not fetched, which is not damage: {', '.join(item.missing)}")
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
    size = bytes_text(sum(item.size for item in items))
    told = f"{_count(len(checked), 'file')} of {_count(len(items), 'commit')}, {size}"
    missing = sum(len(item.missing) for item in items)
    more = f"; not fetched, which is not damage: {missing} more" if missing else ""
    return f"{told}: {f'{len(damaged)} damaged' if damaged else 'all as they should be'}{more}"


def _report_removed(session: CommandContext, wanted: Hub, removed: Sequence[Removed], *, dry_run: bool) -> None:
    commits = [str(commit.ref) for removal in removed for commit in removal.commits]
    left = [str(path) for removal in removed for path in removal.leftovers]
    freed = sum(removal.freed for removal in removed)
    done = "would go" if dry_run else "is removed"
    lines = [f"{commit} {done}" for commit in commits]
    if left:
        lines.append(f"what killed downloads left, {_count(len(left), 'file')}, {done}")
    lines.append(
        f"{bytes_text(freed)} {'would be' if dry_run else 'are'} free" if lines else "there is nothing to remove"
    )
    record = {"ref": str(wanted), "removed": commits, "leftovers": left, "bytes": freed, "dry_run": dry_run}
    session.output.outcome(record, *lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
