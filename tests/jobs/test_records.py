"""Records of many items in one file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from gansdk.errors import OutputError
from gansdk.media.records import columns, record_format, write_records
from gansdk.options import RecordWriting

RECORDS = [
    {"input": "a.png", "class": {"label": "two", "probabilities": [0.1, 0.9]}, "style": [0.5], "count": 3},
    {"input": "b.png", "class": {"label": "one", "probabilities": [0.75, 0.25]}, "style": [-2.0], "count": 4},
]


def test_lines_of_json():
    file = io.BytesIO()
    write_records(iter(RECORDS), file, "jsonl")
    assert [json.loads(line) for line in file.getvalue().splitlines()] == RECORDS


def test_arrays_with_an_axis_more():
    file = io.BytesIO()
    write_records(RECORDS, file, "npz")
    file.seek(0)
    with np.load(file) as kept:
        assert list(kept) == ["input", "class.label", "class.probabilities", "style", "count"]
        assert kept["input"].tolist() == ["a.png", "b.png"]
        np.testing.assert_array_equal(kept["class.probabilities"], np.array([[0.1, 0.9], [0.75, 0.25]], np.float32))
        assert kept["style"].dtype == np.float32
        assert kept["count"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"style": [1.0, 2.0]}, "style is not alike"), ({"more": 1}, "different fields"), ({"style": None}, "not alike")],
)
def test_records_that_no_array_holds(change, said):
    with pytest.raises(OutputError, match=said):
        columns([RECORDS[0], {**RECORDS[1], **change}])


@pytest.mark.parametrize(
    ("path", "said", "expected"),
    [
        (None, None, "jsonl"),
        ("x.npz", None, "npz"),
        ("x.NPZ", None, "npz"),
        ("x.jsonl", None, "jsonl"),
        ("x.json", None, "jsonl"),
        ("x.csv", "npz", "npz"),
        ("x", None, "jsonl"),
        ("x", "npz", "npz"),
    ],
)
def test_the_option_or_the_name_says_the_format(path, said, expected):
    assert record_format(Path(path) if path else None, RecordWriting(format=said)) == expected
