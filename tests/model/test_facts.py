"""What a model declares, as data."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from gansdk.model.facts import (
    ClassifierFacts,
    DiscriminatorFacts,
    EncoderFacts,
    Facts,
    ImageGeneratorFacts,
    ImageOutput,
    ImageSource,
    ImageSpec,
    LatentGeneratorFacts,
    LatentSource,
    MaskedImageGeneratorFacts,
    MaskedImageSource,
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


COMPLETING = Facts(
    generator=MaskedImageGeneratorFacts(
        source=MaskedImageSource(), output=ImageOutput(), receptive_field="global", outside="kept"
    )
)
TELLING = Facts(
    discriminator=DiscriminatorFacts(data=DIGITS, given=PARTS, verdicts=("real", "sampled"), gives="scores"),
    classifier=ClassifierFacts(data=DIGITS, labels=("zero", "one")),
)


@pytest.mark.parametrize("facts", [BOTH, ENLARGING, COMPLETING, TELLING, Facts()])
def test_facts_come_back_from_json_as_they_were(facts):
    assert Facts.model_validate_json(facts.model_dump_json()) == facts
    assert facts.lost_in_json() == ""


def test_facts_without_the_later_facets_still_read():
    old = {"generator": None, "encoder": None, "safe_precisions": []}
    assert Facts.model_validate(old) == Facts()


class Wider(LatentGeneratorFacts):
    width: int = 3


class Grainy(Noise):
    pass


class Moody(Facts):
    mood: str = "good"


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (Facts(generator=Wider(source=BOTH.generator.source, output=DIGITS, width=9)), "Wider"),
        (
            Facts(generator=LatentGeneratorFacts(source=LatentSource(variables=(Grainy(n=3),)), output=DIGITS)),
            "Grainy",
        ),
        (Moody(), "Moody"),
    ],
)
def test_a_subclass_whose_fields_would_be_lost_is_named(facts, name):
    assert facts.lost_in_json().startswith(f"{name} is a class of a plugin")


def test_a_facet_that_was_asked_for_before_is_there():
    assert BOTH.require(LatentGeneratorFacts) is BOTH.generator
    assert TELLING.require(ClassifierFacts) is TELLING.classifier
    with pytest.raises(TypeError, match="a model without ImageGeneratorFacts was given"):
        BOTH.require(ImageGeneratorFacts)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ClassifierFacts(data=DIGITS, labels=("a", "a")),
        lambda: DiscriminatorFacts(data=DIGITS, verdicts=("real", "real")),
    ],
)
def test_labels_differ(make):
    with pytest.raises(ValidationError, match="are the same"):
        make()


def test_a_completed_image_has_the_size_of_its_source():
    with pytest.raises(ValidationError, match="the size and the channels of its source"):
        MaskedImageGeneratorFacts(
            source=MaskedImageSource(), output=ImageOutput(scale=2), receptive_field=1, outside="kept"
        )


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
        ({"source": {"kind": "sound"}}, "'sound to image'.*does not match any of the expected tags"),
        ({"output": {"height": 0, "width": 28}}, "greater than or equal to 1"),
        ({"output": {"height": 28, "width": 28, "scale": 4}}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(change, said):
    raw = json.loads(BOTH.model_dump_json())
    raw["generator"].update(change)
    with pytest.raises(ValidationError, match=said):
        Facts.model_validate(raw)
