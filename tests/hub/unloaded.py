"""A model that is pulled and looked at and never loaded: its weights are any bytes."""

from __future__ import annotations

import hashlib

import tiny

from gansdk.model.config import ModelConfig

NAME = "model.safetensors"
WEIGHTS = bytes(range(256)) * 20


def config_for(weights: bytes) -> ModelConfig:
    """What such a model declares."""
    return ModelConfig(
        gansdk=1,
        method="tiny",
        requires=tiny.METHOD.requires,
        facts=tiny.FACTS,
        network={},
        files={NAME: f"sha256:{hashlib.sha256(weights).hexdigest()}"},
    )


CONFIG = config_for(WEIGHTS)
