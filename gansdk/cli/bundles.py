"""``gansdk bundle`` and ``gansdk unbundle``: a model as one file, and back."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED
from gansdk.cli.output import bytes_text
from gansdk.cli.session import Session, known_refs, missing_plugin, session_of
from gansdk.errors import MissingPluginError, OptionError, OutputError, OutputExistsError, UsageError
from gansdk.refs import Builtin, Folder, Hub

if TYPE_CHECKING:
    from gansdk.model.config import ModelConfig

_TAR = ".tar"
_OTHERWISE = "use --on-exists overwrite, skip or rename"

OnExists = Annotated[
    str,
    typer.Option(
        metavar="error|skip|overwrite|rename",
        help="what to do where something is there already (default: error)",
        show_default=False,
    ),
]


def bundle(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=known_refs)],
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
    session = session_of(context)
    if output == "-":
        raise UsageError("a bundle goes to a file, not to standard output", hint="give -o a name, as model.tar")
    wanted = _named(output) if output else Path(f"{_name(session, ref)}{_TAR}")
    policy = _policy(on_exists)
    target = _free(wanted, policy)
    if target is None:
        _report_skipped(session, ref, wanted)
        return
    located = session.catalog.locate(ref)
    located.bring_whole()
    from gansdk.model.bundles import write_bundle

    names = write_bundle(located.folder, located.config, target, replace=policy == "overwrite")
    size = target.stat().st_size
    if session.output.flags.json:
        record = {"input": ref, "output": str(target), "skipped": False, "bytes": size, "files": names}
        session.output.record(record)
    else:
        session.output.note(f"{ref} → {target}, {bytes_text(size)}; there: gansdk unbundle {shlex.quote(target.name)}")


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
    session = session_of(context)
    from gansdk.importing.destination import beside, destination

    path = Path(file)
    wanted = Path(output) if output else beside(path)
    folder = destination(wanted, _policy(on_exists))
    if folder is None:
        _report_skipped(session, file, wanted)
        return
    from gansdk.model.bundles import read_bundle

    config = read_bundle(path, folder, replace=folder.exists())
    _report(session, file, folder, config)


def _named(output: str) -> Path:
    """The file that was asked for; one that ends as something else would be opened as that."""
    path = Path(output)
    if path.suffix.lower() not in {"", _TAR} and not path.is_dir():
        raise OptionError(
            f"{path.name} names no format that can be written", hint=f"a bundle is a tar: end it in {_TAR}"
        )
    return path


def _name(session: Session, text: str) -> str:
    """What a model's file is called by itself."""
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
    from gansdk.media.placing import free_name

    if target.is_dir():
        raise UsageError(f"{target} is a folder", hint=f"give -o a file, as {target / 'model.tar'}")
    if not target.parent.is_dir():
        raise OutputError(f"there is no folder {target.parent}", hint="create it first")
    is_there = stands(target)
    if policy == "rename":
        return free_name(target)
    if is_there and policy == "error":
        raise OutputExistsError(f"{target} exists already", hint=_OTHERWISE)
    return None if is_there and policy == "skip" else target


def _report_skipped(session: Session, text: str, there: Path) -> None:
    if session.output.flags.json:
        session.output.record({"input": text, "output": str(there), "skipped": True})
    else:
        session.output.note(f"{text}: skipped, {there} exists")


def _report(session: Session, file: str, folder: Path, config: ModelConfig) -> None:
    from gansdk.inference.located import Located

    ref = shlex.quote(f"{folder}/")
    missing = missing_plugin(session, Located(ref, folder, config))
    if session.output.flags.json:
        session.output.record(_record(file, folder, config, missing))
        return
    session.output.note(f"{file} → {folder}; use it with --model {ref}")
    if missing is not None:
        session.output.note(str(missing))


def _record(file: str, folder: Path, config: ModelConfig, missing: MissingPluginError | None) -> dict[str, Any]:
    return {
        "input": file,
        "output": str(folder),
        "skipped": False,
        "ref": f"{folder}/",
        "method": config.method,
        "requires": config.requires,
        "installed": missing is None,
        "files": sorted(path.name for path in folder.iterdir()),
    }
