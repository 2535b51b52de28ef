"""SRGAN for gansdk: photographs four times as wide and high."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gansdk import BuiltinModel, Config, Importer, Method, hookimpl

__all__ = ["IMPORTER", "METHOD", "__version__", "gansdk_importers", "gansdk_methods"]

__version__ = "0.1.0"
_PRETRAINED = Path(__file__).parent / "pretrained"
_TINY = {"batch": 2, "patch": 8, "candidates": 1}
_TINY_STAGE1 = {**_TINY, "features": 8, "blocks": 1, "up_features": 4, "head_kernel": 3}
_TINY_STAGE2 = {
    **_TINY,
    "init_from": "builtin:srresnet-x4",
    "content_of": "discriminator-features",
    "discriminator_features": 4,
    "discriminator_hidden": 8,
}
_stage1 = partial(
    Config,
    recipe="gansdk_srgan.recipe:Stage1",
    options="gansdk_srgan.options:Stage1Options",
    baseline="none: this stage has no term of the method's own; it is itself the baseline of the adversarial stage",
)
_stage2 = partial(Config, recipe="gansdk_srgan.recipe:Stage2", options="gansdk_srgan.options:Stage2Options")

_PATCHES = {"longest": 2048, "octaves": 2, "candidates": 3}
_SMALL = {
    **_PATCHES,
    "up_features": 32,
    "tail_kernel": 3,
    "batch_norm": False,
    "base": "bilinear",
    "steps": 12_000,
    "loss": "l1",
    "learning_rate": 4e-4,
    "warmup": 200,
    "schedule": "cosine",
}
_SMALL_GAN = {
    **_PATCHES,
    "steps": 2_500,
    "batch": 8,
    "content": 0.02,
    "layers": "2,2+3,3",
    "backbone": "vgg16_hed",
    "backbone_input": "mean-subtracted",
    "discriminator_features": 32,
    "discriminator_hidden": 256,
    "learning_rate": 2e-4,
    "warmup": 100,
    "schedule": "cosine",
    "decay_from": 0.4,
}
_PHOTO = {"degradation": "first-order", "clean": 0.2, "blur": 0.2, "blur_sigma": 1.5, "noise": 0.2, "noise_sigma": 5.0}

METHOD = Method(
    name="srgan",
    summary="photographs four times as wide and high",
    paper="Ledig et al., Photo-Realistic Single Image Super-Resolution Using a GAN, CVPR 2017, arXiv:1609.04802",
    licence="Apache-2.0",
    requires=f"gansdk-plugin-srgan>={__version__}",
    network_options="gansdk_srgan.architectures:NetworkOptions",
    networks="gansdk_srgan.model:networks",
    assemble="gansdk_srgan.model:assemble",
    configs={
        "paper": _stage1(
            summary="stage 1 as in the paper: 16 blocks of 64, batch normalisation, squared error; days on a GPU",
            tiny_model=_TINY_STAGE1,
        ),
        "small": _stage1(
            summary="stage 1 for two CPU cores: no batch normalisation, absolute error; about an hour",
            values=_SMALL,
            tiny_model=_TINY_STAGE1,
        ),
        "small-photo": _stage1(
            summary="stage 1 continued with blur, noise and JPEG on its inputs; about an hour on a CPU core",
            values={**_SMALL, **_PHOTO, "init_from": "builtin:srresnet-x4", "steps": 8_000, "learning_rate": 2e-4},
            tiny_model={**_TINY_STAGE1, "init_from": "", "degradation": "second-order"},
        ),
        "paper-gan": _stage2(
            summary="stage 2 as in the paper: VGG19's last features (a file of yours), 200,000 steps; days on a GPU",
            values={"schedule": "cosine", "decay_to": 0.1},
            tiny_model={**_TINY_STAGE2, "content_of": "pixel"},  # VGG's weights are a file that not everybody has
        ),
        "small-gan": _stage2(
            summary="stage 2 for two CPU cores: VGG16's features, a narrow discriminator; up to an hour",
            values=_SMALL_GAN,
            tiny_model=_TINY_STAGE2,
        ),
        "small-gan-photo": _stage2(
            summary="stage 2 with blur, noise and JPEG on its inputs; up to an hour on two CPU cores",
            values={**_SMALL_GAN, **_PHOTO},
            tiny_model={**_TINY_STAGE2, "degradation": "second-order"},
        ),
    },
    models=tuple(
        BuiltinModel(name, _PRETRAINED / name)
        for name in ("srresnet-x4-photo", "srresnet-x4", "srgan-x4-photo", "srgan-x4")
    ),
    defaults={"superres": "srresnet-x4-photo"},
    checkpoints=("stage 1", "stage 2"),
    about="SRGAN trains a generator in two stages. Stage 1 learns from differences between pixels: it is faithful and "
    "stays soft where the small image leaves a choice. Stage 2 continues from there with a content loss and against a "
    "discriminator that tells its images from photographs: it is sharper, and its fine texture is invented.",
)

IMPORTER = Importer(
    name="srgan",
    method="srgan",
    layouts=(
        "SRResNet of SRGAN-PyTorch, 2022",
        "SRResNet of SRGAN-PyTorch",
        "MSRResNet of BasicSR",
        "RRDBNet of ESRGAN, first naming",
        "RRDBNet of ESRGAN",
        "RRDBNet of BasicSR and Real-ESRGAN",
        "SRVGGNetCompact of Real-ESRGAN",
    ),
    function="gansdk_srgan.importers:recognise",
)


@hookimpl
def gansdk_methods() -> list[Method]:
    """What this plugin brings."""
    return [METHOD]


@hookimpl
def gansdk_importers() -> list[Importer]:
    """What recognises networks that others published."""
    return [IMPORTER]
