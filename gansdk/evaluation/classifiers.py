"""Evaluators of small images: classifiers of named data sets, trained on their training splits.

What a generator makes of such a data set is measured by what its evaluator sees: Fréchet distances are taken on its
features, and whether a sample that was asked for as 'three' is one, its probabilities say. An evaluator is in no loss,
and
its own accuracy on the test split is printed beside each figure that rests on it. ``scripts/train_evaluators.py`` makes
the files in ``pretrained/``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.errors import InputError, ModelError
from gansdk.files import sha256
from gansdk.model.config import read_record
from gansdk.model.variables import Frozen

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from gansdk.data.folders import Dataset
    from gansdk.plugins.declarations import NamedDataset


PRETRAINED = Path(__file__).parent / "pretrained"
"""Has two files of each evaluator: ``NAME.safetensors``, and its :class:`JudgeRecord` as ``NAME.json``."""

SHAPE = (28, 28, 1)
"""Height, width and channels of what an evaluator looks at."""

WIDTH = 128
"""Features."""

_WIDTHS, _STRIDES = (16, 32, 64, 128), (1, 2, 1, 2)
_BATCH = 250
_EVALUATED = (MNIST, FASHION_MNIST)
_AGAIN = "install gansdk again"


class Look(NamedTuple):
    """What an evaluator sees in images.

    Attributes:
        features: float32 [N, 128], not negative: the layer before the logits.
        probabilities: float32 [N, K], of each class.
    """

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]


class EvaluatorRecord(Frozen):
    """How an evaluator was made and how good it is."""

    name: Annotated[str, Field(description="of the data set, and so of the evaluator")]
    weights: Annotated[str, Field(description="sha256 of the safetensors file")]
    digests: Annotated[dict[str, str], Field(description="of the data set, by split; it was trained on 'train' alone")]
    accuracy: Annotated[float, Field(ge=0, le=1, description="on the official test split")]
    count: Annotated[int, Field(ge=1, description="images of that split")]
    licence: Annotated[str, Field(description="of the weights: that of the data, as an SPDX expression")]
    author: Annotated[str, Field(description="of the data")]
    seed: int
    epochs: Annotated[int, Field(ge=1)]
    batch: Annotated[int, Field(ge=1)]
    optimiser: str
    torch: Annotated[str, Field(description="its version")]
    command: Annotated[str, Field(description="what makes the same files again")]


@dataclass(frozen=True, eq=False)
class EvaluatorNetwork:
    """A classifier that looks at images of one data set's kind.

    Attributes:
        name: That of the data set.
        classes: What it tells apart: the data set's classes, in their order.
        accuracy: The part of the official test split that it gets right.
        count: How many images that rests on.
        network: As :func:`judge_network` makes it, filled, in eval mode, on its device.
    """

    name: str
    classes: tuple[str, ...]
    accuracy: float
    count: int
    network: Any = field(repr=False)

    def look(self, images: NDArray[np.uint8]) -> Look:
        """Looks at images, a batch at a time, so that memory does not grow with their number.

        Args:
            images: uint8 [N, 28, 28, 1], at least one.

        Raises:
            InputError: If they have another size or number of channels.
        """
        if images.shape[1:] != SHAPE:
            found, wanted = ("x".join(map(str, shape)) for shape in (images.shape[1:], SHAPE))
            hint = "bring them to that height, width and number of channels first"
            raise InputError(f"the evaluator of {self.name} looks at images of {wanted}, not {found}", hint=hint)
        return look(self.network, images)


def evaluator_for(data: Dataset, device: torch.device) -> EvaluatorNetwork | None:
    """The evaluator of a data set, whichever of its splits that is; None where there is none.

    Raises:
        ModelError: If one of its files is missing or damaged.
    """
    known = evaluated(data.digest)
    return (
        load_evaluator(PRETRAINED / f"{known.name}.safetensors", known.classes, device) if known is not None else None
    )


def evaluated(digest: str) -> NamedDataset | None:
    """The data set with a split of this digest, if it has an evaluator. Nothing is loaded."""
    return next((one for one in _EVALUATED if digest in {split.digest for split in one.splits.values()}), None)


@lru_cache
def load_evaluator(path: Path, classes: tuple[str, ...], device: torch.device) -> EvaluatorNetwork:
    """An evaluator out of its weights and the record beside them; each is loaded once.

    Raises:
        ModelError: If a file is missing or damaged, or the weights are not those that the record names.
    """
    import torch

    from gansdk.backbones.weights import fill
    from gansdk.model.tensors import read_tensors

    record = _read_record(path.with_suffix(".json"))
    if not path.is_file():
        raise ModelError(f"there is no file {path}", hint=_AGAIN)
    if (found := sha256(path)) != record.weights:
        what = f"{path} is not the file that its record names: expected {record.weights[:19]}…, got {found[:19]}…"
        raise ModelError(what, hint=_AGAIN)
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False):  # a measurement leaves a training as it is
        network = evaluator_network(len(classes))
        fill(network, read_tensors(path), path)
        network.to(device)
    return EvaluatorNetwork(record.name, classes, record.accuracy, record.count, network)


def evaluator_network(classes: int) -> Any:
    """Four 3×3 convolutions, a mean over each quarter of the image, 128 features, logits: 0.16 M parameters.

    Its children are ``features``, float [N, 1, 28, 28] in [0, 1] to [N, 128], and ``logits``, from there to [N, K].
    """
    from torch import nn

    layers: list[nn.Module] = []
    before = SHAPE[2]
    for width, stride in zip(_WIDTHS, _STRIDES, strict=True):
        layers += [nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        before = width
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * before, WIDTH), nn.ReLU()]
    network = nn.Sequential()
    network.add_module("features", nn.Sequential(*layers))
    network.add_module("logits", nn.Sequential(nn.Dropout(0.2), nn.Linear(WIDTH, classes)))
    return network


def look(network: Any, images: NDArray[np.uint8]) -> Look:
    """What a network of :func:`judge_network`, in eval mode, sees in images, uint8 [N, 28, 28, 1], at least one."""
    import torch

    device = next(network.parameters()).device
    features, probabilities = [], []
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            batch = np.ascontiguousarray(images[start : start + _BATCH].transpose(0, 3, 1, 2))
            seen = network.features(torch.from_numpy(batch).to(device).float() / 255)
            features.append(seen.cpu().numpy())
            probabilities.append(network.logits(seen).softmax(dim=1).cpu().numpy())
    return Look(np.concatenate(features), np.concatenate(probabilities))


def _read_record(path: Path) -> EvaluatorRecord:
    return read_record(path, EvaluatorRecord, ModelError, _AGAIN)
