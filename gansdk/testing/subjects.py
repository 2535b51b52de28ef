"""What checks look at. A subject reads what it needs when a check asks for it, once."""

from __future__ import annotations

import copy
import importlib.metadata
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from gansdk.model.facts import ImageGeneratorFacts
from gansdk.models.catalog import RUN_MODEL
from gansdk.plugins.declarations import resolve
from gansdk.testing.checks import images, skip
from gansdk.testing.replay import BEFORE, SEED, STEPS, Replay
from gansdk.training.trainer import train

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from gansdk.model.config import ModelConfig
    from gansdk.model.protocols import Encoder, Generator, Model
    from gansdk.plugins.declarations import Config, Method
    from gansdk.plugins.registry import PluginStatus


Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class PluginUnderTest:
    """An installed distribution that brings methods.

    Attributes:
        name: The distribution's, normalised.
        statuses: How it went with each of its entry points.
        methods: What the working ones bring.
    """

    name: str
    statuses: tuple[PluginStatus, ...]
    methods: tuple[Method, ...]

    @cached_property
    def distribution(self) -> importlib.metadata.Distribution:
        """Its metadata."""
        return importlib.metadata.distribution(self.name)


@dataclass(frozen=True)
class MethodUnderTest:
    """A method of a plugin."""

    method: Method

    @property
    def name(self) -> str:
        """The method's."""
        return self.method.name


@dataclass(frozen=True)
class ModelUnderTest:
    """A model, one that is there or one that a config's miniature leaves.

    Attributes:
        name: Its ref; of a miniature, method and config.
        method: Its method.
        origin: The folder where it is, or the name of the config whose miniature is trained when a check asks.
    """

    name: str
    method: Method
    origin: Path | str

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._tiny_model.folder if isinstance(self.origin, str) else self.origin

    @cached_property
    def _tiny_model(self) -> TinyModel:

        return TinyModel(self.method, str(self.origin))

    @cached_property
    def config(self) -> ModelConfig:
        """What it declares."""
        from gansdk.model.config import read_config

        return read_config(self.folder)

    @cached_property
    def networks(self) -> Mapping[str, nn.Module]:
        """Its networks, loaded."""
        from gansdk.models.loading import load_networks
        from gansdk.models.resolved import ResolvedModel

        return load_networks(ResolvedModel.at(self.folder), self.method)

    def assembled(self, precision: Precision = "fp32") -> Model:
        """The model as a task gets it, on the CPU: folded, cast, assembled."""
        import torch

        from gansdk.models.runtime import Placement, assemble

        placement = Placement(torch.device("cpu"), precision)
        return assemble(self.networks, self.method, self.config.facts, placement, held=False)

    def bare(self, networks: Mapping[str, nn.Module]) -> Model:
        """The model over these very networks, not prepared, so that they can be looked at while it computes."""
        return cast("Model", resolve(self.method.assemble)(networks, self.config.facts))

    @cached_property
    def from_image(self) -> ImageGeneratorFacts:
        """Facts of its generator from an image; ends the check where it has none."""
        facts = self.config.facts.generator
        if facts is None:
            skip("it has no generator")
        if not isinstance(facts, ImageGeneratorFacts):
            skip("its generator does not start from an image")
        return facts

    @cached_property
    def prepared(self) -> Model:
        """The model as a task gets it, in fp32 on the CPU."""
        return self.assembled()

    @cached_property
    def exact(self) -> Model:
        """The model in float64, which rounds a billion times less."""
        doubled = {name: copy.deepcopy(network).double() for name, network in self.networks.items()}
        for network in doubled.values():
            network.register_forward_pre_hook(_enter_double)
        return self.bare(doubled)

    def image(self, height: int, width: int, *, items: int = 1, seed: int = 0) -> torch.Tensor:
        """Noise that its generator takes: float [items, channels, height, width] in [0, 1]."""
        import torch

        random = torch.Generator().manual_seed(seed)
        return torch.rand(items, self.from_image.source.channels, height, width, generator=random)

    def side(self, at_least: int) -> int:
        """The smallest height or width from this up that its size rule allows."""
        rule = self.from_image.source.size
        return -(-max(at_least, rule.minimum) // rule.multiple) * rule.multiple


def generator_of(model: Model) -> Generator:
    """The generator of a model whose facts declare one."""
    if model.generator is None:
        raise TypeError("assemble() gave no generator although its facts declare one")
    return model.generator


def encoder_of(model: Model) -> Encoder:
    """The encoder of a model whose facts declare one."""
    if model.encoder is None:
        raise TypeError("assemble() gave no encoder although its facts declare one")
    return model.encoder


def _enter_double(_network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a method made float32 on the way, which is exact, enters a network in float64 nevertheless."""
    import torch

    return tuple(one.double() if isinstance(one, torch.Tensor) and one.is_floating_point() else one for one in inputs)


@dataclass(frozen=True)
class RecipeUnderTest:
    """One of a method's ways to train.

    Attributes:
        method: The method.
        config: Name of the way.
    """

    method: Method
    config: str

    @property
    def name(self) -> str:
        """Method and config, as ``srgan/small``."""
        return f"{self.method.name}/{self.config}"

    @property
    def declared(self) -> Config:
        """The config as the method declares it."""
        return self.method.configs[self.config]

    @cached_property
    def replay(self) -> Replay:
        """The config in miniature, replayed from a snapshot."""
        from gansdk.testing.replay import Replay

        return Replay(self.declared)


UnderTest = PluginUnderTest | MethodUnderTest | ModelUnderTest | RecipeUnderTest


def train_tiny(method: Method, config: str, run: Path, **more: Any) -> None:
    """Trains a config's miniature for a few steps.

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


class TinyModel:
    """The folder of the model that a config's miniature leaves; it is gone when this is.

    Args:
        method: The method.
        config: Name of one of its configs.
    """

    def __init__(self, method: Method, config: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="gansdk-miniature-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        train_tiny(method, config, folder / "run", metrics=(), summary="a miniature", licence="CC0-1.0")
        self.folder = folder / "run" / RUN_MODEL
