"""The one place that turns a network, a device and a precision into something to call.

This is the seam for engines: torch is the first. What comes out is a plain callable from tensors to tensors, so
neither a task nor the tiler nor a plugin knows which engine, device or precision is behind it.
"""

from __future__ import annotations

import copy
import threading
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from gansdk.errors import ComputationError, DeviceError, ModelError, option
from gansdk.model.facts import ImageGeneratorFacts
from gansdk.model.variables import Categorical
from gansdk.models.rewriting import convolve_before_shuffling, fold_batch_norm
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gansdk.model.facts import EncoderFacts, Facts, GeneratorFacts, Precision
    from gansdk.model.protocols import Directions, Encoder, Generator, Model
    from gansdk.options import LoadOptions
    from gansdk.plugins.declarations import Method


_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class NonFiniteError(ComputationError):
    """A network gave NaN or infinity. In reduced precision the caller tries once more in fp32."""

    kind = "non-finite"


@dataclass(frozen=True)
class Placement:
    """Where and in what numbers networks compute."""

    device: torch.device
    precision: Precision

    @property
    def dtype(self) -> torch.dtype:
        return _DTYPES[self.precision]

    def __str__(self) -> str:
        return f"{self.device} in {self.precision}"


def place(options: LoadOptions, facts: Facts, *, needs_gradients: bool = False) -> Placement:
    """Chooses device and precision for a model, by what the hardware has and the facts declare safe.

    Raises:
        DeviceError: If the device does not exist here or cannot compute in the precision that was asked for.
    """
    device = _device(options.device)
    if needs_gradients:
        return Placement(device, "fp32")
    if options.precision == "auto":
        fast: list[Literal["bf16", "fp16"]] = ["bf16", "fp16"]
        chosen = (one for one in fast if one in facts.safe_precisions and has_native(device, one))
        return Placement(device, next(chosen, "fp32"))
    if options.precision == "fp16" and device.type == "cpu" and not has_native(device, "fp16"):
        raise DeviceError("this CPU cannot compute in fp16", hint=f"use {option('precision', 'auto')}")
    return Placement(device, options.precision)


def _device(name: str) -> torch.device:
    available = devices()
    if name == "auto":
        return torch.device(available[0].partition(":")[0])
    if name not in available and not (name == "cuda" and "cuda:0" in available):
        raise DeviceError(f"there is no device {name!r} here", hint=f"this machine has {', '.join(available)}")
    return torch.device(name)


def devices() -> list[str]:
    """The devices of this machine, the one that ``auto`` takes first."""
    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def has_native(device: torch.device, precision: Literal["bf16", "fp16"]) -> bool:
    """Whether the hardware computes in this precision itself, so that it is faster than fp32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= ((8, 0) if precision == "bf16" else (7, 0))
    if device.type == "cpu":
        # Older torch has no such question; then nothing is known, and fp32 is right.
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        keys = ("avx512_bf16", "amx_bf16", "bf16") if precision == "bf16" else ("avx512_fp16", "amx_fp16")
        return any(capabilities.get(key) for key in keys)
    return False


def prepare(network: nn.Module, placement: Placement, *, needs_gradients: bool = False) -> Callable[..., Any]:
    """Makes a loaded network ready to compute; the given one is left as it was.

    The network is rewritten (see :mod:`gansdk.models.rewriting`), weights become channels-last, and in reduced
    precision the first and the last layer stay in fp32: pixels enter and leave a network there, and a rounding at the
    edge is a rounding of the image. What a network adds up from there on in fp32 stays in fp32. With gradients
    nothing is rewritten, so that the network is the one that was trained.

    Returns:
        A callable on tensors of any device; it gives fp32 tensors on the placement's device and raises
        :class:`NonFiniteError` rather than give NaN or infinity.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    if not needs_gradients:
        fold_batch_norm(network)
        if placement.device.type == "cpu":  # more arithmetic in fewer steps: measured to pay there, and nowhere else
            convolve_before_shuffling(network)
    network = network.to(device=placement.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if placement.precision != "fp32":
        _reduce(network, placement.dtype)
    return _Prepared(network, placement)


def assemble(
    networks: Mapping[str, nn.Module],
    method: Method,
    facts: Facts,
    placement: Placement,
    *,
    needs_gradients: bool = False,
    directions: Directions | None = None,
    held: bool = True,
) -> Model:
    """A model over loaded networks, each made ready to compute by :func:`prepare`.

    Args:
        networks: By name.
        method: Whose they are.
        facts: What the model declares.
        placement: Where and in what numbers it computes.
        needs_gradients: Whether a task differentiates through it.
        directions: Those that are stored with it.
        held: Whether what it gives is held to its facts; the conformance kit looks for itself.

    Raises:
        ModelError: If the facts are not those of a model of the method.
    """
    calls = {name: prepare(one, placement, needs_gradients=needs_gradients) for name, one in networks.items()}
    try:
        assembled = resolve(method.assemble)(calls, facts)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # a stranger's config.json may hold any facts, and a plugin finds what it did not expect by using it
        what = f"its facts are not those of a model of {method.name}: {error}"
        raise ModelError(what, hint="get the model again, or see `gansdk check`") from error
    model: Model = held_to(facts, assembled) if held else assembled
    return replace(model, directions=directions) if directions else model


class _Prepared:
    def __init__(self, network: nn.Module, placement: Placement) -> None:
        self._network = network
        self._placement = placement

    def __call__(self, *inputs: Tensor) -> Any:
        joining = nullcontext() if self._placement.precision == "fp32" else _JoiningReduced()
        with plain_arithmetic(self._placement.device), joining:
            outputs = self._network(*(self._enter(one) for one in inputs))
        return tree_map(self._leave, outputs)

    def _enter(self, tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor.to(self._placement.device)
        layout = torch.channels_last if tensor.dim() == 4 else torch.preserve_format
        return tensor.to(self._placement.device, torch.float32, memory_format=layout)

    def _leave(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        # A sum is finite only if every term is, and reads the tensor once without making another.
        if value.is_floating_point() and not torch.isfinite(value.detach().sum(dtype=torch.float32)):
            what = f"the network gave NaN or infinity on {self._placement}"
            raise NonFiniteError(what, hint="the model is damaged, or does not suit this input")
        return value.float() if value.is_floating_point() else value


class _JoiningReduced(TorchFunctionMode):
    """Joins tensors in the fewest bits that are among them.

    By itself torch joins fp32 and reduced numbers in fp32, at several times the cost and mostly for a layer that then
    reduces them all. Sums stay as they are: a residual network adds to what it had in fp32.
    """

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is torch.cat and args:
            args = (_in_fewest_bits(args[0]), *args[1:])
        return func(*args, **(kwargs or {}))


def _in_fewest_bits(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    dtypes = {one.dtype for one in tensors}
    if len(dtypes) == 1 or not all(dtype.is_floating_point for dtype in dtypes):
        return tensors
    fewest = min(dtypes, key=lambda dtype: dtype.itemsize)
    return [one.to(fewest) for one in tensors]


def _reduce(network: nn.Module, dtype: torch.dtype) -> None:
    """Casts all layers but the outermost; each layer then takes its input in its own weights' numbers."""
    layers = [m for m in network.modules() if not list(m.children()) and list(m.parameters(recurse=False))]
    inner = [layer for layer in layers[1:] if layer is not _last(layers)]
    for layer in inner:
        layer.to(dtype)
    for layer in layers:
        layer.register_forward_pre_hook(_enter_layer)


def _last(layers: list[nn.Module]) -> nn.Module:
    """The last layer that mixes channels: an activation's slopes after it are no layer of their own."""
    mixing = [layer for layer in layers if any(p.dim() > 1 for p in layer.parameters(recurse=False))]
    return (mixing or layers)[-1]


def _enter_layer(layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    dtype = next(layer.parameters()).dtype
    return tuple(one.to(dtype) if isinstance(one, Tensor) and one.is_floating_point() else one for one in inputs)


def set_threads(threads: int | Literal["auto"]) -> None:
    """CPU threads of this process; ``auto`` leaves them as they are."""
    if threads != "auto":
        torch.set_num_threads(threads)


_HINT = "config.json was changed, or belongs to other weights"


def held_to(facts: Facts, model: Model) -> Model:
    """The model, whose facets raise a :class:`ModelError` where they cannot do what the facts say."""
    generator, encoder = model.generator, model.encoder
    if generator is not None and facts.generator is not None:
        generator = _Generator(generator, facts.generator)
    if encoder is not None and facts.encoder is not None:
        encoder = _Encoder(encoder, facts.encoder)
    return replace(model, generator=generator, encoder=encoder)


class _Generator:
    def __init__(self, generator: Generator, facts: GeneratorFacts) -> None:
        self._generator, self._facts = generator, facts

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        with _said_of("generator"):
            given = self._generator.generate(source)
        first = next(iter(source.values()))
        output = self._facts.output
        if isinstance(self._facts, ImageGeneratorFacts):
            size = tuple(side * self._facts.output.scale for side in first.shape[2:])
        else:
            size = (self._facts.output.height, self._facts.output.width)
        _check("the generator", given, (len(first), output.channels, *size))
        return given


class _Encoder:
    def __init__(self, encoder: Encoder, facts: EncoderFacts) -> None:
        self._encoder, self._facts = encoder, facts

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        with _said_of("encoder"):
            given = self._encoder.encode(data)
        for variable in self._facts.variables:
            if variable.name not in given:
                raise ModelError(f"the encoder does not give {variable.name}, which the facts name", hint=_HINT)
            count = variable.k if isinstance(variable, Categorical) else variable.n
            if not (
                isinstance(variable, Categorical) and given[variable.name].ndim == 1
            ):  # one number each: which it is
                _check(variable.name, given[variable.name], (len(data), count))
        return given


def _check(what: str, given: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(given.shape) != shape:
        found, wanted = ("×".join(map(str, one)) for one in (given.shape, shape))
        raise ModelError(f"{what} gave {found} numbers where the facts say {wanted}", hint=_HINT)


@contextmanager
def _said_of(facet: str) -> Iterator[None]:
    """Networks that are given what they do not take raise all kinds of errors; a lack of memory is another matter."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        is_memory = isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
        if is_memory or isinstance(error, getattr(torch, "AcceleratorError", ())):
            raise
        said = " ".join(str(error).split())[:200]
        raise ModelError(f"the {facet} cannot take what the facts say that it takes: {said}", hint=_HINT) from error


class _Plain:
    """cuDNN's settings are the process's, not a thread's: the first who needs them sets them, the last restores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._settings = ExitStack()

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                cudnn = torch.backends.cudnn
                self._settings.enter_context(
                    cudnn.flags(enabled=cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False)
                )
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._settings.close()


_PLAIN = _Plain()


@contextmanager
def plain_arithmetic(device: torch.device) -> Iterator[None]:
    """A block in which a GPU's convolutions in fp32 are fp32, and give the same numbers each time.

    By itself torch lets cuDNN multiply in TF32, whose 10 bits of mantissa show in the last step of 8-bit pixels and in
    the third digit of a code, and lets it add in any order. On other devices nothing is to be done.
    """
    if device.type != "cuda":
        yield
        return
    _PLAIN.enter()
    try:
        yield
    finally:
        _PLAIN.leave()
