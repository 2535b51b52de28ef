"""What is asked and what is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

Side = Literal["hub", "cdn"]
"""The two listeners: the Hub itself, and where its large files are, under another host name."""


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        side: Which listener it came to.
        method: ``GET`` and so on.
        raw_path: The path as sent, percent-encoded.
        query: The decoded query.
        headers: With names in lower case.
        body: What was sent; empty in the log.
    """

    side: Side
    method: str
    raw_path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, side: Side, method: str, target: str, headers: dict[str, str]) -> Request:
        path, _, query = target.partition("?")
        return cls(side, method, path, parse_qs(query, keep_blank_values=True), headers)

    def with_body(self, body: bytes) -> Request:
        return replace(self, body=body)

    @property
    def path(self) -> str:
        """The decoded path."""
        return unquote(self.raw_path)

    @property
    def token(self) -> str | None:
        """What came as a bearer."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" and token else None

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    def one(self, name: str, default: str = "") -> str:
        """The last value of a query's field."""
        return self.query.get(name, [default])[-1]

    def flag(self, name: str) -> bool:
        return self.one(name).lower() in ("true", "1")

    def __str__(self) -> str:
        return f"{self.side} {self.method} {self.path}"


@dataclass(frozen=True)
class Ending:
    """How a connection goes wrong.

    Attributes:
        sent: Bytes of the body that still go out; None: not even a status line does.
        manner: ``reset`` (RST), ``close`` (as after a whole answer) or ``stall`` (stays open, sends nothing more).
    """

    sent: int | None
    manner: Literal["reset", "close", "stall"]


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        status: The status.
        headers: Without those that every answer has.
        body: All of it, also where less is sent.
        ending: None where all of it is sent.
        intervals: Bytes of the body that go out in a second; None: as fast as can be.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    ending: Ending | None = None
    intervals: float | None = None

    @classmethod
    def of(cls, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
        """An answer in JSON."""
        body = json.dumps(value).encode()
        return cls(status, {"Content-Type": "application/json; charset=utf-8"} | (headers or {}), body)

    def having(self, **headers: str) -> Answer:
        """The same with other headers; underscores in names are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers=self.headers | named)

    def head(self) -> dict[str, str]:
        """All headers, with those that every answer has."""
        common = {"Date": formatdate(usegmt=True), "Content-Length": str(len(self.body))}
        return common | self.headers


class Refusal(Exception):
    """A request is refused as the Hub does it: a status, a code that clients read, a message."""

    def __init__(self, status: int, message: str, code: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers

    @property
    def answer(self) -> Answer:
        headers = {"X-Error-Message": self.message} | ({"X-Error-Code": self.code} if self.code else {})
        return Answer.of({"error": self.message}, self.status, headers).having(**self.headers)
