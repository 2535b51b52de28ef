"""Latents: drawn, set, checked."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gansdk import Categorical, Code, Continuous, LatentSource, Noise
from gansdk.errors import NotApplicableError, OptionError
from gansdk.models.latents import check_latent, draw
from gansdk.models.variable_settings import read_settings

SOURCE = LatentSource(
    variables=(
        Noise(n=5),
        Noise(name="grain", n=2, distribution="uniform", low=-3, high=1),
        Categorical(name="class", k=3, labels=("zero", "one", "two")),
        Continuous(name="style", n=2, low=-1, high=1),
    )
)


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


def test_the_first_ten_of_a_hundred_are_the_ten():
    ten, hundred = draw(SOURCE, 7, range(10)), draw(SOURCE, 7, range(100))
    assert same(ten, {name: array[:10] for name, array in hundred.items()})
    assert same(draw(SOURCE, 7, [42]), {name: array[42:43] for name, array in hundred.items()})


def test_seeds_and_samples_differ():
    noise = draw(SOURCE, 0, range(50))["noise"]
    assert len(np.unique(noise)) == noise.size
    assert not np.isin(draw(SOURCE, 1, range(50))["noise"], noise).any()


def test_these_very_numbers_come_out_on_every_machine():
    drawn = draw(SOURCE, 3, [5])
    random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(3, spawn_key=(5,))))
    np.testing.assert_array_equal(drawn["noise"][0], random.standard_normal(5).astype(np.float32))
    np.testing.assert_array_equal(drawn["grain"][0], random.uniform(-3, 1, 2).astype(np.float32))
    assert drawn["class"][0] == random.integers(3)


def test_each_part_follows_its_law():
    drawn = draw(SOURCE, 0, range(4000))
    assert drawn["noise"].dtype == drawn["style"].dtype == np.float32
    assert drawn["class"].dtype == np.int64
    assert stats.kstest(drawn["noise"].ravel(), "norm").pvalue > 0.01
    assert stats.kstest(drawn["grain"].ravel(), stats.uniform(-3, 4).cdf).pvalue > 0.01
    assert stats.kstest(drawn["style"].ravel(), stats.uniform(-1, 2).cdf).pvalue > 0.01
    assert stats.chisquare(np.bincount(drawn["class"])).pvalue > 0.01


def test_truncated_noise_follows_the_normal_law_cut_off():
    drawn, whole = draw(SOURCE, 0, range(4000), truncation=0.7), draw(SOURCE, 0, range(4000))
    numbers = drawn["noise"].ravel()
    assert np.abs(numbers).max() <= 0.7
    assert stats.kstest(numbers, stats.truncnorm(-0.7, 0.7).cdf).pvalue > 0.01
    assert (np.argsort(numbers[:99]) == np.argsort(whole["noise"].ravel()[:99])).all()
    assert same({"grain": drawn["grain"]}, {"grain": whole["grain"]})


def test_what_has_no_law_cannot_be_drawn():
    with pytest.raises(NotApplicableError, match="z of this model has no distribution"):
        draw(LatentSource(variables=(Code(name="z", n=3),)), 0, range(1))
    with pytest.raises(NotApplicableError, match="truncation is for normal noise"):
        draw(LatentSource(variables=(Continuous(name="a"),)), 0, range(1), truncation=1)


@pytest.mark.parametrize(
    ("texts", "name", "expected"),
    [
        ({"class": "two"}, "class", [2, 2]),
        ({"class": "1"}, "class", [1, 1]),
        ({"class": "Two"}, "class", [2, 2]),
        ({"class": " two "}, "class", [2, 2]),
        ({"class": " 1 "}, "class", [1, 1]),
        ({"style": "-1.5,2"}, "style", [[-1.5, 2], [-1.5, 2]]),
    ],
)
def test_a_setting_holds_a_code_in_all_samples(texts, name, expected):
    latent, free = draw(SOURCE, 0, range(2)), draw(SOURCE, 0, range(2))
    for setting in read_settings(SOURCE, texts):
        setting.apply(latent)
    np.testing.assert_array_equal(latent.pop(name), np.array(expected, free.pop(name).dtype))
    assert same(latent, free)


def test_one_number_of_a_code_can_be_set_alone():
    latent, free = draw(SOURCE, 0, range(3)), draw(SOURCE, 0, range(3))
    for setting in read_settings(SOURCE, {"style.1": "-1.5", "noise.4": "1e-3"}):
        setting.apply(latent)
    assert (latent["style"][:, 1] == -1.5).all()
    assert (latent["noise"][:, 4] == np.float32(1e-3)).all()
    np.testing.assert_array_equal(latent["style"][:, 0], free["style"][:, 0])


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ({"a": "1.5", "b": "-1,1"}, []),
        ({"a": "1.6"}, ["a=1.6"]),
        ({"b": "-1.5,-0.9"}, ["b.0=-1.5"]),
        ({"b.1": "2"}, ["b.1=2"]),
        ({"noise.0": "99"}, []),
    ],
)
def test_numbers_beyond_training_and_sweep_are_told(texts, names):
    wide, narrow = Continuous(name="a", sweep=(-1.5, 1.5)), Continuous(name="b", n=2, sweep=(-0.5, 0.5))
    settings = read_settings(LatentSource(variables=(Noise(n=2), wide, narrow)), texts)
    lines = [line for setting in settings for line in setting.out_of_range]
    assert [line.partition(" lies outside ")[0] for line in lines] == names
    assert all(line.endswith("trained on -1 to 1") for line in lines)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            {"clas": "1"},
            r"no code 'clas'; this model has noise\.0 to noise\.4, .*style\.0 to style\.1; did you mean class",
        ),
        ({"class.0": "1"}, r"no code 'class\.0'"),
        ({"style.2": "1"}, r"no code 'style\.2'"),
        ({"style.x": "1"}, r"no code 'style\.x'"),
        ({"class": "3"}, r"set={\"class\": \"3\"}: class takes one of zero \(0\), one \(1\), two \(2\)"),
        ({"class": "-1"}, r"class takes one of zero \(0\), one \(1\), two \(2\)$"),
        ({"class": "twoo"}, r"class takes one of zero \(0\), one \(1\), two \(2\); did you mean two\?$"),
        ({"class": "²"}, "class takes one of"),
        ({"style": "1"}, r"set={\"style\": \"1\"}: style takes 2 numbers joined by commas; or set one of them"),
        ({"style.0": "much"}, r"style\.0 takes a number"),
        ({"style.0": "nan"}, r"style\.0 takes a number"),
        ({"style": "1,2", "style.0": "1"}, "set sets style twice"),
    ],
)
def test_what_no_code_can_be_is_refused(texts, said):
    with pytest.raises(OptionError, match=said):
        read_settings(SOURCE, texts)


def test_case_decides_where_two_words_differ_in_it_alone():
    source = LatentSource(variables=(Categorical(name="letter", k=3, labels=("ab", "AB", "b")),))
    values = [read_settings(source, {"letter": text})[0].values for text in ("ab", "AB", " AB", "B")]
    assert values == [(0,), (1,), (1,), (2,)]
    with pytest.raises(OptionError, match=r"letter takes one of ab \(0\), AB \(1\), b \(2\)"):
        read_settings(source, {"letter": "Ab"})


def test_a_latent_from_elsewhere_is_taken_as_it_is():
    drawn = draw(SOURCE, 0, range(4))
    taken = check_latent(SOURCE, {**drawn, "image": np.zeros(3)}, "x.npz")
    assert same(taken, drawn)
    weights = np.eye(3)[[0, 2, 1, 1]]
    np.testing.assert_array_equal(check_latent(SOURCE, {**drawn, "class": weights}, "x.npz")["class"], weights)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"style": None}, "x.npz lacks style"),
        ({"style": np.zeros((4, 3))}, r"style is float64 4×3, not numbers N×2"),
        ({"class": np.array([0, 1, 2, 3])}, "class goes from 0 to 2"),
        ({"class": np.array(["a"] * 4)}, "class is <U1 4, not numbers"),
        ({"noise": np.full((4, 5), np.nan)}, "noise holds NaN or infinity"),
        ({"noise": np.zeros((3, 5))}, "its variables hold 3, 4 samples"),
    ],
)
def test_a_latent_that_does_not_fit_is_refused(change, said):
    latent = {**draw(SOURCE, 0, range(4)), **change}
    with pytest.raises(OptionError, match=said):
        check_latent(SOURCE, {name: array for name, array in latent.items() if array is not None}, "x.npz")
