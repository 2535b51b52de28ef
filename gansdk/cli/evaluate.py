"""``gansdk eval``."""

from __future__ import annotations

from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gansdk.cli.commands import NAMED, CommandContext, complete_ref, context_of, flag, made_command
from gansdk.cli.output import Bar, uninterrupted
from gansdk.cli.train import named
from gansdk.errors import InputError, ModelError, OptionError, OutputError, OutputExistsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gansdk.data.folders import Dataset
    from gansdk.evaluation.record import Evaluation, Measurement
    from gansdk.evaluation.run import EvaluationRun
    from gansdk.models.resolved import ResolvedModel
    from gansdk.options import LoadOptions


TEXT = """Measure how good a model is, with its baseline, and keep the figures in the model's evaluation.json.

    A model that ships in a plugin is measured but not changed, unless it is named by its folder.
    """
_REF = Annotated[str, typer.Argument(metavar="REF", help=NAMED, autocompletion=complete_ref)]
_FLAGS = (
    flag(
        "data",
        list[str],
        metavar="[NAME=]DATA",
        text="a name as in mnist:test, a folder or a zip archive, and its name in the record; may be repeated "
        "(default: the test split of the named data set that it was trained on, if that is here, and trial images "
        "that come with gansdk; metrics of samples need none)",
    ),
    flag(
        "jpeg",
        list[int],
        metavar="1..95",
        text="also measure images restored from JPEG inputs of this quality; may be repeated",
    ),
    flag("metric", list[str], metavar="NAME", text="measure by this; may be repeated (default: all that fit)"),
    flag(
        "baseline",
        str,
        metavar="REF",
        text="a model to compare it with: the same training without the method's own terms (default: its own start, "
        "if it carries two checkpoints)",
    ),
    flag(
        "ablation",
        list[str],
        metavar="NAME=REF",
        text="measure this instead, and record it as a row of REF's ablation; may be repeated",
    ),
    flag(
        "replicate",
        list[str],
        metavar="REF",
        text="measure this instead, the same training from another seed, and record the spread of REF's figures; "
        "may be repeated",
    ),
    flag(
        "output",
        str,
        "-o",
        metavar="FILE",
        text="a JSON file to write to, or to add to, instead of the model's own evaluation.json",
    ),
)


def command() -> Any:
    """The command."""
    from gansdk.cli.tasks import parameter_of
    from gansdk.evaluation.protocol import EvaluationOptions
    from gansdk.options import describe

    ref = Parameter("ref", Parameter.POSITIONAL_OR_KEYWORD, annotation=_REF)
    load = [parameter_of(info, "Computing") for info in describe(EvaluationOptions)]
    return made_command("eval", _call, [ref, *_FLAGS, *load], TEXT)


def _call(context: typer.Context, values: dict[str, Any]) -> None:
    from gansdk.evaluation.protocol import EvaluationOptions
    from gansdk.evaluation.record import unevaluated
    from gansdk.options import validate

    session = context_of(context)
    resolved = session.catalog.locate(values["ref"])
    others = _other_models(session, values)
    others.check(resolved)
    load = validate(EvaluationOptions, {name: values[name] for name in EvaluationOptions.model_fields})
    for model in (resolved, *others.models):
        model.check_plugin()  # a missing plugin is known before anything is read
    target = _target(session, resolved, values["output"], load)
    data = _with_compressed(_datasets(session, resolved, values["data"] or ()), resolved, values["jpeg"] or ())
    with uninterrupted():
        import torch  # noqa: F401 - takes its time, and must not be torn apart
    options = {"data": data, "load": load, "metrics": tuple(values["metric"] or ())}
    try:
        found = _measure(session, resolved, others, **options)
    except ModelError:
        newer = resolved.replaced()
        if newer is None:
            raise
        session.output.note(f"{resolved.ref} was replaced while it was read; it is read again")
        resolved = newer
        others.check(resolved)
        found = _measure(session, resolved, others, **options)
    _report(session, resolved.ref, found)
    if found.measurements and not values["metric"] and (reason := unevaluated(resolved.config.facts, found)):
        session.output.note(f"{reason}: no figure says how good they are; give real ones with --data")
    _keep(session, resolved, target, found)


class _OtherModels(NamedTuple):
    """The models that are compared with REF, or measured instead of it."""

    baseline: ResolvedModel | None
    variants: Mapping[str, ResolvedModel]
    replicates: Sequence[ResolvedModel]

    @property
    def models(self) -> Sequence[ResolvedModel]:
        """All that have to be there."""
        return (*([self.baseline] if self.baseline is not None else []), *self.variants.values(), *self.replicates)

    def check(self, resolved: ResolvedModel) -> None:
        from gansdk.evaluation.evaluated_model import check_replicates

        given = {"--baseline": self.baseline, "--ablation": self.variants, "--replicate": self.replicates}
        named = [name for name, value in given.items() if value]
        if len(named) > 1:
            raise UsageError(f"{' and '.join(named)} exclude each other", hint="measure them in calls of their own")
        if self.replicates:
            check_replicates(resolved, self.replicates)

    def measured(self, run: EvaluationRun, resolved: ResolvedModel) -> Evaluation:
        if self.variants:
            return run.evaluate_variants(resolved, self.variants)
        if self.replicates:
            return run.evaluate_replicates(resolved, self.replicates)
        return run.evaluate(resolved, self.baseline)


def _other_models(session: CommandContext, values: Mapping[str, Any]) -> _OtherModels:
    from gansdk.options import parse_mapping

    locate = session.catalog.locate
    rows = parse_mapping("--ablation", values["ablation"] or ())
    return _OtherModels(
        baseline=locate(values["baseline"]) if values["baseline"] else None,
        variants={name: locate(ref) for name, ref in rows.items()},
        replicates=[locate(ref) for ref in values["replicate"] or ()],
    )


def _measure(session: CommandContext, resolved: ResolvedModel, others: _OtherModels, **options: Any) -> Evaluation:
    """Measures with a bar on stderr, and notes above it."""
    from gansdk.evaluation.run import EvaluationRun

    bar = Bar(session.output)

    def note(text: str) -> None:
        bar.clear()
        session.output.note(text)

    try:
        return others.measured(EvaluationRun(session.catalog, **options, note=note, progress=bar.show), resolved)
    finally:
        bar.clear()


def _datasets(session: CommandContext, resolved: ResolvedModel, texts: Iterable[str]) -> dict[str, Dataset]:
    from gansdk.data.opening import find_data, test_splits
    from gansdk.evaluation.evaluated_model import digests
    from gansdk.evaluation.restoration import trial_images
    from gansdk.model.facts import ImageGeneratorFacts

    found: dict[str, Dataset] = {}
    for text in texts:
        name, place = named(text)
        dataset = find_data(place, session.registry.datasets).data
        label = name or dataset.name
        if label in found:
            raise OptionError(f"two data sets are called {label!r}", hint="write --data NAME=DATA, each name once")
        found[label] = dataset
    if found:
        return found
    if isinstance(resolved.config.facts.generator, ImageGeneratorFacts):
        found |= trial_images()
    trained = resolved.config.trained
    for text in test_splits(digests(trained.data) if trained is not None else (), session.registry.datasets):
        try:
            found[text] = find_data(text, session.registry.datasets).data
        except InputError as error:
            session.output.note(f"{text}, the test split of what it learned from, is left out: {error}")
    return found


def _with_compressed(
    datasets: dict[str, Dataset], resolved: ResolvedModel, qualities: Sequence[int]
) -> dict[str, Dataset]:
    """The data sets, and each set of images again with compressed inputs."""
    from gansdk.data.folders import Images
    from gansdk.evaluation.restoration import CompressedInputs
    from gansdk.model.facts import ImageGeneratorFacts

    if qualities and not isinstance(resolved.config.facts.generator, ImageGeneratorFacts):
        raise OptionError(f"--jpeg does not apply to {resolved.ref}", hint="its inputs are not images to restore")
    for quality in qualities:
        if not 1 <= quality <= 95:
            raise OptionError(f"--jpeg: {quality} is not in 1..95", hint="give the quality of a JPEG encoder, as 50")
    found = dict(datasets)
    for name, data in datasets.items():
        if isinstance(data, Images) and not isinstance(data, CompressedInputs):
            for quality in qualities:
                label = f"{name}, JPEG {quality}"
                found[label] = CompressedInputs(data, quality, label)
    return found


def _target(session: CommandContext, resolved: ResolvedModel, output: str | None, load: LoadOptions) -> Path | None:
    """The file or model folder to write to; None, with a note, if nothing is written."""
    from gansdk.evaluation.evaluated_model import is_users_own
    from gansdk.evaluation.record import read_evaluation_file
    from gansdk.files import stands

    if output:
        path = Path(output)
        if not path.parent.is_dir():
            raise OutputError(f"there is no folder {path.parent}", hint="create it first")
        if path.is_dir():
            raise UsageError(f"{path} is a folder", hint="give -o a file")
        if stands(path):
            try:
                read_evaluation_file(path)
            except ModelError as error:
                what = f"{path} is there and holds no measurements"
                raise OutputExistsError(what, hint="give -o another file") from error
        return path
    if load.network_interpolation is not None:
        session.output.note("a place between the ends is not a model of its own: nothing is written; -o FILE keeps it")
        return None
    if not is_users_own(session.catalog, resolved):
        session.output.note(f"{resolved.ref} is not a folder of yours: nothing is written; -o FILE keeps it")
        return None
    return resolved.folder


def _keep(session: CommandContext, resolved: ResolvedModel, target: Path | None, found: Evaluation) -> None:
    from gansdk.evaluation.evaluated_model import store_evaluation
    from gansdk.evaluation.record import Evaluation, read_evaluation_file
    from gansdk.files import write_whole
    from gansdk.model.config import WEIGHTS

    if target is None:
        return
    if target == resolved.folder:
        store_evaluation(target, found, resolved.config.files[WEIGHTS])
        session.output.note(f"kept in {target / 'evaluation.json'}")
        return
    before = read_evaluation_file(target) if target.exists() else Evaluation()
    write_whole(target, before.merged(found).to_json())
    session.output.note(f"written to {target}")


def _report(session: CommandContext, ref: str, found: Evaluation) -> None:
    rows = [("", measured) for measured in found.measurements]
    rows += [(variant.name, measured) for variant in found.ablation for measured in variant.measurements]
    rows += [(f"seed {other.seed}", measured) for other in found.replicates for measured in other.measurements]
    if session.output.flags.json:
        for name, measured in rows:
            row = {"row": name} if name else {}
            session.output.record({"model": ref, **row, **measured.model_dump(mode="json")})
        return
    cells = [_cells(name, measured) for name, measured in rows]
    filled = dict.fromkeys(column for row in cells for column, text in row.items() if text)
    columns: dict[str, Any] = {column: (lambda row, column=column: row.get(column, "")) for column in filled}
    session.output.listing(cells, columns)
    if found.baseline and any(measured.baseline is None for _, measured in rows):
        session.output.note(f"baseline: {found.baseline}")


def _cells(row: str, measured: Measurement) -> dict[str, str]:
    from gansdk.evaluation.record import difference, interval, number

    cells = {
        "row": row,
        "data": measured.data,
        "metric": measured.metric,
        "better": measured.better,
        "value": f"{number(measured.value, measured.unit)} {measured.unit}".rstrip(),
        "95 %": interval(measured.interval, measured.unit),
        "baseline": number(measured.baseline.value, measured.unit) if measured.baseline is not None else "",
        "difference": difference(measured),
    }
    return cells | {name: number(value, measured.unit) for name, value in measured.references.items()}
