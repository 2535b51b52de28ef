"""InfoGAN for gansdk: codes that mean something, found without labels."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gansdk import BuiltinModel, Config, Method, hookimpl

__all__ = ["METHOD", "__version__", "gansdk_methods"]

__version__ = "0.1.0"
_PRETRAINED = Path(__file__).parent / "pretrained"
_config = partial(
    Config,
    recipe="gansdk_infogan.recipe:InfoGAN",
    options="gansdk_infogan.options:InfoGANOptions",
    tiny_model={"batch": 4, "channels": 3, "height": 96, "width": 128, "hidden": 8, "features": 2, "code_hidden": 8},
    ablated_terms=(("generator", "categorical"), ("generator", "continuous")),  # without them, the paper's Figure 1
    mixed=False,
)

# Tiny first weights and ReLUs that hardly leak leave narrow networks without a gradient worth having: D takes a
# thousand steps to tell grey textures from digits, in which G learns to write its codes into textures.
_SMALL = {
    "hidden": 256,
    "features": 32,
    "steps": 4_000,
    "slope": 0.1,
    "information_categorical": 0.3,
    "initial_deviation": 0.0,
    "ema": 0.99,
}

METHOD = Method(
    name="infogan",
    summary="images from codes that mean something, found without labels",
    paper="Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing Generative "
    "Adversarial Nets, NIPS 2016, arXiv:1606.03657",
    licence="Apache-2.0",
    requires=f"gansdk-plugin-infogan>={__version__}",
    network_options="gansdk_infogan.options:NetworkOptions",
    networks="gansdk_infogan.model:networks",
    assemble="gansdk_infogan.model:assemble",
    configs={
        "paper": _config(summary="networks and training of the authors' code: 13 M parameters, 5,000 steps"),
        "small": _config(
            summary="a quarter as wide in its dense layers, half in its convolutions; 13 steps/s on two CPU cores",
            values=_SMALL,
        ),
    },
    models=tuple(BuiltinModel(name, _PRETRAINED / name) for name in ("infogan-mnist", "infogan-fashion")),
    defaults=dict.fromkeys(("generate", "traverse", "encode"), "infogan-mnist"),
    about="InfoGAN gives a generator codes beside its noise, and rewards it if a second network, Q, can read the codes "
    "back from its images. So each code comes to stand for something that images differ by, without any label.",
)


@hookimpl
def gansdk_methods() -> list[Method]:
    """What this plugin brings."""
    return [METHOD]
