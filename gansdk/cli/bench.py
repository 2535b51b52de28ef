"""``gansdk bench``."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.computing import Device, Threads, computing
from gansdk.cli.importing import uninterrupted
from gansdk.cli.output import bytes_text
from gansdk.cli.progress import Bar
from gansdk.cli.session import session_of
from gansdk.options import LoadOptions, validate

if TYPE_CHECKING:
    from gansdk.evaluation.contests import Speed


def bench(
    context: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help="builtin:NAME, a model or run folder, or an alias")],
    *,
    side: Annotated[
        list[str] | None,
        typer.Option(
            metavar="32..8192",
            help="input pixels a side of a square picture; may be repeated (default: 256 and 1024)",
            show_default=False,
        ),
    ] = None,
    rounds: Annotated[
        str | None,
        typer.Option(metavar="1..1000", help="how often each way runs, all in turn (default: 5)", show_default=False),
    ] = None,
    patience: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS",
            help="no further round of a size begins after this; one is always done (default: 60)",
            show_default=False,
        ),
    ] = None,
    device: Device = None,
    precision: Annotated[str | None, computing("auto|fp32|bf16|fp16", "numbers to compute with")] = None,
    threads: Threads = None,
) -> None:
    """Measure how fast a model is here, as ratios from one run, and what memory it takes.

    "eager" is the network as its authors call it: the whole picture at once, in fp32. "ours" is what `gansdk run`
    does, from pixels to pixels, with dividing and rounding. All ways run in turn. Other programs that run meanwhile
    disturb the figures.
    """
    from gansdk.evaluation.speed import SpeedOptions

    session = session_of(context)
    load = validate(LoadOptions, {"device": device, "precision": precision, "threads": threads}, flags=True)
    options = validate(
        SpeedOptions, {"side": tuple(side) if side else None, "rounds": rounds, "patience": patience}, flags=True
    )
    located = session.catalog.locate(ref)
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
