"""The conformance kit: what every plugin, method, model and recipe must satisfy, as code.

As a command, ``gansdk check DIST`` or ``gansdk check REF``; as tests of a plugin::

    from gansdk.testing import parametrize_with_checks


    @parametrize_with_checks("gansdk-plugin-srgan")
    def test_conformance(check):
        check()

A check is a function in the file of its kind, and its docstring says what holds, why it matters and what to do.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
