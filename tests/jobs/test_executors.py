"""Running items in this process: order, overlap, bounded memory, and what ends an item or all of them."""

from __future__ import annotations

import gc
import os
import pickle
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image as PILImage
from works import STUMBLING, spec

from gansdk.errors import GansdkError, InputError, OptionError, UnforeseenError
from gansdk.jobs import executors
from gansdk.jobs.executors import Local, Outcome
from gansdk.jobs.plan import Item
from gansdk.models.context import Context
from gansdk.models.pipelines import Pipeline
from gansdk.options import ImageWriting, LoadOptions
from gansdk.tasks.superres import SUPERRES


def images(folder, widths, height=6):
    """A file per width, each with an item."""
    (folder / "in").mkdir()
    items = []
    for index, width in enumerate(widths):
        name = f"{index:04}.png"
        pixels = np.random.default_rng(index).integers(0, 256, (height, width, 3), np.uint8)
        PILImage.fromarray(pixels).save(folder / "in" / name, compress_level=0)
        items.append(Item((str(folder / "in" / name),), folder / "out" / name, label=name))
    return items


@pytest.fixture
def stumbling(resolved):
    return Local(lambda: Pipeline(STUMBLING, resolved, LoadOptions(device="cpu")))


def checkpoints(executor, wanted, items, told=None):
    """The outcomes, in the order in which they are told."""
    told = [] if told is None else told
    executor.run(wanted, items, lambda _item: Context(), told.append)
    return told


def names(told):
    return [outcome.item.label for outcome in told]


def test_items_are_told_of_in_order_however_long_each_takes(tmp_path, local):
    items = images(tmp_path, [200, 5, 90, 4, 3, 60])
    told = checkpoints(local, spec(), items)
    assert names(told) == [item.label for item in items]
    assert all(outcome.error is None and outcome.seconds > 0 for outcome in told)
    for outcome, width in zip(told, [200, 5, 90, 4, 3, 60], strict=True):
        with PILImage.open(outcome.output) as opened:
            assert opened.size == (2 * width, 12)


def test_what_nobody_thought_of_ends_one_item_in_one_line(tmp_path, stumbling):
    told = checkpoints(stumbling, spec(STUMBLING), images(tmp_path, [5, 13, 6, 13, 7]))
    assert [type(outcome.error) for outcome in told] == [type(None), UnforeseenError] * 2 + [type(None)]
    error = told[1].error
    assert error.message == "0001.png: RuntimeError: a bug in two lines"
    assert isinstance(error.__cause__, RuntimeError)  # for --verbose
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0000.png", "0002.png", "0004.png"]


@pytest.mark.parametrize(("width", "error"), [(14, OptionError), (15, KeyboardInterrupt)])
def test_what_ends_all_leaves_whole_results_that_were_told(tmp_path, stumbling, width, error):
    told = []
    with pytest.raises(error):
        checkpoints(stumbling, spec(STUMBLING), images(tmp_path, [5, 6, 400, width, 7, 8], 400), told)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names(told)
    assert names(told) == ["0000.png", "0001.png", "0002.png"][: len(told)]
    for outcome in told:
        with PILImage.open(outcome.output) as opened:
            opened.load()


def test_what_comes_meanwhile_is_told(tmp_path, local):
    (item,) = images(tmp_path, [5])
    item.output.parent.mkdir()
    item.output.write_bytes(b"came")
    (outcome,) = checkpoints(local, spec(writing=ImageWriting(on_exists="skip")), [item])
    assert (outcome.is_skipped, outcome.output) == (True, None)
    (outcome,) = checkpoints(local, spec(), [item])
    assert outcome.error.kind == "output-exists"
    replacing = Item(item.inputs, item.output, item.label, replaces=True)
    (outcome,) = checkpoints(local, spec(), [replacing])
    assert outcome.output == item.output
    assert item.output.read_bytes() != b"came"


class Watched(Pipeline):
    """A pipeline whose calls wait for something to happen beside them."""

    def __init__(self, resolved, until):
        super().__init__(SUPERRES, resolved, LoadOptions(device="cpu"))
        self.begun = []
        self._until = until
        self.computed = 0

    def read(self, inputs, reading, context):
        self.begun.append(Path(inputs[0]).name)
        return super().read(inputs, reading, context)

    def compute(self, inputs, call, context):
        end = time.monotonic() + 5
        while not self._until(self):
            assert time.monotonic() < end, "nothing happened beside the computation"
            time.sleep(0.001)
        self.computed += 1
        return super().compute(inputs, call, context)


def test_the_next_is_read_while_one_is_computed(tmp_path, resolved):
    items = images(tmp_path, [5, 6, 7, 8, 9])
    pipeline = Watched(resolved, lambda self: len(self.begun) > min(self.computed + 1, 4))
    assert len(checkpoints(Local(lambda: pipeline), spec(), items)) == 5
    assert pipeline.begun == names([Outcome(item) for item in items])


def test_the_last_is_written_while_one_is_computed(tmp_path, resolved):
    items = images(tmp_path, [5, 6, 7])
    pipeline = Watched(resolved, lambda self: self.computed == 0 or items[self.computed - 1].output.exists())
    assert len(checkpoints(Local(lambda: pipeline), spec(), items)) == 3


def test_no_more_is_read_and_kept_than_is_said(tmp_path, resolved, monkeypatch):
    items = images(tmp_path, [5] * 12)
    at_most = []

    def until(self):
        at_most.append(len(self.begun) - self.computed)
        written = sum(item.output.exists() for item in items)
        # With no room for results, each is written before the next is computed.
        return executors._BYTES_BEHIND > 0 or written == self.computed

    monkeypatch.setattr(executors, "_BYTES_BEHIND", 0)
    assert len(checkpoints(Local(lambda: Watched(resolved, until)), spec(), items)) == 12
    assert max(at_most) <= executors._AHEAD + 1


def test_memory_does_not_grow_with_the_number_of_files(tmp_path, stumbling, monkeypatch):
    """Every tenth file is broken, every other tenth makes the task fail: what goes wrong must not pile up either."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)  # waiting for the disk is no subject here
    items = images(tmp_path, [13 if index % 10 == 5 else 100 for index in range(1000)], 100)
    for item in items[::10]:
        Path(item.inputs[0]).write_bytes(Path(item.inputs[0]).read_bytes()[:9000])
    process, used, told = psutil.Process(), [], []

    def tell(outcome):
        told.append(type(outcome.error))
        if len(told) % 100 == 0:
            gc.collect()
            used.append(process.memory_info().rss)

    stumbling.run(spec(STUMBLING), items, lambda _item: Context(), tell)
    assert (told.count(InputError), told.count(UnforeseenError)) == (100, 100)
    assert used[-1] - used[1] < 8_000_000  # 800 images of 30 kB would be three times as much


def test_ends_of_items_can_be_sent_back():
    outcome = Outcome(Item(("a.png",), Path("b.png")), 1.5, error=InputError("it is broken", hint="mend it"))
    back = pickle.loads(pickle.dumps(outcome))
    assert (back.item, back.seconds) == (outcome.item, 1.5)
    assert isinstance(back.error, GansdkError)
    assert (back.error.message, back.error.hint) == ("it is broken", "mend it")
