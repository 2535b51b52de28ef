"""``gansdk resume``."""

from __future__ import annotations

from functools import partial
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import flag, made_command
from gansdk.cli.importing import uninterrupted
from gansdk.cli.run_folders import report, watching
from gansdk.cli.session import Session, session_of
from gansdk.cli.training import named, once

if TYPE_CHECKING:
    from gansdk.training import Finished
    from gansdk.training.options import ResumeOptions

TEXT = "Go on with a run where its last checkpoint stands, as if it had never stopped."
_RUN = Annotated[str, typer.Argument(metavar="RUN", help="the folder of the run")]


def command() -> Any:
    """The command."""
    from gansdk.cli.task_options import parameter_of
    from gansdk.options import describe
    from gansdk.training.options import ResumeOptions

    run = Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=_RUN)
    options = [parameter_of(info, "Options") for info in describe(ResumeOptions)]
    moved = "where a data set is that has moved; its content must be what it was; may be repeated"
    data = [
        flag("data", list[str], metavar="[NAME=]DATA", text=moved),
        flag("test", list[str], metavar="[NAME=]DATA", text="the same of a test set"),
    ]
    return made_command("resume", _call, [run, *data, *options], TEXT)


def _call(context: typer.Context, values: dict[str, Any]) -> None:
    from gansdk.options import validate
    from gansdk.training.options import ResumeOptions

    session, run = session_of(context), values["run"]
    moved = {
        name: dict(named(one) for one in once(f"--{key}", values[key] or ()))
        for name, key in {"data": "data", "tests": "test"}.items()
    }
    chosen = validate(ResumeOptions, {name: values[name] for name in ResumeOptions.model_fields})
    with watching(session, run) as told:
        finished = _resume(session, run, chosen, **moved, **told)
    report(session, run, finished)


def _resume(session: Session, run: str, chosen: ResumeOptions, **told: Any) -> Finished:
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
