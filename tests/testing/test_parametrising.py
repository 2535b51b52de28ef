"""The kit inside a plugin's own tests, run by pytest as an author runs them."""

from __future__ import annotations

import os
import subprocess
import sys

from exemplars import Change, install

TEST = """
from gansdk.testing import parametrize_with_checks

@parametrize_with_checks("gansdk-plugin-exemplar", expected_failures={expected})
def test_conformance(check):
    check()
"""


def run(tmp_path, monkeypatch, change, expected, choice):
    monkeypatch.setattr(sys, "path", list(sys.path))
    install(tmp_path / "site", change)
    (tmp_path / "test_conformance.py").write_text(TEST.replace("{expected}", repr(expected)), "utf-8")
    line = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-rA",
        "-k",
        choice,
        str(tmp_path / "test_conformance.py"),
    ]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site"), "GANSDK_HOME": str(tmp_path / "home")}
    return subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)


def test_each_check_is_a_test_that_passes_fails_is_skipped_or_fails_as_expected(tmp_path, monkeypatch):
    change = Change("model.py", ".clamp(0, 1)", ".repeat_interleave(1 + (source['image'].shape[0] > 2), 0)")
    done = run(tmp_path, monkeypatch, change, {"output-range": "issue 12"}, "builtin")
    told = done.stdout
    assert "PASSED test_conformance.py::test_conformance[loads-strictly@builtin:exemplar-x2]" in told
    assert "XFAIL test_conformance.py::test_conformance[output-range@builtin:exemplar-x2] - issue 12" in told
    assert "FAILED test_conformance.py::test_conformance[batch-of-n@builtin:exemplar-x2]" in told
    assert "What is made of an item must not depend on which others came along." in told
    assert done.returncode == 1


def test_an_unknown_plugin_ends_the_collection_with_its_message(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "test_it.py").write_text(TEST.replace("{expected}", "None"), "utf-8")
    line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path / "test_it.py")]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "there is no plugin, model or alias 'gansdk-plugin-exemplar'" in done.stdout
    assert done.returncode == 2
