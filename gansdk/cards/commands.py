"""The lines that a card prints to be typed: calls of its tasks, and what trains and measures the model again."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from gansdk.cards.card import first_categorical
from gansdk.errors import GansdkError
from gansdk.evaluation.codes import latent_variables, swept_codes
from gansdk.evaluation.evaluated_model import OTHER_CHECKPOINT
from gansdk.evaluation.protocol import SAMPLES
from gansdk.evaluation.restoration import PREFIX
from gansdk.jobs.calls import Call
from gansdk.options import describe, validate
from gansdk.plugins.declarations import resolve
from gansdk.plugins.registry import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gansdk.cards.card import Card
    from gansdk.evaluation.record import Measurement
    from gansdk.model.config import Trained
    from gansdk.model.facts import Facts
    from gansdk.options import OptionInfo, Options
    from gansdk.plugins.declarations import Config, Slot, Task


_RUN, _BASELINE, _MODEL = "run", "baseline", "model"
"""The folders that the commands name."""

_COUNT = 16


def examples(task: Task, facts: Facts) -> list[Call]:
    """Calls that show what a task does with a model of these facts; the last one shows most."""
    infos = {info.name: info for info in describe(options_of(task))}
    inputs = tuple("" if slot.optional else _file(slot) for slot in task.slots)
    calls: Iterable[tuple[dict[str, Any], str]] = [({}, "")]
    if "code" in infos and latent_variables(facts):
        calls = _sweeping(task, facts)
    elif not any(inputs) and not task.gives_records:
        calls = _sampling(infos, facts)
    required = {info.name: info.metavar for info in infos.values() if info.required}
    return [Call(task, inputs, {**required, **options}, output) for options, output in calls]


def _file(slot: Slot) -> str:
    """A photograph comes from a camera; what an encoder takes is small and kept without loss."""
    if slot.medium == "image":
        return f"{slot.name}.{'png' if slot.fits else 'jpg'}"
    return f"{slot.name}{slot.reader.endings[0]}"


def _sweeping(task: Task, facts: Facts) -> Iterator[tuple[dict[str, Any], str]]:
    """The values of a categorical code, side by side; a number, moving."""
    categorical = first_categorical(facts)
    if categorical is not None:
        yield {"code": categorical.name}, f"{categorical.name}.png"
    numbers = [(code.name, code.variable.name) for code in swept_codes(facts)[:1]]
    others = [(f"{variable.name}.0", variable.name) for variable in latent_variables(facts)[:1] if categorical is None]
    for code, name in numbers or others:
        yield {"code": code}, f"{name}.{'webp' if 'animation' in task.outputs.values() else 'png'}"


def _sampling(infos: Mapping[str, OptionInfo], facts: Facts) -> Iterator[tuple[dict[str, Any], str]]:
    """Samples as they come, and with a code held."""
    count = {"n": _COUNT} if "n" in infos else {}
    yield {**count}, "samples.png"
    categorical = first_categorical(facts)
    if categorical is not None and "set" in infos and infos["set"].is_mapping:
        value = categorical.label(0)
        word = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-") if categorical.labels else ""
        yield {"set": {categorical.name: value}, **count}, f"{word or f'{categorical.name}-0'}.png"


def reproduction(card: Card) -> list[str]:
    """The commands that make the model and its figures again."""
    trained, origin = card.config.trained, card.config.origin
    licence = ["--licence", card.config.licence] if card.config.licence else []
    commands = []
    if trained is not None:
        words = ["train", card.config.method, "--config", trained.config, *_settings(card, trained)]
        commands.append([*words, *licence, *(["--ablate"] if _is_ablation(card) else []), "-o", _RUN])
    if origin is not None:
        commands.append(["import", origin.hub or origin.file, *licence, "-o", _MODEL])
    folder = f"{_RUN if trained is not None else _MODEL}/"
    commands += [["eval", folder, *words] for words in _measuring(card)]
    return [shlex.join(["gansdk", *words]) for words in commands]


def other_trainings(card: Card) -> list[str]:
    """How the training command is changed to train what the model is compared with.

    Of a baseline that ``--ablate`` does not train, nothing is known.
    """
    config, evaluation = _config(card), card.evaluation
    changes = [["--ablate", "-o", _BASELINE]] if config and config.ablated_terms and _has_other_baseline(card) else []
    changes += [["--seed", str(other.seed), "-o", f"seed-{other.seed}"] for other in evaluation.replicates]
    changes += [[*_sets({"steps": row.steps, **row.options}), "-o", row.name] for row in evaluation.ablation]
    return [shlex.join(words) for words in changes]


def _settings(card: Card, trained: Trained) -> list[str]:
    """What a training was given beside its config.

    Options are named where the config of today's plugin would choose otherwise, so it stays right when that changes.
    """
    usual = _usual_options(card, trained)
    words = _named("data", (data.name for data in trained.data))
    words += _sets(dict(item for item in trained.options.items() if item not in usual.items()))
    words += ["--seed", str(trained.seed)]
    words += ["--device", trained.device] if trained.device else []
    words += ["--precision", trained.precision] if trained.precision else []
    return [*words, *(["--threads", str(trained.threads)] if trained.threads != "auto" else [])]


def _named(option: str, values: Iterable[str]) -> list[str]:
    """An option once for each of its values."""
    return [word for value in values for word in (f"--{option}", value)]


def _sets(options: Mapping[str, Any]) -> list[str]:
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in options.items()}
    return _named("set", (f"{name}={text}" for name, text in texts.items()))


def _measuring(card: Card) -> Iterator[list[str]]:
    """What follows ``gansdk eval run/``, for each of the commands."""
    evaluation = card.evaluation
    baseline = ["--baseline", f"{_BASELINE}/"] if _has_other_baseline(card) else []
    tested = [found for found in evaluation.measurements if found.data != SAMPLES and not found.data.startswith(PREFIX)]
    has_trials = any(found.data.startswith(PREFIX) for found in evaluation.measurements)
    if tested:
        yield [*_data(card, tested), *baseline]
    if has_trials or (evaluation.measurements and not tested):  # what is measured where no data is named
        yield baseline
    if evaluation.ablation:
        measured = (found for row in evaluation.ablation for found in row.measurements)
        yield [*_data(card, measured), *_named("ablation", (f"{row.name}={row.name}/" for row in evaluation.ablation))]
    if evaluation.replicates:
        measured = (found for other in evaluation.replicates for found in other.measurements)
        yield [*_data(card, measured), *_named("replicate", (f"seed-{other.seed}/" for other in evaluation.replicates))]


def _data(card: Card, measurements: Iterable[Measurement]) -> list[str]:
    """The options that name the data: by its own name alone where gansdk knows it by that."""
    names = {digest: split.name for digest, split in card.datasets.items()}
    values: dict[str, str] = {}
    for found in measurements:
        is_named = not found.digest and found.data in names.values()
        place = found.data if is_named else names.get(found.digest, "FOLDER-OR-ZIP")
        values[found.data] = found.data if found.data == place else f"{found.data}={place}"
    return _named("data", (value for name, value in values.items() if name != SAMPLES))


def _has_other_baseline(card: Card) -> bool:
    """Whether the model was compared with another one, and not with its own first checkpoint."""
    evaluation = card.evaluation
    return evaluation.baseline != OTHER_CHECKPOINT and any(found.baseline for found in evaluation.measurements)


def _config(card: Card) -> Config | None:
    trained = card.config.trained
    return card.method.configs.get(trained.config) if card.method is not None and trained is not None else None


def _is_ablation(card: Card) -> bool:
    """Whether exactly the method's own terms were left out."""
    config, trained = _config(card), card.config.trained
    ablated = set(trained.ablated_terms) if trained is not None else set()
    return bool(ablated) and config is not None and set(config.ablated_terms) == ablated


def _usual_options(card: Card, trained: Trained) -> Mapping[str, Any]:
    """The options that the config chooses by default; none where it cannot be asked."""
    config = _config(card)
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
