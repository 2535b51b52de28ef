"""Ways that run in turn."""

from __future__ import annotations

import time

import numpy as np
import pytest
import tiny
import torch

from gansdk.evaluation import benchmark
from gansdk.evaluation.benchmark import Benchmark, Way
from gansdk.model.config import read_config
from gansdk.models import memory as memory_room
from gansdk.models.pipelines import Pipeline
from gansdk.models.resolved import ResolvedModel
from gansdk.options import LoadOptions
from gansdk.tasks.superres import SUPERRES

CPU = torch.device("cpu")


def unseen(_done: int, _total: int) -> None:
    pass


def sleeping(name: str, seconds: float, calls: list[str] | None = None) -> Way:
    def call(pixels) -> None:
        time.sleep(seconds)
        if calls is not None and len(pixels) > 64:
            calls.append(name)

    return Way(name, "fp32", call)


def test_a_speed_up_is_the_first_ways_seconds_over_ones_own():
    ways = [sleeping("slow", 0.06), sleeping("fast", 0.02)]
    slow, fast = Benchmark(ways, CPU, 96, 3).run(3, 1e9, unseen)
    assert (slow.way, slow.speed_up, slow.side) == ("slow", (1.0, 1.0, 1.0), 96)
    assert min(fast.speed_up) > 1
    assert fast.speed_up == tuple(a / b for a, b in zip(slow.seconds, fast.seconds, strict=True))


def test_ways_run_in_turn_and_are_told_of():
    calls: list[str] = []
    told: list[tuple[int, int]] = []
    ways = [sleeping("a", 0, calls), sleeping("b", 0, calls)]
    list(Benchmark(ways, CPU, 96, 3).run(2, 1e9, lambda done, total: told.append((done, total))))
    assert calls == ["a", "b", "a", "b"]
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_no_round_begins_once_patience_is_over_but_one_is_done():
    ways = [sleeping("a", 0.01), sleeping("b", 0.01)]
    assert [len(speed.seconds) for speed in Benchmark(ways, CPU, 96, 3).run(50, 0.001, unseen)] == [1, 1]


def test_progress_counts_the_time_where_patience_ends_it_before_the_rounds_do():
    seen: list[float] = []
    ways = [sleeping("a", 0.05), sleeping("b", 0.05)]
    list(Benchmark(ways, CPU, 96, 3).run(1000, 0.3, lambda done, total: seen.append(done / total)))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 1)
    # By calls alone it would be less than 1 % all the time.
    assert 0.5 < seen[-2] < 1


def test_the_three_ways_compute_the_same_image(tmp_path):
    tiny.write(tmp_path / "m")
    resolved = ResolvedModel("./m", tmp_path / "m", read_config(tmp_path / "m"), tiny.METHOD)
    call = Pipeline(SUPERRES, resolved, LoadOptions(device="cpu"))
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    results: list[torch.Tensor] = []

    def kept(way: Way) -> np.ndarray:
        """What the way's network gives; it throws that away itself, being asked for its time only."""
        hooks = torch.nn.modules.module.register_module_forward_hook(lambda _m, _i, out: results.append(out))
        try:
            way.call(pixels)
        finally:
            hooks.remove()
        return results[-1].numpy()

    eager, alone = kept(benchmark.eager(call)), kept(benchmark.alone(call))
    np.testing.assert_allclose(eager, alone, atol=1e-5)
    ours = call(pixels).pixels
    np.testing.assert_allclose(ours, eager[0].transpose(1, 2, 0).clip(0, 1) * 255, atol=0.51)


def test_a_whole_image_that_does_not_fit_is_left_out_and_the_rest_runs(monkeypatch):
    monkeypatch.setattr(memory_room, "free_memory", lambda _device: 30_000_000)

    def large(pixels) -> None:
        torch.zeros(len(pixels), len(pixels), 1000)  # 16 MB for the probe, 262 MB for the image

    ways = [Way("whole", "fp32", large, is_whole=True), Way("divided", "fp32", large)]
    whole, divided = Benchmark(ways, CPU, 256, 3).run(2, 1e9, unseen)
    assert whole.seconds == whole.speed_up == ()
    assert whole.peak is None
    assert whole.left_out == "takes about 0.4 GB, and 0.0 are free"
    assert len(divided.seconds) == 2
    assert divided.speed_up == ()
    assert divided.as_record()["speed_up"] is None


def test_what_a_way_takes_is_seen():
    def call(pixels) -> None:
        held = torch.ones(len(pixels), 1024, 256)
        time.sleep(0.05)
        del held

    (speed,) = Benchmark([Way("a", "fp32", call)], CPU, 128, 3).run(1, 1e9, unseen)
    assert speed.peak == pytest.approx(128 * 2**20, rel=0.05)
