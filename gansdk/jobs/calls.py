"""One call of a task as a user types it, on the command line and in Python."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from gansdk.media.formats import format_by_ending
from gansdk.options import describe_all
from gansdk.plugins.registry import groups_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.plugins.declarations import Task


class Call(NamedTuple):
    """One call.

    Attributes:
        task: Of what.
        inputs: A file for each of its slots, in their order; empty for one that is left out.
        options: By name, of any of the task's groups of options.
        output: What is written; empty for the default name.
    """

    task: Task
    inputs: tuple[str, ...]
    options: Mapping[str, Any]
    output: str = ""

    def command(self, ref: str) -> str:
        """What a user types to call it with this model."""
        given = list(zip(self.task.slots, self.inputs, strict=True))
        words = ["gansdk", "run", self.task.name, *(file for slot, file in given if not slot.optional)]
        words += ["--model", ref]
        words += [word for slot, file in given if slot.optional and file for word in (f"--{slot.name}", file)]
        infos = {info.name: info for info in describe_all(groups_of(self.task).values())}
        for name, value in self.options.items():
            if infos[name].is_flag:
                words.append(infos[name].flag if value else infos[name].flag.replace("--", "--no-", 1))
                continue
            texts = [f"{key}={text}" for key, text in value.items()] if isinstance(value, dict) else [str(value)]
            words += [word for text in texts for word in (infos[name].flag, text)]
        return shlex.join([*words, *(("-o", self.output) if self.output else ())])

    def python(self, ref: str) -> str:
        """Lines of a program that do the same."""
        groups = groups_of(self.task)
        load = {name: value for name, value in self.options.items() if name in groups["load"].model_fields}
        write = {name: value for name, value in self.options.items() if name in groups["write"].model_fields}
        call = {name: value for name, value in self.options.items() if name not in load | write}
        files = [
            f"{slot.name}={_literal(file)}" if slot.optional else _literal(file)
            for slot, file in zip(self.task.slots, self.inputs, strict=True)
            if file
        ]
        bound = ", ".join([f'"{self.task.name}"', *_keywords({"model": ref, **load})])
        lines = [f"result = gansdk.pipeline({bound})({', '.join([*files, *_keywords(call)])})"]
        if self.task.gives_records:
            return "\n".join([*lines, "print(dict(result))"])
        target = self.output or "result" + next(iter(format_by_ending(groups["write"])))
        return "\n".join([*lines, f"result.save({', '.join([_literal(target), *_keywords(write)])})"])


def _keywords(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_literal(value)}" for name, value in values.items()]


def _literal(value: Any) -> str:
    is_plain = value is None or isinstance(value, bool)
    return repr(value) if is_plain else json.dumps(value, ensure_ascii=False)
