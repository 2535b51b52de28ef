import pytest

from gansdk.training.events import Events


def test_tensorboard_reads_what_was_written(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = Events(tmp_path, 0)
    for step in (10, 20):
        events.add(step, {"generator/look": step / 4})
    events.close()
    found = EventAccumulator(str(tmp_path)).Reload()
    assert [(one.step, one.value) for one in found.Scalars("generator/look")] == [(10, 2.5), (20, 5.0)]
    assert Events(tmp_path / "none", 0).close() is None
    assert not (tmp_path / "none").exists()
