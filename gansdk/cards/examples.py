"""Calls of a task for one model, as a command and as Python: made from what the task takes and the model's codes."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from gansdk.evaluation.latents.codes import latent_parts, swept_codes
from gansdk.model.parts import Categorical
from gansdk.options import describe
from gansdk.plugins.registry import options_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gansdk.model.facts import Facts
    from gansdk.options import OptionInfo
    from gansdk.plugins.declarations import Slot, Task

_COUNT = 16


class Example(NamedTuple):
    """One call.

    Attributes:
        task: Of what.
        inputs: One file for each of its slots.
        options: By name.
        output: What is written; empty where it is named by itself.
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
    is_swept = "code" in infos and bool(latent_parts(facts))
    is_sampled = not inputs and not task.gives_records
    ways = list(_sweeping(task, facts) if is_swept else _sampling(infos, facts) if is_sampled else [({}, "")])
    required = {info.name: info.metavar for info in infos.values() if info.required}
    return [Example(task, inputs, {**required, **options}, output) for options, output in ways]


def _file(slot: Slot) -> str:
    """A photograph comes from a camera; what an encoder takes is small and kept without loss."""
    return f"{slot.name}.{'png' if slot.fits else 'jpg'}"


def _sweeping(task: Task, facts: Facts) -> Iterator[tuple[dict[str, Any], str]]:
    """A code that is one of several, side by side; a number, moving."""
    categorical = next((part for part in latent_parts(facts) if isinstance(part, Categorical)), None)
    if categorical is not None:
        yield {"code": categorical.name}, f"{categorical.name}.png"
    swept = [(code.name, code.part.name) for code in swept_codes(facts)[:1]]
    others = [(f"{part.name}.0", part.name) for part in latent_parts(facts)[:1] if categorical is None]
    for code, name in swept or others:
        yield {"code": code}, f"{name}.{'webp' if 'animation' in task.outputs else 'png'}"


def _sampling(infos: Mapping[str, OptionInfo], facts: Facts) -> Iterator[tuple[dict[str, Any], str]]:
    """Samples as they come, and with a code held."""
    count = {"n": _COUNT} if "n" in infos else {}
    yield {**count}, "samples.png"
    categorical = next((part for part in latent_parts(facts) if isinstance(part, Categorical)), None)
    if categorical is not None and "set" in infos and infos["set"].is_mapping:
        value = categorical.label(0)
        word = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-") if categorical.labels else ""
        yield {"set": {categorical.name: value}, **count}, f"{word or f'{categorical.name}-0'}.png"
