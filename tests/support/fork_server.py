"""A process that has loaded everything once and forks a child for each call of the command.

Loading Python, torch and gansdk takes two seconds, a fork some milliseconds. A child has its own working directory,
environment, streams and plugins, so nothing leaks from call to call. Two things differ from a new process: what is
loaded was loaded in the server's environment, and the interpreter does not wind up at the end. Tests about those, and
about signals and closed streams, start a process of their own (``Gansdk.spawn``).
"""

from __future__ import annotations

import array
import atexit
import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOADED = [
    "torch",
    "numpy",
    "PIL.Image",
    "pydantic",
    "scipy.optimize",
    "scipy.stats",
    "skimage.metrics",
    "gansdk.cli.app",
]
"""Nothing of the Hub's client: it reads the environment when it is loaded."""


class ForkServer:
    """The server's side of a test process.

    Attributes:
        process: The server.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        line = [sys.executable, "-P", __file__, str(theirs.fileno())]
        self.process = subprocess.Popen(line, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._socket, self._lock = ours, threading.Lock()
        atexit.register(self.process.kill)

    def call(self, arguments: list[str], cwd: Path, environment: dict[str, str], streams: tuple[int, int, int]) -> int:
        """Runs the command in a child, and returns its exit code.

        Args:
            arguments: Those after the program's name.
            cwd: Its working directory.
            environment: All of it.
            streams: File descriptors of its standard input, output and error.
        """
        request = json.dumps({"arguments": arguments, "cwd": str(cwd), "environment": environment}).encode()
        with self._lock:
            descriptors = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
            self._socket.sendmsg([len(request).to_bytes(8, "little")], descriptors)
            self._socket.sendall(request)
            return int.from_bytes(_receive(self._socket, 4), "little", signed=True)


def _receive(connection: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        piece = connection.recv(count - len(content))
        if not piece:
            raise EOFError
        content += piece
    return content


def serve(connection: socket.socket) -> None:
    """Answers calls until the test process ends."""
    while True:
        head, ancillary, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(3 * array.array("i").itemsize))
        if not head:
            return
        streams = array.array("i")
        streams.frombytes(ancillary[0][2])
        request = json.loads(_receive(connection, int.from_bytes(head, "little")))
        child = os.fork()
        if child == 0:
            connection.close()
            _become(request, list(streams))
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))


def _become(request: dict, streams: list[int]) -> None:
    """The child: does what the installed command does, and ends."""
    code = 1
    try:
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.path[0:0] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        importlib.invalidate_caches()
        sys.argv = ["gansdk", *request["arguments"]]
        from gansdk.cli import main

        code = main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    serve(socket.socket(fileno=int(sys.argv[1])))
