"""The sketch plugin, or the appraiser, as a kit looks at it, as it is or broken in one place."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import sketch

from gansdk.testing.kit import Kit
from gansdk.testing.targets import MethodUnderTest, ModelUnderTest

if TYPE_CHECKING:
    from exemplars import Change

SUPPORT = Path(sketch.__file__).parent

_numbers = itertools.count()


def kit(folder: Path, change: Change | None = None, *, name: str = "sketch") -> Kit:
    """The checks of its method and of a model of it, which is written into a folder."""
    plugin = _changed(SUPPORT / f"{name}.py", change)
    plugin.write(folder)
    return Kit([MethodUnderTest(plugin.METHOD), ModelUnderTest(name, plugin.METHOD, folder)])


def _changed(source: Path, change: Change | None) -> ModuleType:
    """The plugin's module under a name of its own, so that its import strings mean what was changed."""
    text = source.read_text("utf-8")
    if change is not None:
        assert (change.file, text.count(change.old)) == (source.name, 1), change
        text = text.replace(change.old, change.new)
    module = ModuleType(f"{source.stem}_{next(_numbers)}")
    sys.modules[module.__name__] = module
    exec(compile(text, f"{module.__name__}.py", "exec"), vars(module))
    return module
