import pytest
from trainings import train


def test_progress_says_how_far_and_how_long(tmp_path, photos):
    seen = []
    train(tmp_path / "run", photos, progress=seen.append)
    assert [(at.step, at.steps) for at in seen] == [(step, 6) for step in range(1, 7)]
    assert all(at.rate > 0 and at.left == pytest.approx((at.steps - at.step) / at.rate) for at in seen)
