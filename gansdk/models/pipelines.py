"""A task bound to a loaded model: the call that applications make, and how its inputs are read."""

from __future__ import annotations

import copy
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

import torch

from gansdk.errors import ModelError, OptionError
from gansdk.hub.access import Access
from gansdk.media.gallery import Gallery
from gansdk.models.catalog import Catalog, check_fit
from gansdk.models.context import Context, warn, watched
from gansdk.models.latents import Encoding
from gansdk.models.loading import fingerprint, load_model
from gansdk.models.memory import default_budget
from gansdk.models.runtime import NonFiniteError, Placement, assemble, assemble_plain, place, set_threads
from gansdk.options import LoadOptions, Options, part_of, split, validate
from gansdk.plugins.declarations import resolve
from gansdk.plugins.registry import options_of, reading_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from os import PathLike

    from gansdk.model.facts import Facts, Precision
    from gansdk.model.protocols import Model
    from gansdk.models.context import Event
    from gansdk.models.resolved import ResolvedModel
    from gansdk.plugins.declarations import Slot, Task


Result = Any  # an Image or a record, as the task says


def pipeline(
    task: str,
    model: str | PathLike[str] | None = None,
    *,
    device: str | torch.device = "auto",
    precision: str = "auto",
    threads: int | Literal["auto"] = "auto",
    network_interpolation: float | None = None,
    offline: bool = False,
) -> Pipeline:
    """Binds a task to a model, loaded and ready to be called as often as you like.

    Args:
        task: As in ``superres``; ``gansdk tasks`` lists them.
        model: A ref (``builtin:…``, ``hub:…``, a folder, an alias); None takes your default for the task, or the one
            installed model that fits.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``, or a :class:`torch.device`.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        threads: CPU threads of the whole process; ``auto`` leaves them as they are.
        network_interpolation: For a model that carries two checkpoints, where between them: 0 is the one that training
            started from, 1 the trained one. None is 1.
        offline: Whether no connection may be opened; a model on the Hub is then taken from the cache.

    Returns:
        Something to call: ``pipeline("superres")("photo.jpg", tile=256).save("large.png")``.

    Raises:
        GansdkError: If there is no such task, model or device, or the model does not fit or load.
        HubError: If a model on the Hub cannot be downloaded.

    Warns:
        UserWarning: If the Hub cannot be reached and what is cached of a branch or tag is used.
    """
    load = validate(
        LoadOptions,
        {"device": device, "precision": precision, "threads": threads, "network_interpolation": network_interpolation},
    )
    catalog = Catalog.installed_here(Access(offline=offline), warn)
    wanted = catalog.registry.task(task)
    resolved = catalog.locate(model if model is not None else catalog.choose(wanted).ref)
    return Pipeline(wanted, resolved, load)


class Pipeline:
    """A task with a model in memory. Calls may come from several threads at once.

    Made by :func:`gansdk.pipeline`. ``pipeline(photo, tile=256)`` takes the task's own options and those of reading
    its inputs as keywords; a name that is not among them is refused.
    """

    def __init__(self, task: Task, resolved: ResolvedModel, load: LoadOptions) -> None:
        check_fit(task, resolved)
        self.task = task
        self.placement = place(load, resolved.config.facts, needs_gradients=task.needs_gradients)
        set_threads(load.threads)
        try:
            self.loaded = load_model(resolved, load.network_interpolation)
        except ModelError:
            newer = resolved.replaced()
            if newer is None:
                raise
            self.loaded, resolved = load_model(newer, load.network_interpolation), newer
        self.resolved = resolved
        self.model = assemble(self.loaded, self.placement, needs_gradients=task.needs_gradients)
        self._measured: dict[Precision, dict[str, float]] = {"fp32": {}, self.placement.precision: {}}
        self._careful: Model | None = None
        self._identity: str | None = None
        self._lock = threading.Lock()
        self._function = resolve(task.function)
        self.call_options = options_of(task)

    def __repr__(self) -> str:
        return f"<Pipeline {self.task.name} with {self.resolved.ref} on {self.placement}>"

    def __call__(
        self,
        *inputs: object,
        progress: Callable[[float, float], object] | None = None,
        cancel: Event | None = None,
        **options: object,
    ) -> Result:
        """Runs the task once, or once for each of several inputs.

        Args:
            inputs: One per slot of the task, or by its name as a keyword: a path, bytes, a binary file object, a PIL
                image, an array [H, W, C], a tensor [C, H, W] or a :class:`~gansdk.Image`. Or a batch of them: a list,
                a tuple, a :class:`~gansdk.Gallery`, an array [N, H, W, C] or a tensor [N, C, H, W]; a single one for
                another slot is then taken with each.
            progress: Called with how much is done and of how much, between tiles and batches; of a batch, in inputs.
                What it raises ends the call and is passed on.
            cancel: An event, as of :mod:`threading`. Once it is set, from any thread, the call ends at the next tile
                or batch.
            options: Call options of the task and read options of its inputs; and inputs by the names of their slots.

        Returns:
            A :class:`~gansdk.Image` or a :class:`~gansdk.Gallery`; or, where the task gives records, a mapping. What
            an encoder read has ``notes``, which the command line prints. Of a batch, a list of them.

        Raises:
            GansdkError: Whatever is wrong with the inputs or options, in one line.
            CancelledError: If ``cancel`` was set. There is no result, and nothing is left behind.
        """
        names = [slot.name for slot in self.task.slots]
        sources = _bind(self.task, inputs, {name: options.pop(name) for name in names if name in options})
        group = reading_of(self.task)
        call, *read = split([self.call_options, *([] if group is None else [group])], options)
        reading, tell = read[0] if read else Options(), watched(progress, cancel)
        batches = [_as_batch(slot, source) for slot, source in zip(self.task.slots, sources, strict=True)]
        lengths = {len(batch) for batch in batches if batch is not None}
        if len(lengths) > 1:
            raise OptionError(f"{self.task.name} takes batches of one length, or one of each input")
        if lengths:
            (count,) = lengths
            columns = (batch or [source] * count for batch, source in zip(batches, sources, strict=True))
            return self._run_batch(list(zip(*columns, strict=True)), call, reading, tell)
        check = watched(None, cancel)
        check(0, 1)
        notes: list[str] = []
        result = self.run(sources, call, reading, Context(progress=tell, note=notes.append))
        check(1, 1)
        return _with_notes(result, notes)

    def _run_batch(
        self, items: Sequence[tuple[object, ...]], call: Options, reading: Options, tell: Callable[[float, float], None]
    ) -> list[Result]:
        """One result for each item; those are computed together of which the task can take several."""
        size = getattr(call, "batch", 1) if self.task.many else 1
        results: list[Result] = []
        for start in range(0, len(items), size):
            tell(start, len(items))
            notes: list[list[str]] = []
            inputs = []
            for at, item in enumerate(items[start : start + size], start):
                notes.append([])
                inputs.append(self.read(item, reading, Context(note=notes[-1].append), name=f"input [{at}]"))

            def tell_items(done: float, total: float, start: int = start) -> None:
                tell(start + done / total, len(items))

            context = Context(progress=tell_items, note=notes[0].append)
            is_one = len(inputs) == 1
            made = [self.compute(inputs[0], call, context)] if is_one else self.compute_many(inputs, call, context)
            results += map(_with_notes, made, notes)
        tell(len(items), len(items))
        return results

    def run(self, inputs: tuple[object, ...], call: Options, reading: Options, context: Context) -> Result:
        """Runs the task once with validated options, for callers with a context of their own."""
        return self.compute(self.read(inputs, reading, context), call, context)

    def read(self, inputs: tuple[object, ...], reading: Options, context: Context, *, name: str = "") -> dict[str, Any]:
        """Reads one input per slot, and fits it to the other inputs and to the model.

        Args:
            inputs: One for each slot; None for one that is left out.
            reading: Options of the groups that the media of the slots declare.
            context: Takes a note for each decision and loss.
            name: What messages call inputs that have no name of their own.

        Returns:
            The values by slot; a list for a slot that takes many. What was left out is missing.
        """
        raw: dict[str, Any] = {}
        for slot, source in zip(self.task.slots, _bind(self.task, inputs, {}), strict=True):
            if source is not None:
                several = source if slot.many and isinstance(source, list | tuple) else [source]
                options = _reading_of(slot, reading)
                values = [slot.reader.read(item, options, context.note, name=name) for item in several]
                raw[slot.name] = values if slot.many else values[0]
        facts = self.resolved.config.facts
        given = [slot for slot in self.task.slots if slot.name in raw]
        return {slot.name: _fitted(slot, raw, _reading_of(slot, reading), facts, context.note) for slot in given}

    def compute(self, inputs: Mapping[str, Any], call: Options, context: Context) -> Result:
        """Runs the task on what was read; once more in fp32 if reduced precision gave NaN or infinity."""
        result = self._compute(self._function, inputs, call, context)
        self.task.values(result)
        return result

    def compute_many(self, inputs: Sequence[Mapping[str, Any]], call: Options, context: Context) -> Sequence[Result]:
        """The same for several items at once, of a task that can; one result for each."""
        results: Sequence[Result] = self._compute(resolve(self.task.many), inputs, call, context)
        for result in results:
            self.task.values(result)
        return results

    def _compute(self, function: Callable[..., Any], inputs: object, call: Options, context: Context) -> Any:
        def run(model: Model, precision: Precision) -> Any:
            known = self._measured[precision]
            memory = default_budget(self.placement.device) if context.memory == "auto" else context.memory
            own = replace(context, measured=known, memory=memory, fingerprint=self.fingerprint)
            # Inference mode is entered here, per call, and never while weights are prepared: a tensor made inside it
            # cannot take part in a gradient later.
            with torch.inference_mode(not self.task.needs_gradients):
                return function(model, inputs, call, own)

        try:
            return run(self.model, self.placement.precision)
        except NonFiniteError:
            if self.placement.precision == "fp32":
                raise
            context.note(f"{self.placement.precision} gave no finite result; computing once more in fp32")
            with self._lock:
                if self._careful is None:  # a task with gradients is in fp32 from the start
                    self._careful = assemble(self.loaded, Placement(self.placement.device, "fp32"))
            return run(self._careful, "fp32")

    def bare(self) -> Model:
        """The model over its networks as the plugin builds them, in fp32 and not prepared, on the pipeline's device."""
        return assemble_plain(self.loaded, lambda network: copy.deepcopy(network).to(self.placement.device))

    def fingerprint(self) -> str:
        """Identifies the model's generator, so that a file of latents is not taken to another one."""
        with self._lock:
            if self._identity is None:
                self._identity = fingerprint(self.loaded)
            return self._identity


def _bind(task: Task, positional: Sequence[object], named: Mapping[str, object]) -> tuple[object, ...]:
    """One source for each slot, None for one that is left out, from the arguments of a call."""
    names = [slot.name for slot in task.slots]
    twice = [name for name in names[: len(positional)] if name in named]
    sources = dict(zip(names, positional, strict=False)) | dict(named)
    lacking = [slot.name for slot in task.slots if not slot.optional and sources.get(slot.name) is None]
    if twice:
        raise OptionError(f"{task.name}: {twice[0]} is given twice", hint="give it once")
    if lacking or len(positional) > len(names):
        raise OptionError(f"{task.name} takes {', '.join(names) or 'nothing'}; {len(positional) + len(named)} given")
    return tuple(sources.get(name) for name in names)


def _reading_of(slot: Slot, reading: Options) -> Options | None:
    group = slot.reader.reading
    return None if group is None else part_of(reading, group)


def _fitted(
    slot: Slot, raw: Mapping[str, Any], options: Options | None, facts: Facts, note: Callable[[str], None]
) -> Any:
    """What was read for a slot, matched to the other inputs first, and then fitted to what the model takes."""
    medium, facet = slot.reader, getattr(facts, slot.fits or "", None)
    spec = getattr(facet, "data", None) or getattr(facet, "source", None)
    values = raw[slot.name] if slot.many else [raw[slot.name]]
    values = [medium.match(value, raw, options, note) for value in values]
    if spec is not None:
        values = [medium.fit(value, spec, options, note) for value in values]
    return values if slot.many else values[0]


def _as_batch(slot: Slot, source: object) -> Sequence[object] | None:
    """A batch as a sequence of its items; None for a single input."""
    if isinstance(source, list | tuple):
        is_one = slot.many and not any(isinstance(item, list | tuple) for item in source)
        return None if is_one else source
    if isinstance(source, Gallery):
        return source.images
    is_array = isinstance(source, torch.Tensor) or hasattr(source, "__array__")
    return list(cast("Iterable[object]", source)) if is_array and getattr(source, "ndim", 0) == 4 else None


def _with_notes(result: Result, notes: Sequence[str]) -> Result:
    return replace(result, notes=tuple(notes)) if isinstance(result, Encoding) else result
