"""From a network, a device and a precision to something to call.

This is the seam for engines: torch is the first. The result is a plain callable from tensors to tensors, so neither a
task nor the tiler nor a plugin knows which engine, device or precision is behind it.
"""

from __future__ import annotations

import copy
import threading
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from gansdk.errors import ComputationError, DeviceError, ModelError, option
from gansdk.models.facets import held_to
from gansdk.models.rewriting import convolve_before_shuffling, fold_batch_norm
from gansdk.plugins.declarations import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from gansdk.model.facts import Facts, Precision
    from gansdk.model.protocols import Model
    from gansdk.models.loading import LoadedModel
    from gansdk.options import LoadOptions


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
        usable = (name for name in fast if name in facts.safe_precisions and has_native(device, name))
        return Placement(device, next(usable, "fp32"))
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
        # Older torch does not have this function; then nothing is known, and fp32 is right.
        capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        keys = ("avx512_bf16", "amx_bf16", "bf16") if precision == "bf16" else ("avx512_fp16", "amx_fp16")
        return any(capabilities.get(key) for key in keys)
    return False


def prepare(network: nn.Module, placement: Placement, *, needs_gradients: bool = False) -> Callable[..., Any]:
    """Makes a loaded network ready to compute; the given one is left as it was.

    The network is rewritten (see :mod:`gansdk.models.rewriting`), weights become channels-last, and in reduced
    precision the first and the last layer stay in fp32: pixels enter and leave a network there, and a rounding there is
    a rounding of the image. Sums that a network continues from there in fp32 stay in fp32. With gradients nothing is
    rewritten, so that the network is the one that was trained.

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


def assemble(loaded: LoadedModel, placement: Placement, *, needs_gradients: bool = False, held: bool = True) -> Model:
    """A model over loaded networks, each made ready to compute by :func:`prepare`; its base first.

    Args:
        loaded: The networks, with their method and facts.
        placement: Where and in what numbers it computes.
        needs_gradients: Whether a task differentiates through it.
        held: Whether its facets are held to the facts; the conformance kit makes its own checks.
    """

    def call(network: nn.Module) -> Callable[..., Any]:
        return prepare(network, placement, needs_gradients=needs_gradients)

    base = None
    if loaded.base is not None:
        base = assemble(loaded.base, placement, needs_gradients=needs_gradients, held=held)
    model = assemble_plain(loaded, call, base=base)
    return replace(held_to(loaded.facts, model) if held else model, directions=loaded.directions)


def assemble_plain(
    loaded: LoadedModel, call: Callable[[nn.Module], Callable[..., Any]], *, base: Model | None = None
) -> Model:
    """A model as its method assembles it.

    Args:
        loaded: The networks, with their method and facts.
        call: Makes a callable of a network.
        base: The model's base; it is assembled in the same way if None.

    Raises:
        ModelError: If the facts are not those of a model of the method.
    """
    if loaded.base is not None and base is None:
        base = assemble_plain(loaded.base, call)
    calls = {name: call(network) for name, network in loaded.networks.items()}
    try:
        model: Model = resolve(loaded.method.assemble)(calls, loaded.facts, *([base] if base is not None else []))
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # config.json may come from a stranger with any facts; a plugin finds out by using them
        what = f"its facts are not those of a model of {loaded.method.name}: {error}"
        raise ModelError(what, hint="get the model again, or see `gansdk check`") from error
    return model


class _Prepared:
    def __init__(self, network: nn.Module, placement: Placement) -> None:
        self._network = network
        self._placement = placement

    def __call__(self, *inputs: Tensor) -> Any:
        joining = nullcontext() if self._placement.precision == "fp32" else _JoiningReduced()
        with plain_arithmetic(self._placement.device), joining:
            outputs = self._network(*map(self._enter, inputs))
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
    """Concatenates tensors in the narrowest type among them.

    By default torch concatenates fp32 and reduced numbers in fp32, at several times the cost and mostly for a layer
    that then reduces them all. Sums are left alone: a residual network adds to what it had in fp32.
    """

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is torch.cat and args:
            dtypes = {tensor.dtype for tensor in args[0]}
            if len(dtypes) > 1 and all(dtype.is_floating_point for dtype in dtypes):
                narrowest = min(dtypes, key=lambda dtype: dtype.itemsize)
                args = ([tensor.to(narrowest) for tensor in args[0]], *args[1:])
        return func(*args, **(kwargs or {}))


def _reduce(network: nn.Module, dtype: torch.dtype) -> None:
    """Casts all layers but the outermost; each layer then casts its input to the type of its weights."""
    layers = [m for m in network.modules() if not list(m.children()) and list(m.parameters(recurse=False))]
    # The last layer is the last that mixes channels: an activation with slopes may follow it.
    mixing = [layer for layer in layers if any(p.dim() > 1 for p in layer.parameters(recurse=False))]
    last = (mixing or layers)[-1:]
    for layer in layers[1:]:
        if layer not in last:
            layer.to(dtype)
    for layer in layers:
        layer.register_forward_pre_hook(_enter_layer)


def _enter_layer(layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    dtype = next(layer.parameters()).dtype
    return tuple(
        value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value for value in inputs
    )


def set_threads(threads: int | Literal["auto"]) -> None:
    """CPU threads of this process; ``auto`` leaves them as they are."""
    if threads != "auto":
        torch.set_num_threads(threads)


class _PlainConvolutions:
    """cuDNN's settings are those of the process, so the first thread to enter sets them and the last restores them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._settings = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                cudnn = torch.backends.cudnn
                self._settings.enter_context(
                    cudnn.flags(enabled=cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False)
                )
            self._inside += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._settings.close()


_PLAIN = _PlainConvolutions()


def plain_arithmetic(device: torch.device) -> AbstractContextManager[None]:
    """A block in which a GPU's convolutions in fp32 are fp32, and give the same numbers each time.

    By default torch lets cuDNN multiply in TF32, whose 10 bits of mantissa show in the last step of 8-bit pixels and in
    the third digit of a code, and lets it add in any order. On other devices the block does nothing.
    """
    return _PLAIN if device.type == "cuda" else nullcontext()
