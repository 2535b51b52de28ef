"""A model of the tiny method that passes every check of a model: in range, with its licence and its data stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tiny

from gansdk.model.config import Attributions, Credit, Trained, TrainingData

if TYPE_CHECKING:
    from pathlib import Path

TRAINED = Trained(
    recipe="a:b",
    config="small",
    seed=3,
    steps=70,
    data=(TrainingData(name="photos", licence="CC-BY-4.0", items=1, digest="sha256:" + "0" * 64),),
)
CREDITS = Attributions(data={"photos": (Credit(item="one.jpg", licence="CC-BY-4.0", author="Jo"),)})


def write(folder: Path, *, seed: int = 0, licence: str = "MIT") -> None:
    """Writes its folder, with an image for its card."""
    import torch

    from gansdk.models.writing import Export, write_model

    networks = tiny.trained_networks(seed=seed)
    last = networks["generator"][5]
    with torch.no_grad():
        last.weight.mul_(0.05)
        last.bias.fill_(0.5)
    write_model(
        folder,
        tiny.METHOD,
        Export(tiny.FACTS, {"width": 8}, networks),
        trained=TRAINED,
        summary="a test",
        licence=licence,
        attributions=CREDITS,
    )
    (folder / "card-strip.webp").write_bytes(b"RIFFxxxxWEBP")
