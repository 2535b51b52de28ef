import pytest
from PIL import Image as PILImage
from trainings import metrics, train


def test_the_log_has_every_term_averaged_over_its_interval(tmp_path, photos):
    train(tmp_path / "each", photos, log_every=1, samples_every=0, checkpoint_every=500)
    train(tmp_path / "pairs", photos, log_every=4, samples_every=0, checkpoint_every=500)
    each, pairs = metrics(tmp_path / "each"), metrics(tmp_path / "pairs")
    terms = ["discriminator/real", "discriminator/fake", "generator/look", "generator/gan"]
    assert list(each[0]) == ["step", *terms]
    assert [line["step"] for line in each] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in pairs] == [4, 6]
    for term in terms:
        assert pairs[0][term] == pytest.approx(sum(line[term] for line in each[:4]) / 4)
        assert pairs[1][term] == pytest.approx(sum(line[term] for line in each[4:]) / 2)


def test_the_curves_are_drawn_at_each_checkpoint(tmp_path, photos):
    train(tmp_path / "run", photos)
    with PILImage.open(tmp_path / "run" / "curves.png") as curves:
        assert curves.size == (720, 480)  # two players
