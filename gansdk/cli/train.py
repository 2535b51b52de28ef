"""``gansdk train METHOD``: a command per method, whose help shows the method's configs and their options."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.cli.commands import Command, CommandContext, Group, context_of, flag, made_command, new_app, sections
from gansdk.cli.output import seconds_text, uninterrupted
from gansdk.errors import OptionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from gansdk.cli.output import Bar
    from gansdk.options import OptionInfo
    from gansdk.plugins.declarations import Config, Method
    from gansdk.training import Finished, Progress
    from gansdk.training.options import ResumeOptions, TrainingOptions


_WHAT = "What to train"
_SECTIONS = {
    "seed": _WHAT,
    "won_steps": "When to stop",
    "won_margin": "When to stop",
    "device": "Computing",
    "precision": "Computing",
    "threads": "Computing",
    "licence": "About the model",
    "summary": "About the model",
}
_ELSE = "On the way"
_RATE_AFTER = 10.0  # seconds, after which the steps per second are steady enough to say how long it takes
_SUMMARY = "Train a method on your data into a run folder, which is a model at any time."


class _Methods(Group):
    """One command per method of the registry."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes the method from wherever it stands among the flags."""
        flags = {flag for param in _command(None).params if not param.is_flag for flag in param.opts}
        parsed: list[str] = super().parse_args(ctx, _method_first(args, flags))
        return parsed

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the command's name in its first line of help."""
        return ["METHOD", "[OPTIONS]"]

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all methods."""
        return sorted(context_of(ctx).registry.methods)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one method."""
        method = context_of(ctx).registry.methods.get(cmd_name)
        return _command(method) if method is not None else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the method that is named first."""
        if not args[0].startswith("-"):
            context_of(ctx).registry.method(args[0])  # raises with the near names
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes what every training takes, then the methods."""
        for section, rows in sections(_command(None), ctx).items():
            with formatter.section(section):
                formatter.write_dl(rows)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Lists the methods without building their commands."""
        methods = context_of(ctx).registry.methods
        if methods:
            with formatter.section("Methods"):
                formatter.write_dl([(name, method.summary) for name, method in sorted(methods.items())])


class _Training(Command):
    """The command of one method."""

    method: Method | None = None

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the flags, then the method's configs and what `--set` takes for each."""
        from gansdk.options import describe
        from gansdk.plugins.declarations import resolve

        super().format_options(ctx, formatter)
        configs = self.method.configs if self.method is not None else {}
        with formatter.section("Configs"):
            formatter.write_dl([(name, config.summary) for name, config in configs.items()])
        for options in dict.fromkeys(config.options for config in configs.values()):
            alike = {name: config for name, config in configs.items() if config.options == options}
            with formatter.section(f"--set NAME=VALUE, of {', '.join(alike)}"):
                formatter.write_dl([_row(info, alike) for info in describe(resolve(options))])


app = new_app(_Methods, invoke_without_command=True, subcommand_metavar="METHOD [OPTIONS]")


@app.callback(help=f"{_SUMMARY} `gansdk train METHOD --help` shows that method's configs and what `--set` takes.")
def train(context: typer.Context) -> None:
    """Is called before the method's own command."""
    if context.invoked_subcommand is None:
        raise UsageError("train needs a method", hint="see `gansdk plugins`")


def _command(method: Method | None) -> Any:
    """The command of a method; without one, what all methods have in common."""

    def invoke(context: typer.Context, values: dict[str, Any]) -> None:
        if method is not None:
            _call_train(context_of(context), method, values)

    text = _SUMMARY if method is None else f"{_SUMMARY} {method.name}: {method.summary}."
    made = made_command(method.name if method is not None else "train", invoke, _parameters(), text, _Training)
    made.method = method
    return made


def _parameters() -> list[Parameter]:
    from gansdk.cli.tasks import parameter_of
    from gansdk.options import describe
    from gansdk.training.options import TrainingOptions

    what = partial(flag, section=_WHAT)
    data = "a name as in mnist, a folder or a zip archive; once per data set of the recipe (required)"
    return [
        what("config", str, metavar="NAME", text="one of the method's ways to train (required)"),
        what("data", list[str], metavar="[NAME=]DATA", text=data),
        what("output", str, "-o", metavar="RUN", text="the folder to fill, new or empty (required)"),
        what("test", list[str], metavar="[NAME=]DATA", text="measure on this; may be repeated"),
        what("set_", list[str], metavar="NAME=VALUE", text="change an option of the recipe; may be repeated"),
        what("ablate", bool, text="train the ablation: the same training without the method's own terms"),
        *(parameter_of(info, _SECTIONS.get(info.name, _ELSE)) for info in describe(TrainingOptions)),
    ]


def _row(info: OptionInfo, configs: dict[str, Config]) -> tuple[str, str]:
    """An option of a recipe, with its default in each config where they differ."""
    defaults = {name: _shown(config.values.get(info.name, info.default)) for name, config in configs.items()}
    if info.required and not any(info.name in config.values for config in configs.values()):
        said = "" if "(required)" in info.help else " (required)"
    elif len(set(defaults.values())) == 1:
        said = f" (default: {next(iter(defaults.values()))})"
    else:
        said = f" (default: {', '.join(f'{name} {value}' for name, value in defaults.items())})"
    return f"{info.name} {info.metavar}", info.help + said


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value) or "none"


def _method_first(arguments: Sequence[str], takes_value: Collection[str]) -> list[str]:
    """The arguments with the method before all flags, wherever it stood."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] in takes_value else 1
    return [*arguments[at : at + 1], *arguments[:at], *arguments[at + 1 :]]


def _call_train(session: CommandContext, method: Method, values: dict[str, Any]) -> None:
    from gansdk.options import parse_mapping, validate
    from gansdk.training.options import TrainingOptions

    run: str = values["output"] or ""
    _check_config(method, values["config"] or "")
    if not run:
        raise UsageError("train needs a folder to fill", hint="add -o RUN")
    asked = {
        "data": dict(named(one) for one in once("--data", values["data"] or ())),
        "tests": _tests(session, values["test"] or ()),
        "options": parse_mapping("--set", values["set_"] or ()),
        "ablated_terms": _ablated_terms(method, values["config"]) if values["ablate"] else (),
    }
    given = {name: values[name] for name in TrainingOptions.model_fields}
    chosen = validate(TrainingOptions, given)
    with watching(session, run) as told:
        finished = _train(session, method, values["config"], run, chosen=chosen, **asked, **told)
    report(session, run, finished)


def _train(
    session: CommandContext, method: Method, config: str, run: str, *, chosen: TrainingOptions, **asked: Any
) -> Finished:
    with uninterrupted():
        from gansdk.data.opening import find_data
        from gansdk.training.trainer import train as train_run

    return train_run(
        method,
        config,
        run,
        open_data=partial(find_data, named=session.registry.datasets),
        metrics=session.registry.metrics.values(),
        **asked,
        **chosen.model_dump(),
    )


def _check_config(method: Method, config: str) -> None:
    if not config:
        known = ", ".join(method.configs) or "none"
        raise UsageError(f"train needs a config of {method.name}", hint=f"add --config; it has {known}")
    method.find_config(config)


def _ablated_terms(method: Method, name: str) -> tuple[tuple[str, str], ...]:
    """What an ablation of the config leaves out."""
    config = method.configs[name]
    if not config.ablated_terms:
        reason = config.baseline.removeprefix("none: ") or "it declares no terms of the method's own"
        raise UsageError(f"there is no ablation of {method.name}'s config {name}: {reason}", hint="leave --ablate out")
    return config.ablated_terms


def named(text: str) -> tuple[str, str]:
    """``NAME=DATA`` as a pair; a path alone has the empty name. A path with ``=`` in it that exists is a path."""
    name, equals, path = text.partition("=")
    if not equals or not name.isidentifier() or Path(text).exists():
        return "", text
    return name, path


def _tests(session: CommandContext, texts: Iterable[str]) -> dict[str, str]:
    """What is measured on, by its name; the data set's own where none is given, as ``eval`` calls it."""
    from gansdk.data.opening import find_data

    found: dict[str, str] = {}
    for text in texts:
        given, place = named(text)
        name = given or find_data(place, session.registry.datasets).data.name
        if name in found:
            raise OptionError(f"two tests are called {name!r}", hint="write --test NAME=DATA, each name once")
        found[name] = place
    return found


def once(flag: str, texts: Iterable[str]) -> list[str]:
    """Refuses a name that comes twice, before a mapping would swallow it."""
    texts = list(texts)
    names = [named(text)[0] for text in texts]
    for name in names:
        if names.count(name) > 1:
            what = f"{flag} names {name!r} twice" if name else f"{flag} is given twice without a name"
            raise OptionError(what, hint=f"write {flag} NAME=DATA, each name once")
    return texts


TEXT = "Go on with a run where its last checkpoint stands, as if it had never stopped."
_RUN = Annotated[str, typer.Argument(metavar="RUN", help="the folder of the run")]


def command() -> Any:
    """The command."""
    from gansdk.cli.tasks import parameter_of
    from gansdk.options import describe
    from gansdk.training.options import ResumeOptions

    run = Parameter("run", Parameter.POSITIONAL_OR_KEYWORD, annotation=_RUN)
    options = [parameter_of(info, "Options") for info in describe(ResumeOptions)]
    moved = "where a data set is that has moved; its content must be what it was; may be repeated"
    data = [
        flag("data", list[str], metavar="[NAME=]DATA", text=moved),
        flag("test", list[str], metavar="[NAME=]DATA", text="the same of a test set"),
    ]
    return made_command("resume", _call_resume, [run, *data, *options], TEXT)


def _call_resume(context: typer.Context, values: dict[str, Any]) -> None:
    from gansdk.options import validate
    from gansdk.training.options import ResumeOptions

    session, run = context_of(context), values["run"]
    moved = {
        name: dict(named(one) for one in once(f"--{key}", values[key] or ()))
        for name, key in {"data": "data", "tests": "test"}.items()
    }
    chosen = validate(ResumeOptions, {name: values[name] for name in ResumeOptions.model_fields})
    with watching(session, run) as told:
        finished = _resume(session, run, chosen, **moved, **told)
    report(session, run, finished)


def _resume(session: CommandContext, run: str, chosen: ResumeOptions, **told: Any) -> Finished:
    with uninterrupted():
        from gansdk.data.opening import find_data
        from gansdk.training.trainer import resume as resume_run

    return resume_run(
        run,
        methods=session.registry.methods,
        open_data=partial(find_data, named=session.registry.datasets),
        metrics=session.registry.metrics.values(),
        **told,
        **chosen.model_dump(),
    )


@contextmanager
def watching(session: CommandContext, run: str) -> Iterator[dict[str, Any]]:
    """A bar while steps are taken; an interruption says how to continue.

    Gives what :func:`gansdk.training.train` and :func:`gansdk.training.resume` tell their caller, by keyword.
    """
    from gansdk.cli.output import Bar
    from gansdk.training.logging import is_installed

    bar: Bar = Bar(session.output)
    begun, is_rate_said = time.monotonic(), sys.stderr is None or sys.stderr.isatty()  # there, the bar says it
    if not is_installed():
        session.output.detail("tensorboard is not installed, so no events are written for it")

    def progress(at: Progress) -> None:
        nonlocal is_rate_said
        bar.show(f"{run} {at.rate:.2f} steps/s", at.step, at.steps, unit="steps")
        if not is_rate_said and time.monotonic() - begun > _RATE_AFTER:
            is_rate_said = True
            note(f"{at.rate:.2f} steps/s, about {seconds_text(at.left)} left")

    def measuring(name: str, done: int, total: int) -> None:
        bar.show(f"{run} measured on {name}", done, total)

    def note(text: str) -> None:
        with suppress(OSError):  # a terminal that was closed does not end a training that outlives it
            session.output.note(text)

    def ended() -> None:
        bar.clear()
        if (Path(run) / "train.json").is_file():  # else nothing has begun
            note(f"continue with `gansdk resume {shlex.quote(run)}`")

    try:
        with _before_the_end(ended):
            yield {"progress": progress, "note": note, "measuring": measuring}
    except KeyboardInterrupt:
        ended()
        raise
    finally:
        bar.clear()


@contextmanager
def _before_the_end(say: Callable[[], None]) -> Iterator[None]:
    """A block in which a signal that ends the process lets something be said first."""
    from gansdk.training.callbacks import ENDING

    def end(number: int, _frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        say()
        signal.raise_signal(number)

    main = threading.current_thread() is threading.main_thread()  # Python handles no signals elsewhere
    numbers = [number for number in ENDING if main and signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def report(session: CommandContext, run: str, finished: Finished) -> None:
    """Says how a run ended."""
    from gansdk.evaluation.record import number

    evaluation, took = finished.evaluation, seconds_text(finished.seconds)
    measured = evaluation.model_dump(mode="json") if evaluation is not None else None
    measurements = evaluation.measurements if evaluation is not None else ()
    session.output.outcome(
        {"run": run, "steps": finished.steps, "seconds": round(finished.seconds, 1), "evaluation": measured},
        *(
            f"{found.metric} on {found.data}: {number(found.value, found.unit)} {found.unit}".rstrip()
            for found in measurements
        ),
        f"{finished.steps} steps in {took}; use it with --model {shlex.quote(str(Path(run)) + '/')}",
    )
