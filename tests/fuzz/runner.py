"""Runs one target until its time is over, or one of its cases, and fails at the first that misbehaves."""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from fuzz.targets import TARGETS
from gansdk.errors import GansdkError
from gansdk.files import dump_json

MOST_SECONDS = 10.0
MOST_BYTES = 2**30

LONGEST_LINE = 4000


class TooLongError(BaseException):
    """No ``except Exception`` may swallow it."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="run this one alone")
    parser.add_argument("-v", "--verbose", action="store_true", help="say how each case ended")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_long)
    # where a reader does not stop by default, the machine shall not suffer
    resource.setrlimit(resource.RLIMIT_AS, (8 * MOST_BYTES + _mapped(), resource.RLIM_INFINITY))
    checkpoints: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        target = TARGETS[given.target](Path(folder))
        begun, case = time.monotonic(), given.case or 0
        _warm_up(target)
        while given.case is not None or time.monotonic() - begun < given.seconds:
            content = target.make(Random(f"{given.seed} {case}"))
            end = _run(target, content, f"{given.target} --seed {given.seed} --case {case}")
            checkpoints[end.partition(":")[0]] = checkpoints.get(end.partition(":")[0], 0) + 1
            if given.verbose:
                print(case, len(content), end)
            case += 1
            if given.case is not None:
                break
    print(f"{given.target}: {case} cases, {checkpoints}")
    return 0


def _mapped() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _too_long(*_: object) -> NoReturn:
    raise TooLongError


def _warm_up(target: Any) -> None:
    """What is imported and made once is nobody's fault."""
    for content in target.whole:
        try:
            target.read(content)
        except GansdkError as error:
            raise AssertionError(f"a whole input is refused: {error}") from error


def _run(target: Any, content: bytes, name: str) -> str:
    before = _reset_peak()
    begun = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 2 * MOST_SECONDS)
    try:
        try:
            end = _written(target.read(content))
        except GansdkError as error:
            end = f"{type(error).__name__}: {error}"
            if "\n" in str(error) or len(str(error)) > LONGEST_LINE:
                _fail(name, content, f"an error of more than a line: {str(error)[:LONGEST_LINE]!r}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TooLongError:
        _fail(name, content, f"took more than {2 * MOST_SECONDS:.0f} s:\n{traceback.format_exc()[-3000:]}")
    except BaseException:
        _fail(name, content, traceback.format_exc()[-6000:])
    seconds, more = time.monotonic() - begun, _peak() - before
    if seconds > MOST_SECONDS:
        _fail(name, content, f"took {seconds:.1f} s, ended as {end}")
    if more > MOST_BYTES + target.declared:
        _fail(name, content, f"took {more >> 20} MiB, ended as {end}")
    return end


def _written(result: Any) -> str:
    """Whatever was read can be written as JSON that others read."""
    text = dump_json(result)
    json.loads(text.encode(), parse_constant=lambda word: _raise(ValueError(f"{word} is no JSON")))
    return "result"


def _raise(error: Exception) -> NoReturn:
    raise error


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _fail(name: str, content: bytes, what: str) -> NoReturn:
    kept = Path(tempfile.gettempdir()) / f"gansdk-fuzz-{name.replace(' --', '-').replace(' ', '-')}"
    kept.write_bytes(content)
    print(f"{name}\nkept as {kept}\n{what}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
