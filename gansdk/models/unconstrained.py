"""A latent as free numbers, for searches: any value of them is a latent that the generator can take.

A gradient step on a latent itself leaves the range of a uniform code, and cannot move a category at all. So a search
moves free numbers instead::

    free = unconstrain(source, latent)
    for tensor in free.values():
        tensor.requires_grad_()
    images = generator.generate(constrain(source, free))

Normal noise and codes are free as they are. A number in [low, high] is the logit of where in its range it is. A
category is the logits of its weights. Tensors stay on the device and in the dtype that they come in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from gansdk.errors import OptionError
from gansdk.model.tensors import shape_text
from gansdk.model.variables import Categorical, Continuous, Noise, width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from gansdk.model.facts import LatentSource
    from gansdk.model.variables import Variable

_RIM = 1e-6
"""How near to the end of its range, or to certainty of a category, a search starts at most: at the end itself the free
number would be infinite and its gradient 0."""


def unconstrain(source: LatentSource, latent: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The free numbers of a latent, the inverse of :func:`constrain`; numbers outside their range move to its rim.

    Args:
        source: What the latent consists of.
        latent: By variable: float [N, n]; a categorical int64 [N], or weights [N, k].

    Returns:
        By variable, float [N, n]; of a categorical one [N, k].

    Raises:
        OptionError: If a variable is missing or has another shape.
    """
    return {variable.name: _free(variable, _given(variable, latent)) for variable in source.variables}


def constrain(source: LatentSource, free: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The latent of free numbers, through which gradients flow.

    Args:
        source: What the latent consists of.
        free: By variable, float [N, n]; of a categorical one [N, k].

    Returns:
        By variable, what a generator takes; a categorical one as weights [N, k].

    Raises:
        OptionError: If a variable is missing or has another shape.
    """
    return {variable.name: _bound(variable, _given(variable, free)) for variable in source.variables}


def _free(variable: Variable, tensor: Tensor) -> Tensor:
    if isinstance(variable, Categorical):
        weights = tensor if tensor.ndim == 2 else torch.nn.functional.one_hot(tensor, variable.k).float()
        return weights.clamp(min=_RIM).log()
    limits = _limits(variable)
    if limits is None:
        return tensor
    low, high = limits
    return torch.logit((tensor - low) / (high - low), eps=_RIM)


def _bound(variable: Variable, free: Tensor) -> Tensor:
    if isinstance(variable, Categorical):
        return free.softmax(1)
    limits = _limits(variable)
    return free if limits is None else limits[0] + (limits[1] - limits[0]) * free.sigmoid()


def _limits(variable: Variable) -> tuple[float, float] | None:
    """The range of its numbers; None if there is none."""
    if isinstance(variable, Continuous) or (isinstance(variable, Noise) and variable.distribution == "uniform"):
        return variable.low, variable.high
    return None


def _given(variable: Variable, tensors: Mapping[str, Tensor]) -> Tensor:
    if variable.name not in tensors:
        raise OptionError(f"{variable.name} is missing", hint="give a tensor for each variable of the latent")
    tensor = tensors[variable.name]
    is_index = isinstance(variable, Categorical) and tensor.ndim == 1 and not tensor.is_floating_point()
    if not is_index and (tensor.ndim != 2 or tensor.shape[1] != width(variable)):
        raise OptionError(f"{variable.name} is {shape_text(tensor.shape)}, not N×{width(variable)}")
    return tensor
