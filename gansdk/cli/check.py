"""``gansdk check``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from gansdk.cli.importing import uninterrupted
from gansdk.cli.output import seconds_text, table
from gansdk.cli.progress import Bar
from gansdk.cli.session import Session, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansdk.testing import Kit, Result


def check(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="DIST|REF", help="an installed plugin, as in gansdk-plugin-NAME, or a model")
    ],
) -> None:
    """Check a plugin with its methods, models and recipes, or one model.

    Exit code 1 if something fails. What is checked, why, and how a plugin runs the same in its tests stands in
    docs/plugins.md.
    """
    session = session_of(context)
    with uninterrupted():
        from gansdk.testing import kit_for

        kit = kit_for(what, session.catalog)
    results = _run(session, kit)
    failed = [result for result in results if result.outcome == "failed"]
    _summarise(session, results, failed)
    if failed:
        raise typer.Exit(1)


def _run(session: Session, kit: Kit) -> list[Result]:
    """Runs all checks: a record for each as it ends, or one table at the end."""
    output, bar, total = session.output, Bar(session.output), len(kit.pairs())
    results: list[Result] = []
    try:
        for result in kit:
            results.append(result)
            bar.show(result.subject, len(results), total)
            if output.flags.json:
                output.record(result.as_record())
            if result.error is not None and output.flags.verbose:
                output.trace(result.error)
    finally:
        bar.clear()
    if not output.flags.json:
        for line in table([["", "check", "of", ""], *(_row(result) for result in results)]):
            output.data(line)
    return results


def _row(result: Result) -> list[str]:
    return [result.outcome, result.check.id, result.subject, result.message or result.check.title]


def _summarise(session: Session, results: Sequence[Result], failed: Sequence[Result]) -> None:
    for check in dict.fromkeys(result.check for result in failed):
        session.output.note(f"{check.id}: {check.title}. {check.why}")
    counts = Counter(result.outcome for result in results)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped") if counts[outcome])
    session.output.note(f"{told} in {seconds_text(sum(result.seconds for result in results))}")
