"""Players and turns, the loop, checkpoints and run folders.

What a plugin's recipe is written with::

    from gansdk.training import Player, Recipe, Stream, Train
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansdk.model.export import Export
    from gansdk.training.clock import Progress
    from gansdk.training.loop import resume, train
    from gansdk.training.options import ResumeOptions, TrainingOptions
    from gansdk.training.players import Contest, Player
    from gansdk.training.recipe import Batch, Recipe, Stream
    from gansdk.training.session import Finished
    from gansdk.training.starts import Start, load_start
    from gansdk.training.turns import Train, Turn

_HOME_OF = {
    "Batch": "gansdk.training.recipe",
    "Contest": "gansdk.training.players",
    "Export": "gansdk.model.export",
    "Finished": "gansdk.training.session",
    "Player": "gansdk.training.players",
    "Progress": "gansdk.training.clock",
    "Recipe": "gansdk.training.recipe",
    "ResumeOptions": "gansdk.training.options",
    "Start": "gansdk.training.starts",
    "Stream": "gansdk.training.recipe",
    "Train": "gansdk.training.turns",
    "TrainingOptions": "gansdk.training.options",
    "Turn": "gansdk.training.turns",
    "load_start": "gansdk.training.starts",
    "resume": "gansdk.training.loop",
    "train": "gansdk.training.loop",
}

__all__ = [
    "Batch",
    "Contest",
    "Export",
    "Finished",
    "Player",
    "Progress",
    "Recipe",
    "ResumeOptions",
    "Start",
    "Stream",
    "Train",
    "TrainingOptions",
    "Turn",
    "load_start",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'gansdk.training' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
