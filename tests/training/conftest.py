import pytest
import torch
from adversary import write_pictures

pytest.register_assert_rewrite("trainings")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def photos(tmp_path):
    """Three small pictures."""
    return str(write_pictures(tmp_path / "photos"))
