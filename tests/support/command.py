"""The command, called as a user calls it: in a child of a process that has loaded everything, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fork_server import ForkServer

PROGRAM = Path(sys.executable).parent / "gansdk"


@dataclass(frozen=True)
class Done:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of JSON on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


@dataclass(frozen=True)
class Gansdk:
    """Calls the command in a folder, with settings and plugins of its own.

    Attributes:
        home: Where settings and the cache are.
        cwd: The working directory.
        path: Folders that are searched for plugins besides the environment's own.
        hub_home: Where the Hub's client keeps token and cache; as the environment says if not given.
    """

    home: Path
    cwd: Path
    path: tuple[Path, ...] = ()
    hub_home: Path | None = None

    def __call__(self, *arguments: object, stdin: bytes | None = None) -> Done:
        if not hasattr(os, "fork"):
            return self.spawn(*arguments, stdin=stdin)
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin or b"")
            given.seek(0)
            streams = (given.fileno(), out.fileno(), err.fileno())
            code = _server().call([*map(str, arguments)], self.cwd, self.environment, streams)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
        return Done(code, *texts)

    def spawn(self, *arguments: object, stdin: bytes | None = None) -> Done:
        """The installed command in a process of its own, for tests of what only such a process shows."""
        line = [str(PROGRAM), *map(str, arguments)]
        done = subprocess.run(line, input=stdin, capture_output=True, cwd=self.cwd, env=self.environment, check=False)
        return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    @property
    def environment(self) -> dict[str, str]:
        """What the call sees."""
        path = os.pathsep.join(map(str, self.path))
        of_hub = {} if self.hub_home is None else {"HF_HOME": str(self.hub_home)}
        return os.environ | {"GANSDK_HOME": str(self.home), "PYTHONPATH": path, "COLUMNS": "100"} | of_hub

    def python(self, code: str) -> str:
        """What a Python program in the same surroundings prints."""
        line = [sys.executable, "-c", code]
        done = subprocess.run(line, capture_output=True, text=True, cwd=self.cwd, env=self.environment, check=True)
        return done.stdout


@cache
def _server() -> ForkServer:
    return ForkServer()
