import json

from gansdk.training.logging import append_line, cut_after
from gansdk.training.turns import Averages


def test_averages_are_means_over_each_names_own_count():
    averages = Averages()
    averages.add({"g/a": 1.0, "d/b": 10.0})
    averages.add({"g/a": 3.0})
    assert averages.means() == {"g/a": 2.0, "d/b": 10.0}
    averages.clear()
    assert averages.means() == {}


def test_an_interval_goes_on_exactly_after_json():
    whole, first, second = Averages(), Averages(), Averages()
    values = [0.1, 1 / 3, 2e-17, 7.0]
    for value in values:
        whole.add({"g/a": value})
    for value in values[:2]:
        first.add({"g/a": value})
    second.restore(json.loads(json.dumps(first.as_state())))
    for value in values[2:]:
        second.add({"g/a": value})
    assert second.means() == whole.means()


def test_lines_after_a_step_and_an_unfinished_one_are_cut(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for step in (10, 20, 30):
        append_line(path, step, 1.5, {"g/a": 0.5})
    with path.open("a") as file:
        file.write('{"step": 20, "g/')
    cut_after(path, 20)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"step": step, "seconds": 1.5, "g/a": 0.5} for step in (10, 20)]


def test_a_log_that_does_not_exist_stays_so(tmp_path):
    cut_after(tmp_path / "metrics.jsonl", 5)
    assert not (tmp_path / "metrics.jsonl").exists()
