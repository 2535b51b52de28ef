"""Phases by step, several data sources and few labels, on a recipe that has them all."""

from functools import partial

import few_labels
import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from trainings import metrics, state, stop_at

import gansdk
from gansdk.errors import InputError, TrainingError
from gansdk.testing.kit import Kit
from gansdk.testing.targets import MethodUnderTest, RecipeUnderTest
from gansdk.training import Player, Train, phase_weight, resume, train


@pytest.fixture
def sources(tmp_path):
    for number, folder in enumerate(["images/above", "images/below", "colours"]):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(4):
            pixels = np.random.default_rng((number, i)).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            PILImage.fromarray(pixels).save(tmp_path / folder / f"{i}.png")
    return {"images": str(tmp_path / "images"), "colours": str(tmp_path / "colours")}


INTERVALS = {"log_every": 1, "samples_every": 0, "checkpoint_every": 2, "device": "cpu", "precision": "fp32"}


def go(run, sources, **changes):
    return train(few_labels.METHOD, "usual", run, data=sources, **(INTERVALS | changes))


def test_players_and_terms_begin_at_their_steps(tmp_path, sources):
    go(tmp_path / "run", sources)
    lines = metrics(tmp_path / "run")
    assert ["generator/adversarial" in line for line in lines] == [False, False, True, True, True, True]
    assert [line["generator/colours"] > 0 for line in lines[2:]] == [False, True, True, True]
    assert all(line["discriminator/r1"] > 0 for line in lines)


@pytest.mark.parametrize("step", [1, 3, 5])
def test_it_resumes_exactly_in_every_phase(tmp_path, sources, step):
    go(tmp_path / "whole", sources)
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "halves", sources, progress=stop_at(step))
    assert state(tmp_path / "halves")[1]["step"] == step
    torch.manual_seed(5)
    resume(tmp_path / "halves", methods={"few-labels": few_labels.METHOD})
    whole, halves = (state(tmp_path / name) for name in ("whole", "halves"))
    assert whole[0].keys() == halves[0].keys()
    assert all(torch.equal(tensor, halves[0][name]) for name, tensor in whole[0].items())
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "halves")


def test_it_passes_the_kit():
    kit = Kit([MethodUnderTest(few_labels.METHOD), RecipeUnderTest(few_labels.METHOD, "usual")])
    results = {result.check.id: result for result in kit}
    failed = {name: result.message for name, result in results.items() if result.outcome == "failed"}
    assert not failed
    assert {"routes-are-real", "terms-have-weights", "signs-are-right", "resume-is-exact"} <= {
        name for name, result in results.items() if result.outcome == "passed"
    }


def test_a_turn_before_its_player_begins_is_refused():
    player = Player("late", torch.nn.Linear(1, 1), lambda tensors: torch.optim.SGD(tensors, lr=1.0), begins=2)
    training = Train([player])
    assert not training.has_begun(player)
    with pytest.raises(TrainingError, match="has a turn at step 0 and begins at step 2"):
        training.turn(player)


def test_a_schedule_counts_from_where_its_player_begins():
    layer, seen = torch.nn.Linear(1, 1, bias=False), []
    optimiser = partial(torch.optim.SGD, lr=1.0)
    player = Player("late", layer, optimiser, lambda step: seen.append(step) or 1.0, begins=2)
    training = Train([player])
    for training.step in (2, 3):
        with training.turn(player) as turn:
            turn.minimise({"loss": layer(torch.ones(1, 1)).sum()})
    assert seen == [0, 1]


def test_a_phase_begins_at_once_or_up_a_ramp():
    assert [phase_weight(step, 3) for step in range(5)] == [0, 0, 0, 1, 1]
    assert [phase_weight(step, 1, ramp=3) for step in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]


@pytest.fixture
def data():
    """Twelve images of three classes, each of one colour of its own."""
    images = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)
    labels = np.arange(12, dtype=np.int64) % 3
    return gansdk.StackedImages("dots", images, "CC0-1.0", "sha256:" + 64 * "0", labels, ("a", "b", "c"))


def test_as_many_of_each_class_are_labelled_and_the_rest_has_no_label(data):
    few = gansdk.labelled_subset(data, per_class=2, seed=1)
    assert np.bincount(few.labelled.labels).tolist() == [2, 2, 2]
    assert few.labelled.classes == ("a", "b", "c")
    assert (few.labelled.images.ravel() % 3 == few.labelled.labels).all()
    assert few.unlabelled.labels is None
    assert few.unlabelled.classes == ()
    assert sorted([*few.labelled.images.ravel(), *few.unlabelled.images.ravel()]) == list(range(12))
    stream = gansdk.ImageBatches(few.unlabelled, size=4, seed=0)
    assert all(stream.batch(index).keys() == {"images"} for index in range(5))
    with pytest.raises(InputError, match="has no labels"):
        gansdk.ImageBatches(few.unlabelled, size=4, seed=0, labelled=True)


def test_a_subset_is_known_by_its_digest(data):
    first, again, other = (gansdk.labelled_subset(data, per_class=2, seed=seed) for seed in (1, 1, 2))
    assert first.labelled.digest == again.labelled.digest
    assert len({data.digest, first.labelled.digest, first.unlabelled.digest, other.labelled.digest}) == 4
    larger = gansdk.labelled_subset(data, per_class=3, seed=1)
    assert set(first.labelled.images.ravel()) < set(larger.labelled.images.ravel())


@pytest.mark.parametrize("per_class", [0, 4])
def test_too_few_and_too_many_labels_are_refused(data, per_class):
    with pytest.raises(InputError, match="has 4 images of class 'a'"):
        gansdk.labelled_subset(data, per_class=per_class, seed=0)
