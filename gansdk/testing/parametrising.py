"""The kit as tests of pytest, which is needed for nothing else here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansdk.testing.checks import CheckFailedError
from gansdk.testing.kit import kit_for, name

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from gansdk.testing.checks import Check
    from gansdk.testing.kit import Kit, Missing
    from gansdk.testing.subjects import Subject


@dataclass(frozen=True)
class BoundCheck:
    """A check with its subject: to be called in a test."""

    kit: Kit
    check: Check
    subject: Subject | Missing

    def __call__(self) -> None:
        """Runs it, and ends the test as pytest tests end: passed, failed, skipped, or failed as expected."""
        import pytest

        result = self.kit.run(self.check, self.subject)
        if result.outcome == "failed":
            raise CheckFailedError(f"{result.message}\n\n{self.check.title}. {self.check.why}") from result.error
        if result.outcome == "skipped":
            pytest.skip(result.message)
        if result.outcome == "expected":
            pytest.xfail(result.message)


def parametrize_with_checks(what: str, *, expected_failures: Mapping[str, str] | None = None) -> pytest.MarkDecorator:
    """Makes one test of each check of a plugin or a model.

    ::

        from gansdk.testing import parametrize_with_checks


        @parametrize_with_checks("gansdk-plugin-srgan")
        def test_conformance(check):
            check()

    Args:
        what: The name of an installed distribution, which is checked with its methods, models and configs, or a ref.
        expected_failures: By the id of a check, or ``id@subject``, why it is known to fail. One that passes after all
            fails its test.

    Raises:
        UnknownNameError: If there is no such distribution or model, or an expected failure names no check.
    """
    import pytest

    from gansdk.inference.catalog import Catalog
    from gansdk.plugins.discovery import discover
    from gansdk.settings import Settings

    kit = kit_for(what, Catalog(discover(), Settings()), expected_failures)
    cases = [pytest.param(BoundCheck(kit, *pair), id=name(*pair)) for pair in kit.pairs()]
    return pytest.mark.parametrize("check", cases)
