"""What a check is, and what comes out of one.

A check is a function of one subject that returns where all is well. It says what is wrong by :func:`fail` and that
there is nothing to check by :func:`skip`; anything else that it raises is a failure too. Its docstring explains it:
the first line is its title, the rest says why it matters and what to do.
"""

from __future__ import annotations

import inspect
import io
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

import numpy as np

from gansdk.data.folders import Attribution, Images

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import NDArray


Kind = Literal["plugin", "method", "model", "recipe"]
"""What a check looks at: an installed distribution, a method, a model, one of a method's configs."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Outcome = Literal["passed", "failed", "skipped", "expected"]
"""``expected`` is a failure that was announced, with a reason."""


class CheckFailedError(AssertionError):
    """A check found something wrong."""


class CheckSkippedError(Exception):
    """A check found nothing to check."""


def fail(message: str) -> NoReturn:
    """Ends a check: what is wrong, in one line, with the numbers."""
    raise CheckFailedError(message)


def skip(reason: str) -> NoReturn:
    """Ends a check that does not apply to its subject, in one line."""
    raise CheckSkippedError(reason)


def first_line(error: BaseException) -> str:
    """What an exception says, in one line; its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@dataclass(frozen=True)
class Check:
    """One rule that plugins, methods, models or recipes follow.

    Attributes:
        id: Words joined by hyphens; stays the same.
        kind: What it looks at.
        function: Takes the subject.
        needs: Ids of checks of the same subject without which this one would say nothing, or blame the wrong thing.
    """

    id: str
    kind: Kind
    function: Callable[[Any], None]
    needs: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What holds, in one line."""
        return self._paragraphs()[0].rstrip(".")

    @property
    def why(self) -> str:
        """Why it matters and what to do where it fails, on one line."""
        return " ".join(self._paragraphs()[1:])

    def _paragraphs(self) -> list[str]:
        text = inspect.getdoc(self.function) or self.id
        return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def check(kind: Kind, *, needs: tuple[str, ...] = ()) -> Callable[[Callable[[Any], None]], Check]:
    """Makes a check of a function; its id is the function's name with hyphens."""

    def decorate(function: Callable[[Any], None]) -> Check:
        return Check(function.__name__.replace("_", "-"), kind, function, needs)

    return decorate


def checks_of(module: ModuleType) -> tuple[Check, ...]:
    """The checks that a file defines, in its order."""
    return tuple(value for value in vars(module).values() if isinstance(value, Check))


@dataclass(frozen=True)
class Result:
    """What one check found out about one subject.

    Attributes:
        check: Which check.
        subject: Name of the subject.
        outcome: How it went.
        message: What is wrong, why it was skipped, or why the failure was expected; empty where it passed.
        seconds: How long it took.
        error: What the check raised without meaning to, for a traceback; None where it ended as checks end.
        holds: Whether the checks that need this one make sense; also where there was nothing to check.
    """

    check: Check
    subject: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    error: BaseException | None = None
    holds: bool = True

    @property
    def name(self) -> str:
        """The check and its subject, as in ``receptive-field@builtin:srgan-x4``."""
        return f"{self.check.id}@{self.subject}"

    def become(self, outcome: Outcome, message: str) -> Result:
        """The same with another outcome."""
        return replace(self, outcome=outcome, message=message)

    def as_record(self) -> dict[str, Any]:
        """What ``--json`` prints of it."""
        return {
            "check": self.check.id,
            "kind": self.check.kind,
            "subject": self.subject,
            "outcome": self.outcome,
            "message": self.message,
            "title": self.check.title,
            "why": self.check.why,
            "seconds": round(self.seconds, 3),
        }


HEIGHT, WIDTH, COUNT = 96, 128, 4
"""Of the set that recipes are checked on."""


def image(height: int, width: int, *, seed: int) -> NDArray[np.uint8]:
    """One image: soft shapes with sharp rims before a slope, and a little noise.

    Args:
        height: In pixels.
        width: In pixels.
        seed: Another one for another image.

    Returns:
        RGB, uint8 [height, width, 3].
    """
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    slope = (rows / height + columns / width)[..., None] * random.uniform(30, 100, 3)
    pixels = slope + random.uniform(0, 60, 3)
    for _ in range(8):
        top, left = random.uniform(0, height), random.uniform(0, width)
        radius = random.uniform(0.1, 0.4) * min(height, width)
        inside = np.hypot(rows - top, columns - left) < radius
        stripes = np.sin((rows * random.normal() + columns * random.normal()) / 2)[..., None]
        pixels[inside] = (random.uniform(0, 255, 3) + random.uniform(0, 30) * stripes)[inside]
    pixels += random.normal(0, 3, pixels.shape)
    return np.asarray(pixels.round().clip(0, 255), np.uint8)


class _Made:
    """Files that are nowhere: the images as PNG bytes, in two sub-folders, which are their labels."""

    others: tuple[str, ...] = ()

    def __init__(self) -> None:
        half = COUNT // 2
        names = (f"{'a' if seed < half else 'b'}/{seed}.png" for seed in range(COUNT))
        self._bytes = {name: _png(image(HEIGHT, WIDTH, seed=seed)) for seed, name in enumerate(names)}
        self.names = tuple(self._bytes)

    def read(self, name: str, /) -> bytes:
        return self._bytes[name]


@cache
def images() -> Images:
    """The set of images that recipes are checked on, in memory, half of them of one class, half of another."""
    items = _Made()
    return Images("made images", items, [Attribution(name, "CC0-1.0") for name in items.names])


def _png(pixels: NDArray[np.uint8]) -> bytes:
    from PIL import Image as PILImage

    file = io.BytesIO()
    PILImage.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()
