"""Placement, folding, reduced precision and the finite check."""

from __future__ import annotations

import pytest
import tiny
import torch
from torch import nn

from gansdk.errors import DeviceError
from gansdk.models.runtime import NonFiniteError, Placement, devices, has_native, place, prepare
from gansdk.options import LoadOptions

CPU = torch.device("cpu")
FP32 = Placement(CPU, "fp32")


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


class Dense(nn.Module):
    """Adds a branch to what its first layer gave, joined with what a layer made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.inner = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.last, self.tail = nn.Conv2d(16, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)
        self.seen = {}

    def forward(self, x):
        x = self.head(x)
        joined = torch.cat([x, self.inner(x)], 1)
        x = torch.add(x, self.last(joined), alpha=0.2)
        self.seen = {"joined": joined.dtype, "sum": x.dtype}
        return self.tail(x)


def test_reduced_precision_joins_in_few_bits_and_sums_in_many():
    torch.manual_seed(0)
    network, x = Dense(), torch.rand(1, 3, 30, 30)
    prepared = prepare(network, Placement(CPU, "bf16"))
    assert (prepared(x) - network(x)).abs().max() < 0.02
    assert prepared._network.seen == {"joined": torch.bfloat16, "sum": torch.float32}
    prepare(network, FP32)(x)
    assert network.seen == {"joined": torch.float32, "sum": torch.float32}


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
