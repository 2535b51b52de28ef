"""The conformance kit: what every plugin, method, model and recipe must satisfy, as code.

As a command, ``gansdk check DIST`` or ``gansdk check REF``; as tests of a plugin::

    from gansdk.testing import parametrize_with_checks


    @parametrize_with_checks("gansdk-plugin-srgan")
    def test_conformance(check):
        check()

A check is a function in the file of its kind, and its docstring says what holds, why it matters and what to do.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansdk.testing.checks import Check, CheckFailedError, Result
    from gansdk.testing.kit import Kit, all_checks, kit_for
    from gansdk.testing.parametrising import parametrize_with_checks

_HOME_OF = {
    "Check": "checks",
    "CheckFailedError": "checks",
    "Kit": "kit",
    "Result": "checks",
    "all_checks": "kit",
    "kit_for": "kit",
    "parametrize_with_checks": "parametrising",
}

__all__ = ["Check", "CheckFailedError", "Kit", "Result", "all_checks", "kit_for", "parametrize_with_checks"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'gansdk.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"gansdk.testing.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
