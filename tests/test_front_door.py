"""The public names, pinned, and what importing them costs."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import gansdk


def test_all_has_each_name_once_and_every_name_resolves():
    assert len(set(gansdk.__all__)) == len(gansdk.__all__)  # their order is ruff's affair
    for name in gansdk.__all__:
        assert getattr(gansdk, name) is not None


def test_no_public_name_is_a_submodule():
    submodules = {module.name for module in pkgutil.iter_modules(gansdk.__path__)}
    assert not submodules & set(gansdk.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No gansdk attribute pipelin"):
        gansdk.pipelin  # noqa: B018


LIGHT = [
    "gansdk",
    "gansdk.errors",
    "gansdk.files",
    "gansdk.model.config",
    "gansdk.model.facts",
    "gansdk.model.protocols",
    "gansdk.options",
    "gansdk.refs",
    "gansdk.settings",
    "gansdk.plugins.declarations",
    "gansdk.plugins.hookspecs",
    "gansdk.plugins.registry",
    "gansdk.plugins.registry",
    "gansdk.data",
    "gansdk.data.opening",
    "gansdk.media.reading",
    "gansdk.media.writing",
    "gansdk.models.catalog",
    "gansdk.models.context",
    "gansdk.tasks",
    "gansdk.tasks.superres",
    "gansdk.evaluation",
    "gansdk.evaluation.record",
    "gansdk.cards.card",
    "gansdk.cards.rendering",
    "gansdk.testing",
    "gansdk.cli",
]


@pytest.mark.parametrize("module", LIGHT)
def test_light_rooms_import_no_torch(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'gradio', 'torchvision') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_imports():
    for module in pkgutil.walk_packages(gansdk.__path__, "gansdk."):
        importlib.import_module(module.name)
