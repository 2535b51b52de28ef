"""The commands that make a model again and measure it, from its training record."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from gansdk.errors import GansdkError
from gansdk.evaluation.draws import SAMPLES
from gansdk.evaluation.restoration.trials import PREFIX
from gansdk.evaluation.subjects import OTHER_END
from gansdk.options import validate
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gansdk.evaluation.record import Evaluation, Measurement, Replicate, Variant
    from gansdk.model.config import Origin, Trained
    from gansdk.options import Options
    from gansdk.plugins.declarations import Method

_RUN, _TWIN, _FOLDER = "run", "twin", "model"


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
    words += ["--twin"] if _is_twin(method, trained) else []
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
    twin = ["--twin", f"{_TWIN}/"] if _has_another_as_twin(evaluation) else []
    commands = [shlex.join([*words, *_sets(own, named), *twin])] if own else []
    alone = any(name.startswith(PREFIX) for name in names) or not own
    return [*commands, shlex.join([*words, *twin])] if names and alone else commands


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

    Where a twin was measured that this method's ``--twin`` does not train, nothing is known of how it was.
    """
    config = method.configs.get(trained.config) if method is not None else None
    has_twin = config is not None and bool(config.own_terms) and _has_another_as_twin(evaluation)
    changes = [["--twin", "-o", _TWIN]] if has_twin else []
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


def _has_another_as_twin(evaluation: Evaluation) -> bool:
    return evaluation.twin != OTHER_END and any(one.twin is not None for one in evaluation.measurements)


def _is_twin(method: Method | None, trained: Trained) -> bool:
    """Whether exactly the method's own terms were left out."""
    config = method.configs.get(trained.config) if method is not None else None
    return bool(trained.silenced) and config is not None and set(config.own_terms) == set(trained.silenced)


def _usual(method: Method | None, trained: Trained) -> Mapping[str, Any]:
    """The options that the config chooses by itself; none where it cannot be asked."""
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
