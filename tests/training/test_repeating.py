import os

import pytest
import torch

from gansdk.training.session import repeatable


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
    )


def test_torch_keeps_an_order_within_the_block_and_is_as_it_was_afterwards(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = settings()
    with repeatable(torch.device("cuda")):
        assert settings() == (True, True, False)
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert settings() == before


def test_what_the_user_chose_stays(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with repeatable(torch.device("cuda")):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_it_ends_with_an_error_too():
    before = settings()
    with pytest.raises(ValueError, match="on the way"), repeatable(torch.device("cuda")):
        raise ValueError("on the way")
    assert settings() == before


def test_on_a_cpu_nothing_is_touched():
    before = settings()
    with repeatable(torch.device("cpu")):
        assert settings() == before
