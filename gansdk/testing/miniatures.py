"""A config trained in miniature, from its first step to a run folder, on pictures made by a formula."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gansdk.inference.catalog import RUN_MODEL
from gansdk.testing.generated import pictures
from gansdk.testing.rehearsal import BEFORE, SEED, STEPS, Rehearsal
from gansdk.training.loop import train

if TYPE_CHECKING:
    from gansdk.plugins.declarations import Method


def train_miniature(method: Method, config: str, run: Path, **more: Any) -> None:
    """Trains a config's miniature for a few steps.

    Args:
        method: The method.
        config: Name of one of its configs.
        run: The run folder, which must not exist.
        more: What else :func:`gansdk.training.loop.train` takes.
    """
    declared = method.configs[config]
    train(
        method,
        config,
        run,
        data={name: f"made {name}" for name in Rehearsal(declared).recipe.sources},
        options={**declared.miniature, "steps": STEPS},
        seed=SEED,
        device="cpu",
        precision="fp32",
        log_every=1,
        samples_every=1,
        checkpoint_every=BEFORE,
        open_data=lambda text: (text, pictures()),
        **more,
    )


class MiniatureModel:
    """The folder of the model that a config's miniature leaves; it is gone when this is.

    Args:
        method: The method.
        config: Name of one of its configs.
    """

    def __init__(self, method: Method, config: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="gansdk-miniature-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        train_miniature(method, config, folder / "run", metrics=(), summary="a miniature", licence="CC0-1.0")
        self.folder = folder / "run" / RUN_MODEL
