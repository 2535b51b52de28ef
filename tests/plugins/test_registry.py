"""The registry as a value."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from gansdk.errors import PluginError, UnknownNameError
from gansdk.options import Options
from gansdk.plugins.declarations import BuiltinModel, Importer, Method, Slot, Task
from gansdk.plugins.registry import Contributions, NameTakenError, PluginSource, PluginStatus, Registry, check_task

HERE = __name__


class Fine(Options):
    strength: float = 1.0


class Open(Options, extra="allow"):
    strength: float = 1.0


class Format(Options):
    format: str = "x"


class Verbose(Options):
    verbose: bool = False


class Opposites(Options):
    mirror: bool = False
    no_mirror: int = 0


class NoOptions:
    pass


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Import strings of this module resolve, whatever name pytest gave it."""
    import sys

    monkeypatch.setitem(sys.modules, "options_for_tests", sys.modules[HERE])


def task(name="sharpen", options="Fine"):
    return Task(
        name=name,
        summary="",
        unsupported_reason=lambda _facts: None,
        slots=(),
        outputs={"record": "record"},
        options=f"options_for_tests:{options}",
        function="a:b",
    )


def method(name, *models):
    built = tuple(BuiltinModel(model, Path(model)) for model in models)
    text = dict.fromkeys(("summary", "paper", "licence", "requires", "network_options", "networks", "assemble"), "")
    return Method(name=name, models=built, **text)


def importer(name="public"):
    return Importer(name, method="srgan", layouts=("theirs",), function="a:b")


def source(name):
    return PluginSource(name, "1.0", name)


def test_an_empty_registry_knows_nothing_and_suggests_nothing():
    with pytest.raises(UnknownNameError, match="there is no task 'sharpen'; see `gansdk tasks`"):
        Registry().task("sharpen")


def test_add_gives_a_new_registry_with_tasks_methods_and_models():
    empty = Registry()
    full = empty.add(Contributions(source("a"), (method("srgan", "srgan-x4"),), (task(),), (importer(),)))
    assert not empty.tasks
    assert full.importers["public"].method == "srgan"
    assert full.statuses[0].importers == ("public",)
    assert full.task("sharpen").name == "sharpen"
    assert full.method("srgan").name == "srgan"
    assert (full.model("srgan-x4").ref, full.model("srgan-x4").folder) == ("builtin:srgan-x4", Path("srgan-x4"))
    assert full.statuses[0].methods == ("srgan",)
    with pytest.raises(TypeError):
        full.tasks["other"] = task("other")


@pytest.mark.parametrize(
    "clashing",
    [
        Contributions(source("b"), (), (task("new"), task("sharpen"))),
        Contributions(source("b"), (method("new"), method("srgan"))),
        Contributions(source("b"), (method("new", "srgan-x4"),)),
        Contributions(source("b"), importers=(importer("new"), importer())),
    ],
)
def test_a_failed_add_changes_nothing_and_says_who_has_the_name(clashing):
    registry = Registry().add(Contributions(source("a"), (method("srgan", "srgan-x4"),), (task(),), (importer(),)))
    before = dataclasses.replace(registry)
    with pytest.raises(NameTakenError, match="is brought by a already"):
        registry.add(clashing)
    assert registry == before


def test_a_plugin_that_brings_a_name_twice_is_told_so():
    with pytest.raises(PluginError, match="task 'sharpen' is brought twice"):
        Registry().add(Contributions(source("a"), (), (task(), task())))


def test_near_names_are_suggested_and_broken_plugins_are_mentioned():
    registry = Registry().add(Contributions(source("a"), (), (task(),)))
    with pytest.raises(UnknownNameError) as error:
        registry.task("sharpn")
    assert error.value.hint == "did you mean sharpen?"
    broken = registry.with_failure(PluginStatus(source("b"), "broken", "ImportError"))
    with pytest.raises(UnknownNameError) as error:
        broken.task("sharpn")
    assert error.value.hint == "did you mean sharpen? (b does not work: see `gansdk plugins`)"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("Format", "has an option 'format'"),
        ("Verbose", "has an option 'verbose'"),
        ("Open", "options that it does not declare"),
        ("NoOptions", "is not a subclass of gansdk.Options"),
        ("Missing", "cannot be imported"),
        ("Opposites", "'no_mirror' is spelled like the opposite of 'mirror'"),
    ],
)
def test_options_that_break_the_rules_are_refused_by_name(options, said):
    with pytest.raises(PluginError, match=said):
        Registry().add(Contributions(source("a"), (), (task(options=options),)))


def test_good_options_pass():
    check_task(task())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slots": (Slot("smell", "x"),)}, "task 'a': there is no medium 'smell'"),
        ({"slots": (Slot("os:path", "x"),)}, "task 'a': 'os:path' is not a gansdk.Medium"),
        ({"slots": (Slot("record", "x"),)}, "task 'a': slot 'x' is of a medium that is not read: record"),
        ({"slots": (Slot("image", "x", fits="trunk"),)}, "task 'a': slot 'x' fits 'trunk', which is not a facet"),
        ({"slots": (Slot("image", "x"), Slot("mask", "x"))}, "task 'a' has a slot 'x'"),
        ({"slots": (Slot("image", "device"),)}, "task 'a' has a slot 'device'"),
        ({"slots": (Slot("image", "tile"),)}, "task 'a' has a slot 'tile'"),
        ({"outputs": {"it": "smell"}}, "task 'a': there is no medium 'smell'"),
        ({"slots": (Slot("mask", "mask"),), "options": "options_for_tests:Inverting"}, "an option 'mask_invert'"),
    ],
)
def test_what_does_not_exist_is_refused_in_one_line(changes, said):
    changed = {
        "slots": (),
        "outputs": {"record": "record"},
        "options": "gansdk.tasks.superres:SuperresOptions",
    } | changes
    task = Task(name="a", summary="", unsupported_reason=lambda facts: None, function="builtins:dict", **changed)
    with pytest.raises(PluginError, match=re.escape(said)):
        Registry().add(Contributions(PluginSource("d", "1", "d"), tasks=(task,)))


class Inverting(Options):
    mask_invert: bool = False


def test_outputs_are_a_mapping():
    with pytest.raises(PluginError, match="outputs map names to media"):
        Task("a", "", lambda facts: None, (), ("image",), "a:b", "a:b")
