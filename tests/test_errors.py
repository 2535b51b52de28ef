"""The tree of errors: exit codes, one line each, suggestions."""

from __future__ import annotations

import pytest

from gansdk import errors


def tree(cls):
    yield cls
    for child in cls.__subclasses__():
        yield from tree(child)


CLASSES = [cls for cls in tree(errors.GansdkError) if cls.__module__ == "gansdk.errors"]


@pytest.mark.parametrize("cls", CLASSES)
def test_the_drawing_at_the_top_is_the_tree(cls):
    assert cls.__name__ in errors.__doc__
    assert cls.exit_code == (2 if issubclass(cls, errors.UsageError) else 1)


def test_kinds_differ():
    assert len({cls.kind for cls in CLASSES}) == len(CLASSES)


def test_an_error_is_one_line_and_a_record():
    error = errors.InputError("a is broken", hint="get it again")
    assert str(error) == "a is broken; get it again"
    assert error.as_record() == {"kind": "input", "message": "a is broken", "hint": "get it again"}
    assert str(errors.InputError("a is broken")) == "a is broken"


def test_an_unknown_name_suggests_what_is_near():
    error = errors.UnknownNameError("task", "supperres", ["superres", "generate"])
    assert str(error) == "there is no task 'supperres'; did you mean superres?"
    assert errors.UnknownNameError("task", "gen", ["superres", "generate"]).suggestions == ["generate"]
    assert errors.UnknownNameError("task", "zzz", ["superres"], hint="see `gansdk tasks`").hint == "see `gansdk tasks`"
