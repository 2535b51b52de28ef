"""The two listeners, and what tests say to them."""

from __future__ import annotations

import os
import socket
import struct
import traceback
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, RLock, Thread
from typing import TYPE_CHECKING, Any, Literal, Self

from hub.faults import Fault, Faults, Rule, matches
from hub.messages import Answer, Request
from hub.repos import Gate, Repo
from hub.routes import answer
from hub.world import User, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hub.messages import Side


STEP = 0.05
"""Seconds between the pieces of a slow body."""


class Listener(ThreadingHTTPServer):
    """One port of the loopback interface; closing it ends all connections."""

    daemon_threads = False  # closing waits for them, so that no test hears another's
    request_queue_size = 128

    def __init__(self, hub: Hub, side: Side) -> None:
        super().__init__(("127.0.0.1", 0), partial(Connection, hub, side))
        self._hub = hub
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._serving = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._serving.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        self._hub.broken.append(traceback.format_exc())

    def close(self) -> None:
        self.shutdown()
        self._serving.join()
        with self._lock:
            for connection in self._open:
                _shut(connection)
        self.server_close()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the client was faster
        return


@dataclass
class Hub:
    """A Hub with its faults and its log; the tests' handle.

    Attributes:
        large_files_elsewhere: Whether large files' listener is under another host name than the Hub.
        faults: What goes wrong.
        log: All requests, in the order of their coming, without bodies.
        world: Repositories, people, page sizes and the like.
        broken: What is wrong with this server itself; `close` raises it.
    """

    large_files_elsewhere: bool = True
    faults: Faults = field(default_factory=Faults, repr=False)
    log: list[Request] = field(default_factory=list, repr=False)
    broken: list[str] = field(default_factory=list, repr=False)
    lock: RLock = field(default_factory=RLock, repr=False)
    over: Event = field(default_factory=Event, repr=False)
    world: World = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._listeners = (Listener(self, "hub"), Listener(self, "cdn"))
        here, there = (listener.server_address[1] for listener in self._listeners)
        host = "localhost" if self.large_files_elsewhere else "127.0.0.1"
        self.world = World(f"http://127.0.0.1:{here}", f"http://{host}:{there}")

    @property
    def url(self) -> str:
        """Where the Hub is: ``HF_ENDPOINT``."""
        return self.world.url

    def user(self, name: str, *, orgs: tuple[str, ...] = (), role: Literal["read", "write"] = "write") -> User:
        """Makes a person; their token is in the result."""
        return self.world.add_user(name, orgs=orgs, role=role)

    def repo(
        self, repo_id: str, files: Mapping[str, bytes] | None = None, *, private: bool = False, gate: Gate = False
    ) -> Repo:
        """Makes a repository, with a second commit if there are files."""
        repo = self.world.repos[repo_id] = Repo(repo_id, private, gate)
        if files:
            repo.commit(files)
        return repo

    def fail(
        self,
        fault: Fault,
        method: str = "*",
        path: str = "*",
        *,
        side: Side | None = None,
        times: int | None = 1,
        skip: int = 0,
    ) -> Rule:
        """Lets requests fail; see `Rule` for the arguments. Its ``hits`` tell how often it happened."""
        return self.faults.add(Rule(fault, method, path, side, times, skip))

    def asked(self, method: str = "*", path: str = "*", *, side: Side | None = None) -> list[Request]:
        """The requests so far that match, as a rule of a fault matches."""
        with self.lock:
            log = list(self.log)
        return [request for request in log if matches(request, method, path, side)]

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """What a process sees that speaks to this Hub, with ``home`` for its cache, token and settings."""
        foreign = ("HF_", "HUGGINGFACE_", "TRANSFORMERS_OFFLINE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return kept | settings(self.url, home) | ({} if token is None else {"HF_TOKEN": token})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends all connections.

        Raises:
            AssertionError: This server broke on a request.
        """
        self.over.set()
        for listener in self._listeners:
            listener.close()
        if self.broken:
            raise AssertionError("\n".join(self.broken))


def settings(url: str, home: Path) -> dict[str, str]:
    """The variables that send a client to this Hub alone, by plain HTTP."""
    return {
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_TOKEN_PATH": str(home / "token"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


class Connection(BaseHTTPRequestHandler):
    """The requests of one connection, one after another."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, hub: Hub, side: Side, *arguments: Any) -> None:
        self.hub, self.side = hub, side
        super().__init__(*arguments)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (its name in the base class)
        """Says nothing: the log is a list."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):  # the client went; nobody is left to be answered
            self.close_connection = True

    def exchange(self) -> None:
        """Answers one request, or does what a fault says."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_body: bytes | None = None
        asked = Request.parse(self.side, self.command, self.path, headers)
        with self.hub.lock:
            self.hub.log.append(asked)
        self.asked = asked
        fault = self.hub.faults.choose(asked)
        self._send(fault(_Asked(self)) if fault else self.answer())

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = exchange

    def answer(self) -> Answer:
        """Lets the request take effect."""
        request = self.asked.with_body(self.read_body())
        with self.hub.lock:
            try:
                return answer(self.hub.world, request)
            except Exception:  # a hole in this server must not look like a fault of the Hub's
                self.hub.broken.append(f"{request}\n{traceback.format_exc()}")
                return Answer(500)

    def read_body(self) -> bytes:
        """What comes after the headers; ConnectionError if not all of it does."""
        if self.request_body is None:
            chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
            length = int(self.headers.get("Content-Length") or 0)
            self.request_body = b"".join(self._chunks()) if chunked else self._exactly(length)
        return self.request_body

    def _chunks(self) -> list[bytes]:
        found = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            found.append(self._exactly(size))
            self._exactly(2)
        self.rfile.readline()
        return found

    def _exactly(self, size: int) -> bytes:
        found = self.rfile.read(size)
        if len(found) < size:
            raise ConnectionAbortedError("the body of a request was cut off")
        return found

    def _send(self, said: Answer) -> None:
        if said.ending is None:
            self.read_body()  # or the next request would begin in the middle of this one
        if said.ending is None or said.ending.sent is not None:
            self._send_head(said)
            sent = said.body if said.ending is None else said.body[: said.ending.sent]
            if self.command != "HEAD":
                self._send_body(sent, said.intervals)
        if said.ending is not None:
            self._end(said.ending.manner)

    def _send_head(self, said: Answer) -> None:
        self.send_response_only(said.status)
        for name, value in said.head().items():
            self.send_header(name, value)
        self.end_headers()

    def _send_body(self, body: bytes, intervals: float | None) -> None:
        size = len(body) if intervals is None else max(1, int(intervals * STEP))
        for start in range(0, len(body), size or 1):
            self.wfile.write(body[start : start + size])
            if intervals is not None and self.hub.over.wait(STEP):
                raise ConnectionAbortedError("the test is over")

    def _end(self, manner: Literal["reset", "close", "stall"]) -> None:
        self.close_connection = True
        if manner == "stall":
            self.hub.over.wait()
        elif manner == "reset":
            # With a linger time of zero, closing sends RST and not FIN: nothing looks like a regular end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()


@dataclass(frozen=True)
class _Asked:
    """What a fault sees of a connection."""

    connection: Connection

    @property
    def request(self) -> Request:
        return self.connection.asked

    def answer(self) -> Answer:
        return self.connection.answer()
