"""A model for tests whose codes mean something: ``class`` is where a bar stands, ``style.0`` how far it leans.

``style.1`` means nothing. The encoder reads the bar's place; a deaf one says the same of all images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import gansdk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

SIDE, PLACES = 28, 4
CLASS = gansdk.Categorical(name="class", k=PLACES, labels=("first", "second", "third", "fourth"))
STYLE = gansdk.Continuous(name="style", n=2, sweep=(-2, 2))
IMAGE = gansdk.ImageSpec(channels=1, height=SIDE, width=SIDE)
FACTS = gansdk.Facts(
    generator=gansdk.LatentGeneratorFacts(source=gansdk.LatentSource(variables=(CLASS, STYLE)), output=IMAGE),
    encoder=gansdk.EncoderFacts(data=IMAGE, variables=(CLASS,)),
)


class Bars:
    """Draws them."""

    def generate(self, source: Mapping[str, Tensor], /) -> Tensor:
        rows = torch.arange(SIDE) + 0.5
        middle = 3.5 + 7 * source["class"][:, None].float() + source["style"][:, :1] * (0.5 - rows / SIDE)
        return (2 - (rows - middle[:, :, None]).abs()).clamp(0, 1)[:, None]


class Reader:
    """Reads where a bar stands off its middle rows, nine times surer than of any other place."""

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        ink = data[:, 0, 12:16].sum(1).reshape(-1, PLACES, 7).sum(2)
        chosen = torch.nn.functional.one_hot(ink.argmax(1), PLACES)
        return {"class": (1 + 8 * chosen) / (PLACES + 8)}


class Deaf:
    """Says the same of everything."""

    def encode(self, data: Tensor, /) -> Mapping[str, Tensor]:
        return {"class": torch.full((len(data), PLACES), 1 / PLACES)}


def model(*, deaf: bool = False) -> gansdk.Model:
    return gansdk.Model(FACTS, generator=Bars(), encoder=Deaf() if deaf else Reader())
