"""From options to a model: sizes, names, ranges."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

import gansdk
from gansdk_infogan import METHOD
from gansdk_infogan.model import assemble, codes, facts, networks, read
from gansdk_infogan.options import InfoGANOptions, NetworkOptions
from gansdk_infogan.recipe import name_categories

SMALL = NetworkOptions(hidden=16, features=2, code_hidden=8)


def parameters(options: NetworkOptions, name: str) -> int:
    return sum(one.numel() for one in networks(options)[name].parameters())


def test_the_papers_networks_have_the_papers_sizes() -> None:
    """Layer by layer, from appendix C.1 of the paper; biases before batch normalisation are none."""
    generator = 74 * 1024 + 2 * 1024 + 1024 * 6272 + 2 * 6272 + 128 * 64 * 16 + 2 * 64 + 64 * 16 + 1
    trunk = 64 * 16 + 64 + 64 * 128 * 16 + 2 * 128 + 6272 * 1024 + 2 * 1024
    q = 1024 * 128 + 2 * 128 + 128 * 12 + 12
    assert parameters(NetworkOptions(), "generator") == generator
    assert parameters(NetworkOptions(), "recogniser") == trunk + q


def test_what_ships_fits_in_two_million() -> None:
    values = METHOD.configs["small"].values
    options = InfoGANOptions(**values).network()
    assert sum(parameters(options, name) for name in ("generator", "recogniser")) <= 2_000_000


def test_codes_are_named_and_read_back_where_they_stand() -> None:
    options = NetworkOptions(categories="3,4", continuous=2, deviation="learnt")
    assert [variable.name for variable in codes(options)] == ["class_0", "class_1", "style"]
    numbers = read(torch.arange(11.0)[None], codes(options))
    assert numbers["class_0"].tolist() == [[0, 1, 2]]
    assert numbers["class_1"].tolist() == [[3, 4, 5, 6]]
    assert numbers["style"].tolist() == [[7, 8]]
    assert numbers["style.log"].tolist() == [[1, 1]]  # 9 and 10, bounded


def test_a_model_makes_images_and_reads_their_codes() -> None:
    declared = facts(SMALL, [f"number {digit}" for digit in range(10)])
    built = {name: network.eval() for name, network in networks(SMALL).items()}
    model = assemble(built, declared)
    assert isinstance(model, gansdk.Model)
    assert model.generator is not None
    assert model.encoder is not None
    source = {"noise": torch.rand(5, 62) * 2 - 1, "class": torch.arange(5), "style": torch.zeros(5, 2)}
    with torch.no_grad():
        images = model.generator.generate(source)
        weights = {**source, "class": torch.nn.functional.one_hot(torch.arange(5), 10).float()}
        assert torch.equal(model.generator.generate(weights), images)
        said = model.encoder.encode(images)
    assert images.shape == (5, 1, 28, 28)
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    assert said["class"].shape == (5, 10)
    torch.testing.assert_close(said["class"].sum(1), torch.ones(5))
    assert said["style"].shape == (5, 2)
    assert said["features"].shape == (5, 16)


@pytest.mark.parametrize("text", ["1", "ten", "10,", "0,10", "10;10"])
def test_categories_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="no categories"):
        NetworkOptions(categories=text)


def test_no_category_at_all_is_possible() -> None:
    options = NetworkOptions(categories="", continuous=3)
    assert [variable.name for variable in codes(options)] == ["style"]


def test_words_come_from_labelled_images() -> None:
    assert named([[0, 100, 0], [0, 0, 100], [100, 0, 0]]) == ["one", "two", "zero"]


def named(images: list[list[int]]) -> list[str]:
    """What categories are called as which so many images of each class are read: a row for each category."""
    pairs = [(category, one) for category, row in enumerate(images) for one, n in enumerate(row) for _ in range(n)]
    read_as, true = torch.tensor(pairs).T

    def recognise(some: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(some.flatten().long(), len(images)).float()

    labels = gansdk.Labels(true.numpy(), ("zero", "one", "two"))
    return list(name_categories(recognise, read_as.float().reshape(-1, 1, 1, 1), labels))


@pytest.mark.parametrize("right", [0, 26, 28, 30, 60])
def test_there_are_words_only_where_every_category_is_clearly_better_than_chance(right: int) -> None:
    """The last category; a third of all images are of its class. Wilson's interval, from his paper's formula."""
    others = (100 - right) // 2
    images = [[85, 0, others], [0, 85, others], [15, 15, right]]
    z, n = 2.5758, 30 + right
    share = right / n
    reach = z * ((share * (1 - share) + z**2 / (4 * n)) / n) ** 0.5
    low = (share + z**2 / (2 * n) - reach) / (1 + z**2 / n)
    assert named(images) == (["zero", "one", "two"] if low > 1 / 3 else [])
    assert (right >= 30) == (low > 1 / 3)


def test_a_category_that_nothing_is_read_as_leaves_all_without_words() -> None:
    assert named([[100, 0, 50], [0, 100, 50], [0, 0, 0]]) == []
