"""What a shell may complete, asked as bash asks; and the command as a module."""

from __future__ import annotations

import subprocess
import sys

import pytest
from command import PROGRAM


@pytest.fixture
def complete(with_kinds):
    """The words that a line may go on with; the last one may be begun."""

    def ask(*words):
        asking = {
            "_GANSDK_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(("gansdk", *words)),
            "COMP_CWORD": str(len(words)),
        }
        done = subprocess.run(
            [PROGRAM],
            capture_output=True,
            text=True,
            env=with_kinds.environment | asking,
            cwd=with_kinds.cwd,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return ask


def test_verbs_tasks_flags_and_models_are_completed(complete, with_kinds):
    assert with_kinds("alias", "set", "mine", "builtin:tiny-x2").code == 0
    assert complete("un") == ["unbundle"]
    assert {"superres", "kinds", "generate"} <= set(complete("run", ""))
    assert complete("map", "super") == ["superres"]
    assert complete("run", "superres", "--on-") == ["--on-exists"]
    for line in (("run", "superres", "-m", ""), ("models", "show", ""), ("eval", ""), ("default", "superres", "")):
        assert {"mine", "builtin:tiny-x2"} <= set(complete(*line)), line
    assert complete("run", "superres", "-m", "mi") == ["mine"]
    assert complete("default", "supe") == ["superres"]


def test_a_wrong_line_is_completed_by_nothing(complete):
    assert complete("nope", "") == []
    assert complete("run", "nope", "--") == []


def test_completing_imports_no_torch(with_kinds):
    code = """
import sys, os
os.environ.update(_GANSDK_COMPLETE="complete_bash", COMP_WORDS="gansdk\\nrun\\nsuperres\\n-m\\n", COMP_CWORD="4")
from gansdk.cli import main
assert main([]) == 0
assert "torch" not in sys.modules
"""
    assert "builtin:tiny-x2" in with_kinds.python(code)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_settings_can_be_seen(with_kinds, shell):
    asking = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    line = [PROGRAM, "--show-completion", shell]
    done = subprocess.run(line, capture_output=True, text=True, env=with_kinds.environment | asking, check=True)
    assert "_GANSDK_COMPLETE" in done.stdout


def test_it_is_a_module_too(with_kinds):
    line = [sys.executable, "-m", "gansdk", "nope"]
    done = subprocess.run(line, capture_output=True, text=True, env=with_kinds.environment, check=False)
    assert (done.returncode, done.stderr) == (2, "gansdk: there is no command 'nope'; see `gansdk --help`\n")
