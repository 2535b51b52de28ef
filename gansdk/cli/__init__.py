"""The command line: parse, call the API, print. One file per group of commands; all errors end in :func:`main`."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from gansdk.cli.output import Output, StandardOutputError, forget, hoist, lost_stdout
from gansdk.errors import GansdkError, InputError, called_from_shell

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130

_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""What a user says of how OpenMP's threads wait."""

_REFUSED = (errno.EBADF, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why the system takes nothing on a stream."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code.

    Args:
        arguments: What follows the program's name; the process's own if not given.
    """
    _open_streams()
    if hasattr(sys.stdout, "reconfigure"):  # a file name that is no text must not end in a traceback
        sys.stdout.reconfigure(errors="backslashreplace")
    _let_threads_sleep()
    flags, rest = hoist(sys.argv[1:] if arguments is None else arguments)
    output = Output(flags)
    if flags.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # the Hub's client reads it, and so do processes that we start
    code = 0
    try:
        code = _execute(rest, output)
        output.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as in `gansdk models | head -1`
        forget(sys.stdout)
        return 0
    except StandardOutputError as error:
        if code == 0 or flags.json:  # else it was said of what could not be written
            output.error(error)
        return error.exit_code
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
    except BrokenPipeError:
        raise
    except OSError as error:  # what the system refuses and nobody foresaw: a name that is too long, say
        if error.filename is None and error.errno not in _REFUSED:
            raise
        # Only standard output is written to without a name: help, by Typer.
        told = lost_stdout(error) if error.filename is None else InputError(f"{error.filename}: {error.strerror}")
        told.__cause__ = error
        output.error(told)
        return told.exit_code


def _open_streams() -> None:
    """Opens what was closed before the start, or the next file would be opened in its place and be written to.

    Reading standard input then fails, as does writing standard output; what goes to stderr is lost, since there is
    nowhere to say so. Python leaves None for each.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_WRONLY), "r")
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
