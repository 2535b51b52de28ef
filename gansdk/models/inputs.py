"""What a call gives a task, one source for each slot, and how it becomes the values that the task gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk.errors import OptionError
from gansdk.options import Options, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gansdk.model.facts import Facts
    from gansdk.plugins.declarations import Slot, Task


def bind(task: Task, positional: Sequence[object], named: Mapping[str, object]) -> tuple[object, ...]:
    """One source for each slot, None for one that is left out, from the arguments of a call.

    Raises:
        OptionError: If there are too many or too few, or a slot is given twice.
    """
    names = [slot.name for slot in task.slots]
    twice = [name for name in names[: len(positional)] if name in named]
    sources = dict(zip(names, positional, strict=False)) | dict(named)
    lacking = [slot.name for slot in task.slots if not slot.optional and sources.get(slot.name) is None]
    if twice:
        raise OptionError(f"{task.name}: {twice[0]} is given twice", hint="give it once")
    if lacking or len(positional) > len(names):
        raise OptionError(f"{task.name} takes {', '.join(names) or 'nothing'}; {len(positional) + len(named)} given")
    return tuple(sources.get(name) for name in names)


def read_inputs(
    task: Task,
    sources: Sequence[object],
    reading: Options,
    facts: Facts,
    note: Callable[[str], None],
    *,
    name: str = "",
) -> dict[str, Any]:
    """Reads what a call gives, and brings it to what the model takes.

    Args:
        task: Whose slots they are for.
        sources: One for each slot; None for one that is left out.
        reading: Of the groups that the media of the slots declare.
        facts: Of the model.
        note: Takes a line for each decision and loss.
        name: What messages call sources that have no name of their own.

    Returns:
        The values by slot; a list for a slot that takes many. What was left out is missing.

    Raises:
        InputError: If one cannot be read, or does not fit the others or the model.
        OptionError: If there are too many or too few.
    """
    raw: dict[str, Any] = {}
    for slot, source in zip(task.slots, bind(task, sources, {}), strict=True):
        if source is not None:
            several = source if slot.many and isinstance(source, list | tuple) else [source]
            values = [slot.reader.read(one, _options(slot, reading), note, name=name) for one in several]
            raw[slot.name] = values if slot.many else values[0]
    given = [slot for slot in task.slots if slot.name in raw]
    return {slot.name: _fitted(slot, raw, _options(slot, reading), facts, note) for slot in given}


def _options(slot: Slot, reading: Options) -> Options | None:
    group = slot.reader.reading
    return None if group is None else part_of(reading, group)


def _fitted(
    slot: Slot, raw: Mapping[str, Any], options: Options | None, facts: Facts, note: Callable[[str], None]
) -> Any:
    """What was read for a slot, brought to the other inputs first, and then to what the model takes."""
    medium, facet = slot.reader, getattr(facts, slot.fits or "", None)
    spec = getattr(facet, "data", None) or getattr(facet, "source", None)
    values = raw[slot.name] if slot.many else [raw[slot.name]]
    values = [medium.match(value, raw, options, note) for value in values]
    if spec is not None:
        values = [medium.fit(value, spec, options, note) for value in values]
    return values if slot.many else values[0]
