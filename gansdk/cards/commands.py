"""The commands that make a model again and measure it, from its training record."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from gansdk.errors import GansdkError
from gansdk.evaluation.codes import latent_variables, swept_codes
from gansdk.evaluation.evaluator import OTHER_CHECKPOINT
from gansdk.evaluation.protocol import SAMPLES
from gansdk.evaluation.restoration import PREFIX
from gansdk.model.variables import Categorical
from gansdk.options import describe, validate
from gansdk.plugins.declarations import resolve
from gansdk.plugins.registry import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gansdk.evaluation.record import Evaluation, Measurement, Replicate, Variant
    from gansdk.model.config import Origin, Trained
    from gansdk.model.facts import Facts
    from gansdk.options import OptionInfo, Options
    from gansdk.plugins.declarations import Method, Slot, Task


_RUN, _ABLATION, _FOLDER = "run", "baseline", "model"


def training(method_name: str, method: Method | None, trained: Trained, licence: str) -> str:
    """The command that trains the model again.

    Options are named where the config of today's plugin would choose otherwise, so it stays right when that changes.
    """
    words = ["gansdk", "train", method_name, "--config", trained.config]
    words += [word for data in trained.data for word in ("--data", data.name)]
    usual = _usual(method, trained)
    for name, value in trained.options.items():
        if name not in usual or usual[name] != value:
            words += ["--set", f"{name}={_text(value)}"]
    words += ["--seed", str(trained.seed)]
    words += ["--device", trained.device] if trained.device else []
    words += ["--precision", trained.precision] if trained.precision else []
    words += ["--threads", str(trained.threads)] if trained.threads != "auto" else []
    words += ["--licence", licence] if licence else []
    words += ["--baseline"] if _is_ablation(method, trained) else []
    return shlex.join([*words, "-o", _RUN])


def importing(origin: Origin, licence: str) -> str:
    """The command that makes the model folder from the published file again."""
    stated = ["--licence", licence] if licence else []
    return shlex.join(["gansdk", "import", origin.hub or origin.file, *stated, "-o", _FOLDER])


def measuring(evaluation: Evaluation, named: Mapping[str, str], *, was_trained: bool) -> list[str]:
    """The commands that give the figures again.

    Args:
        evaluation: Of the model.
        named: By digest, what data sets are called that are known here.
        was_trained: Whether the model is a run's.
    """
    words = ["gansdk", "eval", f"{_RUN if was_trained else _FOLDER}/"]
    names = {one.data for one in evaluation.measurements}
    own = [one for one in evaluation.measurements if not one.data.startswith(PREFIX) and one.data != SAMPLES]
    baseline = ["--baseline", f"{_ABLATION}/"] if _has_another_as_baseline(evaluation) else []
    commands = [shlex.join([*words, *_sets(own, named), *baseline])] if own else []
    alone = any(name.startswith(PREFIX) for name in names) or not own
    return [*commands, shlex.join([*words, *baseline])] if names and alone else commands


def ablating(evaluation: Evaluation, named: Mapping[str, str]) -> str:
    """The command that measures the rows of the ablation again; ``named`` as for :func:`measuring`."""
    measured = [one for row in evaluation.ablation for one in row.measurements if one.data != SAMPLES]
    words = ["gansdk", "eval", f"{_RUN}/", *_sets(measured, named)]
    return shlex.join([*words, *(word for row in evaluation.ablation for word in ("--ablation", _row(row)))])


def replicating(evaluation: Evaluation, named: Mapping[str, str]) -> str:
    """The command that measures the other seeds again; ``named`` as for :func:`measuring`."""
    measured = [one for other in evaluation.replicates for one in other.measurements if one.data != SAMPLES]
    words = ["gansdk", "eval", f"{_RUN}/", *_sets(measured, named)]
    return shlex.join([*words, *(word for one in evaluation.replicates for word in ("--replicate", f"{_seed(one)}/"))])


def training_others(evaluation: Evaluation, method: Method | None, trained: Trained) -> list[str]:
    """By what words the command of :func:`training` trains the other runs that the commands name.

    Where a baseline was measured that this method's ``--baseline`` does not train, nothing is known of how it was.
    """
    config = method.configs.get(trained.config) if method is not None else None
    has_baseline = config is not None and bool(config.ablated_terms) and _has_another_as_baseline(evaluation)
    changes = [["--baseline", "-o", _ABLATION]] if has_baseline else []
    changes += [["--seed", str(one.seed), "-o", _seed(one)] for one in evaluation.replicates]
    for row in evaluation.ablation:
        options = {"steps": row.steps, **row.options}
        sets = [word for name, value in options.items() for word in ("--set", f"{name}={_text(value)}")]
        changes.append([*sets, "-o", row.name])
    return [shlex.join(words) for words in changes]


def _seed(replicate: Replicate) -> str:
    return f"seed-{replicate.seed}"


def _row(row: Variant) -> str:
    return f"{row.name}={row.name}/"


def _sets(measurements: Iterable[Measurement], named: Mapping[str, str]) -> list[str]:
    """The options that name the data: by its own name alone where gansdk knows it by that."""
    places = {one.data: _place(one, named) for one in measurements}
    pairs = {name: name if name == place else f"{name}={place}" for name, place in places.items()}
    return [word for text in pairs.values() for word in ("--data", text)]


def _place(one: Measurement, named: Mapping[str, str]) -> str:
    is_named = not one.digest and one.data in named.values()
    return one.data if is_named else named.get(one.digest, "FOLDER-OR-ZIP")


def _has_another_as_baseline(evaluation: Evaluation) -> bool:
    return evaluation.baseline != OTHER_CHECKPOINT and any(one.baseline is not None for one in evaluation.measurements)


def _is_ablation(method: Method | None, trained: Trained) -> bool:
    """Whether exactly the method's own terms were left out."""
    config = method.configs.get(trained.config) if method is not None else None
    return (
        bool(trained.ablated_terms) and config is not None and set(config.ablated_terms) == set(trained.ablated_terms)
    )


def _usual(method: Method | None, trained: Trained) -> Mapping[str, Any]:
    """The options that the config chooses by default; none where it cannot be asked."""
    config = method.configs.get(trained.config) if method is not None else None
    if config is None:
        return {}
    try:
        group: type[Options] = resolve(config.options)
        fields = group.model_fields.items()
        required = {name for name, field in fields if field.is_required() and name not in config.values}
        given = {name: value for name, value in trained.options.items() if name in required}
        options = validate(group, {**config.values, **given})
    except GansdkError:
        return {}
    return options.model_dump(mode="json", exclude=required)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_COUNT = 16


class Example(NamedTuple):
    """One call.

    Attributes:
        task: Of what.
        inputs: One file for each of its slots.
        options: By name.
        output: What is written; empty where it is named by default.
    """

    task: Task
    inputs: tuple[str, ...]
    options: Mapping[str, Any]
    output: str = ""

    def command(self, ref: str) -> str:
        """What a user types to call it with this model."""
        words = ["gansdk", "run", self.task.name, *self.inputs, "--model", ref]
        flags = {one.name: one.flag for one in describe(options_of(self.task))}
        for name, value in self.options.items():
            each = [f"{code}={text}" for code, text in value.items()] if isinstance(value, dict) else [str(value)]
            words += [word for text in each for word in (flags[name], text)]
        return shlex.join([*words, *(("-o", self.output) if self.output else ())])

    def python(self, ref: str) -> str:
        """Lines of a program that do the same."""
        given = [json.dumps(name) for name in self.inputs]
        given += [f"{name}={json.dumps(value)}" for name, value in self.options.items()]
        model = json.dumps(ref, ensure_ascii=False)
        call = f'result = gansdk.pipeline("{self.task.name}", model={model})({", ".join(given)})'
        kept = "print(dict(result))" if self.task.gives_records else f'result.save("{self.output or "result.png"}")'
        return f"{call}\n{kept}"


def examples(task: Task, facts: Facts) -> list[Example]:
    """Calls that show what a task does with a model of these facts; the last one shows most."""
    infos = {one.name: one for one in describe(options_of(task))}
    inputs = tuple(_file(slot) for slot in task.slots)
    is_swept = "code" in infos and bool(latent_variables(facts))
    is_sampled = not inputs and not task.gives_records
    ways = list(_sweeping(task, facts) if is_swept else _sampling(infos, facts) if is_sampled else [({}, "")])
    required = {info.name: info.metavar for info in infos.values() if info.required}
    return [Example(task, inputs, {**required, **options}, output) for options, output in ways]


def _file(slot: Slot) -> str:
    """A photograph comes from a camera; what an encoder takes is small and kept without loss."""
    return f"{slot.name}.{'png' if slot.fits else 'jpg'}"


def _sweeping(task: Task, facts: Facts) -> Iterator[tuple[dict[str, Any], str]]:
    """A code that is one of several, side by side; a number, moving."""
    categorical = next((variable for variable in latent_variables(facts) if isinstance(variable, Categorical)), None)
    if categorical is not None:
        yield {"code": categorical.name}, f"{categorical.name}.png"
    swept = [(code.name, code.variable.name) for code in swept_codes(facts)[:1]]
    others = [(f"{variable.name}.0", variable.name) for variable in latent_variables(facts)[:1] if categorical is None]
    for code, name in swept or others:
        yield {"code": code}, f"{name}.{'webp' if 'animation' in task.outputs else 'png'}"


def _sampling(infos: Mapping[str, OptionInfo], facts: Facts) -> Iterator[tuple[dict[str, Any], str]]:
    """Samples as they come, and with a code held."""
    count = {"n": _COUNT} if "n" in infos else {}
    yield {**count}, "samples.png"
    categorical = next((variable for variable in latent_variables(facts) if isinstance(variable, Categorical)), None)
    if categorical is not None and "set" in infos and infos["set"].is_mapping:
        value = categorical.label(0)
        word = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-") if categorical.labels else ""
        yield {"set": {categorical.name: value}, **count}, f"{word or f'{categorical.name}-0'}.png"
