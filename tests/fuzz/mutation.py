"""Breaking bytes and values at random, the same way for the same random state."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NUMBERS = (0, 1, -1, 2, 127, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)


def mutated(content: bytes, random: Random, words: tuple[bytes, ...] = ()) -> bytes:
    """Bytes with one to eight places changed, some of them in length."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        at = random.randrange(len(data) + 1)
        match random.randrange(8):
            case 0 | 1 if data:
                data[at % len(data)] ^= 1 << random.randrange(8)
            case 2 if data:
                data[at % len(data)] = random.choice((0, 1, 127, 128, 255))
            case 3:
                del data[at : at + random.choice((1, 2, 16, 256, 1 << 20))]
            case 4:
                data[at:at] = data[at : at + random.choice((1, 4, 64, 1024))] * random.choice((1, 2, 50))
            case 5:
                size, order = random.choice((2, 4, 8)), random.choice(("little", "big"))
                data[at : at + size] = (random.choice(NUMBERS) % 2 ** (8 * size)).to_bytes(size, order)
            case 6 if words:
                data[at:at] = random.choice(words)
            case _:
                data[at:at] = random.randbytes(random.choice((1, 2, 8)))
    return bytes(data)


def _deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


_STRANGE: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: 0,
    lambda: -1,
    lambda: 1e308,
    lambda: float("inf"),
    lambda: float("nan"),
    lambda: 2**40,
    lambda: 10**4000,
    lambda: 20_000,
    lambda: "",
    lambda: "x" * 3000,
    lambda: "\ud800",
    lambda: "a\n<!-- gansdk:end run -->\n<script>",
    lambda: "../../etc/passwd",
    lambda: "'; touch x; '",
    lambda: [],
    lambda: {},
    lambda: {"": None},
    lambda: _deep(60),
    lambda: _deep(500),
    lambda: [1] * 5000,
    lambda: {str(i): i for i in range(2000)},
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """All (container, key) pairs inside a value."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            waiting.append(one[key])
    return found


def strange(value: Any, random: Random) -> Any:
    """A value like one that JSON gave, with something odd at one or two places inside."""
    value = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2))):
        inside = places(value)
        if not inside:
            return random.choice(_STRANGE)()
        container, key = random.choice(inside)
        match random.randrange(6):
            case 0:
                del container[key]
            case 1 if isinstance(container, dict):
                container[random.choice(("", "x", "name", "\u202e", "a" * 500))] = container.pop(key)
            case 2:
                container[key] = [container[key]]
            case 3:
                container[key] = str(container[key])
            case 4 if isinstance(container[key], int | float):
                container[key] = random.choice((0, -1, 3, 64, 4096, 2**20, 10**12, 0.5, 1e300, -1e300))
            case _:
                container[key] = random.choice(_STRANGE)()
    return value


def as_json(value: Any) -> bytes:
    """JSON, or what looks like it: NaN, and numbers of any length."""
    text = json.dumps(value)
    return text.replace("Infinity", "1e999").encode()


def strange_json(content: bytes, random: Random) -> bytes:
    """A JSON text, broken in its values or in its bytes."""
    if random.randrange(4) == 0:
        return mutated(content, random, (b"[" * 2000, b'{"a":' * 300, b"1e999", b"NaN", b'"\\ud800"', b"\xef\xbb\xbf"))
    return random.choice((b"", b"", b"", b"\xef\xbb\xbf")) + as_json(strange(json.loads(content), random))


def members(content: bytes) -> list[tuple[str, bytes]]:
    """What is in a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]


def zipped(files: list[tuple[str, bytes]], *, packed: bool = True) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, archive.compression)
    return file.getvalue()


def strange_zip(
    content: bytes, random: Random, inside: Callable[[bytes, Random], bytes] = mutated, *, packed: bool = True
) -> bytes:
    """An archive broken as a whole, or whole with something broken in it."""
    if random.randrange(2):
        return mutated(content, random, (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x09\0", b"\x01\0"))
    files = members(content)
    at = random.randrange(len(files))
    name, data = files[at]
    match random.randrange(6):
        case 0:
            files[at] = (random.choice(("../x", "/x", "a/" * 500, "\u00e9", "x" * 60_000, "")), data)
        case 1:
            files.append((name, data))
        case 2:
            files[at] = (name, bytes(2_000_000))
        case _:
            files[at] = (name, inside(data, random))
    with_warnings = zipped(files, packed=packed)
    return with_warnings if random.randrange(8) else mutated(with_warnings, random)
