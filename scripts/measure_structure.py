"""Prints how large and how deep the code is: files, lines, class names that occur twice, and what one run passes.

    python scripts/measure_structure.py

A logic line is one that holds code: no blank line, no comment, no docstring, no import.
"""

from __future__ import annotations

import ast
import io
import sys
import tempfile
import threading
import tokenize
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
CORE = ROOT / "gansdk"
PHOTO = ROOT / "demos/photos/chelsea.jpg"


def python_files(folder: Path) -> list[Path]:
    """All Python files under a folder, in order."""
    return sorted(folder.rglob("*.py"))


def logic_lines(source: str) -> int:
    """How many lines hold code that is neither an import nor a docstring."""
    tree = ast.parse(source)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        is_text = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if is_text or isinstance(node, ast.Import | ast.ImportFrom):
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in ignored:
            held.update(range(token.start[0], token.end[0] + 1))
    return len(held - left_out)


def class_names(folders: list[Path]) -> Counter[str]:
    """How often each class name is defined at the top of a module."""
    return Counter(
        node.name
        for folder in folders
        for file in python_files(folder)
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef)
    )


def called_during(call: Callable[[], object], folder: Path) -> set[Path]:
    """The files below ``folder`` of which a function ran during the call, in any thread."""
    seen: set[str] = set()

    def look(frame, event, _):
        if event == "call" and frame.f_code.co_name != "<module>":
            seen.add(frame.f_code.co_filename)

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return {Path(name) for name in seen if Path(name).is_relative_to(folder)}


def depths() -> tuple[int, int]:
    """The frames of gansdk above Pillow's decoder when a pipeline reads a photo, and above the result's encoder."""
    from PIL import Image as PILImage
    from PIL import ImageFile, PngImagePlugin

    import gansdk

    found: dict[str, int] = {}

    def counted(name: str, original):
        def wrapped(*args, **kwargs):
            frame, count = sys._getframe(1), 0
            while frame is not None:
                count += frame.f_code.co_filename.startswith(str(CORE))
                frame = frame.f_back
            found.setdefault(name, count)
            return original(*args, **kwargs)

        return wrapped

    enlarge = gansdk.pipeline("superres", device="cpu")
    load, save = ImageFile.ImageFile.load, PngImagePlugin._save
    ImageFile.ImageFile.load = counted("read", load)
    PILImage.SAVE["PNG"] = counted("write", save)
    try:
        image = enlarge(PHOTO)
        with tempfile.TemporaryDirectory() as folder:
            image.save(Path(folder) / "out.png")
    finally:
        ImageFile.ImageFile.load = load
        PILImage.SAVE["PNG"] = save
    return found["read"], found["write"]


def run_superres() -> None:
    """What the command ``gansdk run superres photo.jpg`` does."""
    from gansdk.cli import main

    with tempfile.TemporaryDirectory() as folder:
        main(["run", "superres", str(PHOTO), "-o", f"{folder}/out.png", "--quiet"])


def main() -> None:
    """Prints the table."""
    core = [file.read_text() for file in python_files(CORE)]
    print(f"core files                          {len(core):>7,}")
    print(f"core lines                          {sum(len(text.splitlines()) for text in core):>7,}")
    print(f"core logic lines                    {sum(map(logic_lines, core)):>7,}")
    for plugin in sorted((ROOT / "plugins").iterdir()):
        lines = sum(len(file.read_text().splitlines()) for file in python_files(plugin / "src"))
        print(f"{plugin.name:<36}{lines:>7,}")
    names = class_names([CORE, *sorted((ROOT / "plugins").glob("*/src"))])
    twice = sorted(name for name, count in names.items() if count > 1)
    print(f"class names that occur twice        {len(twice):>7}  {', '.join(twice)}")
    run_superres()  # what is imported and cached on the way is no part of the second
    print(f"core files that run in one superres {len(called_during(run_superres, CORE)):>7}")
    read, write = depths()
    print(f"frames above decoder, encoder       {read:>4}, {write}")


if __name__ == "__main__":
    main()
