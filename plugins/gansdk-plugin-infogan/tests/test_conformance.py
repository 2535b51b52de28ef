"""The plugin satisfies what every plugin must."""

from collections.abc import Callable

from gansdk.testing import parametrize_with_checks


@parametrize_with_checks("gansdk-plugin-infogan")
def test_conformance(check: Callable[[], None]) -> None:
    check()
