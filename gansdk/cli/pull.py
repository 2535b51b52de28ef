"""``gansdk pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.output import bytes_text
from gansdk.cli.session import Session, missing_plugin, session_of

if TYPE_CHECKING:
    from gansdk.inference.located import Located


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
    session = session_of(context)
    located = session.catalog.pull(ref)
    record = _record(session, located)
    if session.output.flags.json:
        session.output.record(record)
        return
    size = bytes_text(record["bytes"])
    session.output.note(f"{ref} is here and whole: commit {record['commit'][:12]}, {size}, in {located.folder}")
    if missing := missing_plugin(session, located):
        session.output.note(f"its method {located.config.method!r} is not: {missing.hint}")


def _record(session: Session, located: Located) -> dict[str, Any]:
    names = [path for path in located.folder.iterdir() if path.is_file()]
    return {
        "ref": located.ref,
        "commit": located.folder.name,
        "folder": str(located.folder),
        "files": sorted(path.name for path in names),
        "bytes": sum(path.stat().st_size for path in names),
        "method": located.config.method,
        "installed": located.config.method in session.registry.methods,
        "requires": located.config.requires,
    }
