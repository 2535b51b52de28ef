"""What checks look at. A target reads, builds or trains what it needs when a check asks for it, once."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from gansdk.model.facts import Facts, ImageGeneratorFacts, LatentGeneratorFacts
from gansdk.testing.checks import skip

if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Iterator, Mapping, Sequence

    import torch
    from torch import nn

    from gansdk.model.config import ModelConfig
    from gansdk.model.protocols import Model
    from gansdk.models.loading import LoadedModel
    from gansdk.models.resolved import ResolvedModel
    from gansdk.plugins.declarations import Config, Method, Task
    from gansdk.plugins.registry import PluginStatus
    from gansdk.testing.checks import Kind
    from gansdk.testing.replay import Replay, TinyFolder


Precision = Literal["fp32", "bf16", "fp16"]

_Facts = TypeVar("_Facts", ImageGeneratorFacts, LatentGeneratorFacts)


def normalised(name: str) -> str:
    """A distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Missing:
    """Takes the place of a target that there is none of, so that its checks are skipped visibly.

    Attributes:
        name: Whose it would be.
        kind: What is missing.
        reason: Why its checks are skipped.
    """

    name: str
    kind: Kind
    reason: str


@dataclass(frozen=True)
class PluginUnderTest:
    """An installed distribution that brings methods or tasks.

    Attributes:
        name: The distribution's, normalised.
        statuses: Whether each of its entry points works.
        methods: What the working ones bring.
    """

    kind: ClassVar[Kind] = "plugin"
    name: str
    statuses: tuple[PluginStatus, ...]
    methods: tuple[Method, ...]

    @cached_property
    def distribution(self) -> importlib.metadata.Distribution:
        from importlib import metadata

        return metadata.distribution(self.name)


@dataclass(frozen=True)
class TaskUnderTest:
    """A task of a plugin, and the models of the same distribution, which it may be made for."""

    kind: ClassVar[Kind] = "task"
    task: Task
    models: Sequence[ModelUnderTest] = ()

    @property
    def name(self) -> str:
        return self.task.name

    @cached_property
    def model(self) -> ModelUnderTest:
        """A model that it fits: one that the kit makes, or of its own distribution; ends the check if there is none."""
        from gansdk.testing.tiny_models import METHOD, made_facts

        tiny = (ModelUnderTest(f"kit/{number}", METHOD, facts) for number, facts in enumerate(made_facts()))
        reasons = []
        for model in (*tiny, *self.models):
            reason = self.task.unsupported_reason(model.facts)
            if reason is None:
                return model
            reasons.append(reason)
        said = "; ".join(dict.fromkeys(reasons))
        return skip(f"it fits none of the kit's tiny models, and none of its distribution's: {said}")


@dataclass(frozen=True)
class MethodUnderTest:
    """A method of a plugin."""

    kind: ClassVar[Kind] = "method"
    method: Method

    @property
    def name(self) -> str:
        return self.method.name


@dataclass(frozen=True)
class ModelUnderTest:
    """A model: one that is there, or one that is made when a check asks.

    Attributes:
        name: Its ref; of one that is made, method and config.
        method: Its method.
        origin: Its folder; or the name of a config whose tiny version is trained; or facts, for which the kit's own
            method has networks of random weights.
        base: The method of the model that it uses, if it uses one.
    """

    kind: ClassVar[Kind] = "model"
    name: str
    method: Method
    origin: Path | str | Facts
    base: Method | None = None

    @classmethod
    def of(cls, method: Method) -> Iterator[ModelUnderTest]:
        """The models that a method brings; if it brings none yet, those that its tiny configs leave."""
        yield from (cls(f"builtin:{model.name}", method, model.folder) for model in method.models)
        if not method.models:
            yield from (cls(f"{method.name}/{config}", method, config) for config in method.configs)

    @property
    def folder(self) -> Path:
        return self.origin if isinstance(self.origin, Path) else self._made.path

    @cached_property
    def _made(self) -> TinyFolder:
        if isinstance(self.origin, Facts):
            from gansdk.testing.tiny_models import write_tiny_model

            return write_tiny_model(self.origin)
        from gansdk.testing.replay import trained_tiny_model

        return trained_tiny_model(self.method, str(self.origin))

    @property
    def facts(self) -> Facts:
        """What it takes and gives."""
        return self.origin if isinstance(self.origin, Facts) else self.config.facts

    @cached_property
    def config(self) -> ModelConfig:
        from gansdk.model.config import read_config

        return read_config(self.folder)

    @property
    def resolved(self) -> ResolvedModel:
        """It as a task finds it."""
        from gansdk.models.resolved import ResolvedModel

        return ResolvedModel.at(self.folder, self.method, *([self.base] if self.base is not None else []))

    @cached_property
    def loaded(self) -> LoadedModel:
        """Its networks, loaded, and those of its base."""
        from gansdk.models.loading import load_model

        return load_model(self.resolved)

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return self.loaded.networks

    def assembled(self, precision: Precision = "fp32") -> Model:
        """The model as a task gets it, on the CPU: folded, cast, assembled."""
        import torch

        from gansdk.models.runtime import Placement, assemble

        return assemble(self.loaded, Placement(torch.device("cpu"), precision), held=False)

    def bare(self, networks: Mapping[str, nn.Module]) -> Model:
        """The model over these very networks, not prepared, so that they can be looked at while it computes."""
        from gansdk.models.runtime import assemble_plain

        return assemble_plain(replace(self.loaded, networks=networks), lambda network: network)

    @property
    def from_image(self) -> ImageGeneratorFacts:
        """Facts of its generator from an image; ends the check where it has none."""
        return self._generator(ImageGeneratorFacts, "an image")

    @property
    def from_latent(self) -> LatentGeneratorFacts:
        """Facts of its generator from a latent; ends the check where it has none."""
        return self._generator(LatentGeneratorFacts, "a latent")

    def _generator(self, kind: type[_Facts], source: str) -> _Facts:
        facts = self.config.facts.generator
        if facts is None:
            skip("it has no generator")
        if not isinstance(facts, kind):
            skip(f"its generator does not start from {source}")
        return facts

    @cached_property
    def prepared(self) -> Model:
        """The model as a task gets it, in fp32 on the CPU."""
        return self.assembled()

    @cached_property
    def exact(self) -> Model:
        """The model in float64, which rounds a billion times less."""
        from gansdk.models.runtime import assemble_plain

        def doubled(network: nn.Module) -> nn.Module:
            network = copy.deepcopy(network).double()
            network.register_forward_pre_hook(_enter_double)
            return network

        return assemble_plain(self.loaded, doubled)

    def image(self, height: int, width: int, *, items: int = 1, seed: int = 0) -> torch.Tensor:
        """Noise that its generator takes: float [items, channels, height, width] in [0, 1]."""
        import torch

        random = torch.Generator().manual_seed(seed)
        return torch.rand(items, self.from_image.source.channels, height, width, generator=random)

    def side(self, at_least: int) -> int:
        """The smallest height or width from this up that its size rule allows."""
        rule = self.from_image.source.size
        return -(-max(at_least, rule.minimum) // rule.multiple) * rule.multiple


def _enter_double(_network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a method made float32 on the way, which is exact, enters a network in float64 nevertheless."""
    import torch

    return tuple(
        value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value for value in inputs
    )


@dataclass(frozen=True)
class RecipeUnderTest:
    """One of a method's configs, by its name."""

    kind: ClassVar[Kind] = "recipe"
    method: Method
    config: str

    @property
    def name(self) -> str:
        """Method and config, as ``srgan/small``."""
        return f"{self.method.name}/{self.config}"

    @property
    def declared(self) -> Config:
        return self.method.configs[self.config]

    @cached_property
    def replay(self) -> Replay:
        """Its tiny version, replayed from a snapshot."""
        from gansdk.testing.replay import Replay

        return Replay(self.declared)


Target = PluginUnderTest | TaskUnderTest | MethodUnderTest | ModelUnderTest | RecipeUnderTest | Missing
