"""Work for tests, with the tiny model's declaration and no weights; and a log of what a job reports."""

from __future__ import annotations

from pathlib import Path

import tiny

from gansdk.errors import OptionError
from gansdk.jobs.plan import JobSpec
from gansdk.media.medium import target_of, writing_of
from gansdk.model.config import ModelConfig
from gansdk.models.context import Context
from gansdk.models.resolved import ResolvedModel
from gansdk.options import ImageReading, LoadOptions
from gansdk.plugins.declarations import Slot, Task
from gansdk.tasks.superres import SUPERRES, SuperresOptions

UNREAD = ResolvedModel(
    "./model",
    Path("model"),
    ModelConfig(
        gansdk=1,
        method="tiny",
        requires=tiny.METHOD.requires,
        facts=tiny.FACTS,
        network={},
        files={"model.safetensors": "sha256:" + "0" * 64},
    ),
    tiny.METHOD,
)

MEASURE = Task(
    name="measure",
    summary="width",
    unsupported_reason=lambda facts: None,
    slots=(Slot("image", "photo"),),
    outputs={"record": "record"},
    options="gansdk.tasks.superres:SuperresOptions",
    function="tiny:measure",
)


def spec(task=SUPERRES, *, model=UNREAD, load=None, call=None, reading=None, writing=None, kind=None):
    """What is done to each item, with defaults for all that a test does not say."""
    load = load or LoadOptions(device="cpu")
    call, reading = call or SuperresOptions(), reading or ImageReading()
    target = target_of("out/" if kind == "folder" else None, task.writers, writing or writing_of(task.writers)())
    return JobSpec(task, model, load, call, reading, (target,))


class Log:
    """Remembers what a job reports."""

    def __init__(self):
        self.done_items, self.failed_items, self.skipped_items, self.kept_items, self.notes = [], [], [], [], []
        self.found_all, self.count = None, 0

    def found(self, found):
        self.found_all = found

    def begin(self, count):
        self.count = count

    def context(self, item):
        return Context(note=self.notes.append)

    def done(self, outcome):
        self.done_items.append((outcome.item.name, outcome.output))

    def skipped(self, item, *, is_whole):
        (self.kept_items if is_whole else self.skipped_items).append(item.name)

    def failed(self, item, error):
        self.failed_items.append((item.name, error))


def stumbling(model, inputs, options, context, /):
    """A task's function that goes wrong as the width of its image says."""
    width = inputs["photo"].width
    if width == 13:
        raise RuntimeError("a bug\nin two lines")
    if width == 14:
        raise OptionError("an option that is wrong for all")
    if width == 15:
        raise KeyboardInterrupt
    return inputs["photo"]


STUMBLING = Task(
    name="stumbling",
    summary="goes wrong",
    unsupported_reason=lambda facts: None,
    slots=(Slot("image", "photo"),),
    outputs={"image": "image"},
    options="gansdk.tasks.superres:SuperresOptions",
    function="works:stumbling",
)
