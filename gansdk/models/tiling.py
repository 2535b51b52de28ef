"""Images of any size through a network of bounded memory, with the result of the whole image.

An image is divided into cells. Each cell is computed inside a window that reaches further by the halo, the network's
receptive-field radius, so no pixel of a cell sees where the window ends: tiled equals whole. The image stays on the
CPU in its 8 or 16 bits; what a network needs at one time depends on the window alone.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from gansdk.errors import NotApplicableError, OptionError, OutOfMemoryError, option
from gansdk.models.memory import PeakBytes, default_budget, freed_memory_kept, release_cached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gansdk.model.facts import ImageGeneratorFacts
    from gansdk.model.protocols import Generator
    from gansdk.models.context import Context

    Pixels = NDArray[Any]


MINIMUM_CELL = 16
"""Pixels a side of what a window contributes; below it nearly all work is rim."""

_HEADROOM = 1.55
"""What is freed and kept does not always fit what comes next: measured on a CPU, 1.5 of what tensors hold at one time
in fp32, up to 1.9 in bf16."""

_LARGEST_WINDOW = 1024**2
"""Pixels; larger windows save no more rims worth their memory."""

_FIRST_TOUCH = 4e-10
"""Seconds that a byte costs the first time, when the system maps and clears it: measured on a CPU, 3e-10 to 6e-10.
Later windows get the same memory again, so the largest one pays once."""

_SLOWER = 1.05
"""How much more time a plan may take than the fastest one, if it needs less memory."""

_HOPELESS = 1.5
"""How much more time says that still smaller windows need not be looked at: rims grow as windows shrink."""

_PROBE = 96
"""Pixels a side of the window on which memory and speed are measured before the plan is made."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; ``bottom`` and ``right`` are excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def area(self) -> int:
        return self.height * self.width


@dataclass(frozen=True)
class TilingPlan:
    """How an image is divided.

    Attributes:
        height: Of the image, padded to what the network takes; ``width`` likewise.
        halo: How far a window reaches beyond its cell.
        rows: Where the cells' rows begin, and where the last one ends; ``columns`` likewise.
    """

    height: int
    width: int
    halo: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def cells(self) -> Iterator[Box]:
        for (top, bottom), (left, right) in product(pairwise(self.rows), pairwise(self.columns)):
            yield Box(top, left, bottom, right)

    def window(self, cell: Box) -> Box:
        return Box(
            max(0, cell.top - self.halo),
            max(0, cell.left - self.halo),
            min(self.height, cell.bottom + self.halo),
            min(self.width, cell.right + self.halo),
        )

    def _sides(self) -> tuple[list[int], list[int]]:
        """Heights of the windows in each row of cells, and widths of those in each column."""

        def sides(edges: tuple[int, ...], length: int) -> list[int]:
            return [min(length, end + self.halo) - max(0, start - self.halo) for start, end in pairwise(edges)]

        return sides(self.rows, self.height), sides(self.columns, self.width)

    @property
    def recomputed(self) -> float:
        """Pixels computed per pixel of the image: 1 without rims."""
        heights, widths = self._sides()
        return sum(heights) * sum(widths) / (self.height * self.width)

    @property
    def largest(self) -> tuple[int, int]:
        """Height and width of the window with the most pixels."""
        heights, widths = self._sides()
        return max(heights), max(widths)

    def __str__(self) -> str:
        count = (len(self.rows) - 1) * (len(self.columns) - 1)
        height, width = self.largest
        size = f"{width}×{height} pixels"
        if count == 1:
            return f"one window of {size}"
        return f"{count} windows of up to {size}; with their rims {self.recomputed:.2f} times the image"


def plan_fixed(height: int, width: int, *, halo: int, multiple: int, tile: int) -> TilingPlan:
    """Windows of at most ``tile`` pixels a side, rounded to the multiple."""
    cell = max(tile - 2 * halo, MINIMUM_CELL)
    rows = _divide(height, halo, multiple, _pieces(height, halo, cell))
    columns = _divide(width, halo, multiple, _pieces(width, halo, cell))
    return TilingPlan(height, width, halo, rows, columns)


def plan_within(height: int, width: int, *, halo: int, multiple: int, area: int) -> TilingPlan:
    """The division with the least recomputed rims whose windows have at most ``area`` pixels."""
    best: tuple[int, int, int] | None = None
    for down in range(1, _pieces(height, halo, MINIMUM_CELL) + 1):
        window_height = _window(height, halo, down)
        widest = area // window_height - 2 * halo
        if widest < MINIMUM_CELL and _window(width, halo, 1) * window_height > area:
            continue
        across = 1 if width * window_height <= area else _pieces(width, halo, widest)
        total = down * window_height * across * _window(width, halo, across)
        if best is None or total < best[0]:
            best = (total, down, across)
        if best[0] < down * window_height * width:
            break
    if best is None:
        return plan_fixed(height, width, halo=halo, multiple=multiple, tile=2 * halo + MINIMUM_CELL)
    rows, columns = (_divide(n, halo, multiple, k) for n, k in ((height, best[1]), (width, best[2])))
    return TilingPlan(height, width, halo, rows, columns)


def plan_frugal(
    height: int, width: int, *, halo: int, multiple: int, area: int, bytes_each: float, seconds_each: float
) -> TilingPlan:
    """The division with the smallest windows that takes at most 5 % longer than the fastest.

    A network's time per pixel of a window hardly depends on the window (measured from 96² to 1024²). So a plan's time
    is that of all its windows, rims included, and of the memory that its largest window touches first.

    Args:
        height: Of the image, padded to what the network takes.
        width: Of the same.
        halo: How far a window reaches beyond its cell.
        multiple: What sides of windows are rounded to.
        area: Pixels that a window may have at most.
        bytes_each: Memory per pixel of a window.
        seconds_each: Time per pixel of a window.
    """
    smallest = (2 * halo + max(MINIMUM_CELL, multiple)) ** 2
    plans: list[TilingPlan] = []
    seconds: list[float] = []
    while not plans or (area >= smallest and seconds[-1] < _HOPELESS * min(seconds)):
        plan = plan_within(height, width, halo=halo, multiple=multiple, area=area)
        touched = math.prod(plan.largest) * bytes_each
        plans.append(plan)
        seconds.append(plan.recomputed * height * width * seconds_each + touched * _FIRST_TOUCH)
        area = int(area / 1.25)
    enough = [plan for plan, taken in zip(plans, seconds, strict=True) if taken <= _SLOWER * min(seconds)]
    return min(enough, key=lambda plan: math.prod(plan.largest))


def _pieces(length: int, halo: int, cell: int) -> int:
    """How many windows of a cell and two rims cover a length; the outermost have a rim on one side only."""
    return max(1, -(-(length - 2 * halo) // cell)) if length > cell + 2 * halo else 1


def _window(length: int, halo: int, pieces: int) -> int:
    return length if pieces == 1 else -(-(length - 2 * halo) // pieces) + 2 * halo


def _divide(length: int, halo: int, multiple: int, pieces: int) -> tuple[int, ...]:
    """Ends of cells whose windows are equally long: the first and last cell are longer by the rim they lack."""
    inner = length - 2 * halo
    ends = [round((halo + inner * index / pieces) / multiple) * multiple for index in range(1, pieces)]
    return (0, *ends, length)


def upscale(
    generator: Generator,
    facts: ImageGeneratorFacts,
    pixels: Pixels,
    context: Context,
    tile: int | Literal["auto", "off"],
) -> Pixels:
    """An image through a generator from an image, tiled as needed.

    Args:
        generator: Takes ``image``, float NCHW in [0, 1].
        facts: What it declares: channels, size rule, scale, receptive field.
        pixels: [H, W, C], 8 or 16 bits, C 1 or 3. Grey goes through an RGB network as three equal channels and
            comes out as their mean; RGB goes through a grey network channel by channel.
        context: Receives progress, the plan and an estimate of the time.
        tile: Pixels a side of a window, rims included; ``auto``: the smallest within 5 % of the fastest
            that the memory budget allows.

    Returns:
        [H·scale, W·scale, C] in the bits of the input.

    Raises:
        OutOfMemoryError: If not even the smallest window fits.
        OptionError: If the tile is smaller than the model's rims and a little more.
        NotApplicableError: If tiling is asked for but the model looks at the whole image.
    """
    with freed_memory_kept():
        passes = _Passes(generator, facts, pixels)
        plan = _plan(passes, facts, context, tile)
        context.detail(str(plan))
        return _compute(passes, plan, context)


def _compute(passes: _Passes, plan: TilingPlan, context: Context) -> Pixels:
    """The image cell by cell; cells whose window does not fit into memory are halved."""
    result = passes.empty_result()
    done, total = 0, plan.height * plan.width
    context.progress(0, total)
    waiting = list(reversed(list(plan.cells())))
    largest = total
    while waiting:
        cell = waiting.pop()
        if plan.window(cell).area > largest:
            waiting += _halves(cell, passes.multiple)
            continue
        try:
            passes.compute(cell, plan.window(cell), result)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            is_memory = isinstance(error, torch.OutOfMemoryError | MemoryError)
            if not is_memory and "can't allocate memory" not in str(error):  # torch's words where a CPU runs out
                raise
            release_cached()
            area, halves = plan.window(cell).area, _halves(cell, passes.multiple)
            if not halves:
                what = f"not even a window of {area} pixels fits into memory"
                raise OutOfMemoryError(what, hint=f"close other programs, or use {option('device', 'cpu')}") from error
            largest = max(plan.window(half).area for half in halves)
            context.note(f"out of memory with windows of {area} pixels; continuing with smaller ones")
            waiting.append(cell)
            continue
        done += cell.area
        context.progress(done, total)
    return result


class _Passes:
    """One image's way through the network, window by window."""

    def __init__(self, generator: Generator, facts: ImageGeneratorFacts, pixels: Pixels) -> None:
        self._generator = generator
        self._pixels = pixels
        self._channels = facts.source.channels
        self.scale = facts.output.scale
        self.multiple = facts.source.size.multiple
        lengths = (max(length, facts.source.size.minimum) for length in pixels.shape[:2])
        self.height, self.width = (-(-length // self.multiple) * self.multiple for length in lengths)

    def empty_result(self) -> Pixels:
        height, width, channels = self._pixels.shape
        return np.empty((height * self.scale, width * self.scale, channels), self._pixels.dtype)

    def compute(self, cell: Box, window: Box, result: Pixels) -> None:
        """Computes a window and puts its cell where it belongs."""
        outputs = self.run(window)
        top, left = (cell.top - window.top) * self.scale, (cell.left - window.left) * self.scale
        bottom = min(cell.bottom * self.scale, result.shape[0])
        right = min(cell.right * self.scale, result.shape[1])
        height, width = bottom - cell.top * self.scale, right - cell.left * self.scale
        if height <= 0 or width <= 0:
            return  # a cell of padding only
        kept = outputs[:, :, top : top + height, left : left + width]
        result[cell.top * self.scale : bottom, cell.left * self.scale : right] = self._leave(kept)

    def run(self, window: Box) -> torch.Tensor:
        return self._generator.generate({"image": self._enter(window)})

    def _enter(self, window: Box) -> torch.Tensor:
        """The window as float NCHW in [0, 1], edge pixels repeated where it reaches beyond the image."""
        height, width, channels = self._pixels.shape
        shown = self._pixels[window.top : min(window.bottom, height), window.left : min(window.right, width)]
        beyond = (window.height - shown.shape[0], window.width - shown.shape[1])
        if any(beyond):
            shown = np.pad(shown, ((0, beyond[0]), (0, beyond[1]), (0, 0)), mode="edge")
        numbers = torch.from_numpy(shown.astype(np.float32)).permute(2, 0, 1)[None]
        numbers /= np.iinfo(self._pixels.dtype).max
        if channels == self._channels:
            return numbers
        return numbers.expand(1, self._channels, -1, -1) if channels == 1 else numbers.permute(1, 0, 2, 3)

    def _leave(self, numbers: torch.Tensor) -> Pixels:
        channels = self._pixels.shape[2]
        if channels != self._channels:
            numbers = numbers.mean(1, keepdim=True) if channels == 1 else numbers.permute(1, 0, 2, 3)
        peak = np.iinfo(self._pixels.dtype).max
        whole = (numbers[0].permute(1, 2, 0) * peak).round_().clamp_(0, peak)
        return whole.cpu().numpy().astype(self._pixels.dtype)


def _plan(
    passes: _Passes, facts: ImageGeneratorFacts, context: Context, tile: int | Literal["auto", "off"]
) -> TilingPlan:
    height, width, multiple = passes.height, passes.width, passes.multiple
    if facts.receptive_field == "global":
        if isinstance(tile, int):
            what = "this model looks at the whole image and cannot be tiled"
            raise NotApplicableError(what, hint=f"use {option('tile', 'off')}")
        return TilingPlan(height, width, 0, (0, height), (0, width))
    halo = -(-facts.receptive_field // multiple) * multiple
    if isinstance(tile, int):
        smallest = 2 * halo + max(MINIMUM_CELL, multiple)
        if tile < min(smallest, max(height, width)):
            what = f"a tile of {tile} pixels is too small for this model"
            raise OptionError(what, hint=f"the smallest is {smallest}")
        return plan_fixed(height, width, halo=halo, multiple=multiple, tile=tile)
    plan = TilingPlan(height, width, halo, (0, height), (0, width))
    if height * width <= _PROBE**2:
        return plan
    bytes_each, seconds_each = _measured(passes, context)
    if tile == "auto":
        budget = default_budget(torch.device("cpu")) if context.memory == "auto" else context.memory
        plan = plan_frugal(
            height,
            width,
            halo=halo,
            multiple=multiple,
            area=min(int(budget / bytes_each), _LARGEST_WINDOW),
            bytes_each=bytes_each,
            seconds_each=seconds_each,
        )
    context.expect(seconds_each * height * width * plan.recomputed)
    return plan


def _measured(passes: _Passes, context: Context) -> tuple[float, float]:
    """Bytes and seconds per input pixel, measured once per model: it takes as long as a small image."""
    known = context.measured
    if "bytes per pixel" not in known:
        side = -(-_PROBE // passes.multiple) * passes.multiple
        window = Box(0, 0, min(side, passes.height), min(side, passes.width))
        with PeakBytes() as memory:  # this run warms up, too
            passes.run(window)
        start = time.perf_counter()
        float(passes.run(window).sum())  # a device computes in the background until a number is asked for
        known["seconds per pixel"] = (time.perf_counter() - start) / window.area
        known["bytes per pixel"] = memory.peak * _HEADROOM / window.area
    return known["bytes per pixel"], known["seconds per pixel"]


def _halves(cell: Box, multiple: int) -> list[Box]:
    """A cell as two along its longer side, the first one last; empty where it is too small already."""
    if max(cell.height, cell.width) < 2 * max(MINIMUM_CELL, multiple):
        return []
    if cell.height >= cell.width:
        middle = cell.top + cell.height // 2 // multiple * multiple
        return [Box(middle, cell.left, cell.bottom, cell.right), Box(cell.top, cell.left, middle, cell.right)]
    middle = cell.left + cell.width // 2 // multiple * multiple
    return [Box(cell.top, middle, cell.bottom, cell.right), Box(cell.top, cell.left, cell.bottom, middle)]
