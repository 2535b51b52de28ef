"""What a model declares, as data."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from gansdk.model.facts import (
    EncoderFacts,
    Facts,
    ImageGeneratorFacts,
    ImageOutput,
    ImageSource,
    ImageSpec,
    LatentGeneratorFacts,
    LatentSource,
)
from gansdk.model.variables import Categorical, Code, Continuous, Features, Noise

DIGITS = ImageSpec(channels=1, height=28, width=28)
PARTS = (Noise(n=62, distribution="uniform"), Categorical(name="class", k=10), Continuous(name="style", n=2))
BOTH = Facts(
    generator=LatentGeneratorFacts(source=LatentSource(variables=PARTS), output=DIGITS),
    encoder=EncoderFacts(data=DIGITS, variables=(*PARTS[1:], Features(n=1024))),
)
ENLARGING = Facts(
    generator=ImageGeneratorFacts(source=ImageSource(), output=ImageOutput(scale=4), receptive_field=39),
    safe_precisions=("bf16",),
)


@pytest.mark.parametrize("facts", [BOTH, ENLARGING, Facts()])
def test_facts_come_back_from_json_as_they_were(facts):
    assert Facts.model_validate_json(facts.model_dump_json()) == facts


def test_a_generator_without_words_on_its_source_starts_from_a_image():
    text = '{"generator": {"source": {}, "output": {"scale": 2}, "receptive_field": "global"}}'
    generator = Facts.model_validate_json(text).generator
    assert generator == ImageGeneratorFacts(source=ImageSource(), output=ImageOutput(scale=2), receptive_field="global")


def test_a_latent_is_sampleable_unless_a_part_has_no_law():
    assert LatentSource(variables=PARTS).is_sampleable
    assert not LatentSource(variables=(*PARTS, Code(name="z", n=8))).is_sampleable


def test_an_encoder_covers_a_latent_whose_every_part_it_gives():
    latent = LatentSource(variables=PARTS)
    assert not BOTH.encoder.covers(latent)
    assert BOTH.encoder.covers(LatentSource(variables=PARTS[1:]))
    assert EncoderFacts(data=DIGITS, variables=PARTS).covers(latent)
    wider = (Noise(n=63, distribution="uniform"), *PARTS[1:])
    assert not EncoderFacts(data=DIGITS, variables=wider).covers(latent)


def test_two_parts_of_one_name_are_refused():
    with pytest.raises(ValidationError, match="two variables are called style"):
        LatentSource(variables=(Continuous(name="style"), Noise(name="style", n=3)))
    with pytest.raises(ValidationError, match="two variables are called features"):
        EncoderFacts(data=DIGITS, variables=(Features(n=1), Features(n=2)))
    with pytest.raises(ValidationError, match="no variable can be called pixels"):
        LatentSource(variables=(Code(name="pixels", n=1),))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": {"kind": "latent", "variables": []}}, "at least 1 item"),
        ({"source": {"kind": "sound"}}, "does not match any of the expected tags"),
        ({"output": {"height": 0, "width": 28}}, "greater than or equal to 1"),
        ({"output": {"height": 28, "width": 28, "scale": 4}}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(change, said):
    raw = json.loads(BOTH.model_dump_json())
    raw["generator"].update(change)
    with pytest.raises(ValidationError, match=said):
        Facts.model_validate(raw)
