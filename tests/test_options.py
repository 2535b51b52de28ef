"""Options declared once: what is accepted, what is refused in which words, what adapters see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from gansdk.errors import OptionError, UnknownNameError, called_from_shell
from gansdk.options import (
    Colour,
    ImageReading,
    ImageWriting,
    LoadOptions,
    Options,
    RecordWriting,
    Seed,
    describe,
    describe_all,
    parse_mapping,
    split,
)


class Everything(Options):
    count: Annotated[int, Field(ge=1, le=9, description="how many")] = 3
    strength: Annotated[float, Field(gt=0, le=1)] = 0.5
    mode: Literal["fast", "good"] = "good"
    loud: Annotated[bool, Field(description="say more")] = False
    file: Path | None = None
    tint: Colour = "white"
    title: str = ""
    seed: Seed = 0
    tile: Literal["auto", "off"] | Annotated[int, Field(ge=32)] = "auto"
    set: dict[str, str] = {}
    needed: Annotated[int, Field(ge=0)]


def test_adapters_see_flags_ranges_and_defaults():
    seen = {info.name: (info.flag, info.metavar, info.default) for info in describe(Everything)}
    assert seen == {
        "count": ("--count", "1..9", 3),
        "strength": ("--strength", ">0..1", 0.5),
        "mode": ("--mode", "fast|good", "good"),
        "loud": ("--loud", "true|false", False),
        "file": ("--file", "PATH", None),
        "tint": ("--tint", "COLOUR", "white"),
        "title": ("--title", "TEXT", ""),
        "seed": ("--seed", "0..", 0),
        "tile": ("--tile", "auto|off|32..", "auto"),
        "set": ("--set", "NAME=VALUE", {}),
        "needed": ("--needed", "0..", None),
    }
    infos = {info.name: info for info in describe(Everything)}
    assert [name for name, info in infos.items() if info.required] == ["needed"]
    assert [name for name, info in infos.items() if info.is_flag] == ["loud"]
    assert infos["count"].help == "how many"


def test_texts_become_values():
    texts = {"count": "4", "strength": "0.25", "tile": "64", "file": "a/b", "seed": "7", "needed": "1", "loud": True}
    (options,) = split([Everything], texts)
    assert (options.count, options.strength, options.tile, options.file) == (4, 0.25, 64, Path("a/b"))
    assert (options.seed, options.loud, options.mode) == (7, True, "good")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("count", "10", "--count '10' is not one of 1..9"),
        ("count", "many", "--count 'many' is not one of 1..9"),
        ("strength", "0", "--strength '0' is not one of >0..1"),
        ("mode", "best", "--mode 'best' is not one of fast|good"),
        ("tile", "7", "--tile '7' is not one of auto|off|32.."),
        ("tint", "greenish", "--tint 'greenish': no colour"),
        ("seed", "-1", "--seed '-1' is not one of 0.."),
    ],
)
def test_a_wrong_value_is_one_line_with_the_range(name, value, message):
    with called_from_shell(), pytest.raises(OptionError) as caught:
        split([Everything], {"needed": "0", name: value})
    assert caught.value.message.startswith(message)


class Ruled(Options):
    side: Annotated[int, Field(ge=4, le=256, multiple_of=4)] = 4
    tile: Annotated[int, Field(ge=4, multiple_of=4)] | Literal["auto"] = "auto"
    start: Annotated[Annotated[float, Field(allow_inf_nan=False)] | None, Field(description="from where")] = None
    word: Annotated[str, Field(pattern="^[a-z]+$", max_length=4)] = "a"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("side", "30", "--side '30' is not a multiple of 4 (4..256)"),
        ("side", "1000", "--side '1000' is not one of 4..256"),
        ("side", "30.5", "--side '30.5' is not a whole number (4..256)"),
        ("side", 30.5, "--side '30.5' is not a whole number (4..256)"),
        ("side", "1e400", "--side '1e400' is not one of 4..256"),
        ("tile", "30", "--tile '30' is not a multiple of 4 (4..|auto)"),
        ("tile", "of", "--tile 'of' is not one of 4..|auto"),
        ("start", "inf", "--start 'inf' is not a finite number (NUMBER)"),
        ("word", "A", "--word 'A': string should match pattern '^[a-z]+$'"),
        ("word", "words", "--word 'words': string should have at most 4 characters"),
        ("word", 3, "--word '3' is not a valid string (TEXT)"),
    ],
)
def test_a_rule_that_the_range_does_not_say_is_named(name, value, message):
    with called_from_shell(), pytest.raises(OptionError) as caught:
        split([Ruled], {name: value})
    assert caught.value.message == message


class Named(Options):
    channels: Literal[1, 3] = 1
    bits: Literal["auto"] | Literal[8, 16] | None = None


def test_numbers_that_are_named_one_by_one_are_read_from_texts_too():
    (named,) = split([Named], {"channels": "3", "bits": "16"})
    assert (named.channels, named.bits) == (3, 16)
    assert split([Named], {"bits": "auto"}) == [Named(bits="auto")]
    with called_from_shell(), pytest.raises(OptionError, match=r"--channels '2' is not one of 1\|3"):
        split([Named], {"channels": "2"})


def test_all_wrong_values_of_all_groups_are_named_at_once():
    with called_from_shell(), pytest.raises(OptionError) as caught:
        split([LoadOptions, Everything], {"threads": "0", "count": "0"})
    message = caught.value.message
    assert "--threads '0' is not one of auto|1..1024" in message
    assert "--count '0'" in message
    assert "--needed is required (0..)" in message
    assert "\n" not in message


def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(UnknownNameError, match="there is no option 'threds'; did you mean threads"):
        split([LoadOptions], {"threds": 2})


def test_a_name_in_two_groups_goes_to_both_and_is_listed_once():
    image, record = split([ImageWriting, RecordWriting], {"on_exists": "skip"})
    assert image.on_exists == record.on_exists == "skip"
    names = [info.name for info in describe_all([ImageWriting, RecordWriting])]
    assert names.count("on_exists") == 1


def test_none_is_not_given():
    assert split([ImageReading], {"max_pixels": None}) == [ImageReading()]


def test_options_cannot_be_changed_or_extended():
    options = LoadOptions()
    with pytest.raises(ValidationError):
        options.device = "cpu"
    with pytest.raises(ValidationError):
        LoadOptions(devise="cpu")


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:12"])
def test_devices(device):
    assert LoadOptions(device=device).device == device


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", ""])
def test_what_is_no_device(device):
    with pytest.raises(OptionError, match="no device"):
        split([LoadOptions], {"device": device})


def test_mappings():
    assert parse_mapping("--set", ["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for entries, message in (
        (["a"], "not of the form"),
        (["=1"], "not of the form"),
        (["a=1", "a=2"], "names 'a' twice"),
    ):
        with pytest.raises(OptionError, match=message):
            parse_mapping("--set", entries)
