"""Cards of models whose generator starts from a latent, as ``gansdk card`` makes them."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sketch
from command import Gansdk
from dists import write_distribution
from huggingface_hub import ModelCard
from PIL import Image as PILImage

from gansdk.cards.card import applicable, gather
from gansdk.cards.rendering import render
from gansdk.data.mnist import MNIST
from gansdk.evaluation.evaluated_model import OTHER_CHECKPOINT
from gansdk.evaluation.record import Estimate, Evaluation, Measurement
from gansdk.model.config import Trained, TrainingData
from gansdk.model.facts import Facts
from gansdk.models.catalog import Catalog
from gansdk.plugins.registry import Contributions, PluginSource, discover
from gansdk.settings import Settings
from gansdk.tasks.encode import ENCODE

if TYPE_CHECKING:
    from gansdk.cards.card import Card
    from gansdk.plugins.declarations import Task

SUPPORT = Path(sketch.__file__).parent
MADE = ("card-samples.webp", "card-sweep-style-0.webp", "card-sweep-style-1.webp", "card-doubtful.webp")
EVALUATOR = "that of mnist, right on 99.50% of its 10000 test images"


def measured(metric: str, value: float, **fields) -> Measurement:
    given = {"data": "mnist:test", "digest": MNIST.splits["test"].digest, "protocol": {}} | fields
    return Measurement(metric=metric, value=value, **given)


FIDELITY = measured(
    "code-fidelity",
    0.9,
    interval=(0.88, 0.92),
    baseline=Estimate(value=0.1),
    protocol={"evaluator": EVALUATOR, "seed": 1},
)
ACCURACY = measured("clustering-accuracy", 0.95, references={"by its own words": 0.94})


@pytest.fixture
def card(tmp_path) -> Card:
    """That of the sketch, as if it had been trained on MNIST and measured."""
    sketch.write(tmp_path / "mine")
    registry = discover().add(
        Contributions(PluginSource("gansdk-plugin-sketch", "0.1", "sketch"), methods=(sketch.METHOD,))
    )
    catalog = Catalog(registry, Settings())
    card = gather(catalog, catalog.locate(tmp_path / "mine"), MADE)
    return dataclasses.replace(
        card, evaluation=Evaluation(measurements=(FIDELITY, ACCURACY), baseline="another training")
    )


def test_tasks_of_other_plugins_are_not_named(tmp_path):
    """Whoever reads the card may not have them, and its line for pip does not bring them."""
    sketch.write(tmp_path / "mine")

    def task(name: str) -> Task:
        return dataclasses.replace(ENCODE, name=name)

    own = Contributions(PluginSource("sketch", "0.1", "sketch"), methods=(sketch.METHOD,), tasks=(task("own"),))
    other = Contributions(PluginSource("other", "0.1", "other"), tasks=(task("foreign"),))
    catalog = Catalog(discover().add(own).add(other), Settings())
    text = render(gather(catalog, catalog.locate(tmp_path / "mine")))
    assert {"encode", "generate", "own"} <= set(ModelCard(text).data.tags)
    assert "gansdk run own" in text
    assert "foreign" not in text


def region(text: str, name: str) -> str:
    found = re.search(f"<!-- gansdk:begin {name} -->\n(.*)<!-- gansdk:end {name} -->", text, re.DOTALL)
    return found.group(1) if found else ""


def test_the_command_makes_a_card_whose_examples_run(tmp_path):
    """The program that a card prints does what its commands do; it is run as it stands, and so is one of them."""
    write_distribution(tmp_path / "plugin", "gansdk-plugin-sketch", None, module="sketch")
    gansdk = Gansdk(tmp_path / "home", tmp_path, (tmp_path / "plugin", SUPPORT))
    sketch.write(tmp_path / "mine")
    done = gansdk("card", "./mine")
    assert (done.code, done.out) == (0, "")
    assert f"mine/README.md is written; {', '.join(MADE)} beside it" in done.err
    text = (tmp_path / "mine" / "README.md").read_text("utf-8")
    assert all(f"]({name})" in text for name in MADE)
    assert all((tmp_path / "mine" / name).stat().st_size < 300_000 for name in MADE)
    again = gansdk("card", "./mine", "--no-images")
    assert again.code == 0
    assert (tmp_path / "mine" / "README.md").read_text("utf-8") == text

    PILImage.new("L", (8, 10)).save(tmp_path / "image.png")
    commands = re.findall("^    gansdk (run .*)$", region(text, "run"), re.MULTILINE)
    assert commands == [
        "run encode image.png --model ./mine",
        "run generate --model ./mine -n 16 -o samples.png",
        "run generate --model ./mine --set class=zero -n 16 -o zero.png",
        "run traverse --model ./mine --code class -o class.png",
        "run traverse --model ./mine --code style.0 -o style.webp",
    ]
    assert gansdk(*shlex.split(commands[2])).code == 0
    (tmp_path / "zero.png").unlink()
    program = region(text, "run").partition("```python\n")[2].partition("```")[0]
    assert "'class'" in gansdk.python(program)
    assert (tmp_path / "zero.png").is_file()
    assert (tmp_path / "style.webp").is_file()


def test_each_image_has_a_caption(card):
    text = region(render(card), "images")
    assert "Each column is a value of `class`, and each row is a sample" in text
    assert "`style.0` from -2 to 2 (in training from -1 to 1)" in text
    assert "`style.1` from -2 to 2" in text


def test_where_it_fails_is_how_often_and_what_that_looks_like(card):
    text = region(render(card), "failures")
    assert "In 10.0% (8.0% to 12.0%) of its samples, and in 90.0% of its baseline's, an evaluator sees another" in text
    assert f"The evaluator: {EVALUATOR}." in text
    assert "gets 5.0% of the images of mnist:test wrong once each category is matched with a class, and 6.0% by" in text
    assert "(card-doubtful.webp)" in text
    bare = dataclasses.replace(card, evaluation=Evaluation(), images=())
    assert region(render(bare), "failures") == ""


def test_limits_are_those_of_latents_and_encoders(card):
    text = region(render(card), "limits")
    assert "It gives images of 8×10 pixels, grey, and no others." in text
    assert "In training `style` lay between -1 and 1" in text
    assert "Its encoder reads `class`, `style`, `features` from images of 8×10 pixels, grey" in text
    assert "without labels" not in text


def test_categories_in_another_order_than_the_datas_classes_were_found_without_labels(card):
    found, taught = MNIST.classes[::-1], MNIST.classes
    assert "of `class` were found without labels" in region(render(named(card, found)), "limits")
    assert "without labels" not in region(render(named(card, taught)), "limits")


def test_no_two_commands_of_a_card_write_one_file(card):
    for labels in (MNIST.classes, ()):
        text = region(render(named(card, labels)), "run")
        outputs = re.findall(r"^    gansdk run .* -o (\S+)$", text, re.MULTILINE)
        assert len(outputs) == len(set(outputs)) >= 4


def named(card: Card, labels: tuple[str, ...]) -> Card:
    """It, with ten categories of these names, trained on MNIST."""
    facts = card.config.facts.model_dump()
    facts["generator"]["source"]["variables"][1].update(k=10, labels=labels)
    split = MNIST.splits["train"]
    data = (TrainingData(name="mnist:train", licence="CC0-1.0", items=split.items, digest=split.digest),)
    trained = Trained(recipe="a:b", config="c", seed=0, steps=1, data=data)
    changed = {"facts": Facts.model_validate(facts), "trained": trained}
    return dataclasses.replace(card, config=card.config.model_copy(update=changed))


def test_data_sets_are_named_by_their_own_names_and_another_training_as_the_baseline(card):
    def command(**changed) -> str:
        evaluation = Evaluation(measurements=(FIDELITY.model_copy(update=changed),), baseline="another training")
        return evaluating(dataclasses.replace(card, evaluation=evaluation))

    assert command() == "gansdk eval run/ --data mnist:test --baseline baseline/"
    assert command(data="digits", baseline=None) == "gansdk eval run/ --data digits=mnist:test"
    assert command(digest="", baseline=None) == "gansdk eval run/ --data mnist:test"
    assert command(digest="sha256:0", baseline=None) == "gansdk eval run/ --data mnist:test=FOLDER-OR-ZIP"
    ended = dataclasses.replace(card, evaluation=card.evaluation.model_copy(update={"baseline": OTHER_CHECKPOINT}))
    assert "--baseline" not in evaluating(ended)


def evaluating(card: Card) -> str:
    return next(line.strip() for line in region(render(card), "reproducing").splitlines() if "gansdk eval" in line)


def test_tags_name_all_that_a_model_does(card):
    data = ModelCard(render(card)).data
    assert data.pipeline_tag == "unconditional-image-generation"
    assert {"image-classification", "image-feature-extraction", "generate"} <= set(data.tags)
    assert {(one.dataset_type, one.dataset_split) for one in data.eval_results} == {("mnist", "test")}
    facts = card.config.facts
    features = facts.encoder.model_copy(update={"variables": facts.encoder.variables[-1:]})
    for encoder, tag in ((facts.encoder, "image-classification"), (features, "image-feature-extraction")):
        alone = facts.model_copy(update={"generator": None, "encoder": encoder})
        changed = dataclasses.replace(card, config=card.config.model_copy(update={"facts": alone}))
        assert ModelCard(render(changed)).data.pipeline_tag == tag


def test_a_latent_that_cannot_be_drawn_makes_no_images(card):
    facts = card.config.facts.model_dump()
    facts["generator"]["source"]["variables"] = [{"kind": "code", "name": "z", "n": 3}]
    assert applicable(card.config.model_copy(update={"facts": Facts.model_validate(facts)})) == ()
    assert applicable(card.config) == MADE
