"""``gansdk bench``."""

from __future__ import annotations

from inspect import Parameter
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import NAMED, made_command
from gansdk.cli.importing import uninterrupted
from gansdk.cli.output import bytes_text
from gansdk.cli.progress import Bar
from gansdk.cli.session import known_refs, session_of

if TYPE_CHECKING:
    from gansdk.evaluation.contests import Speed

TEXT = """Measure how fast a model is here, as ratios from one run, and what memory it takes.

    "eager" is the network as its authors call it: the whole picture at once, in fp32. "ours" is what `gansdk run`
    does, from pixels to pixels, with dividing and rounding. All ways run in turn. Other programs that run meanwhile
    disturb the figures.
    """
_REF = Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=known_refs)]


def command() -> Any:
    """The command."""
    from gansdk.cli.task_options import parameter_of
    from gansdk.evaluation.speed import SpeedOptions
    from gansdk.options import LoadOptions, describe

    ref = Parameter("ref", Parameter.POSITIONAL_OR_KEYWORD, annotation=_REF)
    options = [parameter_of(info, "Options") for info in describe(SpeedOptions)]
    load = [parameter_of(info, "Model") for info in describe(LoadOptions)]
    return made_command("bench", _call, [ref, *options, *load], TEXT)


def _call(context: typer.Context, values: dict[str, Any]) -> None:
    from gansdk.evaluation.speed import SpeedOptions
    from gansdk.options import LoadOptions, validate

    session = session_of(context)
    given = {name: value or None for name, value in values.items()}
    options = validate(SpeedOptions, {name: given[name] for name in SpeedOptions.model_fields})
    load = validate(LoadOptions, {name: given[name] for name in LoadOptions.model_fields})
    located = session.catalog.locate(values["ref"])
    with uninterrupted():
        import torch

        from gansdk.evaluation.speed import measure_speed
    bar, found = Bar(session.output), []
    try:
        for speed in measure_speed(session.catalog, located, load, options, progress=bar.show):
            bar.clear()
            found.append(speed)
            if session.output.flags.json:
                cost = {"call_over_this": _overhead(found, speed)}
                session.output.record({"model": located.ref, **speed.as_record(), **cost, **_machine()})
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
