"""Strangers' files: what is read, and that nothing of the rest runs."""

from __future__ import annotations

import os

import pytest
import torch
from hostile import FILES, TRACE, WEIGHTS, saved
from safetensors.torch import save

from gansdk.errors import InputError
from gansdk.importing.reading import bytes_of, check_torch, read

READABLE = {
    "zip.pth": lambda: saved(WEIGHTS),
    "legacy.ckpt": lambda: saved(WEIGHTS, legacy=True),
    "really-safetensors.pth": lambda: save(WEIGHTS),
    "really-torch.safetensors": lambda: saved(WEIGHTS),
    "no-ending": lambda: save(WEIGHTS, metadata={"format": "pt"}),
}


@pytest.mark.parametrize("name", READABLE)
def test_the_bytes_decide_and_not_the_name(name, tmp_path):
    (tmp_path / name).write_bytes(READABLE[name]())
    content = read(tmp_path / name)
    assert content.keys() == WEIGHTS.keys()
    for key, tensor in WEIGHTS.items():
        assert torch.equal(content[key], tensor)


def test_what_trainers_save_beside_weights_is_read(tmp_path):
    network = torch.nn.Linear(2, 2)
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    checkpoint = {
        "epoch": 7,
        "best": 31.5,
        "state_dict": network.state_dict(),
        "optimizer": optimiser.state_dict(),
        "scheduler": {"milestones": [1, 2], "gamma": 0.5},
    }
    (tmp_path / "c.pth.tar").write_bytes(saved(checkpoint))
    assert read(tmp_path / "c.pth.tar").keys() == checkpoint.keys()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_anything_else_is_refused_in_one_line_and_not_run(name, ending, tmp_path, monkeypatch):
    make, said = FILES[name]
    path = tmp_path / f"weights.{ending}"
    path.write_bytes(make())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == [path], TRACE


def test_the_payloads_do_run_where_nobody_minds(tmp_path, monkeypatch):
    """Else the test above would prove nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.pth").write_bytes(FILES["payload"][0]())
    torch.load(tmp_path / "p.pth", weights_only=False)
    assert (tmp_path / TRACE).is_dir()


def test_what_is_no_file_is_told_apart(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read(tmp_path / "absent.pth")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a plain file"):
        read(tmp_path / "pipe")


def test_a_header_longer_than_any_is_not_read(tmp_path):
    path = tmp_path / "long.safetensors"
    with path.open("wb") as file:  # a sparse file: 200 MB that take no room
        file.write((150_000_000).to_bytes(8, "little") + b"{")
        file.truncate(200_000_000)
    with pytest.raises(InputError, match="header of 150000000 bytes"):
        read(path)


@pytest.mark.parametrize("version", ["2.4.0", "2.5.1+cpu", "2.9.1"])
def test_a_torch_that_can_be_fooled_is_not_asked(version):
    with pytest.raises(InputError, match="cannot read strangers' torch files safely"):
        check_torch(version)


@pytest.mark.parametrize("version", ["2.10.0", "2.13.0+cpu", "3.0", "2.11.0a0+git"])
def test_a_newer_torch_is_trusted(version):
    check_torch(version)


def test_mappings_that_are_named_over_and_over_are_looked_at_once(tmp_path):
    content: dict[str, object] = {"w": torch.zeros(1)}
    for _ in range(8):
        content = {f"n{index}": content for index in range(100)}
    content["itself"] = content
    (tmp_path / "w.pth").write_bytes(saved(content))
    assert len(read(tmp_path / "w.pth")) == 101


def test_bytes_are_those_written_out():
    assert bytes_of([torch.zeros(2, 3), torch.zeros(1, dtype=torch.half).expand(5)]) == 24 + 10
