"""The tree of errors: exit codes, one line each, suggestions."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PILImage

from gansdk import errors
from gansdk.models.pipelines import Pipeline
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions
from gansdk.tasks.superres import SUPERRES


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


def test_options_are_spelled_as_the_caller_types_them():
    def spelled():
        return [
            errors.option("on_exists"),
            errors.option("strict", True),
            errors.option("n", 3),
            errors.option("tile", "auto", "off", 64),
            errors.entry("set", "class", "three"),
        ]

    python = ["on_exists", "strict=True", "n=3", 'tile="auto", "off" or 64', 'set={"class": "three"}']
    assert spelled() == python
    with errors.called_from_shell():
        assert spelled() == ["--on-exists", "--strict", "-n 3", "--tile auto, off or 64", "--set class=three"]
    assert spelled() == python


FLAG = r"(?:^|\W)--?[a-z]"


@pytest.mark.parametrize(
    ("options", "keyword"),
    [
        ({"tile": 16}, "the smallest is"),
        ({"max_pixels": 100}, "max_pixels="),
        ({"max_output_pixels": 100}, "max_output_pixels="),
        ({"frame": 1}, "leave out frame"),
        ({"quality": 3}, "there is no option 'quality'"),
        ({"scale": 99}, "scale '99' is not one of"),
    ],
)
def test_a_mistake_in_python_is_answered_in_python(tmp_path, options, keyword):
    tiny.write(tmp_path / "model")
    sharpen = Pipeline(SUPERRES, ResolvedModel.at(tmp_path / "model", tiny.METHOD), LoadOptions(device="cpu"))
    with pytest.raises(errors.GansdkError) as caught:
        sharpen(np.zeros((100, 100, 3), np.uint8), **options)
    assert keyword in str(caught.value)
    assert not re.search(FLAG, str(caught.value))


def test_the_same_mistakes_in_a_shell_are_answered_in_flags(with_kinds):
    PILImage.new("RGB", (100, 100)).save(with_kinds.cwd / "a.png")
    PILImage.new("RGBA", (4, 4), (1, 2, 3, 0)).save(with_kinds.cwd / "clear.png")  # a reading thread says of it
    for line, flag in [
        (["a.png", "--max-pixels", "100"], "allow it with --max-pixels 10000"),
        (["a.png", "--frame", "1"], "leave out --frame"),
        (["a.png", "--scale", "99"], "--scale '99' is not one of"),
        (["clear.png", "-o", "clear.jpg"], "give --background white or another colour"),
    ]:
        done = with_kinds("run", "superres", "--model", "builtin:tiny-x2", *line)
        assert flag in done.err


@given(st.text(), st.text(min_size=1))
def test_an_error_is_one_line_that_a_terminal_obeys_nothing_in(message, hint):
    """Both quote what files and servers sent, as a config's field whose name has line ends."""
    error = errors.ModelError(message, hint=hint)
    for text in (str(error), error.message, error.hint):
        assert len(text.splitlines()) <= 1
        assert text.isprintable()
