"""``gansdk check`` as a user calls it."""

from __future__ import annotations

import dataclasses
import sys

import pytest
from dists import write_distribution
from exemplars import Change, install


@pytest.fixture
def with_exemplar(gansdk, tmp_path, monkeypatch):
    """Makes the command with the exemplar plugin, changed in one place or not."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def make(change=None):
        install(tmp_path / "site", change)
        return dataclasses.replace(gansdk, path=(tmp_path / "site",))

    return make


def test_a_plugin_that_holds_ends_well(with_exemplar):
    done = with_exemplar()("check", "gansdk-plugin-exemplar")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["check", "of"]
    outcomes = [line.split()[0] for line in lines[1:]]
    assert set(outcomes) == {"passed", "skipped"}  # it has no latent and no encoder
    assert {line.split()[2] for line in lines[1:]} >= {"gansdk-plugin-exemplar", "exemplar", "exemplar/usual"}
    assert f"{outcomes.count('passed')} passed" in done.error


def test_a_model_that_fails_is_one_object_per_check_and_exit_code_1(with_exemplar):
    gansdk = with_exemplar(Change("model.py", "receptive_field=3", "receptive_field=2"))
    done = gansdk("check", "builtin:exemplar-x2", "--json", "--quiet")
    assert (done.code, done.err) == (1, "")
    records = {record["check"]: record for record in done.records}
    failed = records["receptive-field"]
    assert (failed["outcome"], failed["target"]) == ("failed", "builtin:exemplar-x2")
    assert failed["message"] == "an input pixel acts over 3 pixels, and its facts declare 2"
    assert records["tiled-equals-whole"]["outcome"] == "skipped"


def test_what_fails_is_explained_on_standard_error_without_tracebacks(gansdk, tmp_path):
    write_distribution(tmp_path / "site", "plug", "raise ValueError('two\\nlines')\n")
    done = dataclasses.replace(gansdk, path=(tmp_path / "site",))("check", "plug")
    assert done.code == 1
    assert "failed   plugin-works" in done.out
    assert "ValueError: two" in done.out
    assert "plugin-works: The plugin is found and hands over what it brings. One that fails is left out" in done.err
    assert "Traceback" not in done.err


def test_what_is_neither_a_plugin_nor_a_model_is_exit_code_2(with_exemplar):
    done = with_exemplar()("check", "exemplar")
    assert (done.code, done.out) == (2, "")
    assert done.error == "gansdk: there is no plugin, model or alias 'exemplar'; did you mean gansdk-plugin-exemplar?"
