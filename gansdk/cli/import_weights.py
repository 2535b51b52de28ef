"""``gansdk import``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import CommandContext, context_of
from gansdk.cli.output import uninterrupted
from gansdk.errors import UsageError

if TYPE_CHECKING:
    from gansdk.importing.weights import Imported


def import_file(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="a torch file (.pth, .pt, .ckpt, .bin) or safetensors, or one on the Hub: hub:ORG/NAME:FILE",
        ),
    ],
    *,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="the model's folder (default: beside FILE, called like it; of a file on the Hub here)",
            show_default=False,
        ),
    ] = None,
    on_exists: Annotated[
        str | None,
        typer.Option(
            metavar="error|skip|overwrite|rename",
            help="what to do where a model is in that folder; nothing else is ever replaced (default: error)",
            show_default=False,
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option(metavar="SPDX", help="licence of the weights, as their author states it", show_default=False)
    ] = "",
    summary: Annotated[
        str, typer.Option(metavar="TEXT", help="one line about it for listings", show_default=False)
    ] = "",
    measure: Annotated[
        bool, typer.Option(help="Find out whether bf16 is safe for it, where this CPU computes in it.")
    ] = True,
) -> None:
    """Make a model folder from weights that others published. Nothing in their file is run.

    Architecture and sizes are recognised by the names and shapes of the tensors; a file that is not recognised is
    answered with what is known.
    """
    session = context_of(context)
    if output is not None and not output.strip():
        raise UsageError("--output is empty", hint="give a folder")
    with uninterrupted():
        from gansdk.importing.weights import import_weights

    imported = import_weights(
        file,
        output,
        on_exists=on_exists or "error",
        licence=licence,
        summary=summary,
        measure=measure,
        registry=session.registry,
        note=session.output.note,
    )
    _report(session, file, imported)


def _report(session: CommandContext, file: str, imported: Imported) -> None:
    record, origin, output = _record(session, imported), imported.config.origin, session.output
    if imported.skipped:
        output.outcome({"input": file, **record}, f"{file}: skipped, {imported.folder} exists")
        return
    if not output.flags.json:
        for loss in imported.losses:
            output.detail(f"bf16 on {loss.photograph}: {loss.psnr:.1f} dB, {loss.steps:.2f} steps of 8 bits")
    place = f", found under {origin.table}" if origin is not None and origin.table else ""
    left_out = ", ".join(record["left_out"])
    bf16 = "safe for it" if record["safe_precisions"] else "too coarse for it; it will run in fp32"
    tasks = ", ".join(record["tasks"]) or "no task that is installed"
    output.outcome(
        {"input": file, **record},
        f"{file} is {record['layout']}{place}: {_sizes(record['network'])}",
        f"{file} holds more than this, which was left out: {left_out}" if left_out else "",
        f"bf16 is {bf16}" if imported.losses else "",
        "" if record["licence"] else "its licence is not stated; say it with --licence",
        f"{file} → {imported.folder}, for {tasks}; use it with --model {_ref(imported)}",
    )


def _record(session: CommandContext, imported: Imported) -> dict[str, Any]:
    from gansdk.models.catalog import fits

    config = imported.config
    return {
        "output": str(imported.folder),
        "ref": _ref(imported),
        "skipped": imported.skipped,
        "method": config.method,
        "layout": config.origin.layout if config.origin is not None else "",
        "table": config.origin.table if config.origin is not None else "",
        "left_out": list(config.origin.left_out) if config.origin is not None else [],
        "network": config.network,
        "tasks": sorted(name for name, task in session.registry.tasks.items() if fits(task, config)),
        "safe_precisions": list(config.facts.safe_precisions),
        "licence": config.licence,
    }


def _ref(imported: Imported) -> str:
    """The folder as a ref: with a separator, lest it be taken for an alias."""
    return shlex.quote(f"{imported.folder}/")


def _sizes(network: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in network.items() if name != "architecture")
