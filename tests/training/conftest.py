import pytest
import torch
from adversary import write_images

pytest.register_assert_rewrite("trainings")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def photos(tmp_path):
    """Three small images."""
    return str(write_images(tmp_path / "photos"))
