"""``gansdk pull``, ``push``, ``bundle`` and ``unbundle``: how models get from one machine to another."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED, CommandContext, complete_ref, context_of
from gansdk.cli.output import Bar, bytes_text, uninterrupted
from gansdk.errors import HubError, OptionError, OutputError, OutputExistsError, UsageError
from gansdk.refs import Builtin, Folder, Hub

if TYPE_CHECKING:
    from gansdk.models.resolved import ResolvedModel
    from gansdk.publishing.push import Pushed, PushPlan


_COMMIT = 12
"""Digits of a commit that messages show."""

_TAR = ".tar"

OnExists = Annotated[
    str,
    typer.Option(
        metavar="error|skip|overwrite|rename",
        help="what to do where something is there already (default: error)",
        show_default=False,
    ),
]


def pull(
    context: typer.Context,
    ref: Annotated[
        str, typer.Argument(metavar="REF", help="hub:ORG/NAME, with @TAG, @BRANCH or @COMMIT, or an alias of one")
    ],
) -> None:
    """Bring a model from the Hub here, so that it runs without a network.

    It goes to the cache of the Hub's own client, which other tools share. What is there already is checked, and what is
    damaged is fetched again.
    """
    session = context_of(context)
    resolved = session.catalog.pull(ref)
    files = sorted(path for path in resolved.folder.iterdir() if path.is_file())
    size, commit, missing = sum(path.stat().st_size for path in files), resolved.folder.name, resolved.missing_plugin
    record = {
        "ref": resolved.ref,
        "commit": commit,
        "folder": str(resolved.folder),
        "files": [path.name for path in files],
        "bytes": size,
        "method": resolved.config.method,
        "installed": resolved.config.method in session.registry.methods,
        "requires": resolved.config.requires,
    }
    session.output.outcome(
        record,
        f"{ref} is here and whole: commit {commit[:_COMMIT]}, {bytes_text(size)}, in {resolved.folder}",
        f"its method {resolved.config.method!r} is not: {missing.hint}" if missing else "",
    )


def push(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help=NAMED, autocompletion=complete_ref)],
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
    session = context_of(context)
    resolved = session.catalog.locate(model)
    from gansdk.publishing.push import PushOptions, make_plan

    wanted = PushOptions(private, message, tag, card or None, dry_run)  # type: ignore[arg-type]  # make_plan checks it
    plan = make_plan(session.catalog, resolved, ref, wanted)
    if plan.pushed.is_change:
        with uninterrupted():
            import torch  # noqa: F401 - the checks need it; it takes its time, and must not be torn apart
    pushed = _carry_out(session, plan)
    if session.output.flags.json:
        session.output.record(pushed.as_record())
    elif dry_run:
        _show_plan(session, plan, pushed)
    else:
        _report_pushed(session, resolved, pushed)
    if pushed.unasked is not None and not session.catalog.access.is_offline:
        raise pushed.unasked


def _carry_out(session: CommandContext, plan: PushPlan) -> Pushed:
    from gansdk.publishing.push import carry_out

    bar = Bar(session.output)

    def show(check: str, number: int, total: int) -> None:
        bar.show(check, number, total)
        if number == total:  # the client's own bars come next
            bar.clear()

    try:
        return carry_out(plan, show)
    finally:
        bar.clear()


def _show_plan(session: CommandContext, plan: PushPlan, pushed: Pushed) -> None:
    columns: dict[str, Any] = {
        "file": "name",
        "size": lambda file: bytes_text(file["bytes"]),
        "": lambda file: file["state"] or "",
    }
    session.output.listing(pushed.as_record()["files"], columns)
    from gansdk.hub.pushing import check_login

    try:
        check_login(plan.place.ref)
    except HubError as error:
        session.output.note(str(error))
    what = "this would go" if pushed.is_change else "nothing would change"
    session.output.note(f"{what}: {pushed.url}{f', as {pushed.tag}' if pushed.tag else ''}")
    if pushed.unasked is not None and session.catalog.access.is_offline:
        session.output.note(str(pushed.unasked))


def _report_pushed(session: CommandContext, resolved: ResolvedModel, pushed: Pushed) -> None:
    what = "is there, as commit" if pushed.is_change else "was there already: no new commit, it is"
    named = f", which is {pushed.tag} now" if pushed.tag and not pushed.is_change else ""
    session.output.note(f"{pushed.ref} {what} {pushed.commit[:_COMMIT]}{named}: {pushed.url}")
    from gansdk.cards.card import applicable

    if not {change.name for change in pushed.changes} & set(applicable(resolved.config)):
        session.output.note("its card has no images; `gansdk card` puts them into a model folder of yours")
    session.output.note(f"others type: {_example(session, resolved, pushed.ref)}")


def _example(session: CommandContext, resolved: ResolvedModel, ref: str) -> str:
    """What somebody else types to use the model."""
    from gansdk.cards.card import own_tasks
    from gansdk.cards.commands import examples

    own = resolved.method.defaults if resolved.missing_plugin is None else {}
    fitting = own_tasks(session.registry, resolved.config)
    tasks = sorted(fitting, key=lambda task: (task.name not in own, len(task.slots), task.name))
    shown = (example for task in tasks for example in examples(task, resolved.config.facts))
    return next((example.command(ref) for example in shown), f"gansdk pull {shlex.quote(ref)}")


def bundle(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=complete_ref)],
    *,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FILE", help="the bundle (default: NAME.tar)", show_default=False),
    ] = "",
    on_exists: OnExists = "error",
) -> None:
    """Put a model into one file, to carry it to a machine without a network.

    It is a plain tar of the model's files, its card and its measurements; the same model gives the same bytes.
    """
    session = context_of(context)
    if output == "-":
        raise UsageError("a bundle goes to a file, not to standard output", hint="give -o a name, as model.tar")
    wanted = _bundle_file(output) if output else Path(f"{_default_name(session, ref)}{_TAR}")
    policy = _policy(on_exists)
    target = _free(wanted, policy)
    if target is None:
        _report_skipped(session, ref, wanted)
        return
    resolved = session.catalog.locate(ref)
    resolved.ensure_all_files()
    from gansdk.model.bundles import write_bundle

    names = write_bundle(resolved.folder, resolved.config, target, replace=policy == "overwrite")
    size = target.stat().st_size
    session.output.outcome(
        {"input": ref, "output": str(target), "skipped": False, "bytes": size, "files": names},
        f"{ref} → {target}, {bytes_text(size)}; there: gansdk unbundle {shlex.quote(target.name)}",
    )


def unbundle(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="what `gansdk bundle` made")],
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="the model's folder (default: beside FILE, called like it)",
            show_default=False,
        ),
    ] = "",
    on_exists: OnExists = "error",
) -> None:
    """Make a model folder of a bundle. Nothing in it is run, and every file is checked."""
    session = context_of(context)
    from gansdk.importing.destination import beside, destination

    path = Path(file)
    wanted = Path(output) if output else beside(path)
    folder = destination(wanted, _policy(on_exists))
    if folder is None:
        _report_skipped(session, file, wanted)
        return
    from gansdk.model.bundles import read_bundle

    config = read_bundle(path, folder, replace=folder.exists())
    missing = session.catalog.resolve(f"{folder}/", folder, config).missing_plugin
    record = {
        "input": file,
        "output": str(folder),
        "skipped": False,
        "ref": f"{folder}/",
        "method": config.method,
        "requires": config.requires,
        "installed": missing is None,
        "files": sorted(path.name for path in folder.iterdir()),
    }
    words = f"{file} → {folder}; use it with --model {shlex.quote(f'{folder}/')}"
    session.output.outcome(record, words, str(missing or ""))


def _bundle_file(output: str) -> Path:
    """The file that was asked for; one that ends as something else would be opened as that."""
    path = Path(output)
    if path.suffix.lower() not in {"", _TAR} and not path.is_dir():
        raise OptionError(
            f"{path.name} names no format that can be written", hint=f"a bundle is a tar: end it in {_TAR}"
        )
    return path


def _default_name(session: CommandContext, text: str) -> str:
    """What a model's file is called by default."""
    ref = session.catalog.follow(text)
    if isinstance(ref, Builtin):
        return ref.name
    if isinstance(ref, Hub):
        return ref.repo.partition("/")[2]
    return (ref.path if isinstance(ref, Folder) else Path(text)).resolve().name or "model"


def _policy(on_exists: str) -> str:
    from gansdk.options import RecordWriting, validate

    return validate(RecordWriting, {"on_exists": on_exists}).on_exists


def _free(target: Path, policy: str) -> Path | None:
    """Where the file goes, known before anything is fetched; None where something stands there and stays."""
    from gansdk.files import stands
    from gansdk.media.writing import free_name

    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint=f"give -o a file, as {target / 'model.tar'}")
    if not target.parent.is_dir():
        raise OutputError(f"there is no folder {target.parent}", hint="create it first")
    is_there = stands(target)
    if policy == "rename":
        return free_name(target)
    if is_there and policy == "error":
        raise OutputExistsError(f"{target} exists already", hint="use --on-exists overwrite, skip or rename")
    return None if is_there and policy == "skip" else target


def _report_skipped(session: CommandContext, text: str, there: Path) -> None:
    record = {"input": text, "output": str(there), "skipped": True}
    session.output.outcome(record, f"{text}: skipped, {there} exists")
