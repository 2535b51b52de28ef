"""Measurements go into a model folder that loads at every moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny

from gansdk.errors import InputError, ModelError, OutputError
from gansdk.evaluation import evaluated_model
from gansdk.evaluation.evaluated_model import store_evaluation
from gansdk.evaluation.record import Evaluation, Measurement, read_evaluation
from gansdk.files import sha256
from gansdk.model.config import check_folder, read_config


def evaluation(value: float) -> Evaluation:
    return Evaluation(measurements=(Measurement(metric="psnr-y", data="X", protocol={}, value=value),), baseline="none")


def weights(folder):
    return read_config(folder).files["model.safetensors"]


def test_it_is_named_in_the_config_and_merged(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder)
    before = read_config(folder)
    store_evaluation(folder, evaluation(1), weights(folder))
    merged = store_evaluation(folder, evaluation(2), weights(folder))
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
    real, moments = evaluated_model.write_whole, []

    def write_and_look(path, content):
        real(path, content)
        check_folder(folder, read_config(folder))
        moments.append(path.name)

    monkeypatch.setattr(evaluated_model, "write_whole", write_and_look)
    store_evaluation(folder, evaluation(2), weights(folder))
    assert moments == ["config.json", "evaluation.json", "config.json"]


def test_measurements_that_cannot_be_read_stay(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder)
    (folder / "evaluation.json").write_text("{")
    with pytest.raises(ModelError, match=r"evaluation.json"):
        store_evaluation(folder, evaluation(1), weights(folder))
    assert (folder / "evaluation.json").read_text() == "{"


def test_figures_of_weights_that_were_replaced_are_not_kept(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder)
    measured = weights(folder)
    tiny.write(folder, seed=1)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(OutputError, match="has other weights than those that were measured, so nothing is kept in it"):
        store_evaluation(folder, evaluation(1), measured)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


AT_ONCE = """
import sys
from pathlib import Path
import tiny
from gansdk.evaluation.evaluated_model import store_evaluation
from gansdk.evaluation.record import Evaluation, Measurement
from gansdk.model.config import read_config

folder, name = Path(sys.argv[1]), sys.argv[2]
for at in range(40):
    one = Measurement(metric="psnr-y", data=f"{name}{at}", protocol={}, value=1)
    store_evaluation(folder, Evaluation(measurements=(one,)), read_config(folder).files["model.safetensors"])
"""


def test_two_that_keep_at_once_lose_none_of_each_others_figures(tmp_path):
    tiny.write(tmp_path / "m")
    environment = os.environ | {"PYTHONPATH": str(Path(tiny.__file__).parent)}
    line = [sys.executable, "-c", AT_ONCE, str(tmp_path / "m")]
    both = [subprocess.Popen([*line, name], env=environment) for name in "ab"]
    assert [one.wait() for one in both] == [0, 0]
    assert len(read_evaluation(tmp_path / "m").measurements) == 80
    check_folder(tmp_path / "m", read_config(tmp_path / "m"))


REPLACING = """
import sys
from pathlib import Path
import tiny

for seed in range(60):
    tiny.write(Path(sys.argv[1]), seed=seed)
"""


def test_a_model_that_is_replaced_while_figures_are_kept_stays_whole(tmp_path):
    folder = tmp_path / "m"
    tiny.write(folder)
    environment = os.environ | {"PYTHONPATH": str(Path(tiny.__file__).parent)}
    with subprocess.Popen([sys.executable, "-c", REPLACING, str(folder)], env=environment) as replacing:
        kept = 0
        while replacing.poll() is None:
            try:
                store_evaluation(folder, evaluation(1), weights(folder))
                kept += 1
            except (OutputError, InputError, ModelError):  # replaced in between
                pass
    assert (replacing.returncode, kept > 0) == (0, True)
    check_folder(folder, read_config(folder))
