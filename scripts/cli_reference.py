"""Writes ``docs/cli.md`` from the commands themselves, or checks with ``--check`` that it is up to date."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pages import DOCS, main
from typer.core import TyperGroup

from gansdk.cli.app import PROGRAM, build
from gansdk.cli.commands import CommandContext
from gansdk.plugins.registry import core_only

if TYPE_CHECKING:
    from collections.abc import Iterator


WIDTH = 100

_HEAD = """# The command line

Made by `scripts/cli_reference.py` from the commands themselves; edit their help, not this page.
Tasks that plugins bring have the same help: `gansdk run TASK --help`.

- Standard output carries data only; words and progress go to standard error. `-` is standard input or output.
- `--json` writes JSON lines: one object per input, or per row of a listing. A failure is
  `{"input": …, "error": {"kind": …, "message": …, "hint": …}}`, with `input` null if it concerns none.
- Exit codes: 0 all went well; 2 the call itself is wrong, which the command line, the installed plugins and the
  model's facts alone show (an unknown name, a bad value, a task that does not apply); 1 an input, an output folder, a
  model or the network failed, after all the rest was done; 130 interrupted by Ctrl-C.
- A model is named by a ref: `builtin:NAME` ships in a plugin; a folder has a separator or starts with a dot, and a
  run folder means its model; `hub:ORG/NAME[@REVISION]` is on the Hub, `:FILE` after it a file there; any other name
  is an alias.
"""


def page() -> str:
    """The text of ``docs/cli.md``, for the core's own tasks, whatever plugins are installed."""
    root = build()
    context = root.make_context(
        PROGRAM, [], obj=CommandContext(find=core_only), terminal_width=WIDTH, resilient_parsing=True
    )
    return _HEAD + "".join(_section(command, path) for path, command in _walk(root, context))


def _walk(command: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    yield context, command
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _walk(child, child.make_context(name, [], parent=context, resilient_parsing=True))


def _section(command: Any, context: Any) -> str:
    return f"\n## `{context.command_path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    sys.exit(main(DOCS / "cli.md", lambda _: page()))
