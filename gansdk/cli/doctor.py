"""``gansdk doctor``: what is here, what works, and what does not. The one listing that imports torch."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING, Any

import typer

from gansdk._version import __version__
from gansdk.cli.importing import uninterrupted
from gansdk.cli.session import Session, session_of
from gansdk.errors import GansdkError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def doctor(context: typer.Context) -> None:
    """Check versions, devices, plugins, folders and settings; exit code 1 if something needs attention."""
    session = session_of(context)
    records = [*_versions(), *_torch(), *_plugins(session), *_folders(), *_settings(session), *_defaults(session)]
    columns = {key: (lambda record, key=key: str(record[key])) for key in ("state", "what", "found")}
    session.output.listing(records, columns)
    problems = sum(record["state"] != "ok" for record in records)
    if problems:
        session.output.note(f"{problems} of {len(records)} need attention")
        raise typer.Exit(1)


def _record(what: str, found: object, *, ok: bool = True) -> dict[str, Any]:
    return {"what": what, "state": "ok" if ok else "problem", "found": str(found)}


def _versions() -> Iterator[dict[str, Any]]:
    yield _record("gansdk", __version__)
    yield _record("python", f"{platform.python_version()} on {platform.platform(terse=True)}, {sys.executable}")


def _torch() -> Iterator[dict[str, Any]]:
    try:
        with uninterrupted():
            import torch

            from gansdk.inference.runtime import devices, has_native
    except (ImportError, OSError) as error:  # OSError: a shared library that is missing
        yield _record("torch", f"cannot be imported: {error}", ok=False)
        return
    yield _record("torch", torch.__version__)
    for name in devices():
        device = torch.device(name)
        native = [precision for precision in ("bf16", "fp16") if has_native(device, precision)]
        count = torch.get_num_threads()
        threads = f", {count} thread{'s' if count > 1 else ''}" if device.type == "cpu" else ""
        yield _record(f"device {name}", f"fp32{''.join(f', {one}' for one in native)} natively{threads}")


def _plugins(session: Session) -> Iterator[dict[str, Any]]:
    for status in session.registry.statuses:
        found = f"{status.source.version}{f', {status.state}: {status.reason}' if status.reason else ''}"
        name = f"plugin {status.source.distribution}, {status.source.entry_point}"
        yield _record(name, found, ok=status.state == "ok")


def _folders() -> Iterator[dict[str, Any]]:
    from gansdk.settings import folders

    place = folders()
    for name, folder in (("config", place.config), ("cache", place.cache)):
        writable = os.access(_nearest(folder), os.W_OK)
        yield _record(f"{name} folder", folder if writable else f"{folder} cannot be written to", ok=writable)


def _nearest(folder: Path) -> Path:
    """The folder, or the one above in which it would be made."""
    return folder if folder.exists() or folder == folder.parent else _nearest(folder.parent)


def _settings(session: Session) -> Iterator[dict[str, Any]]:
    try:
        aliases, defaults = session.settings.aliases(), session.settings.defaults()
        yield _record("settings", f"{len(aliases)} aliases, {len(defaults)} defaults in {session.settings.file}")
    except GansdkError as error:
        yield _record("settings", error, ok=False)


def _defaults(session: Session) -> Iterator[dict[str, Any]]:
    try:
        defaults = session.settings.defaults()
    except GansdkError:  # said above
        return
    for name in defaults:
        try:
            choice = session.catalog.choose(session.registry.task(name))
            yield _record(f"default {name}", choice.ref)
        except GansdkError as error:
            yield _record(f"default {name}", error, ok=False)
