"""The groups of options that recipes share."""

import subprocess
import sys

import pytest
import torch

from gansdk.training import OptimiserOptions, ScheduleOptions


def test_the_optimiser_is_the_one_that_is_named():
    parameters = [torch.nn.Parameter(torch.ones(2))]
    options = OptimiserOptions(optimiser="adamw", learning_rate=3e-4, beta1=0.5, beta2=0.9, weight_decay=0.1)
    adamw = options.new_optimiser()(parameters)
    assert isinstance(adamw, torch.optim.AdamW)
    group = adamw.param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (3e-4, (0.5, 0.9), 0.1)
    adam = OptimiserOptions(discriminator_rate=1e-5)
    assert not isinstance(adam.new_optimiser()(parameters), torch.optim.AdamW)
    assert adam.new_optimiser(adam.discriminator_rate)(parameters).param_groups[0]["lr"] == 1e-5


def factors(**options):
    schedule = ScheduleOptions(steps=100, **options)
    return [schedule.learning_rate_factor(step) for step in range(100)]


def test_constant_after_a_warmup():
    assert factors(warmup=4) == [0.25, 0.5, 0.75] + [1.0] * 97


def test_a_cosine_falls_smoothly_to_its_share():
    found = factors(schedule="cosine", decay_from=0.5, decay_to=0.1)
    assert found[:51] == [1.0] * 51
    assert found[75] == pytest.approx(0.55)
    assert found == sorted(found, reverse=True)
    assert ScheduleOptions(steps=100, schedule="cosine", decay_to=0.1).learning_rate_factor(100) == pytest.approx(0.1)


def test_steps_fall_at_once():
    assert factors(schedule="step", decay_from=0.5, decay_to=0.1) == [1.0] * 50 + [0.1] * 50


def test_several_drops_are_equal_factors_evenly_spaced():
    found = factors(schedule="step", decay_from=0.4, decay_to=0.125, decay_drops=3)
    assert found == pytest.approx([1.0] * 40 + [0.5] * 20 + [0.25] * 20 + [0.125] * 20)


def test_option_groups_import_no_torch():
    code = "import sys; from gansdk.training import OptimiserOptions, ScheduleOptions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
