"""How the Hub is accessed, and what in the environment makes every request fail."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gansdk.errors import UnreachableError

_ENDPOINT = "HF_ENDPOINT"
_NUMBERS = ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT")
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Access:
    """How the Hub is accessed.

    Attributes:
        offline: Whether no socket may be opened. The client's ``HF_HUB_OFFLINE`` says the same.
        bars: Whether large files have progress bars where stderr is a terminal.
    """

    offline: bool = False
    bars: bool = True

    @property
    def is_offline(self) -> bool:
        """Whether the caller or the user's environment says so."""
        import_client()
        from huggingface_hub import constants

        return self.offline or bool(constants.HF_HUB_OFFLINE)


ONLINE = Access()
"""Online, unless the user's environment says otherwise."""


def import_client() -> None:
    """Imports the client's constants, before anything else of it is imported.

    It reads numbers and an address from the environment meanwhile and fails where one is wrong. What is cached needs
    neither.
    """
    wrong = {name: os.environ.pop(name) for name in _NUMBERS if not _is_number(os.environ.get(name))}
    if not _is_address(os.environ.get(_ENDPOINT)):
        wrong[_ENDPOINT] = os.environ.pop(_ENDPOINT)
    try:
        from huggingface_hub import constants  # noqa: F401
    finally:
        os.environ.update(wrong)


def check_environment() -> None:
    """Finds variables with which no request can be made, before one is.

    Raises:
        UnreachableError: It names the variable.
    """
    import_client()
    for name in _NUMBERS:
        if not _is_number(os.environ.get(name)):
            raise _wrong(name, "is not a whole number of seconds")
    if not _is_address(os.environ.get(_ENDPOINT)):
        raise _wrong(_ENDPOINT, "is not an address, which begins with https://")
    _check_token()
    for name in _CERTIFICATES:
        if os.environ.get(name) and not Path(os.environ[name]).exists():
            raise _wrong(name, "is not there")
    _check_connections()


def proxies() -> str:
    """The variables that name a proxy, for messages; empty if there is none."""
    return " and ".join(name for name in _PROXIES if os.environ.get(name))


def _is_number(text: str | None) -> bool:
    return text is None or text.strip().removeprefix("-").isdecimal()


def _is_address(text: str | None) -> bool:
    try:
        parts = urlsplit(text or "https://huggingface.co")
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_token() -> None:
    """A token goes into a header, where only some characters may be; it is never shown."""
    from huggingface_hub import constants, get_token

    try:
        token = get_token() or ""
        if token.isascii() and token.isprintable() and " " not in token:
            return
    except UnicodeDecodeError:
        pass
    name = next((name for name in _TOKENS if os.environ.get(name)), constants.HF_TOKEN_PATH)
    what = f"{name} holds what no token has: spaces, control characters or letters outside of ASCII"
    raise UnreachableError(what, hint="copy the token again, or log in anew with `hf auth login`")


def _check_connections() -> None:
    """Opening the client's session reads proxies and certificates; what is wrong with them ends it."""
    from huggingface_hub import get_session

    for name in _PROXIES:
        is_socks = os.environ.get(name, "").lower().startswith("socks")
        if is_socks and importlib.util.find_spec("socksio") is None:
            what = f"{name} names a SOCKS proxy, and the package for SOCKS is not installed"
            raise UnreachableError(what, hint=f"pip install socksio, or unset {name}")
    try:
        get_session()
    except Exception as error:  # as many kinds as there are libraries below the client
        # Certificates are read from the first of these that is set; what is wrong with them is an error of the system.
        certificates = next((name for name in _CERTIFICATES if os.environ.get(name)), "")
        names = certificates if isinstance(error, OSError) else proxies()
        if not names:
            raise
        what = f"no connection can be made with {names} as set: {' '.join(str(error).split())}"
        raise UnreachableError(what, hint="correct or unset it") from None


def _wrong(name: str, why: str) -> UnreachableError:
    return UnreachableError(f"{name}={os.environ.get(name, '')!r} {why}", hint=f"correct or unset {name}")
