"""Placement, folding, reduced precision and the finite check."""

from __future__ import annotations

import pytest
import tiny
import torch
from torch import nn

from gansdk.errors import DeviceError
from gansdk.inference.runtime import (
    NonFiniteError,
    Placement,
    devices,
    fold_batch_norm,
    has_native,
    place,
    prepare,
)
from gansdk.options import LoadOptions

CPU = torch.device("cpu")
FP32 = Placement(CPU, "fp32")


class Residual(nn.Module):
    """Batch-norm before a sum, a convolution used twice, and one whose output is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.first_norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.shared, self.shared_norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.forked, self.forked_norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.up, self.up_norm = nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.first_norm(self.first(x)) + 1
        x = self.shared_norm(self.shared(x)) + self.shared(x)
        forked = self.forked(x)
        return self.up_norm(self.up(self.forked_norm(forked) + forked))


def with_statistics(network):
    torch.manual_seed(1)
    network.train()
    for _ in range(3):
        network(torch.rand(2, 3, 12, 12))
    return network.eval()


def test_folding_keeps_the_result_and_takes_only_what_is_safe():
    network = with_statistics(Residual())
    x = torch.rand(2, 3, 20, 20)
    expected = network(x)
    assert fold_batch_norm(network) == 2  # first and up; not the shared one, not the forked one
    assert isinstance(network.first_norm, nn.Identity)
    assert isinstance(network.shared_norm, nn.BatchNorm2d)
    assert torch.allclose(network(x), expected, atol=1e-5)


def test_a_network_that_cannot_be_traced_stays_as_it_is():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x):
            return self.norm(self.conv(x)) if x.sum() > 0 else x

    network = with_statistics(Branching())
    assert fold_batch_norm(network) == 0
    assert isinstance(network.norm, nn.BatchNorm2d)


def test_prepare_folds_within_1e_5_and_leaves_the_given_network_alone():
    network = tiny.trained_networks()["generator"]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    x = torch.rand(1, 3, 40, 50)
    prepared = prepare(network, FP32)
    with torch.inference_mode():
        assert (prepared(x) - network(x)).abs().max() < 1e-5
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_prepare_with_gradients_differentiates_the_network_that_was_trained():
    network = tiny.trained_networks()["generator"]
    prepared = prepare(network, FP32, needs_gradients=True)
    x = torch.rand(1, 3, 10, 10, requires_grad=True)
    (mine,) = torch.autograd.grad(prepared(x).square().sum(), x)
    (theirs,) = torch.autograd.grad(network(x).square().sum(), x)
    assert torch.allclose(mine, theirs, atol=1e-5)


def test_reduced_precision_keeps_the_outermost_layers_in_fp32_and_gives_fp32():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.PReLU(), nn.Conv2d(8, 3, 3))
    prepared = prepare(network, Placement(CPU, "bf16"))
    kept = [layer.weight.dtype for layer in prepared._network if hasattr(layer, "weight")]
    assert kept == [torch.float32, torch.bfloat16, torch.bfloat16, torch.float32]
    x = torch.rand(1, 3, 30, 30)
    assert prepared(x).dtype == torch.float32
    assert 0 < (prepared(x) - network(x)).abs().max() < 0.02


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_result_that_is_not_finite_is_an_error(bad):
    network = nn.Conv2d(1, 1, 1)
    nn.init.constant_(network.bias, bad)
    with pytest.raises(NonFiniteError, match="NaN or infinity"):
        prepare(network, FP32)(torch.zeros(1, 1, 4, 4))


def test_auto_takes_reduced_precision_only_where_facts_and_hardware_allow_it():
    reduced = tiny.FACTS.model_copy(update={"safe_precisions": ("bf16",)})
    assert place(LoadOptions(device="cpu"), tiny.FACTS).precision == "fp32"
    expected = "bf16" if has_native(CPU, "bf16") else "fp32"
    assert place(LoadOptions(device="cpu"), reduced).precision == expected
    assert place(LoadOptions(device="cpu"), reduced, needs_gradients=True).precision == "fp32"
    assert place(LoadOptions(device="cpu", precision="fp32"), reduced).precision == "fp32"


def test_devices_that_are_not_there_are_refused_with_those_that_are():
    assert devices()[-1] == "cpu"
    absent = "mps" if "mps" not in devices() else "cuda:99"
    with pytest.raises(DeviceError, match=r"there is no device .*this machine has .*cpu"):
        place(LoadOptions(device=absent), tiny.FACTS)


@pytest.mark.skipif(has_native(CPU, "fp16"), reason="this CPU computes in fp16")
def test_fp16_on_a_cpu_that_cannot_is_refused():
    with pytest.raises(DeviceError, match="cannot compute in fp16"):
        place(LoadOptions(device="cpu", precision="fp16"), tiny.FACTS)
