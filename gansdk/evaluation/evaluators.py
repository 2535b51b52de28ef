"""Evaluator networks, which take part in no loss, and what is computed from their outputs.

- EfficientNet-Lite0, trained on ImageNet, sees photographs in 64×64 patches, 48 pixels apart, and samples whole. Its
  figures are neither FID nor LPIPS: they can be compared within one run only, Fréchet distances only between equal
  counts.
- Classifiers of small images, each trained on the training split of a named data set by
  ``scripts/train_evaluators.py``, see samples of models of such data. Their own accuracy on the test split is printed
  with each figure that rests on it.
- The classifier two-sample test trains a network of its own for each measurement.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.errors import InputError, ModelError
from gansdk.evaluation.protocol import Unsuitable
from gansdk.evaluation.record import Estimate
from gansdk.files import sha256
from gansdk.model.config import read_record
from gansdk.model.variables import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import torch
    from numpy.typing import NDArray

    from gansdk.backbones.lite0 import EfficientNetLite0
    from gansdk.data.folders import Dataset
    from gansdk.plugins.declarations import NamedDataset

    Floats = NDArray[np.floating]
    Pixels = NDArray[np.uint8]


TRUTH = "truth"
"""What real images are called among the results that are compared with them."""

MINIMUM_FEATURES = 2 * 1280
"""Twice as many as EfficientNet-Lite0 has features, so that both halves of the floor can fill a covariance."""

SIDE = 64
"""Pixels a side of a patch."""

STRIDE = 48
"""Pixels between patches; they overlap by a quarter of their side, so that 100 images give 5,400 of them."""

_LITE0_BATCH = 64


class PatchFeatures(NamedTuple):
    """The features of patches in EfficientNet-Lite0.

    Attributes:
        levels: At the ends of strides 4, 8 and 16, of unit length at each position: float [N, C, h, w] each.
        pooled: float [N, 1280], averaged over positions.
    """

    levels: tuple[Floats, ...]
    pooled: Floats


def patches(image: Pixels, side: int = SIDE, stride: int = STRIDE) -> Pixels:
    """All square patches of uint8 [H, W, 3] whose corners lie on a grid, row by row: uint8 [N, side, side, 3].

    There are none of an image that is smaller than one patch.
    """
    if min(image.shape[:2]) < side:
        return np.empty((0, side, side, image.shape[2]), image.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(image, (side, side), axis=(0, 1))[::stride, ::stride]
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 4, 2).reshape(-1, side, side, image.shape[2]))


def patch_features(network: EfficientNetLite0, images: Pixels) -> PatchFeatures:
    """The features of patches, uint8 [N, H, W, 3], at least one, computed on the network's device."""
    import torch

    with torch.inference_mode():
        batches = [network.features(batch) for batch in _batches(network, images, _LITE0_BATCH)]
        levels = [
            torch.nn.functional.normalize(torch.cat(level), dim=1).cpu().numpy()
            for level in zip(*(batch.levels for batch in batches), strict=True)
        ]
        return PatchFeatures(tuple(levels), torch.cat([batch.pooled for batch in batches]).cpu().numpy())


def pooled_features(network: EfficientNetLite0, images: Pixels) -> Floats:
    """The pooled features of whole images as they are, float [N, 1280].

    Args:
        network: The evaluator, on its device.
        images: uint8 [N, H, W, C], at least one; C is 1 for grey, which is repeated, and 3 for RGB.
    """
    import torch

    with torch.inference_mode():
        batches = (batch.expand(-1, 3, -1, -1) for batch in _batches(network, images, _LITE0_BATCH))
        pooled: Floats = torch.cat([network.features(batch).pooled for batch in batches]).cpu().numpy()
    return pooled


def _batches(network: Any, images: Pixels, size: int) -> Iterator[torch.Tensor]:
    """Images as float [n, C, H, W] in [0, 1] on a network's device, so many at a time that memory does not grow."""
    import torch

    device = next(network.parameters()).device
    for start in range(0, len(images), size):
        batch = np.array(images[start : start + size])  # a copy: the pixels of an image may be read-only
        yield torch.from_numpy(batch.transpose(0, 3, 1, 2)).to(device).float() / 255


def perceptual_distance(first: PatchFeatures, second: PatchFeatures) -> Floats:
    """PD-Lite0: how far patches are from the true ones; 0 for equal ones, 4 at most.

    The squared distance of the two unit vectors at each position, summed over channels; the mean of that over
    positions, then over the three levels: float [N].
    """
    levels = zip(first.levels, second.levels, strict=True)
    distances = [((level.astype(np.float64) - other) ** 2).sum(axis=1).mean(axis=(1, 2)) for level, other in levels]
    return np.asarray(np.mean(distances, axis=0))


def frechet_distance(first: Floats, second: Floats) -> float:
    """How far two sets of features are apart as normal distributions (Heusel et al. 2017, eq. 6).

    ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½), of float [N, D] and [M, D], N and M at least 2. It has a bias that grows as
    the sets shrink.
    """
    from scipy.linalg import eigh, eigvalsh

    first, second = first.astype(np.float64), second.astype(np.float64)
    means = float(((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum())
    covariance, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    # The eigenvalues of Σ₁Σ₂ are those of Σ₁^½ Σ₂ Σ₁^½, which is symmetric, so nothing complex can come up.
    values, vectors = eigh(covariance)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    shared = np.sqrt(np.clip(eigvalsh(root @ other @ root), 0, None)).sum()
    return means + float(np.trace(covariance) + np.trace(other) - 2 * shared)


class FrechetDistance:
    """The distance of all results together from all real images, and that between halves of the real ones.

    Args:
        features: Of an example, by the names of its results and ``truth``, float [n, D].
        minimum: How many real ones it needs.
        items: What they are called, as in ``patches``.
    """

    def __init__(self, features: Callable[[Any], Mapping[str, Floats]], minimum: int, items: str) -> None:
        self._of, self._minimum, self._items = features, minimum, items
        self._features: dict[str, list[Floats]] = defaultdict(list)

    def update(self, example: Any, /) -> None:
        for name, features in self._of(example).items():
            self._features[name].append(features)

    def compute(self) -> Mapping[str, Estimate]:
        if self.count < self._minimum:
            raise Unsuitable(f"it needs {self._minimum} {self._items} or more")
        features = {name: np.concatenate(rows) for name, rows in self._features.items()}
        real = features.pop(TRUTH)
        distances = {name: frechet_distance(fake, real) for name, fake in features.items()}
        distances["floor"] = frechet_distance(real[0::2], real[1::2])
        return {name: Estimate(value=distance) for name, distance in distances.items()}

    @property
    def count(self) -> int:
        return sum(map(len, self._features[TRUTH]))


PRETRAINED = Path(__file__).parent / "pretrained"
"""Has two files for each classifier: ``NAME.safetensors``, and its :class:`EvaluatorRecord` as ``NAME.json``."""

SHAPE = (28, 28, 1)
"""Height, width and channels of a classifier's images."""

FEATURES = 128
"""Of a classifier, in the layer before its logits."""

_WIDTHS, _STRIDES = (16, 32, 64, 128), (1, 2, 1, 2)
_CLASSIFIER_BATCH = 250
_KNOWN = (MNIST, FASHION_MNIST)
_REINSTALL = "install gansdk again"


class Predictions(NamedTuple):
    """What a classifier gives for images.

    Attributes:
        features: float32 [N, 128], not negative: the layer before the logits.
        probabilities: float32 [N, K], of each class.
    """

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]


class EvaluatorRecord(Frozen):
    """How a classifier was trained and how good it is."""

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
    """A classifier of images like those of one data set, and its accuracy on so many of its test images.

    Attributes:
        classes: Those of the data set, in their order.
        network: As :func:`evaluator_network` makes it, filled, in eval mode, on its device.
    """

    name: str
    classes: tuple[str, ...]
    accuracy: float
    count: int
    network: Any = field(repr=False)

    def predict(self, images: Pixels) -> Predictions:
        """Classifies images, uint8 [N, 28, 28, 1], at least one."""
        if images.shape[1:] != SHAPE:
            found, wanted = ("x".join(map(str, shape)) for shape in (images.shape[1:], SHAPE))
            hint = "bring them to that height, width and number of channels first"
            raise InputError(f"the evaluator of {self.name} takes images of {wanted}, not {found}", hint=hint)
        return predict(self.network, images)


def evaluator_for(data: Dataset, device: torch.device) -> EvaluatorNetwork | None:
    """The classifier for a data set, whichever of its splits that is; None if there is none."""
    known = evaluated_dataset(data.digest)
    return load_evaluator(PRETRAINED / f"{known.name}.safetensors", known.classes, device) if known else None


def evaluated_dataset(digest: str) -> NamedDataset | None:
    """The data set with a split of this digest, if there is a classifier for it. Nothing is loaded."""
    return next((known for known in _KNOWN if digest in {split.digest for split in known.splits.values()}), None)


@lru_cache
def load_evaluator(path: Path, classes: tuple[str, ...], device: torch.device) -> EvaluatorNetwork:
    """A classifier from its weights and the record beside them; each is loaded once."""
    import torch

    from gansdk.backbones import fill
    from gansdk.model.tensors import read_tensors

    record = read_record(path.with_suffix(".json"), EvaluatorRecord, ModelError, _REINSTALL)
    if not path.is_file():
        raise ModelError(f"there is no file {path}", hint=_REINSTALL)
    if (found := sha256(path)) != record.weights:
        what = f"{path} is not the file that its record names: expected {record.weights[:19]}…, got {found[:19]}…"
        raise ModelError(what, hint=_REINSTALL)
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
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * before, FEATURES), nn.ReLU()]
    logits = nn.Sequential(nn.Dropout(0.2), nn.Linear(FEATURES, classes))
    return nn.Sequential(OrderedDict(features=nn.Sequential(*layers), logits=logits))


def predict(network: Any, images: Pixels) -> Predictions:
    """What a network of :func:`evaluator_network`, in eval mode, gives for images, uint8 [N, 28, 28, 1]."""
    import torch

    features, probabilities = [], []
    with torch.inference_mode():
        for batch in _batches(network, images, _CLASSIFIER_BATCH):
            found = network.features(batch)
            features.append(found.cpu().numpy())
            probabilities.append(network.logits(found).softmax(dim=1).cpu().numpy())
    return Predictions(np.concatenate(features), np.concatenate(probabilities))


C2ST_SIDE = 48
"""Pixels a side of a patch in the classifier two-sample test; patches do not overlap."""

C2ST_STEPS = 500
C2ST_BATCH = 64
_C2ST_WIDTHS = (32, 64, 64, 64)


def held_out_accuracy(
    real: Mapping[str, Pixels], fake: Mapping[str, Pixels], *, seed: int, device: torch.device
) -> dict[str, float]:
    """Trains a new network on the patches of every other image, and tests it on those of the rest.

    Four 3×3 convolutions with stride 2, a mean over positions and one logit: 0.1 M parameters, 500 steps of Adam on
    64 patches, half of them real, all flipped at random.

    Args:
        real: By image, uint8 [N, 48, 48, 3].
        fake: The same images' patches as the model makes them, alike in number.
        seed: Of its weights and batches.
        device: Where to compute.

    Returns:
        By held-out image, its accuracy on that image's patches, real and fake: 0.5 is chance.
    """
    import torch

    names = sorted(real)
    train = [np.concatenate([patches[name] for name in names[0::2]]) for patches in (real, fake)]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), torch.inference_mode(False):
        torch.manual_seed(seed)
        network = _two_sample_network().to(device=device, memory_format=torch.channels_last)
        _train(network, train, np.random.default_rng(seed), device)
        network.eval()
        with torch.no_grad():
            return {name: _accuracy(network, real[name], fake[name], device) for name in names[1::2]}


def _two_sample_network() -> Any:
    from torch import nn

    layers: list[nn.Module] = []
    before = 3
    for width in _C2ST_WIDTHS:
        layers += [nn.Conv2d(before, width, 3, 2, 1), nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
        before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1))


def _train(network: Any, patches: Sequence[Pixels], random: np.random.Generator, device: torch.device) -> None:
    import torch
    from torch.nn.functional import softplus

    half = C2ST_BATCH // 2
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=C2ST_STEPS)
    for _ in range(C2ST_STEPS):
        batch = np.concatenate([source[random.integers(len(source), size=half)] for source in patches])
        turned = [np.rot90(patch, int(random.integers(4))) for patch in batch]
        flipped = np.stack([patch[:, ::-1] if random.integers(2) else patch for patch in turned])
        logits = network(_normalised(flipped, device))[:, 0]
        loss = softplus(-logits[:half]).mean() + softplus(logits[half:]).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()


def _accuracy(network: Any, real: Pixels, fake: Pixels, device: torch.device) -> float:
    on_real = float((network(_normalised(real, device)) > 0).float().mean())
    return (on_real + float((network(_normalised(fake, device)) <= 0).float().mean())) / 2


def _normalised(patches: Pixels, device: torch.device) -> torch.Tensor:
    import torch

    pixels = torch.from_numpy(np.ascontiguousarray(patches.transpose(0, 3, 1, 2))).to(device)
    return pixels.float().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)
