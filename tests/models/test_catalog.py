"""From what a user typed to a folder, and the default rule. Everything is data: no weights, no torch."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from gansdk.errors import (
    InputError,
    MissingPluginError,
    ModelError,
    NotApplicableError,
    RefError,
    SettingsError,
    UnknownNameError,
    UsageError,
    called_from_shell,
)
from gansdk.models.catalog import Catalog, check_fit, fits, unsupported_reason
from gansdk.plugins.declarations import BuiltinModel, Method, Task
from gansdk.plugins.registry import Contributions, PluginSource, PluginStatus, Registry
from gansdk.settings import Settings

UPSCALES = {
    "generator": {
        "source": {"kind": "image"},
        "output": {"kind": "image", "scale": 4},
        "receptive_field": 8,
    }
}


def write(folder, method="srgan", facts=UPSCALES, requires="gansdk-plugin-srgan>=0.1"):
    folder.mkdir(parents=True)
    files = {"model.safetensors": "sha256:" + "0" * 64}
    config = {"gansdk": 1, "method": method, "requires": requires, "facts": facts, "network": {}, "files": files}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def method(name, folder, *models, defaults=()):
    built = tuple(BuiltinModel(model, folder / model) for model in models)
    text = dict.fromkeys(("summary", "paper", "licence", "network_options", "networks", "assemble"), "")
    return Method(name=name, models=built, defaults=dict(defaults), requires=f"gansdk-plugin-{name}>=0.1", **text)


TASK = Task(
    name="superres",
    summary="",
    unsupported_reason=lambda facts: None if facts.generator is not None else "it has no generator",
    slots=(),
    outputs={"record": "record"},
    options="gansdk.tasks.superres:SuperresOptions",
    function="a:b",
)


class Place(os.PathLike):
    """A path that is neither a text nor a Path."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


@pytest.fixture
def make(tmp_path):
    """A catalog over methods given as (name, models, defaults)."""

    def build(*contributions):
        registry = Registry().add(Contributions(PluginSource("gansdk", "1", "core"), (), (TASK,)))
        for name, models, defaults in contributions:
            for model in models:
                if not (tmp_path / "builtin" / model).exists():
                    write(tmp_path / "builtin" / model, name)
            one = method(name, tmp_path / "builtin", *models, defaults=defaults)
            registry = registry.add(Contributions(PluginSource(f"gansdk-plugin-{name}", "1", name), (one,)))
        return Catalog(registry, Settings(tmp_path / "settings.json"))

    return build


@pytest.fixture
def catalog(make):
    return make(("srgan", ["srresnet-x4"], {}))


def test_every_kind_of_ref_is_located(catalog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "models" / "mine")
    catalog.settings.set_alias("sr", "builtin:srresnet-x4")
    catalog.settings.set_alias("also", "sr")
    builtin = tmp_path / "builtin" / "srresnet-x4"
    assert catalog.locate("builtin:srresnet-x4").folder == builtin
    assert catalog.locate("also").folder == builtin
    assert catalog.locate("also").ref == "also"
    assert catalog.locate("models/mine").folder.resolve() == tmp_path / "models" / "mine"
    assert catalog.locate("./models/mine").config.method == "srgan"


def test_a_path_is_a_folder_whatever_it_looks_like(catalog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine")
    assert catalog.locate(Path("mine")).folder.resolve() == tmp_path / "mine"
    assert catalog.locate(Place("mine")).folder.resolve() == tmp_path / "mine"


def test_a_run_folder_means_its_model(catalog, tmp_path):
    run = tmp_path / "run"
    write(run / "model")
    (run / "train.json").write_text("{}")
    assert catalog.locate(f"{run}/").folder == run / "model"
    shutil.rmtree(run / "model")
    with pytest.raises(ModelError, match="has no model yet; gansdk resume"):
        catalog.locate(str(run))


def test_what_names_nothing_is_answered_with_what_was_meant(catalog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine")
    (tmp_path / "file").touch()
    for text, kind, said in [
        ("srresnet-x4", UnknownNameError, "did you mean builtin:srresnet-x4?"),
        ("builtin:srresnet-x3", UnknownNameError, "did you mean builtin:srresnet-x4?"),
        ("mine", UnknownNameError, "for the folder write ./mine"),
        ("zzz", UnknownNameError, "see `gansdk models`"),
        ("org/name", InputError, "for a model on the Hub write hub:org/name"),
        ("./nowhere", InputError, "see `gansdk models`"),
        ("./file", InputError, "is a file"),
        (
            "hub:org/name@v1:a.safetensors",
            RefError,
            "to make a model of it: gansdk import hub:org/name@v1:a.safetensors",
        ),
    ]:
        with pytest.raises(kind) as error:
            catalog.locate(text)
        assert said in str(error.value), text


def test_aliases_that_go_in_a_circle_are_found(catalog):
    catalog.settings.set_alias("a", "b")
    catalog.settings.set_alias("b", "c")
    catalog.settings.set_alias("c", "a")
    with pytest.raises(RefError, match="circle: a → b → c → a"):
        catalog.locate("a")


def test_damaged_settings_do_not_stop_a_ref_that_needs_none(catalog):
    catalog.settings.file.write_text("{")
    assert catalog.locate("builtin:srresnet-x4")
    with pytest.raises(SettingsError):
        catalog.locate("sr")


def test_a_missing_plugin_gives_the_line_that_installs_it(catalog, tmp_path):
    resolved = catalog.locate(str(write(tmp_path / "other", "infogan", requires="gansdk-plugin-infogan>=0.1,<2")))
    with pytest.raises(MissingPluginError) as error:
        resolved.check_plugin()
    assert error.value.hint == "pip install 'gansdk-plugin-infogan>=0.1,<2'"
    assert catalog.locate("builtin:srresnet-x4").method.name == "srgan"


def test_a_plugin_that_is_there_but_broken_is_not_to_be_installed_again(catalog, tmp_path):
    status = PluginStatus(PluginSource("gansdk-plugin-infogan", "1", "infogan"), "broken", "ImportError: no torch")
    catalog.registry = catalog.registry.with_failure(status)
    resolved = catalog.locate(str(write(tmp_path / "other", "infogan", requires="Gansdk_plugin.infogan>=0.1")))
    with pytest.raises(MissingPluginError, match="installed but does not work: ImportError: no torch") as error:
        resolved.check_plugin()
    assert error.value.hint == "see `gansdk plugins`"


def test_the_only_one_that_fits_is_chosen(make, tmp_path):
    write(tmp_path / "builtin" / "other", "infogan", facts={})
    catalog = make(("srgan", ["srresnet-x4"], {}), ("infogan", ["other"], {}))
    choice = catalog.choose(TASK)
    assert (choice.ref, choice.why) == ("builtin:srresnet-x4", "the only installed model that fits")


def test_of_several_the_one_that_one_plugin_offers_is_chosen(make):
    catalog = make(("srgan", ["a", "b"], {"superres": "b"}), ("esrgan", ["c"], {}))
    choice = catalog.choose(TASK)
    assert (choice.ref, choice.why) == ("builtin:b", "offered by srgan")


@pytest.mark.parametrize(
    ("contributions", "said"),
    [
        (
            [("srgan", ["a"], {"superres": "a"}), ("esrgan", ["c"], {"superres": "c"})],
            "builtin:a, builtin:c are all offered as default for superres; name one, as in model=.builtin:a",
        ),
        (
            [("srgan", ["a", "b"], {})],
            "all fit and none is offered as default for superres; name one, as in model=.builtin:a",
        ),
        ([], "no installed model can do superres"),
    ],
)
def test_what_cannot_be_decided_ends_with_a_line_to_type(make, contributions, said):
    with pytest.raises(UsageError, match=said):
        make(*contributions).choose(TASK)


def test_a_shell_is_given_a_line_of_its_own(make):
    with called_from_shell(), pytest.raises(UsageError, match=r"gansdk default superres builtin:a$"):
        make(("srgan", ["a", "b"], {})).choose(TASK)


def test_the_users_default_goes_first(make):
    catalog = make(("srgan", ["a", "b"], {"superres": "b"}))
    catalog.settings.set_default("superres", "builtin:a")
    assert (catalog.choose(TASK).ref, catalog.choose(TASK).why) == ("builtin:a", "your default")


@pytest.mark.parametrize("ref", ["builtin:gone", "gone", "./gone"])
def test_a_default_that_no_longer_resolves_is_said_and_never_skipped(catalog, ref):
    catalog.settings.set_default("superres", ref)
    with pytest.raises(RefError, match="your default for superres") as error:
        catalog.choose(TASK)
    assert ref in error.value.message
    assert error.value.hint == "gansdk default superres --unset"


def test_a_default_that_no_longer_fits_is_said(catalog, tmp_path):
    catalog.settings.set_default("superres", str(write(tmp_path / "other", facts={})))
    with pytest.raises(RefError, match="it has no generator"):
        catalog.choose(TASK)


def test_a_damaged_built_in_model_is_listed_and_not_chosen(make, tmp_path):
    catalog = make(("srgan", ["a", "b"], {}))
    (tmp_path / "builtin" / "a" / "config.json").write_text("{}")
    damaged, whole = catalog.installed()
    assert (damaged.ref, damaged.config) == ("builtin:a", None)
    assert isinstance(damaged.error, ModelError)
    assert whole.config is not None
    assert catalog.choose(TASK).ref == "builtin:b"


def test_a_model_that_does_not_fit_is_refused_with_the_reason(catalog, tmp_path):
    resolved = catalog.locate(str(write(tmp_path / "other", facts={})))
    assert not fits(TASK, resolved.config)
    with pytest.raises(NotApplicableError, match=r"cannot do superres: it has no generator; see `gansdk models show"):
        check_fit(TASK, resolved)
    check_fit(TASK, catalog.locate("builtin:srresnet-x4"))


def test_a_predicate_that_raises_counts_as_no(catalog):
    def broken(_facts):
        raise KeyError("x")

    task = Task("broken", "", broken, (), {"record": "record"}, "a:b", "a:b")
    assert (
        unsupported_reason(task, catalog.locate("builtin:srresnet-x4").config.facts)
        == "the task could not tell: KeyError: 'x'"
    )
