"""``gansdk check``, ``gansdk card`` and ``gansdk bench``."""

from __future__ import annotations

import shlex
from collections import Counter
from inspect import Parameter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED, CommandContext, complete_ref, context_of, made_command
from gansdk.cli.output import Bar, bytes_text, seconds_text, table, uninterrupted
from gansdk.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansdk.cards.card import Card
    from gansdk.evaluation.benchmark import Speed
    from gansdk.models.resolved import ResolvedModel
    from gansdk.testing import Kit, Result


def check(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="DIST|REF", help="an installed plugin, as in gansdk-plugin-NAME, or a model")
    ],
) -> None:
    """Check a plugin with its methods, models and recipes, or one model.

    Exit code 1 if a check fails. docs/checks.md lists the checks with their reasons, and how a plugin's own tests run
    them.
    """
    session = context_of(context)
    with uninterrupted():
        from gansdk.testing import kit_for

        kit = kit_for(what, session.catalog)
    results = _run(session, kit)
    failed = [result for result in results if result.outcome == "failed"]
    _summarise(session, results, failed)
    if failed:
        raise typer.Exit(1)


def _run(session: CommandContext, kit: Kit) -> list[Result]:
    """Runs all checks: a record for each as it ends, or one table at the end."""
    output, bar, total = session.output, Bar(session.output), len(kit.pairs())
    results: list[Result] = []
    try:
        for result in kit:
            results.append(result)
            bar.show(result.target, len(results), total)
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
    return [result.outcome, result.check.id, result.target, result.message or result.check.title]


def _summarise(session: CommandContext, results: Sequence[Result], failed: Sequence[Result]) -> None:
    for check in dict.fromkeys(result.check for result in failed):
        session.output.note(f"{check.id}: {check.title}. {check.why}")
    counts = Counter(result.outcome for result in results)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped") if counts[outcome])
    session.output.note(f"{told} in {seconds_text(sum(result.seconds for result in results))}")


_README = "README.md"


def card(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=complete_ref)],
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="the card's file; its images go beside it (default: README.md in the model's folder; the card of a "
            "model that ships in a plugin is printed)",
            show_default=False,
        ),
    ] = "",
    images: Annotated[
        bool, typer.Option(help="Run the model to make the card's images; --no-images keeps those that are there.")
    ] = True,
) -> None:
    """Make or renew a model's card from what was measured and recorded.

    What an author wrote outside of the marked regions, and fields of the front matter that gansdk does not know, stay.
    """
    session = context_of(context)
    resolved = session.catalog.locate(ref)
    from gansdk.cards.card import gather

    target = _target(session, resolved, output)
    found = gather(session.catalog, resolved)
    if target is None:
        _print(session, found)
    else:
        _write(session, resolved, found, target, images=images)


def _target(session: CommandContext, resolved: ResolvedModel, output: str) -> Path | None:
    """The card's file; None where it is printed."""
    from gansdk.evaluation.evaluated_model import is_users_own
    from gansdk.files import stands

    if not output:
        return resolved.folder / _README if is_users_own(session.catalog, resolved) else None
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint=f"give -o a file, as {path / _README}")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {path.parent}", hint="create it first")
    stands(path)
    return path


def _print(session: CommandContext, card: Card) -> None:
    from gansdk.cards.rendering import render

    text = render(card)
    if session.output.flags.json:
        session.output.record({"card": None, "text": text})
    else:
        session.output.data(text.rstrip("\n"))


def _write(session: CommandContext, resolved: ResolvedModel, card: Card, target: Path, *, images: bool) -> None:
    from gansdk.cards.rendering import read_card, render, with_images_beside
    from gansdk.files import write_whole

    before = read_card(target)
    render(card, before)  # a card that cannot be renewed is known before the model runs
    made = _make_images(session, resolved, target.parent) if images else []
    write_whole(target, render(with_images_beside(card, target), before))
    if session.output.flags.json:
        session.output.record({"card": str(target), "images": [str(path) for path in made]})
    else:
        words = f"{', '.join(path.name for path in made)} beside it" if made else "no image was made"
        session.output.note(f"{target} {'is renewed' if before is not None else 'is written'}; {words}")
    if not card.evaluation.measurements:
        session.output.note(f"the model was never measured: gansdk eval {shlex.quote(resolved.ref)} --data FOLDER")


def _make_images(session: CommandContext, resolved: ResolvedModel, folder: Path) -> list[Path]:
    from gansdk.cards.card import applicable

    if not applicable(resolved.config):
        return []
    resolved.check_plugin()
    session.output.note("making the card's images; --no-images leaves it out")
    with uninterrupted():
        import torch  # noqa: F401 - takes its time, and must not be torn apart

        from gansdk.cards.images import make_images
        from gansdk.options import LoadOptions
    return make_images(folder, resolved, LoadOptions(precision="fp32"))


TEXT = """Measure how fast a model is here, as ratios from one run, and what memory it takes.

    "eager" is the network as its authors call it: the whole image at once, in fp32. "ours" is what `gansdk run`
    does, from pixels to pixels, with dividing and rounding. All ways run in turn. Other programs that run meanwhile
    disturb the figures.
    """
_REF = Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=complete_ref)]


def command() -> Any:
    """The command."""
    from gansdk.cli.tasks import parameter_of
    from gansdk.evaluation.benchmark import SpeedOptions
    from gansdk.options import LoadOptions, describe

    ref = Parameter("ref", Parameter.POSITIONAL_OR_KEYWORD, annotation=_REF)
    options = [parameter_of(info, "Options") for info in describe(SpeedOptions)]
    load = [parameter_of(info, "Model") for info in describe(LoadOptions)]
    return made_command("bench", _call, [ref, *options, *load], TEXT)


def _call(context: typer.Context, values: dict[str, Any]) -> None:
    from gansdk.evaluation.benchmark import SpeedOptions
    from gansdk.options import LoadOptions, validate

    session = context_of(context)
    given = {name: value or None for name, value in values.items()}
    options = validate(SpeedOptions, {name: given[name] for name in SpeedOptions.model_fields})
    load = validate(LoadOptions, {name: given[name] for name in LoadOptions.model_fields})
    resolved = session.catalog.locate(values["ref"])
    with uninterrupted():
        import torch

        from gansdk.evaluation.benchmark import measure_speed
    bar, found = Bar(session.output), []
    sides = ", ".join(f"{side}×{side}" for side in sorted(set(options.side)))
    session.output.note(
        f"inputs of {sides}: {options.rounds} rounds each, fewer if they take more than {options.patience:g} s"
    )
    try:
        for speed in measure_speed(session.catalog, resolved, load, options, progress=bar.show):
            bar.clear()
            found.append(speed)
            if session.output.flags.json:
                cost = {"call_over_this": _overhead(found, speed)}
                session.output.record({"model": resolved.ref, **speed.as_record(), **cost, **_machine()})
    finally:
        bar.clear()
    if not session.output.flags.json:
        session.output.listing([_cells(found, speed) for speed in found], _COLUMNS)
        session.output.note(f"torch {torch.__version__}, {torch.get_num_threads()} CPU threads")


_COLUMNS: dict[str, Any] = {
    name: (lambda cells, name=name: cells[name])
    for name in ("input", "way", "numbers", "seconds", "× eager", "least–most", "rounds", "memory", "remark")
}


def _cells(found: list[Speed], speed: Speed) -> dict[str, str]:
    record = speed.as_record()
    ran = bool(speed.seconds)
    low, high = record["speed_up_range"] or (0, 0)
    return {
        "input": f"{speed.side}×{speed.side}",
        "way": speed.way,
        "numbers": speed.precision,
        "seconds": f"{record['seconds']:.3g}" if ran else "–",
        "× eager": f"{record['speed_up']:.2f}" if speed.speed_up else "–",
        "least–most": f"{low:.2f}–{high:.2f}" if speed.speed_up else "–",
        "rounds": str(record["rounds"]) if ran else "–",
        "memory": bytes_text(speed.peak) if speed.peak is not None else "–",
        "remark": speed.left_out or _remark(_overhead(found, speed)),
    }


def _remark(overhead: float | None) -> str:
    return "" if overhead is None else f"the whole call (ours) takes {overhead:.2f} times as long"


def _overhead(found: list[Speed], speed: Speed) -> float | None:
    """A call's seconds over those of the network alone, the median of the rounds, where both were measured."""
    if speed.way != "network alone" or not speed.seconds:
        return None
    call = next(
        one for one in found if one.side == speed.side and one.way == "ours" and one.precision == speed.precision
    )
    return median(ours / alone for ours, alone in zip(call.seconds, speed.seconds, strict=True))


def _machine() -> dict[str, Any]:
    import torch

    return {"torch": torch.__version__, "threads": torch.get_num_threads()}
