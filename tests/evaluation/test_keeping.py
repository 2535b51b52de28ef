"""Measurements go into a model folder that loads at every moment."""

from __future__ import annotations

import pytest
import tiny

from gansdk.errors import ModelError
from gansdk.evaluation import keeping
from gansdk.evaluation.keeping import keep
from gansdk.evaluation.record import Evaluation, Measurement, read_evaluation
from gansdk.files import sha256
from gansdk.model.config import check_folder, read_config


def evaluation(value: float) -> Evaluation:
    return Evaluation(measurements=(Measurement(metric="psnr-y", data="X", protocol={}, value=value),), twin="none")


def test_it_is_named_in_the_config_and_merged(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder)
    before = read_config(folder)
    keep(folder, evaluation(1))
    merged = keep(folder, evaluation(2))
    assert [one.value for one in merged.measurements] == [2]
    assert read_evaluation(folder) == merged
    config = read_config(folder)
    assert config.files["evaluation.json"] == sha256(folder / "evaluation.json")
    assert config.model_copy(update={"files": before.files}) == before
    assert list(config.files) == sorted(config.files)
    check_folder(folder, config)


def test_a_killed_process_leaves_a_model_that_loads(tmp_path, monkeypatch):
    folder = tmp_path / "m"
    tiny.write(folder, evaluation=evaluation(1))
    real, moments = keeping.write_whole, []

    def write_and_look(path, content):
        real(path, content)
        check_folder(folder, read_config(folder))
        moments.append(path.name)

    monkeypatch.setattr(keeping, "write_whole", write_and_look)
    keep(folder, evaluation(2))
    assert moments == ["config.json", "evaluation.json", "config.json"]


def test_measurements_that_cannot_be_read_stay(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder)
    (folder / "evaluation.json").write_text("{")
    with pytest.raises(ModelError, match=r"evaluation.json"):
        keep(folder, evaluation(1))
    assert (folder / "evaluation.json").read_text() == "{"
