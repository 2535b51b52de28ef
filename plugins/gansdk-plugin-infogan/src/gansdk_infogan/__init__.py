"""InfoGAN for gansdk: codes that mean something, found without labels."""

from __future__ import annotations

from pathlib import Path

from gansdk import BuiltinModel, Config, Method, hookimpl
from gansdk_infogan._version import __version__

__all__ = ["METHOD", "__version__", "gansdk_methods"]

_PRETRAINED = Path(__file__).parent / "pretrained"
_RECIPE = "gansdk_infogan.recipe:InfoGAN"
_OPTIONS = "gansdk_infogan.options:InfoGANOptions"
_TINY = {"batch": 4, "channels": 3, "height": 96, "width": 128, "hidden": 8, "features": 2, "code_hidden": 8}
_ABLATED_TERMS = (("generator", "categorical"), ("generator", "continuous"))  # left out, it is the paper's Figure 1

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

_ABOUT = """
InfoGAN lets a generator start from codes beside its noise, and rewards it where a second network, Q, can read the codes
back from its images. So each code comes to stand for something that images differ by, though nobody said what.
"""

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
        "paper": Config(
            recipe=_RECIPE,
            options=_OPTIONS,
            summary="networks and training of the authors' code: 13 M parameters, 5,000 steps",
            tiny_model=_TINY,
            ablated_terms=_ABLATED_TERMS,
            mixed=False,
        ),
        "small": Config(
            recipe=_RECIPE,
            options=_OPTIONS,
            summary="a quarter as wide in its dense layers, half in its convolutions: for two CPU cores",
            values=_SMALL,
            tiny_model=_TINY,
            ablated_terms=_ABLATED_TERMS,
            mixed=False,
        ),
    },
    models=tuple(BuiltinModel(name, _PRETRAINED / name) for name in ("infogan-mnist", "infogan-fashion")),
    defaults=dict.fromkeys(("generate", "traverse", "encode"), "infogan-mnist"),
    about=_ABOUT,
)


@hookimpl
def gansdk_methods() -> list[Method]:
    """What this plugin brings."""
    return [METHOD]
