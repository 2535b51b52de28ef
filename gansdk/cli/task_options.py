"""A task's options as flags: made from the same classes as the Python keywords and the JSON Schema."""

from __future__ import annotations

from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gansdk.options import (
    AnimationWriting,
    GalleryWriting,
    LoadOptions,
    Options,
    PictureReading,
    PictureWriting,
    RecordWriting,
    describe_all,
    parse_mapping,
    split,
)
from gansdk.plugins.registry import options_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gansdk.options import OptionInfo
    from gansdk.plugins.declarations import Task

_TITLES = {"call": "Options of {task}", "load": "Model", "read": "Reading", "write": "Writing"}


def groups_of(task: Task) -> dict[str, type[Options]]:
    """The groups that take part in a task, by their kind.

    Raises:
        PluginError: If the task's own options cannot be used.
    """
    groups: dict[str, type[Options]] = {"call": options_of(task), "load": LoadOptions}
    if any(slot.kind == "picture" for slot in task.slots):
        groups["read"] = PictureReading
    groups["write"] = writing_of(task)
    return groups


def writing_of(task: Task) -> type[Options]:
    """The group that says how the task's results are written."""
    if task.gives_records:
        return RecordWriting
    if "animation" in task.outputs:
        return AnimationWriting
    return GalleryWriting if "arrays" in task.outputs else PictureWriting


def parameters_of(task: Task) -> list[Parameter]:
    """One parameter per option, annotated for Typer.

    Typer hands on each option as the text that was typed; what it may be stands in its metavar, and pydantic alone
    decides, because Typer cannot say ``auto|off|32..4096``.
    """
    return [
        parameter_of(info, _TITLES[kind].format(task=task.name))
        for kind, group in groups_of(task).items()
        for info in describe_all([group])
    ]


def validate(task: Task, values: Mapping[str, Any]) -> dict[str, Options]:
    """What was typed, validated by all groups together.

    Args:
        task: The task.
        values: Text, flag or repeated text by option name; None or an empty list where an option was not given.

    Raises:
        OptionError: If values are wrong: one line, all of them named.
    """
    groups = groups_of(task)
    infos = {info.name: info for info in describe_all(groups.values())}
    given = {name: _value(infos[name], value) for name, value in values.items() if name in infos}
    return dict(zip(groups, split(list(groups.values()), given), strict=True))


def _value(info: OptionInfo, value: Any) -> Any:
    if not info.is_mapping:
        return value
    return parse_mapping(info.flag, value) if value else None


def parameter_of(info: OptionInfo, title: str) -> Parameter:
    """One option as a parameter annotated for Typer, listed in the section ``title``; it hands on what was typed."""
    kind: Any = str | None
    flags, metavar = [info.flag], info.metavar
    if info.is_flag:
        kind = bool | None
        flags = [f"{info.flag}/{info.flag.replace('--', '--no-', 1)}"]
    elif info.is_mapping or info.is_repeated:
        kind = list[str] | None
    option = typer.Option(
        *flags,
        metavar=None if info.is_flag else metavar,
        help=_help(info),
        show_default=False,
        rich_help_panel=title,
    )
    return Parameter(info.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _help(info: OptionInfo) -> str:
    if info.required:
        return f"{info.help} (required)"
    if info.is_flag:
        return f"{info.help} (default: {'yes' if info.default else 'no'})"
    if info.is_mapping:
        return f"{info.help} (may be repeated)"
    if info.is_repeated:
        return f"{info.help} (may be repeated; default: {' and '.join(map(str, info.default))})"
    return info.help if info.default in {None, ""} else f"{info.help} (default: {info.default})"
