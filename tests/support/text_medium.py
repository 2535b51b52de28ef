"""A medium of a plugin's own: text files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

import gansdk
from gansdk.errors import InputError
from gansdk.media.writing import put, send


class TextReading(gansdk.Options):
    encoding: Annotated[Literal["utf-8", "latin-1"], Field(description="how text files are encoded")] = "utf-8"


class TextWriting(gansdk.Writing):
    format: Annotated[Literal["txt"] | None, Field(description="file format")] = None


class _Text(gansdk.Medium):
    name, plural, endings, widget = "a text", "texts", (".txt",), "text"
    reading, writing = TextReading, TextWriting

    def holds(self, value):
        return isinstance(value, str)

    def read(self, source, options, note, *, name=""):
        if not isinstance(source, str | os.PathLike):
            source = source.read() if hasattr(source, "read") else bytes(source)
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        try:
            return content.decode(options.encoding)
        except UnicodeDecodeError:
            raise InputError(f"{source} is not {options.encoding}", hint="give --encoding latin-1") from None

    def write(self, value, target, options, note, *, kind, provenance):
        if isinstance(target, Path):
            return put(target, options.on_exists, lambda file: file.write(value.encode()))
        send(target, lambda file: file.write(value.encode()), self.name)
        return None


TEXT = _Text()
