"""Which checks run on what, in which order, and what comes out."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gansdk.errors import GansdkError, UnknownNameError
from gansdk.refs import Alias, parse
from gansdk.testing.checks import KINDS, Check, CheckFailedError, CheckSkippedError, Result, checks_of
from gansdk.testing.targets import (
    MethodUnderTest,
    Missing,
    ModelUnderTest,
    PluginUnderTest,
    RecipeUnderTest,
    TaskUnderTest,
    normalised,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pytest

    from gansdk.models.catalog import Catalog
    from gansdk.testing.checks import Outcome
    from gansdk.testing.targets import Target


def all_checks() -> tuple[Check, ...]:
    """Every check of the kit, by kind."""
    from gansdk.testing import facet_checks, generator_checks, plugin_checks, recipe_checks, task_checks

    files = (plugin_checks, task_checks, facet_checks, generator_checks, recipe_checks)
    found = [check for file in files for check in checks_of(file)]
    return tuple(sorted(found, key=lambda check: KINDS.index(check.kind)))


class Kit:
    """The checks of some targets. Each runs once, after those that it needs, in whatever order they are asked for.

    Args:
        targets: What to check.
        expected_failures: By the id of a check, or ``id@target``, why it is known to fail. One that passes after all
            is a failure.

    Raises:
        UnknownNameError: If an expected failure names no check of these targets.
    """

    def __init__(self, targets: Iterable[Target], expected_failures: Mapping[str, str] | None = None) -> None:
        self._expected = dict(expected_failures or {})
        self._targets = tuple(targets)
        self._checks = all_checks()
        self._results: dict[tuple[str, str], Result] = {}
        known = {key for pair in self.pairs() for key in (pair[0].id, name(*pair))}
        for key in self._expected:
            if key not in known:
                raise UnknownNameError("check", key, known, hint="docs/checks.md lists all of them")

    def pairs(self) -> list[tuple[Check, Target]]:
        """All checks with what each looks at, in the order in which they run."""
        return [(check, target) for target in self._targets for check in self._checks if check.kind == target.kind]

    def __iter__(self) -> Iterator[Result]:
        """Runs the checks that have not run yet, and gives the results in order."""
        for check, target in self.pairs():
            yield self.run(check, target)

    def run(self, check: Check, target: Target) -> Result:
        """Runs one check, and those that it needs before; what ran already is remembered."""
        key = (check.id, target.name)
        if key not in self._results:
            self._results[key] = self._result(check, target)
        return self._results[key]

    def _result(self, check: Check, target: Target) -> Result:
        if isinstance(target, Missing):
            return Result(check, target.name, "skipped", target.reason)
        for needed in check.needs:
            before = self.run(next(check for check in self._checks if check.id == needed), target)
            if not before.holds:
                why = before.message if before.outcome == "skipped" else f"needs {needed}, which failed"
                return Result(check, target.name, "skipped", why, holds=False)
        result = _run(check, target)
        reason = self._expected.get(result.name, self._expected.get(check.id))
        if reason is None or result.outcome == "skipped":
            return result
        if result.outcome == "failed":
            return replace(result, outcome="expected", message=f"{reason} ({result.message})")
        return replace(result, outcome="failed", message=f"it passes, and was expected to fail: {reason}")


def name(check: Check, target: Target) -> str:
    """A check with its target, as in ``receptive-field@builtin:srgan-x4``."""
    return f"{check.id}@{target.name}"


def _run(check: Check, target: Target) -> Result:
    import torch

    start = time.perf_counter()
    error: BaseException | None = None
    outcome: Outcome = "passed"
    message = ""
    try:
        # torch's random numbers stay as they were, and what a plugin prints does not get among data on stdout
        with torch.random.fork_rng(devices=[]), contextlib.redirect_stdout(sys.stderr):
            check.function(target)
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
    return Result(check, target.name, outcome, message, seconds, error, holds=outcome != "failed")


def kit_for(what: str, catalog: Catalog, expected_failures: Mapping[str, str] | None = None) -> Kit:
    """The kit for a distribution, by its name, or for a model, by its ref.

    Raises:
        UnknownNameError: If there is no such distribution or model, or an expected failure names no check.
        GansdkError: If the model is not there, or no working plugin brings its method.
    """
    if normalised(what) in _distributions(catalog):
        return Kit(_of_plugin(normalised(what), catalog), expected_failures)
    if isinstance(parse(what), Alias) and what not in catalog.settings.aliases():
        raise _unknown(what, catalog)
    resolved = catalog.locate(what)
    resolved.ensure_all_files()
    return Kit([ModelUnderTest(what, resolved.method, resolved.folder, resolved.base_method)], expected_failures)


def _distributions(catalog: Catalog) -> set[str]:
    from gansdk.plugins.registry import CORE

    return {status.source.distribution for status in catalog.registry.statuses} - {CORE}


def _unknown(what: str, catalog: Catalog) -> UnknownNameError:
    registry = catalog.registry
    known: list[str] = []
    owner = registry.owners.get(("method", what)) or registry.owners.get(("task", what))
    if owner is not None:
        hint = f"did you mean {owner}?"
    elif what in registry.models:
        hint = f"did you mean builtin:{what}?"
    else:
        hint = "see `gansdk plugins` and `gansdk models`"
        refs = (f"builtin:{model}" for model in registry.models)
        known = [*_distributions(catalog), *catalog.settings.aliases(), *refs]
    return UnknownNameError("plugin, model or alias", what, known, hint=hint)


def _of_plugin(distribution: str, catalog: Catalog) -> Iterator[Target]:
    registry = catalog.registry
    statuses = tuple(status for status in registry.statuses if status.source.distribution == distribution)
    methods = tuple(registry.methods[name] for status in statuses for name in status.methods)
    tasks = tuple(registry.tasks[name] for status in statuses for name in status.tasks)
    yield PluginUnderTest(distribution, statuses, methods)
    works = all(status.state == "ok" for status in statuses)
    models = {method.name: tuple(ModelUnderTest.of(method)) for method in methods}
    own = tuple(model for found in models.values() for model in found)
    yield from (TaskUnderTest(task, own) for task in tasks)
    if not tasks:
        yield Missing(distribution, "task", "it brings no task" if works else "the plugin does not work")
    if not methods:
        why = "it brings no method" if works else "the plugin does not work"
        yield from (Missing(distribution, kind, why) for kind in KINDS if kind not in {"plugin", "task"})
    for method in methods:
        yield MethodUnderTest(method)
        yield from models[method.name] or (Missing(method.name, "model", "it brings no model"),)
        yield from (RecipeUnderTest(method, config) for config in method.configs)
        if not method.configs:
            yield Missing(method.name, "recipe", "it has no way to train")


@dataclass(frozen=True)
class BoundCheck:
    """A check with its target: to be called in a test."""

    kit: Kit
    check: Check
    target: Target

    def __call__(self) -> None:
        """Runs it, and ends the test as pytest tests end: passed, failed, skipped, or failed as expected."""
        import pytest

        result = self.kit.run(self.check, self.target)
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
        what: The name of an installed distribution, which is checked with all that it brings, or a model's ref.
        expected_failures: By the id of a check, or ``id@target``, why it is known to fail. One that passes after all
            fails its test.

    Raises:
        UnknownNameError: If there is no such distribution or model, or an expected failure names no check.
    """
    import pytest

    from gansdk.models.catalog import Catalog

    kit = kit_for(what, Catalog.installed_here(), expected_failures)
    cases = [pytest.param(BoundCheck(kit, *pair), id=name(*pair)) for pair in kit.pairs()]
    return pytest.mark.parametrize("check", cases)
