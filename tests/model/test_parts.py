"""Parts of a latent or an encoding."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gansdk.model.variables import MOST_NUMBERS, Categorical, Continuous, Noise


def test_a_continuous_code_is_swept_over_its_range_or_beyond():
    assert Continuous(name="style").swept == (-1, 1)
    assert Continuous(name="style", sweep=(-2, 2)).swept == (-2, 2)


def test_a_categorical_is_called_by_its_label_or_its_number():
    assert Categorical(name="class", k=3).label(2) == "2"
    assert Categorical(name="class", k=3, labels=("zero", "one", "two")).label(2) == "two"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Categorical(name="class", k=3, labels=("a", "b")), "class has 3 values and 2 labels"),
        (lambda: Categorical(name="class", k=2, labels=("a", "a")), "two labels of class are the same"),
        (lambda: Categorical(name="class", k=1), "greater than or equal to 2"),
        (lambda: Continuous(name="style", low=1, high=1), "low 1 is not below high 1"),
        (lambda: Continuous(name="style", high=float("inf")), "finite number"),
        (lambda: Noise(n=MOST_NUMBERS + 1), "less than or equal to"),
        (lambda: Noise(n=0), "greater than or equal to 1"),
        (lambda: Noise(name="my noise", n=1), "String should match pattern"),
        (lambda: Noise(name="a.b", n=1), "String should match pattern"),
    ],
)
def test_what_makes_no_sense_is_refused(make, said):
    with pytest.raises(ValidationError, match=said):
        make()
