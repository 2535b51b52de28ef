"""Plugins that work, that do not, and that get in one another's way."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest
from dists import BROKEN, HOOKS, write_distribution

from gansdk.plugins.registry import core_only, discover


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Installs plugins into a folder; gives the registry of these alone."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def look():
        distributions = importlib.metadata.distributions(path=[str(tmp_path)])
        return discover(point for one in distributions for point in one.entry_points if point.group == "gansdk")

    yield look
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def test_the_core_brings_its_tasks_by_its_own_entry_point():
    registry = core_only()
    assert "superres" in registry.tasks
    assert {status.source.distribution for status in registry.statuses} == {"gansdk"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_plugin_that_fails_is_recorded_and_takes_nobody_down(name, tmp_path, found):
    code, said = BROKEN[name]
    write_distribution(tmp_path, f"a-{name}", code, version="2.5")
    write_distribution(tmp_path, "z-works", HOOKS + "@hookimpl\ndef gansdk_tasks():\n    return [task('works')]\n")
    registry = found()
    broken, works = registry.statuses
    assert (broken.state, works.state) == ("broken", "ok")
    assert said in broken.reason
    assert "\n" not in broken.reason
    assert broken.error is not None
    assert (broken.source.distribution, broken.source.version) == (f"a-{name}", "2.5")
    assert list(registry.tasks) == ["works"]


def test_the_first_by_name_keeps_a_name_and_nothing_of_the_second_is_registered(tmp_path, found):
    both = HOOKS + "@hookimpl\ndef gansdk_tasks():\n    return [task('OWN'), task('same')]\n"
    write_distribution(tmp_path, "plug-b", both.replace("OWN", "second"))
    write_distribution(tmp_path, "plug-a", both.replace("OWN", "first"))
    registry = found()
    assert list(registry.tasks) == ["first", "same"]
    kept, refused = registry.statuses
    assert (kept.source.distribution, kept.state) == ("plug-a", "ok")
    assert (refused.source.distribution, refused.state) == ("plug-b", "conflict")
    assert refused.reason == "task 'same' is brought by plug-a already"


def test_names_of_distributions_are_compared_as_pip_does(tmp_path, found):
    write_distribution(tmp_path, "Plug_A.x", HOOKS, module="plug_a_x")
    assert found().statuses[0].source.distribution == "plug-a-x"


def test_a_plugin_that_prints_does_not_write_between_the_data(tmp_path, found, capfd):
    write_distribution(tmp_path, "chatty", "print('hello')\n" + HOOKS)
    assert found().statuses[0].state == "ok"
    out, err = capfd.readouterr()
    assert (out, err) == ("", "hello\n")


def test_ctrl_c_while_a_plugin_loads_is_no_broken_plugin(tmp_path, found):
    write_distribution(tmp_path, "slow", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        found()


def test_importers_come_in_by_their_own_hook(tmp_path, found):
    code = """
from gansdk import Importer

@hookimpl
def gansdk_importers():
    return [Importer("public", method="srgan", layouts=("theirs",), function="a:b")]
"""
    write_distribution(tmp_path, "plug", HOOKS + code)
    assert found().importers["public"].layouts == ("theirs",)


def test_metrics_come_in_by_their_own_hook(tmp_path, found):
    code = """
from gansdk import MetricSpec

@hookimpl
def gansdk_metrics():
    return [MetricSpec("sharpness", 1, "how sharp", "higher", lambda facts: None, protocol="a:b", function="a:b")]
"""
    write_distribution(tmp_path, "plug", HOOKS + code)
    assert found().metrics["sharpness"].better == "higher"
    assert found().statuses[-1].metrics == ("sharpness",)


def test_the_cores_metrics_come_in_by_its_own_entry_point():
    assert {"psnr-y", "ssim-y", "fd-lite0"} <= set(core_only().metrics)


def test_data_sets_come_in_by_their_own_hook(tmp_path, found):
    code = """
from gansdk import DataSplit, NamedDataset

@hookimpl
def gansdk_datasets():
    one = DataSplit({"images": "file"}, 3, "sha256:0")
    return [NamedDataset("dots", "three dots", "CC0-1.0", {"all": one}, route="none", reader="a:b")]
"""
    write_distribution(tmp_path, "plug", HOOKS + code)
    write_distribution(tmp_path, "plug-too", HOOKS + code)
    registry = found()
    assert registry.datasets["dots"].splits["all"].items == 3
    works, refused = registry.statuses
    assert works.datasets == ("dots",)
    assert refused.reason == "data set 'dots' is brought by plug already"


def test_the_cores_data_sets_come_in_by_its_own_entry_point():
    assert {"mnist", "fashion-mnist"} <= set(core_only().datasets)
