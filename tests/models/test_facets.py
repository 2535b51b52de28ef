"""Facets held to their facts."""

from __future__ import annotations

import pytest
import torch

from gansdk import (
    Categorical,
    ClassifierFacts,
    Code,
    DiscriminatorFacts,
    Facts,
    ImageOutput,
    ImageSpec,
    MaskedImageGeneratorFacts,
    MaskedImageSource,
    Model,
)
from gansdk.errors import ModelError
from gansdk.models.facets import held_to

IMAGE = ImageSpec(channels=1, height=4, width=4)
DATA = torch.rand(3, 1, 4, 4)


class Stub:
    """All facets, giving what it was made with."""

    def __init__(self, output):
        self.output = output

    def discriminate(self, data, /, given=None):
        return self.output

    def classify(self, data, /):
        return self.output


def discriminator(output, **fields):
    facts = Facts(discriminator=DiscriminatorFacts(data=IMAGE, **fields))
    return held_to(facts, Model(facts, discriminator=Stub(output))).discriminator


def classifier(output):
    facts = Facts(classifier=ClassifierFacts(data=IMAGE, labels=("cat", "dog")))
    return held_to(facts, Model(facts, classifier=Stub(output))).classifier


def test_a_discriminator_gives_a_number_for_each_verdict():
    verdicts = ("real", "reconstructed", "sampled")
    assert discriminator(torch.zeros(3, 3), verdicts=verdicts).discriminate(DATA).shape == (3, 3)
    with pytest.raises(ModelError, match="the discriminator gave 3 numbers where the facts say 3×1"):
        discriminator(torch.zeros(3)).discriminate(DATA)


def test_a_discriminator_is_given_what_its_facts_name():
    given = (Code(name="z", n=2), Categorical(name="class", k=3))
    facet = discriminator(torch.zeros(3, 1), given=given)
    facet.discriminate(DATA, {"z": torch.zeros(3, 2), "class": torch.tensor([0, 1, 2])})
    with pytest.raises(ModelError, match="the discriminator was not given z"):
        facet.discriminate(DATA)
    with pytest.raises(ModelError, match="z gave 3×5 numbers where the facts say 3×2"):
        facet.discriminate(DATA, {"z": torch.zeros(3, 5), "class": torch.zeros(3, 3)})


def test_a_classifier_gives_a_logit_for_each_label():
    assert classifier(torch.zeros(3, 2)).classify(DATA).shape == (3, 2)
    with pytest.raises(ModelError, match="the classifier gave 3×5 numbers where the facts say 3×2"):
        classifier(torch.zeros(3, 5)).classify(DATA)


class Completer:
    """Adds a number to the whole image."""

    def __init__(self, added):
        self.added = added

    def generate(self, source, /):
        self.seen = source
        return source["image"] + self.added * (source["mask"] if self.added < 1 else 1)


def completer(facet, outside):
    facts = Facts(
        generator=MaskedImageGeneratorFacts(
            source=MaskedImageSource(channels=1), output=ImageOutput(channels=1), receptive_field=4, outside=outside
        )
    )
    return held_to(facts, Model(facts, generator=facet)).generator


def test_what_the_hole_shows_never_reaches_the_network():
    mask = torch.zeros(3, 1, 4, 4)
    mask[:, :, 1:3] = 1
    facet = Completer(0.5)
    first = completer(facet, "kept").generate({"image": DATA, "mask": mask})
    assert (facet.seen["image"][:, :, 1:3] == 0).all()
    assert torch.equal(facet.seen["image"][:, :, 0], DATA[:, :, 0])
    second = completer(facet, "kept").generate({"image": torch.where(mask > 0, 1 - DATA, DATA), "mask": mask})
    assert torch.equal(first, second)


def test_pixels_that_are_to_be_kept_are_kept():
    mask = torch.zeros(3, 1, 4, 4)
    mask[:, :, 1:3] = 1
    with pytest.raises(ModelError, match=r"changed pixels outside the hole, by up to 1\.000"):
        completer(Completer(1), "kept").generate({"image": DATA, "mask": mask})
    completer(Completer(1), "redrawn").generate({"image": DATA, "mask": mask})


def test_a_mask_has_the_size_of_its_image():
    with pytest.raises(ModelError, match="the mask is 3×1×2×4, and its image wants 3×1×4×4"):
        completer(Completer(0.5), "kept").generate({"image": DATA, "mask": torch.zeros(3, 1, 2, 4)})
