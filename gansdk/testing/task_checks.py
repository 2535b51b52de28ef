"""Checks of tasks: what they name exists, they can be asked about any model, and a call gives what they declare.

A task is tried on a tiny model of the kit that it fits, or on a model of its own distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gansdk.errors import WrongResultError
from gansdk.files import dump_json
from gansdk.media.gallery import Gallery
from gansdk.media.image import Image
from gansdk.options import LoadOptions
from gansdk.plugins.declarations import resolve
from gansdk.plugins.registry import options_of
from gansdk.testing.checks import check, fail, first_line, skip
from gansdk.testing.plugin_checks import heavy_imports
from gansdk.testing.replay import image
from gansdk.testing.tiny_models import made_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gansdk.models.pipelines import Pipeline
    from gansdk.testing.targets import TaskUnderTest


_IMPORT_STRINGS = ("function", "check", "count", "extent", "pieces", "many")

_CLOSE = 1e-6
"""How far an item's numbers may depend on its batch, in numbers that are about 1."""

_IMPORT = """
import importlib
package, _, _ = sys.argv[1].rpartition(".")
if package:
    importlib.import_module(package)  # whatever that imports, `imports-light` says
watch.found.clear()
importlib.import_module(sys.argv[1])
"""


@check("task")
def import_strings_resolve(target: TaskUnderTest) -> None:
    """All functions that the task names by import strings exist.

    They are imported when a user runs the task, so a misspelt one passes every listing and fails there. Write
    `package.module:name`.
    """
    for field in _IMPORT_STRINGS:
        path = getattr(target.task, field)
        if path and not callable(resolve(path)):
            fail(f"{field}={path!r} is not a function")


@check("task")
def options_import_light(target: TaskUnderTest) -> None:
    """The file of its options imports neither torch nor anything else that takes long.

    Every call of `gansdk` reads the options of every task, to make its flags. Keep options in a file that imports
    pydantic and gansdk alone, and import torch inside the functions that use it.
    """
    module = target.task.options.partition(":")[0]
    heavy = heavy_imports(_IMPORT, module)
    if heavy:
        fail(f"{module} imports {'; '.join(heavy)}")


@check("task")
def unsupported_reason_is_total(target: TaskUnderTest) -> None:
    """It says of every model whether it fits, and raises for none.

    Listings and cards ask about models of methods that its author never saw. `unsupported_reason(facts)` gives None,
    or why not in a few words; ask `isinstance(facts.generator, …)` before you read a field of one kind of generator.
    """
    for facts in made_facts():
        facets = [f"{name} {_kind(facet)}".strip() for name, facet in facts if name != "safe_precisions" and facet]
        model = f"a model with {' and '.join(facets) or 'no facet'}"
        try:
            reason = target.task.unsupported_reason(facts)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            fail(f"asked about {model}, it raises {type(error).__name__}: {first_line(error)}")
        if reason is not None and not (isinstance(reason, str) and reason.strip() and "\n" not in reason):
            fail(f"asked about {model}, it answers {reason!r}, which is neither None nor a line of text")


def _kind(facet: Any) -> str:
    source = getattr(facet, "source", None)
    return f"from a {source.kind}" if source is not None else ""


@check("task", needs=("import-strings-resolve", "unsupported-reason-is-total"))
def outputs_as_declared(target: TaskUnderTest) -> None:
    """A call gives what the task declares.

    The kind of output decides which flags the task has and how its results are written; another type ends a job of
    many files at its first. Return a value of the medium that `outputs` names, or a mapping with one for each.
    """
    try:
        _Trial(target).run(0)
    except WrongResultError as error:
        fail(error.message)


@check("task", needs=("outputs-as-declared",))
def task_gives_same_bytes(target: TaskUnderTest) -> None:
    """The same call gives the same bytes, whatever was computed before.

    Results that cannot be made again can be neither tested nor compared. Take randomness from an option `seed`, and
    keep nothing between calls.
    """
    trial = _Trial(target)
    first = trial.run(0)
    if target.task.slots:
        trial.run(1)
    for when, again in (("a second call", trial.run(0)), ("a newly loaded model", _Trial(target).run(0))):
        if _difference(first, again) != 0:
            fail(f"{when} gives another result")


@check("task", needs=("outputs-as-declared",))
def many_equal_one(target: TaskUnderTest) -> None:
    """Several items computed at once give what each gives alone.

    Whether items are computed together depends on `batch` and on how many files there are, which must not change a
    result. Compute each item of `run_many` from that item alone.
    """
    if not target.task.many:
        skip("it computes one item at a time")
    trial = _Trial(target)
    alone = [trial.run(number) for number in range(3)]
    together = trial.run_many(3)
    if len(together) != len(alone):
        fail(f"run_many gives {len(together)} results for {len(alone)} items")
    for number, (one, other) in enumerate(zip(alone, together, strict=True)):
        difference = _difference(one, other)
        if not difference <= _CLOSE:
            fail(f"item {number} of 3 differs by up to {difference:.2g} from what it gives alone")


class _Trial:
    """The task with a tiny model, and made-up inputs by their number."""

    def __init__(self, target: TaskUnderTest) -> None:
        from gansdk.models.pipelines import Pipeline

        model = target.model
        load = LoadOptions(device="cpu", precision="fp32")
        self.pipeline: Pipeline = Pipeline(target.task, model.resolved, load)
        self._slots = [slot for slot in target.task.slots if not slot.optional]
        self._options: dict[str, Any] = {}
        for name, field in options_of(target.task).model_fields.items():
            if field.is_required():
                if not field.examples:
                    skip(f"its option {name!r} has no default, and no example in Field(examples=[…])")
                self._options[name] = field.examples[0]

    def _inputs(self, number: int) -> list[Any]:
        made = []
        for at, slot in enumerate(self._slots):
            medium, seed = slot.reader, 10 * number + at
            value = image(24, 32, seed=seed) if slot.medium == "image" else medium.sample(24, 32, seed)
            if value is None:
                skip(f"there is no made-up {slot.name}, which is {medium.name}")
            made.append([value] if slot.many else value)
        return made

    def run(self, number: int) -> Any:
        return self.pipeline(*self._inputs(number), **self._options)

    def run_many(self, count: int) -> list[Any]:
        batches = zip(*(self._inputs(number) for number in range(count)), strict=True)
        results: list[Any] = self.pipeline(*map(list, batches), **self._options)
        return results


def _difference(one: Any, other: Any) -> float:
    """The largest difference between the numbers of two results, of which 1 is the largest; infinite if unlike."""
    arrays, others = _arrays(one), _arrays(other)
    if {name: array.shape for name, array in arrays.items()} != {name: array.shape for name, array in others.items()}:
        return float("inf")
    return max((_array_difference(array, others[name]) for name, array in arrays.items()), default=0.0)


def _array_difference(array: NDArray[Any], other: NDArray[Any]) -> float:
    if array.dtype != other.dtype or not np.issubdtype(array.dtype, np.number):
        return 0.0 if array.dtype == other.dtype and bool((array == other).all()) else float("inf")
    if array.tobytes() == other.tobytes():
        return 0.0
    scale = max(1.0, float(np.abs(array).max()))
    return float(np.abs(array.astype(np.float64) - other.astype(np.float64)).max()) / scale


def _arrays(result: Any) -> Mapping[str, NDArray[Any]]:
    if isinstance(result, Image):
        alpha = result.alpha if result.alpha is not None else np.zeros(0, np.uint8)
        return {"pixels": result.pixels, "alpha": alpha}
    if isinstance(result, Gallery):
        return result.named_arrays()
    return {
        name: value if isinstance(value, np.ndarray) else np.array(dump_json(value)) for name, value in result.items()
    }
