"""What goes wrong, where and how often.

A fault is a function from an exchange to an answer. It may look at the true answer (then the request took effect),
change it, or never ask for it (then nothing happened).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from threading import Lock
from typing import TYPE_CHECKING, Literal, Protocol

from hub.messages import Answer, Ending

if TYPE_CHECKING:
    from hub.messages import Request, Side


class Exchange(Protocol):
    """One request on its way."""

    @property
    def request(self) -> Request: ...

    def answer(self) -> Answer:
        """Reads the request's body, lets it take effect and returns the true answer."""


Fault = Callable[[Exchange], Answer]

PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Accept the terms of this network.</body></html>\n"
)


def status(code: int, *, retry_after: int | None = None) -> Fault:
    """503, 429 and the like, as a balancer before the Hub says it; the request has no effect."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    text = Answer(code, {"Content-Type": "text/plain"} | headers, b"try again\n")
    return lambda _exchange: text


def drop(after: int | None = None, *, took_effect: bool = True) -> Fault:
    """The connection is reset.

    Args:
        after: Bytes of the answer's body that still arrive; None: not even its status does.
        took_effect: Without, the request's body is not read, and nothing happens.
    """
    return _ending(Ending(after, "reset"), took_effect=took_effect)


def stall(after: int | None = None, *, took_effect: bool = True) -> Fault:
    """The connection stays open and nothing more comes; arguments as for `drop`."""
    return _ending(Ending(after, "stall"), took_effect=took_effect)


def _ending(ending: Ending, *, took_effect: bool) -> Fault:
    return lambda exchange: replace(exchange.answer() if took_effect else Answer(), ending=ending)


def truncate(keep: int, *, honest: bool) -> Fault:
    """The body ends early.

    Args:
        keep: Bytes that arrive.
        honest: Whether the length in the header is that of what arrives, so that nothing on the wire tells.
    """

    def fault(exchange: Exchange) -> Answer:
        answer = exchange.answer()
        if honest:
            return replace(answer, body=answer.body[:keep])
        return replace(answer, ending=Ending(keep, "close"))

    return fault


def flip(byte: int = 0, bit: int = 0) -> Fault:
    """One bit of the body is wrong, where there is a body; ``byte`` counts from the end if negative."""

    def fault(exchange: Exchange) -> Answer:
        answer = exchange.answer()
        body = bytearray(answer.body)
        if not body:
            return answer
        body[byte] ^= 1 << bit
        return replace(answer, body=bytes(body))

    return fault


def page(*, padded: bool = False) -> Fault:
    """A network's sign-in page comes with status 200; ``padded``: as long as the true body."""

    def fault(exchange: Exchange) -> Answer:
        body = PAGE.ljust(len(exchange.answer().body)) if padded else PAGE
        return Answer(200, {"Content-Type": "text/html; charset=utf-8"}, body)

    return fault


def header(name: str, value: str | None) -> Fault:
    """A header is wrong; None: it is missing."""

    def fault(exchange: Exchange) -> Answer:
        answer = exchange.answer()
        kept = {known: said for known, said in answer.headers.items() if known.lower() != name.lower()}
        return replace(answer, headers=kept if value is None else kept | {name: value})

    return fault


def etag(value: str) -> Fault:
    """The name of the content is wrong, in all headers that tell it."""

    def fault(exchange: Exchange) -> Answer:
        answer = exchange.answer()
        named = {known: f'"{value}"' for known in answer.headers if known.lower() in ("etag", "x-linked-etag")}
        return replace(answer, headers=answer.headers | named)

    return fault


def meanwhile(action: Callable[[], object], *, then: Literal["answer", "before"] = "before") -> Fault:
    """Something else happens on a request: a branch moves, a repository goes.

    Args:
        action: What happens.
        then: ``before`` the request takes effect, or after (``answer``), when its answer is on its way.
    """

    def fault(exchange: Exchange) -> Answer:
        if then == "before":
            action()
            return exchange.answer()
        answer = exchange.answer()
        action()
        return answer

    return fault


def pause(seconds: float) -> Fault:
    """The answer comes late."""

    def fault(exchange: Exchange) -> Answer:
        time.sleep(seconds)
        return exchange.answer()

    return fault


def trickle(bytes_per_second: float) -> Fault:
    """The body comes slowly and without a gap, so that no time-out of a single read ends it."""
    return lambda exchange: replace(exchange.answer(), intervals=bytes_per_second)


OF_ANSWERS = {
    "503": status(503),
    "429": status(429, retry_after=0),
    "drop": drop(),
    "drop in the middle": drop(20),
    "stall": stall(),
    "stall in the middle": stall(20),
    "page": page(),
    "truncated": truncate(50, honest=False),
    "truncated and honest": truncate(50, honest=True),
}
"""What can befall an answer of some hundred bytes and shows to whoever does not know what it should be."""


def matches(request: Request, method: str, path: str, side: Side | None) -> bool:
    """Whether a request is one of those that are meant; arguments as in `Rule`."""
    return side in (None, request.side) and method in ("*", request.method) and fnmatchcase(request.path, path)


@dataclass
class Rule:
    """Where a fault is, and how often.

    Attributes:
        fault: What goes wrong.
        method: A method, or ``*``.
        path: A pattern of the decoded path, without the query; ``*`` is any run of characters, slashes too.
        side: On which listener; None: on both.
        times: How often; None: always.
        skip: How many matching requests go well first.
        hits: How often it happened.
    """

    fault: Fault
    method: str = "*"
    path: str = "*"
    side: Side | None = None
    times: int | None = 1
    skip: int = 0
    hits: int = 0
    _seen: int = field(default=0, repr=False)

    def applies(self, request: Request) -> bool:
        """Whether it is this request's turn; counts."""
        if not matches(request, self.method, self.path, self.side):
            return False
        self._seen += 1
        if self._seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


@dataclass
class Faults:
    """All rules; the first that applies to a request decides."""

    rules: list[Rule] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        with self._lock:
            self.rules.clear()

    def choose(self, request: Request) -> Fault | None:
        with self._lock:
            return next((rule.fault for rule in self.rules if rule.applies(request)), None)
