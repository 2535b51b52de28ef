"""A recipe in its tiny version: trained for a few steps, or replayed from one snapshot.

A config's ``tiny_model`` options make a step take milliseconds; the images are made by a formula. A snapshot is what
a checkpoint holds, so a replay starts as a resumed run does: with a recipe that was just built. A replayed step takes
all its gradients and moves no parameters; so what one turn takes cannot show in the next, and two replays differ by
what was changed between them alone.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import weakref
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import torch

from gansdk.data.folders import Attribution, Images
from gansdk.errors import OptionError
from gansdk.models.catalog import RUN_MODEL
from gansdk.options import Options, validate
from gansdk.plugins.declarations import resolve
from gansdk.testing.checks import fail
from gansdk.training.checkpoints import capture, restore
from gansdk.training.recipe import new_recipe
from gansdk.training.trainer import train
from gansdk.training.turns import Train

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from gansdk.plugins.declarations import Config, Method
    from gansdk.training.players import Player
    from gansdk.training.recipe import Recipe

    Gradients = dict[str, list[Tensor]]


HEIGHT, WIDTH, COUNT = 96, 128, 4
"""Of the set of images that recipes are checked on."""

STEPS = 4
"""Steps that a tiny version is trained for."""

BEFORE = 2
"""Steps before the snapshot: what starts at zero lets no gradient through."""

LONGEST_ROUND = 10
"""Steps within which every player has a turn."""

SEED = 0


def image(height: int, width: int, *, seed: int) -> NDArray[np.uint8]:
    """One image, RGB [height, width, 3]: soft shapes with sharp rims before a slope, and a little noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    slope = (rows / height + columns / width)[..., None] * random.uniform(30, 100, 3)
    pixels = slope + random.uniform(0, 60, 3)
    for _ in range(8):
        top, left = random.uniform(0, height), random.uniform(0, width)
        radius = random.uniform(0.1, 0.4) * min(height, width)
        inside = np.hypot(rows - top, columns - left) < radius
        stripes = np.sin((rows * random.normal() + columns * random.normal()) / 2)[..., None]
        pixels[inside] = (random.uniform(0, 255, 3) + random.uniform(0, 30) * stripes)[inside]
    pixels += random.normal(0, 3, pixels.shape)
    return np.asarray(pixels.round().clip(0, 255), np.uint8)


class _Made:
    """Files that are nowhere: the images as PNG bytes, in two sub-folders, which are their labels."""

    others: tuple[str, ...] = ()

    def __init__(self) -> None:
        from PIL import Image as PILImage

        self._bytes: dict[str, bytes] = {}
        for seed in range(COUNT):
            file = io.BytesIO()
            PILImage.fromarray(image(HEIGHT, WIDTH, seed=seed)).save(file, format="PNG")
            self._bytes[f"{'a' if seed < COUNT // 2 else 'b'}/{seed}.png"] = file.getvalue()
        self.names = tuple(self._bytes)

    def read(self, name: str, /) -> bytes:
        return self._bytes[name]


@cache
def images() -> Images:
    """The set of images that recipes are checked on, in memory, half of them of one class, half of another."""
    items = _Made()
    return Images("made images", items, [Attribution(name, "CC0-1.0") for name in items.names])


class TinyFolder:
    """A temporary folder for a tiny model; it is removed when this object is.

    Attributes:
        path: Of the model in it.
    """

    def __init__(self, model: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="gansdk-tiny-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = folder / model


def trained_tiny_model(method: Method, config: str) -> TinyFolder:
    """The model that a config's tiny version leaves."""
    folder = TinyFolder(f"run/{RUN_MODEL}")
    train_tiny(method, config, folder.path.parent, metrics=(), summary="a tiny model", licence="CC0-1.0")
    return folder


def train_tiny(method: Method, config: str, run: Path, **more: Any) -> None:
    """Trains a config's tiny version for a few steps.

    Args:
        method: The method.
        config: Name of one of its configs.
        run: The run folder, which must not exist.
        more: What else :func:`gansdk.training.trainer.train` takes.
    """
    declared = method.configs[config]
    train(
        method,
        config,
        run,
        data={name: f"made {name}" for name in Replay(declared).recipe.sources},
        options={**declared.tiny_model, "steps": STEPS},
        seed=SEED,
        device="cpu",
        precision="fp32",
        log_every=1,
        samples_every=1,
        checkpoint_every=BEFORE,
        open_data=lambda text: (text, images()),
        **more,
    )


def options_of(config: Config) -> type[Options]:
    """The class of a recipe's options."""
    group = resolve(config.options)
    if not (isinstance(group, type) and issubclass(group, Options)):
        fail(f"{config.options} is not a subclass of gansdk.Options")
    return group


def tiny_options(config: Config, **changes: object) -> Options:
    """The options of a config's tiny version, with these changed."""
    return validate(options_of(config), {**config.values, **config.tiny_model, "steps": STEPS, **changes})


class TrialTrain:
    """A config's tiny version that was just built, ready to step.

    Args:
        config: The config.
        kind: What its turns are counted with.
        changes: Options that differ from those of the tiny version.
    """

    def __init__(self, config: Config, kind: type[Train] = Train, changes: Mapping[str, object] | None = None) -> None:
        options = tiny_options(config, **(changes or {}))
        torch.manual_seed(SEED)
        self.recipe = new_recipe(config, options)
        self.train = kind(self.recipe.players, fixed=self.recipe.fixed, seed=SEED)
        self._streams = self.recipe.streams({name: images() for name in self.recipe.sources}, SEED)
        torch.manual_seed(SEED)

    def step(self) -> None:
        """Takes one step."""
        batch = {name: dict(stream.batch(self.train.step)) for name, stream in self._streams.items()}
        self.recipe.step(batch, self.train)
        self.train.step += 1


class StillTrain(Train):
    """Takes the gradients of turns and moves no parameters.

    Attributes:
        taken: By player, one gradient per parameter, summed over the turns of a step.
    """

    def __init__(self, players: Sequence[Player], **settings: Any) -> None:
        super().__init__(players, **settings)
        self.taken: Gradients = {}

    def move(self, gradients: Mapping[Player, Sequence[Tensor]]) -> None:
        """Notes them."""
        for player, taken in gradients.items():
            own = [gradient.detach().clone() for gradient in taken]
            before = self.taken.get(player.name)
            self.taken[player.name] = own if before is None else [a + b for a, b in zip(before, own, strict=True)]


_Still = TypeVar("_Still", bound=StillTrain)


class Replay:
    """One config, brought to a snapshot once, and replayed from there with other weights of its terms."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe as it was built, for what it declares; it is never stepped."""
        return TrialTrain(self._config).recipe

    @cached_property
    def weights(self) -> dict[str, float]:
        """The options with numbers that the recipe's routes name, none of them 0, so that doubling changes each."""
        options = tiny_options(self._config)
        values = {name: getattr(options, name, None) for name in self.recipe.routes}
        return {
            name: float(value) or 1.0
            for name, value in values.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }

    @cached_property
    def _snapshot(self) -> tuple[dict[str, Tensor], dict[str, float], int]:
        trial = TrialTrain(self._config, changes=self.weights)
        for _ in range(BEFORE):
            trial.step()
        tensors, numbers = capture(trial.train)
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}, numbers, trial.train.step

    def played(self, kind: type[_Still], *, weights: Mapping[str, float] | None = None, nudged: str = "") -> _Still:
        """A round from the snapshot: a step, or steps where not everybody has a turn in each.

        Args:
            kind: What observes the turns.
            weights: Those that differ from :attr:`weights`.
            nudged: Name of a player whose parameters are a little different than in the snapshot.
        """
        tensors, numbers, step = self._snapshot
        trial = TrialTrain(self._config, kind, {**self.weights, **(weights or {})})
        restore(trial.train, {name: tensor.clone() for name, tensor in tensors.items()}, numbers)
        trial.train.step = step
        train = cast("_Still", trial.train)
        for player, state in train.states.items():
            if player.name == nudged:
                torch._foreach_mul_([parameter.detach() for parameter in state.tensors], 1.01)
        for _ in range(LONGEST_ROUND):
            trial.step()
            if len(train.taken) == len(train.states):
                break
        return train

    def gradients(self, weights: Mapping[str, float] | None = None) -> Gradients:
        """What the players take in a round with these weights."""
        return self.played(StillTrain, weights=weights).taken

    @cached_property
    def usual(self) -> Gradients:
        """The gradients with the weights as they are."""
        return self.gradients()

    @cached_property
    def shares(self) -> dict[str, Gradients]:
        """By weight, what its term gives to each player's gradients: the difference that doubling it makes."""
        return {name: self._share(name) for name in self.weights}

    def _share(self, name: str) -> Gradients:
        factor = 2.0
        try:
            tiny_options(self._config, **{**self.weights, name: 2 * self.weights[name]})
        except OptionError:  # as large as it may be: halving shows the same
            factor = 0.5
        changed = self.gradients({name: factor * self.weights[name]})
        if changed.keys() != self.usual.keys():
            fail(f"with another {name!r}, other players have a turn")
        return {
            player: [(new - old) / (factor - 1) for new, old in zip(changed[player], usual, strict=True)]
            for player, usual in self.usual.items()
        }
