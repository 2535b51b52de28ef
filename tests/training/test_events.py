import io

import numpy as np
import pytest
from PIL import Image as PILImage
from trainings import train

from gansdk.training.logging import Events


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


def test_the_sample_sheets_are_in_the_events(tmp_path, photos):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(tmp_path / "run", photos)
    found = EventAccumulator(str(tmp_path / "run" / "events")).Reload()
    assert [one.step for one in found.Images("samples")] == [2, 4, 6]
    for one in found.Images("samples"):
        sheet = np.asarray(PILImage.open(tmp_path / "run" / "samples" / f"{one.step:09d}.png"))
        assert (np.asarray(PILImage.open(io.BytesIO(one.encoded_image_string))) == sheet).all()
