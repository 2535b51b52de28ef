"""What every request to the Hub has around it: time-outs, bounded retries, and errors of one line.

The client asks about repositories once and without a time-out, lets raw transport errors through and takes any ETag
as the name of a file. All of that is closed here while a transfer runs: time-outs and checked ETags for requests of
this thread alone, the client's switches, which it keeps in a module, for the process.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gansdk.errors import HubError, OutputError, UnknownRevisionError, UnreachableError, option
from gansdk.files import MOST_JSON, cannot_write
from gansdk.hub.access import check_environment, proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gansdk.errors import GansdkError


Result = TypeVar("Result")

XET = "GANSDK_XET"
"""Environment variable: ``1`` lets the client use its Xet path, which gansdk leaves off."""

REQUEST_SECONDS = 10.0
"""How long an answer, or the next bytes of one, may take."""

SENDING_SECONDS = 30.0
"""The same of a request that changes a repository: it is answered when all is done."""

TRIES = 4
FIRST_PAUSE = 0.25
"""Seconds between the first two tries; each pause after it is twice as long."""

RETRY_SECONDS = 60.0
"""After so long a failed request is not begun again; a server that asks for a longer pause is not waited for."""

_ONE_AT_A_TIME = threading.RLock()  # two that overlap would restore each other's constants

SHOWN_FROM = 2**20
"""Bytes from which on a bar shows how far a file is."""

LINE_SECONDS = 60.0
"""The shortest time between two lines of a transfer where stderr is not a terminal."""

_CHUNK = 2**18
"""Bytes that are shown, and kept if the connection breaks, at a time; the client's own are 10 MiB."""

UNAUTHORISED = 401
_PASSING = (408, 429, 500, 502, 503, 504)


@contextmanager
def transfer(seconds: float | None = None) -> Iterator[None]:
    """Xet and telemetry off, and time-outs and checked answers for this thread's requests; undone at the end.

    One at a time in a process, since the client keeps its switches in a module.

    Args:
        seconds: How long an answer may take; `REQUEST_SECONDS` if not given.
    """
    from huggingface_hub import constants, get_session

    wanted: dict[str, Any] = {"HF_HUB_DISABLE_TELEMETRY": True, "DOWNLOAD_CHUNK_SIZE": _CHUNK}
    if os.environ.get(XET) != "1":
        wanted["HF_HUB_DISABLE_XET"] = True
    logger = logging.getLogger("huggingface_hub")
    with _ONE_AT_A_TIME:
        before, level = {name: getattr(constants, name) for name in wanted}, logger.level
        hooks = get_session().event_hooks
        asking, answered = _hooks(threading.get_ident(), seconds or REQUEST_SECONDS)
        hooks["request"].append(asking)
        hooks["response"].append(answered)
        try:
            for name, value in wanted.items():
                setattr(constants, name, value)
            if level == logging.WARNING:  # its default, at which it tells of rates and retries; a user's own stays
                logger.setLevel(logging.ERROR)
            yield
        finally:
            logger.setLevel(level)
            for name, value in before.items():
                setattr(constants, name, value)
            hooks["request"].remove(asking)
            hooks["response"].remove(answered)


def bar(name: str, *, shown: bool) -> Any:
    """What the client makes its bars with, for files over 1 MiB, with the time left; a line a minute in a pipe.

    Args:
        name: The file; the client would show the end of an address, which may be signed.
        shown: Whether there is one at all.
    """
    from huggingface_hub.utils.tqdm import tqdm

    clients: Any = tqdm  # it has no types

    def make(*, total: int | None = None, **settings: Any) -> Any:
        is_hidden = not shown or (total or 0) < SHOWN_FROM
        settings |= {"desc": name, "disable": is_hidden}
        if not sys.stderr.isatty():
            settings |= {"file": _Lines(), "leave": False, "bar_format": "{desc}: {percentage:.0f} %, {remaining} left"}
            settings |= dict.fromkeys(("delay", "mininterval", "maxinterval"), LINE_SECONDS)
        return clients(total=total, **settings)

    return make


class _Lines:
    """A stream for a bar where no terminal is: what it would draw over itself is a line each time."""

    def write(self, text: str) -> None:
        if text.strip():
            print(text.strip(), file=sys.stderr)  # noqa: T201 - as the client's own bar does

    def flush(self) -> None:
        sys.stderr.flush()


def persist(ask: Callable[[], Result], what: str, *, sending: bool = False) -> Result:
    """Asks until there is an answer, within bounds.

    Args:
        ask: Makes requests through the client.
        what: What is asked for, for errors: ``hub:org/name``.
        sending: Whether it changes what the Hub has.

    Raises:
        UnreachableError: If the Hub, or the way to it, fails to the end.
        HubError: If it refuses.
    """
    check_environment()
    begun = time.monotonic()
    number = 0
    while True:
        try:
            with transfer(SENDING_SECONDS if sending else REQUEST_SECONDS):
                return ask()
        except Exception as error:  # the client lets many kinds through; what is not known is raised again
            told = _told(error, what, sending=sending)
            if told is None:
                raise
            pause = _pause(error, number)
            number += 1
            is_late = number == TRIES or time.monotonic() - begun + pause > RETRY_SECONDS
            if is_late or not isinstance(told, UnreachableError):
                raise told from None
        time.sleep(pause)


IN_MEMORY = "gansdk_in_memory"
"""Marks a request whose answer is kept in memory, as those of the API are."""

_PACKED_TIMES = 32
"""An answer that is packed may have so much less: what it unpacks to is not known before."""

_ASKED_ONCE = ("HEAD", "POST", "PUT")
"""What the client has no reason to ask twice for one of our questions; a GET may go on where it was cut off."""


_MISTYPED = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)


class _RepeatedError(Exception):
    """The client asks by default once more what it had no answer to; `persist` bounds how often."""


def _hooks(thread: int, seconds: float) -> tuple[Callable[[Any], None], Callable[[Any], None]]:
    from huggingface_hub import hf_raise_for_status

    asked: set[str] = set()

    def asking(request: Any) -> None:
        if threading.get_ident() != thread:
            return
        limits = request.extensions.get("timeout") or {}
        names = ("connect", "read", "write", "pool")
        request.extensions["timeout"] = {name: limits.get(name) or seconds for name in names}
        once = f"{request.method} {request.url}"
        if once in asked and request.method in _ASKED_ONCE:
            raise _RepeatedError
        asked.add(once)

    def answered(response: Any) -> None:
        if threading.get_ident() != thread:
            return
        if response.status_code in _PASSING:  # the client would wait as long as it is told to; `persist` has bounds
            response.read()
            hf_raise_for_status(response)
        for name in ("ETag", "X-Linked-Etag"):
            value = response.headers.get(name, "").removeprefix("W/").strip('"')
            if "/" in value or "\\" in value or value in (".", ".."):
                what = f"{response.url.host} names a file by {value!r}, which is a path; nothing was downloaded"
                raise HubError(what, hint="check HF_ENDPOINT and the network's proxy")
        if response.request.method == "GET":
            is_kept = IN_MEMORY in response.request.extensions or response.url.path.startswith("/api/")
            packed = "Content-Encoding" in response.headers
            most = MOST_JSON // (_PACKED_TIMES if packed else 1) if is_kept else None
            response.stream = _resumable(response.stream, most)

    return asking, answered


def _resumable(stream: Any, most: int | None) -> Any:
    """A body whose end by a reset looks as one by an early close: the client goes on after the latter only.

    Args:
        stream: As it comes.
        most: Bytes that it may have; None for one that is written to disk as it comes.
    """
    import httpx2

    class Resumable(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            got = 0
            try:
                for part in stream:
                    got += len(part)
                    if most is not None and got > most:
                        raise ValueError(f"an answer of more than {most} bytes")
                    yield part
            except httpx2.ReadError as error:
                raise httpx2.RemoteProtocolError(str(error)) from error

        def close(self) -> None:
            stream.close()

    return Resumable()


def _pause(error: Exception, number: int) -> float:
    """Seconds before the next try: what the server asks for, else longer each time."""
    answer = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    asked = getattr(answer, "headers", {}).get("Retry-After", "")
    return float(asked) if asked.isdigit() else FIRST_PAUSE * 2**number


def _told(error: Exception, what: str, *, sending: bool = False) -> GansdkError | None:
    """The error in one line; None: it is neither the transport's nor the disk's."""
    import httpx2
    from huggingface_hub import constants, errors

    if isinstance(error, UnreachableError):  # whoever asks knows better what an answer means
        return error
    if isinstance(error, errors.HfHubHTTPError):
        is_unknown = error.response.status_code == UNAUTHORISED and "Invalid credentials" in str(error)
        return unknown_token() if is_unknown else _refused(error, what, sending=sending)
    if isinstance(error, errors.HFValidationError):
        return HubError(f"{what} is not a name that the Hub can have", hint="names look like org/name")
    if isinstance(error, (errors.LocalEntryNotFoundError, RuntimeError)) and isinstance(error.__cause__, Exception):
        return _told(error.__cause__, what, sending=sending)
    if isinstance(error, OSError) and error.errno is not None:
        message = cannot_write(Path(error.filename or constants.HF_HUB_CACHE), error).message
        return OutputError(message, hint="make room there, or set HF_HOME to another folder")
    by_proxy = f", with the proxy of {proxies()}" if proxies() else ""
    reasons: dict[type[Exception], str] = {
        errors.OfflineModeIsEnabled: "nothing is asked offline",
        _RepeatedError: f"the connection failed, or there was no answer in time{by_proxy}",
        httpx2.HTTPError: f"the connection failed ({type(error).__name__}){by_proxy}",
        errors.LocalEntryNotFoundError: "its answer lacks what the client needs",
        errors.FileMetadataError: "its answer lacks what the client needs",
        # JSON that is no listing, or nested too deeply: the client takes an answer apart without a look at its types
        **dict.fromkeys(_MISTYPED, "its answer is not what a Hub says"),
    }
    why = next((reason for kind, reason in reasons.items() if isinstance(error, kind)), "")
    if isinstance(error, OSError) and "Consistency check failed" in str(error):
        why = "a file of another size came"
    if isinstance(error, RuntimeError) and "client has been closed" in str(error):
        why = "the connection was closed"
    return _failed(what, why, sending=sending) if why else None


def unknown_token() -> HubError:
    """For a token that is sent and belongs to no user."""
    hint = "`hf auth login` with another, or `hf auth logout`"
    return HubError("the Hub does not know the token that it was sent", hint=hint)


def _refused(error: Any, what: str, *, sending: bool) -> HubError:
    from huggingface_hub import constants, errors

    status = error.response.status_code
    is_hidden = isinstance(error, errors.RepositoryNotFoundError) or status in (401, 403, 404)
    if sending and is_hidden:
        namespace = what.removeprefix("hub:").partition("/")[0]
        hint = f"`hf auth login` with a token that may write for {namespace}"
        return HubError(f"the Hub does not let you write to {what}", hint=hint)
    if isinstance(error, errors.GatedRepoError):
        page = f"{constants.ENDPOINT}/{what.removeprefix('hub:').partition('@')[0]}"
        return HubError(f"{what} is gated", hint=f"ask for access at {page}, then `hf auth login`")
    if isinstance(error, errors.RevisionNotFoundError):
        what = f"there is no {what}: the repository has no such revision"
        return UnknownRevisionError(what, hint="see its branches and tags")
    if is_hidden:
        hint = "check the name; if it is private, `hf auth login` with a token that may read it"
        return HubError(f"there is no {what}, or it is private", hint=hint)
    if status in _PASSING:
        return _failed(what, f"status {status}", sending=sending)
    return HubError(f"the Hub refuses {what}: status {status}", hint="look at the repository's page")


def _failed(what: str, why: str, *, sending: bool) -> UnreachableError:
    if sending:
        hint = "push again: what has arrived is not sent twice"
        return UnreachableError(f"the Hub did not take {what}: {why}", hint=hint)
    return UnreachableError(
        f"the Hub did not give {what}: {why}", hint=f"try again, or use {option('offline', True)} if it is cached"
    )
