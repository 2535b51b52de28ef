"""Players and turns, the loop, checkpoints and run folders.

What a plugin's recipe is written with::

    from gansdk.training import Player, Recipe, Stream, Train
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansdk.training.clock import Progress
    from gansdk.training.loop import resume, train
    from gansdk.training.options import ResumeOptions, TrainingOptions
    from gansdk.training.players import Contest, Player
    from gansdk.training.recipe import Batch, Export, Recipe, Stream
    from gansdk.training.session import Finished
    from gansdk.training.starts import Start, load_start
    from gansdk.training.turns import Train, Turn

_HOME_OF = {
    "Batch": "recipe",
    "Contest": "players",
    "Export": "recipe",
    "Finished": "session",
    "Player": "players",
    "Progress": "clock",
    "Recipe": "recipe",
    "ResumeOptions": "options",
    "Start": "starts",
    "Stream": "recipe",
    "Train": "turns",
    "TrainingOptions": "options",
    "Turn": "turns",
    "load_start": "starts",
    "resume": "loop",
    "train": "loop",
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
    value = getattr(importlib.import_module(f"gansdk.training.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
