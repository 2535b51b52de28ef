"""The command line: parse, call the API, print. One file per group of commands; all errors end in :func:`main`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gansdk.cli.output import Output, hoist
from gansdk.errors import GansdkError, called_from_shell

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130

_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""What a user says of how OpenMP's threads wait."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code.

    Args:
        arguments: What follows the program's name; the process's own if not given.
    """
    if hasattr(sys.stdout, "reconfigure"):  # a file name that is no text must not end in a traceback
        sys.stdout.reconfigure(errors="backslashreplace")
    _let_threads_sleep()
    flags, rest = hoist(sys.argv[1:] if arguments is None else arguments)
    output = Output(flags)
    if flags.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # the Hub's client reads it, and so do processes that we start
    try:
        code = _execute(rest, output)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as in `gansdk models | head -1`
        _forget_stdout()
        return 0
    return code


def _let_threads_sleep() -> None:
    """Lets threads that wait for work sleep, where the user says nothing of it.

    By default they go on computing for a while, which takes the cores from those that have work where others use the
    machine too: `benchmarks/threads.py`. The runtime reads this once, when torch is loaded.
    """
    if "torch" not in sys.modules and not any(name in os.environ for name in _WAITING):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def _execute(arguments: Sequence[str], output: Output) -> int:
    try:
        from gansdk.cli.app import execute

        with called_from_shell():
            return execute(arguments, output)
    except GansdkError as error:
        output.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        output.interrupted()
        return INTERRUPTED


def _forget_stdout() -> None:
    """Points stdout at nothing, or the interpreter would complain about it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
