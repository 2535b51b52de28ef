"""What identifies a generator, so that a latent is not taken to another one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from gansdk.model.facts import Facts

GENERATOR = "generator"
"""The network that every generator's facet calls, by its name among a method's networks."""


def fingerprint(networks: Mapping[str, nn.Module], facts: Facts) -> str:
    """Identifies a generator: ``sha256:<hex>`` over its tensors, after blending, and what it starts from.

    What else a model can do does not count: a new encoder for the same generator leaves its latents as they are.

    Args:
        networks: The model's, loaded. All of them count where none is called ``generator``.
        facts: What the model declares.
    """
    chosen = {GENERATOR: networks[GENERATOR]} if GENERATOR in networks else networks
    source = "" if facts.generator is None else facts.generator.source.model_dump_json()
    return tensor_digest(chosen, source.encode())


def tensor_digest(networks: Mapping[str, nn.Module], before: bytes = b"") -> str:
    """Identifies tensors: ``sha256:<hex>`` over their names, types, shapes and values.

    Args:
        networks: Whose parameters and buffers, by name.
        before: What else counts.
    """
    total = hashlib.sha256(before)
    for name, network in sorted(networks.items()):
        for key, tensor in sorted(network.state_dict().items()):
            flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            total.update(f"{name}.{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode() + flat.numpy().tobytes())
    return "sha256:" + total.hexdigest()
