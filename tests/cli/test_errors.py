"""Calls that are wrong: one line, exit code 2, and a JSON object for who asked for JSON."""

from __future__ import annotations

import pytest

WRONG = {
    "runn": "gansdk: there is no command 'runn'; did you mean run?",
    "models shwo x": "gansdk: there is no command of models 'shwo'; did you mean show?",
    "run supres a.png": "gansdk: there is no task 'supres'; did you mean superres?",
    "run": "gansdk: run needs a task; see `gansdk tasks`",
    "run superres a.png --max-pixel 3": "gansdk: there is no option '--max-pixel'; "
    "did you mean --max-pixels or --max-output-pixels?",
    "models --jsn": "gansdk: there is no option '--jsn'; did you mean --json?",
    "tasks --zzzzzzz": "gansdk: there is no option '--zzzzzzz'; see `gansdk tasks --help`",
    "models show": "gansdk: missing argument 'REF'; see `gansdk models show --help`",
    "models show a b": "gansdk: got unexpected extra argument(s) (b); see `gansdk models show --help`",
    "run superres a.png --tile": "gansdk: option '--tile' requires an argument; see --help",
    "models show builtin:qqqqqqq": "gansdk: there is no model 'builtin:qqqqqqq'; see `gansdk models`",
    "models show zzz": "gansdk: there is no model or alias 'zzz'; see `gansdk models` and `gansdk alias`",
    "models show hub:org/name:weights.pth": "gansdk: hub:org/name:weights.pth names a file, not a model; "
    "to make a model of it: gansdk import hub:org/name:weights.pth",
    "train srgn --config small --data x -o r": "gansdk: there is no method 'srgn'; did you mean srgan?",
    "alias set a/b builtin:x": None,
    "train": None,
}


@pytest.mark.parametrize("call", WRONG)
def test_a_wrong_call_is_one_line_and_exit_code_2(gansdk, call):
    done = gansdk(*call.split())
    assert (done.code, done.out) == (2, "")
    assert done.error.startswith("gansdk: ")
    if WRONG[call] is not None:
        assert done.error == WRONG[call]


@pytest.mark.parametrize("call", WRONG)
def test_with_json_it_is_an_object_on_stdout_wherever_the_flag_stands(gansdk, call):
    for arguments in (["--json", *call.split()], [*call.split(), "--json"]):
        done = gansdk(*arguments)
        assert (done.code, done.err) == (2, "")
        (record,) = done.records
        assert record["input"] is None
        assert sorted(record["error"]) == ["hint", "kind", "message"]


def test_verbose_adds_the_traceback(gansdk):
    done = gansdk("run", "supres", "--verbose")
    assert done.code == 2
    assert done.err.startswith("gansdk: there is no task 'supres'")
    assert "UnknownNameError" in done.err


def test_errors_are_said_even_when_quiet(gansdk):
    assert gansdk("runn", "--quiet").error.startswith("gansdk: there is no command")


def test_flags_after_two_hyphens_are_arguments(gansdk):
    done = gansdk("models", "show", "--", "--json")
    assert done.code == 2
    assert "'--json' does not name a model" in done.error
