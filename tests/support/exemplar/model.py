from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

import gansdk

FACTS = gansdk.Facts(
    generator=gansdk.ImageGeneratorFacts(
        source=gansdk.ImageSource(),
        output=gansdk.ImageOutput(scale=2),
        receptive_field=3,
    ),
    safe_precisions=("bf16",),
)


class Network(nn.Module):
    """Each pixel four times, and details that three convolutions find."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.inner = nn.Conv2d(width, width, 3, padding=1)
        self.tail = nn.Conv2d(width, 12, 3, padding=1)

    def forward(self, image):
        features = F.leaky_relu(self.norm(self.head(image)))
        features = features + self.inner(features)
        details = F.pixel_shuffle(self.tail(features), 2)
        return F.interpolate(image, scale_factor=2.0) + 0.05 * details


def networks(options):
    return {"generator": Network(options.width)}


class Upscaler:
    def __init__(self, network) -> None:
        self._network = network

    def generate(self, source, /):
        return self._network(source["image"]).clamp(0, 1)


def assemble(call, facts):
    return gansdk.Model(facts, generator=Upscaler(call["generator"]))


def build(folder, method) -> None:
    """The model that the plugin brings, as if it had been trained."""
    from gansdk.model.config import Trained, TrainingData
    from gansdk.models.loading import build_networks
    from gansdk.models.writing import Export, write_model

    torch.manual_seed(0)
    built = build_networks(method, {"width": 16})
    for _ in range(3):
        built["generator"].train()(torch.rand(4, 3, 16, 16))  # so that batch-norm has something to fold
    write_model(
        folder,
        method,
        Export(FACTS, {"width": 16}, built),
        trained=Trained(
            recipe="exemplar",
            config="usual",
            seed=0,
            steps=1,
            data=(TrainingData(name="fake", licence="CC0-1.0", items=1),),
        ),
        summary="an example",
        licence="CC0-1.0",
    )
