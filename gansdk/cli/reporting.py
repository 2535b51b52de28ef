"""Reports of a job while it runs: each item of inputs by name, and of a folder what a user needs to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gansdk.cli.output import Bar, seconds_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gansdk.cli.output import Output
    from gansdk.errors import GansdkError
    from gansdk.jobs.executors import Outcome
    from gansdk.jobs.folders import FoundFiles
    from gansdk.jobs.plan import Item
    from gansdk.jobs.run import Summary
    from gansdk.models.context import Context


_NAMED = 3
"""How many names a note gives before it counts."""


class TerminalReporter:
    """Prints what happens to each item."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bar = Bar(output)
        self._said: set[str] = set()

    def __enter__(self) -> TerminalReporter:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.clear()

    def found(self, found: FoundFiles) -> None:
        """Nothing: inputs were given by name."""

    def begin(self, count: int) -> None:
        """Nothing: each item has a bar of its own."""

    def context(self, item: Item) -> Context:
        """The context in which an item is computed."""
        from gansdk.models.context import Context

        return Context(
            progress=lambda done, total: self._progress(item, done, total),
            note=lambda text: self._note(item, text),
            detail=lambda text: self._output.detail(f"{item.name}: {text}"),
            expect=lambda seconds: self._expect(item, seconds),
        )

    def _note(self, item: Item, text: str) -> None:
        """Prints a line about an item; without an input it is about the whole call, and printed once for all pieces."""
        if item.inputs:
            self._output.note(_about(item, text))
        elif text not in self._said:
            self._said.add(text)
            self._output.note(text)

    def _progress(self, item: Item, done: int, total: int) -> None:
        self._bar.show(item.name, done, total)

    def _expect(self, item: Item, seconds: float) -> None:
        self._output.note(f"{item.name}: {_foretold(seconds)}")

    def done(self, outcome: Outcome) -> None:
        """Says where the result is, or prints it if it is a record without a file."""
        self._bar.clear()
        self._record(outcome)
        if outcome.output is not None and not self._output.flags.json:
            source = f"{outcome.item.name} → " if outcome.item.key else ""
            places = ", ".join(str(place) for place in (outcome.output, *outcome.further))
            self._output.note(f"{source}{places} in {seconds_text(outcome.seconds)}")

    def _record(self, outcome: Outcome) -> None:
        """Puts on stdout what belongs there."""
        if outcome.shown is not None and outcome.output is None:
            self._output.record({"input": outcome.item.key, **outcome.shown})
            if outcome.words and not self._output.flags.json:
                self._output.note(_about(outcome.item, outcome.words))
        elif self._output.flags.json:
            place = str(outcome.output) if outcome.output is not None else None
            record: dict[str, Any] = {"input": self._key(outcome.item), "output": place}
            record |= {"further": [str(place) for place in outcome.further]} if outcome.further else {}
            self._output.record({**record, "seconds": round(outcome.seconds, 3)})

    def _key(self, item: Item) -> str | None:
        """What stdout calls an item."""
        return item.key

    def skipped(self, item: Item, *, is_whole: bool) -> None:
        """Says that an output was there already and stays."""
        if self._output.flags.json:
            place = str(item.output) if item.output is not None else None
            self._output.record({"input": self._key(item), "output": place, "skipped": True})
        else:
            self._skipped(item, is_whole)

    def _skipped(self, item: Item, _is_whole: bool) -> None:
        self._output.note(f"{item.name}: skipped, {item.output} exists")

    def failed(self, item: Item, error: GansdkError) -> None:
        """Says what went wrong with an item."""
        self._bar.clear()
        self._output.error(error, self._key(item))


class TerminalFolderReporter(TerminalReporter):
    """Prints problems, and one bar for the whole folder; the report holds the rest."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._count = 0
        self._ended = 0

    def found(self, found: FoundFiles) -> None:
        """Says which folders are not entered, and which files are passed over."""
        if found.left_out:
            self._output.note("the folder of the results is among the inputs and is left out")
        if found.links:
            self._output.note(f"links to folders are not followed: {_names(found.links)}")
        if found.others:
            count, medium = len(found.others), found.medium
            files = f"1 file that is not {medium.name}" if count == 1 else f"{count} files, no {medium.plural}"
            self._output.note(f"passed over {files}: {_names(found.others)}")
        for name in found.others:
            self._output.detail(f"{name}: not {found.medium.name}")

    def _key(self, item: Item) -> str | None:
        """The path: stdout is read where the command was called, the report beside the results."""
        return next(iter(item.files), item.key)

    def begin(self, count: int) -> None:
        """Draws the bar."""
        self._count = count
        self._show("", 0)

    def _show(self, name: str, part: float) -> None:
        self._bar.show(name, self._ended + part, self._count, unit="files")

    def _progress(self, item: Item, done: int, total: int) -> None:
        self._show(item.name, done / max(total, 1))

    def _expect(self, item: Item, seconds: float) -> None:
        self._output.detail(f"{item.name}: {_foretold(seconds)}")

    def done(self, outcome: Outcome) -> None:
        """Counts on; says where the result is to users who asked for more."""
        self._ended += 1
        self._show(outcome.item.name, 0)
        if self._output.flags.json:
            self._record(outcome)
        self._output.detail(f"{outcome.item.name} → {outcome.output} in {seconds_text(outcome.seconds)}")

    def _skipped(self, item: Item, is_whole: bool) -> None:
        why = "whole already" if is_whole else f"skipped, {item.output} exists"
        self._output.detail(f"{item.name}: {why}")

    def failed(self, item: Item, error: GansdkError) -> None:
        """Says what went wrong with an item, above the bar."""
        self._ended += 1 if self._count else 0  # what fails before the first item was never counted
        self._output.error(error, self._key(item))


def closing(summary: Summary, unit: str = "") -> str:
    """How a job ended, in one line; ``unit`` says what was counted if that is not the inputs."""
    parts = [f"{summary.done} {unit} done" if unit else f"{summary.done} done"]
    if summary.anew:
        why = ", ".join(f"{count} since {reason}" for reason, count in summary.anew.items())
        parts = [f"{parts[0]} ({sum(summary.anew.values())} of them anew: {why})"]
    parts += [f"{summary.kept} whole already"] if summary.kept else []
    parts += [f"{summary.skipped} skipped"] if summary.skipped else []
    parts += [f"{summary.failed} failed"] if summary.failed else []
    return f"{', '.join(parts)} in {seconds_text(summary.seconds)}"


def _foretold(seconds: float) -> str:
    return f"about {seconds_text(seconds)}" if seconds >= 1 else "less than a second"


def _about(item: Item, text: str) -> str:
    """A note with the input's name before it, unless it begins with that already, as those on images do."""
    starts = (f"{item.name}:", *(f"{name}:" for name in item.files))
    return text if text.startswith(starts) else f"{item.name}: {text}"


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_NAMED])} and {more} more"
