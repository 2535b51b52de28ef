"""Which checks run on what, in which order, and what comes out."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gansdk.errors import GansdkError, UnknownNameError
from gansdk.refs import Alias, parse
from gansdk.testing.checks import KINDS, Check, CheckFailedError, CheckSkippedError, Result, checks_of
from gansdk.testing.subjects import MethodUnderTest, ModelUnderTest, PluginUnderTest, RecipeUnderTest, UnderTest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pytest

    from gansdk.models.catalog import Catalog
    from gansdk.plugins.declarations import Method
    from gansdk.testing.checks import Kind, Outcome


@dataclass(frozen=True)
class Missing:
    """Stands where there is nothing for the checks of one kind to look at.

    Attributes:
        name: Whose it would be.
        kind: What is missing.
        reason: Why, for whoever wonders about the checks that were skipped.
    """

    name: str
    kind: Kind
    reason: str


_KIND_OF: dict[type, Kind] = {
    PluginUnderTest: "plugin",
    MethodUnderTest: "method",
    ModelUnderTest: "model",
    RecipeUnderTest: "recipe",
}


def all_checks() -> tuple[Check, ...]:
    """Every check of the kit, by kind."""
    from gansdk.testing import facet_checks, generator_checks, plugin_checks, recipe_checks

    files = (plugin_checks, facet_checks, generator_checks, recipe_checks)
    found = [check for file in files for check in checks_of(file)]
    return tuple(sorted(found, key=lambda check: KINDS.index(check.kind)))


class Kit:
    """The checks of some subjects. Each runs once, after those that it needs, whoever asks first.

    Args:
        subjects: What to check.
        expected_failures: By the id of a check, or ``id@subject``, why it is known to fail. One that passes after all
            is a failure.

    Raises:
        UnknownNameError: If an expected failure names no check of these subjects.
    """

    def __init__(
        self, subjects: Iterable[UnderTest | Missing], expected_failures: Mapping[str, str] | None = None
    ) -> None:
        self._expected = dict(expected_failures or {})
        self._subjects = tuple(subjects)
        self._checks = all_checks()
        self._results: dict[tuple[str, str], Result] = {}
        known = {check.id for check, _ in self.pairs()} | {name(check, subject) for check, subject in self.pairs()}
        for key in self._expected:
            if key not in known:
                raise UnknownNameError("check", key, known, hint="docs/plugins.md lists all of them")

    def pairs(self) -> list[tuple[Check, UnderTest | Missing]]:
        """All checks with what each looks at, in the order in which they run."""
        return [
            (check, subject) for subject in self._subjects for check in self._checks if check.kind == kind_of(subject)
        ]

    def __iter__(self) -> Iterator[Result]:
        """Runs whatever has not run yet, and gives the results in order."""
        for check, subject in self.pairs():
            yield self.run(check, subject)

    def run(self, check: Check, subject: UnderTest | Missing) -> Result:
        """Runs one check, and those that it needs before; what ran already is remembered."""
        key = (check.id, subject.name)
        if key not in self._results:
            self._results[key] = self._result(check, subject)
        return self._results[key]

    def _result(self, check: Check, subject: UnderTest | Missing) -> Result:
        if isinstance(subject, Missing):
            return Result(check, subject.name, "skipped", subject.reason)
        for needed in check.needs:
            before = self.run(self._check(needed), subject)
            if not before.holds:
                why = before.message if before.outcome == "skipped" else f"needs {needed}, which failed"
                return Result(check, subject.name, "skipped", why, holds=False)
        return self._evaluated(_run(check, subject))

    def _check(self, wanted: str) -> Check:
        return next(check for check in self._checks if check.id == wanted)

    def _evaluated(self, result: Result) -> Result:
        """The result in the light of what was expected."""
        reason = self._expected.get(result.name, self._expected.get(result.check.id))
        if reason is None or result.outcome == "skipped":
            return result
        if result.outcome == "failed":
            return result.become("expected", f"{reason} ({result.message})")
        return result.become("failed", f"it passes, and was expected to fail: {reason}")


def name(check: Check, subject: UnderTest | Missing) -> str:
    """A check with its subject, as in ``receptive-field@builtin:srgan-x4``."""
    return f"{check.id}@{subject.name}"


def kind_of(subject: UnderTest | Missing) -> Kind:
    """What a subject is."""
    return subject.kind if isinstance(subject, Missing) else _KIND_OF[type(subject)]


def _run(check: Check, subject: UnderTest) -> Result:
    start = time.perf_counter()
    error: BaseException | None = None
    outcome: Outcome = "passed"
    message = ""
    try:
        with _surroundings_kept():
            check.function(subject)
    except CheckFailedError as failure:
        outcome, message = "failed", str(failure)
    except CheckSkippedError as skipped:
        outcome, message = "skipped", str(skipped)
    except GansdkError as failure:
        outcome, message, error = "failed", str(failure), failure
    except (Exception, SystemExit) as crash:  # noqa: BLE001 - a plugin may raise anything
        lines = str(crash).strip().splitlines()
        outcome, message, error = "failed", ": ".join([type(crash).__name__, *lines[:1]]), crash
    seconds = time.perf_counter() - start
    return Result(check, subject.name, outcome, message, seconds, error, holds=outcome != "failed")


@contextlib.contextmanager
def _surroundings_kept() -> Iterator[None]:
    """A block that leaves torch's random numbers as they were, and whose prints do not get among data on stdout."""
    import torch

    with torch.random.fork_rng(devices=[]), contextlib.redirect_stdout(sys.stderr):
        yield


def kit_for(what: str, catalog: Catalog, expected_failures: Mapping[str, str] | None = None) -> Kit:
    """The kit for a distribution, by its name, or for a model, by its ref.

    Raises:
        UnknownNameError: If neither is meant, or an expected failure names no check.
        GansdkError: If the model is not there, or no working plugin brings its method.
    """
    from gansdk.testing.plugin_checks import normalised

    if normalised(what) in _distributions(catalog):
        return Kit(_of_plugin(normalised(what), catalog), expected_failures)
    if isinstance(parse(what), Alias) and what not in catalog.settings.aliases():
        raise _unknown(what, catalog)
    resolved = catalog.locate(what)
    resolved.ensure_all_files()
    return Kit([ModelUnderTest(what, catalog.method(resolved), resolved.folder)], expected_failures)


def _distributions(catalog: Catalog) -> set[str]:
    from gansdk.plugins.registry import CORE

    return {status.source.distribution for status in catalog.registry.statuses} - {CORE}


def _unknown(what: str, catalog: Catalog) -> UnknownNameError:
    names = [
        *_distributions(catalog),
        *catalog.settings.aliases(),
        *(f"builtin:{one}" for one in catalog.registry.models),
    ]
    if what in catalog.registry.methods:
        hint = f"did you mean {catalog.registry.owners['method', what]}?"
    elif what in catalog.registry.models:
        hint = f"did you mean builtin:{what}?"
    else:
        return UnknownNameError("plugin, model or alias", what, names, hint="see `gansdk plugins` and `gansdk models`")
    return UnknownNameError("plugin, model or alias", what, (), hint=hint)


def _of_plugin(distribution: str, catalog: Catalog) -> Iterator[UnderTest | Missing]:
    registry = catalog.registry
    statuses = tuple(status for status in registry.statuses if status.source.distribution == distribution)
    methods = tuple(registry.methods[name] for status in statuses for name in status.methods)
    yield PluginUnderTest(distribution, statuses, methods)
    if not methods:
        why = "it brings no method" if all(status.state == "ok" for status in statuses) else "the plugin does not work"
        yield from (Missing(distribution, kind, why) for kind in KINDS if kind != "plugin")
    for method in methods:
        yield MethodUnderTest(method)
        yield from _models_of(method)
        yield from (RecipeUnderTest(method, config) for config in method.configs)
        if not method.configs:
            yield Missing(method.name, "recipe", "it has no way to train")


def _models_of(method: Method) -> Iterator[UnderTest | Missing]:
    """What it brings; of a method that brings none yet, what its configs leave in miniature."""
    yield from (ModelUnderTest(f"builtin:{model.name}", method, model.folder) for model in method.models)
    if not method.models:
        yield from (ModelUnderTest(f"{method.name}/{config}", method, config) for config in method.configs)
    if not method.models and not method.configs:
        yield Missing(method.name, "model", "it brings no model")


@dataclass(frozen=True)
class BoundCheck:
    """A check with its subject: to be called in a test."""

    kit: Kit
    check: Check
    subject: UnderTest | Missing

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

    from gansdk.models.catalog import Catalog
    from gansdk.plugins.registry import discover
    from gansdk.settings import Settings

    kit = kit_for(what, Catalog(discover(), Settings()), expected_failures)
    cases = [pytest.param(BoundCheck(kit, *pair), id=name(*pair)) for pair in kit.pairs()]
    return pytest.mark.parametrize("check", cases)
