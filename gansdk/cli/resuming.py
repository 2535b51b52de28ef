"""``gansdk resume``."""

from __future__ import annotations

from functools import partial
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from gansdk.cli.importing import uninterrupted
from gansdk.cli.run_folders import report, watching
from gansdk.cli.session import Session, session_of
from gansdk.cli.task_options import parameter_of
from gansdk.options import describe, validate
from gansdk.training.options import ResumeOptions

_RUN = Annotated[str, typer.Argument(metavar="RUN", help="the folder of the run")]


def resume(context: typer.Context, run: _RUN, **changes: Any) -> None:
    """Go on with a run where its last checkpoint stands, as if it had never stopped."""
    session = session_of(context)
    chosen = validate(ResumeOptions, changes, flags=True)
    with watching(session, run) as (progress, note):
        finished = _resume(session, run, chosen, progress=progress, note=note)
    report(session, run, finished)


resume.__signature__ = Signature(  # type: ignore[attr-defined]
    [
        Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=_RUN),
        *(parameter_of(info, "Options") for info in describe(ResumeOptions)),
    ]
)


def _resume(session: Session, run: str, chosen: ResumeOptions, **told: Any) -> Any:
    with uninterrupted():
        from gansdk.data.opening import find_data
        from gansdk.training.loop import resume as resume_run

    return resume_run(
        run,
        methods=session.registry.methods,
        open_data=partial(find_data, named=session.registry.datasets),
        metrics=session.registry.metrics.values(),
        **told,
        **chosen.model_dump(),
    )
