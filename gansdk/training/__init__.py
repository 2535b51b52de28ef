"""Players and turns, the loop, checkpoints and run folders.

What a plugin's recipe is written with::

    from gansdk.training import Player, Recipe, Stream, Train
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
