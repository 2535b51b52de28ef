"""How much memory there is, and what a computation holds at its peak."""

from __future__ import annotations

import platform

import psutil
import pytest
import torch
from torch import nn

from gansdk.models.memory import PeakBytes, free_memory, freed_memory_kept


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_chain_holds_two_tensors_at_its_peak(mode):
    x = torch.rand(1, 16, 50, 50)
    network = nn.Sequential(*(nn.Conv2d(16, 16, 3, padding=1) for _ in range(5)))
    with mode(), PeakBytes() as memory:
        network(x)
    assert memory.peak == 2 * x.nbytes


def test_a_skip_connection_holds_one_more():
    x = torch.rand(1, 16, 50, 50)
    first, second, third = (nn.Conv2d(16, 16, 3, padding=1) for _ in range(3))
    with torch.no_grad(), PeakBytes() as memory:
        kept = first(x)
        third(second(kept)).add_(kept)
    assert memory.peak == 3 * x.nbytes


def test_views_and_results_in_place_cost_nothing():
    x = torch.rand(100, 100)
    with torch.no_grad(), PeakBytes() as memory:
        y = x + 1
        y.mul_(2).reshape(10, 1000).t().relu_()
    assert memory.peak == x.nbytes


def test_free_memory_is_what_the_system_says_or_less():
    free = free_memory(torch.device("cpu"))
    assert 0 < free <= psutil.virtual_memory().total


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what glibc does with freed memory")
def test_freed_memory_is_kept_inside_the_block_and_given_back_after_it():
    process, large = psutil.Process(), 200 * 2**20

    def use() -> int:
        torch.zeros(large // 4).add_(1)
        return process.memory_info().rss

    before = process.memory_info().rss
    with freed_memory_kept():
        assert use() - before > large * 0.9
        with freed_memory_kept():  # as another thread would
            use()
        assert process.memory_info().rss - before > large * 0.9
    assert process.memory_info().rss - before < large * 0.2
