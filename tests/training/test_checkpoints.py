import json
import os
import resource
import subprocess
import sys
import textwrap
from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from gansdk.errors import OutputError, TrainingError
from gansdk.files import sha256
from gansdk.training.checkpoints import load_checkpoint, save_checkpoint
from gansdk.training.players import Player
from gansdk.training.turns import Train


def trained(steps, *, optimiser=None, width=3):
    """A player with batch-norm, dropout and an average after some turns."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width), nn.Dropout(0.5), nn.Linear(width, 1))
    optimiser = optimiser or partial(torch.optim.Adam, lr=0.01, weight_decay=0.1)
    player = Player("net", network, optimiser, ema=0.5)
    train = Train([player])
    go_on(train, steps)
    return train


def go_on(train, steps):
    (player,) = train.states
    for _ in range(steps):
        with train.turn(player) as turn:
            turn.minimise({"fit": (player.modules(torch.randn(8, 2)) - 1).square().mean()})
        train.keep("count", torch.tensor(float(train.step)))
        train.step += 1


def everything(train, folder):
    save_checkpoint(folder, train, 0.0)
    (state,) = folder.iterdir()
    return load_file(state / "tensors.safetensors"), json.loads((state / "state.json").read_text())


OPTIMISERS = {
    "adam": partial(torch.optim.Adam, lr=0.01),
    "amsgrad": partial(torch.optim.AdamW, lr=0.01, amsgrad=True),
    "momentum": partial(torch.optim.SGD, lr=0.01, momentum=0.9),
    "rmsprop": partial(torch.optim.RMSprop, lr=0.01, centered=True, momentum=0.5),
    "adadelta": partial(torch.optim.Adadelta, lr=1.0),
    "nadam": partial(torch.optim.NAdam, lr=0.01),
    "rprop": partial(torch.optim.Rprop, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_going_on_from_a_checkpoint_is_going_on(tmp_path, name):
    whole = trained(6, optimiser=OPTIMISERS[name])
    expected, numbers = everything(whole, tmp_path / "whole")

    half = trained(3, optimiser=OPTIMISERS[name])
    save_checkpoint(tmp_path / "half", half, 12.5)
    fresh = trained(0, optimiser=OPTIMISERS[name])
    torch.manual_seed(99)
    position = load_checkpoint(tmp_path / "half", fresh)
    assert (position.step, position.seconds) == (3, 12.5)
    go_on(fresh, 3)
    found, found_numbers = everything(fresh, tmp_path / "again")

    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    assert numbers == found_numbers
    assert {key.partition("/")[0] for key in expected} == {"module", "optimiser", "average", "kept", "random"}


def test_moments_come_back_in_the_memory_order_of_their_parameter(tmp_path):
    def build():
        network = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
        player = Player("net", network, partial(torch.optim.Adam, lr=0.01))
        return player, Train([player])

    player, train = build()
    with train.turn(player) as turn:
        turn.minimise({"size": player.modules(torch.randn(1, 4, 5, 5)).square().mean()})
    train.step = 1
    save_checkpoint(tmp_path, train, 0.0)
    player, train = build()
    load_checkpoint(tmp_path, train)
    state = train.states[player].optimiser.state[player.modules.weight]
    assert state["exp_avg"].stride() == player.modules.weight.stride() != torch.empty(4, 4, 3, 3).stride()


def test_only_the_newest_stays(tmp_path):
    train = trained(1)
    (tmp_path / ".000000000.abcd.part").mkdir()  # what a killed process left
    save_checkpoint(tmp_path, train, 0.0)
    go_on(train, 1)
    save_checkpoint(tmp_path, train, 0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["000000002"]


def test_nothing_there_is_no_position(tmp_path):
    assert load_checkpoint(tmp_path, trained(0)) is None
    assert load_checkpoint(tmp_path / "absent", trained(0)) is None


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    train = trained(1)
    save_checkpoint(tmp_path, train, 0.0)
    (player,) = train.states
    with torch.no_grad():
        player.modules[3].bias.fill_(float("nan"))
    train.step = 2
    with pytest.raises(TrainingError, match=r"net\.3\.bias is no longer finite after step 2"):
        save_checkpoint(tmp_path, train, 0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["000000001"]


def test_an_optimiser_that_keeps_something_else_is_refused(tmp_path):
    class Odd(torch.optim.SGD):
        def step(self):
            super().step()
            self.state[self.param_groups[0]["params"][0]]["history"] = ["a list"]

    train = trained(1, optimiser=partial(Odd, lr=0.1))
    with pytest.raises(TrainingError, match="optimiser of player 'net' keeps a list"):
        save_checkpoint(tmp_path, train, 0.0)
    assert not list(tmp_path.iterdir())


def test_a_network_of_another_size_does_not_fit(tmp_path):
    save_checkpoint(tmp_path, trained(1), 0.0)
    with pytest.raises(TrainingError, match="does not fit player 'net': size mismatch for"):
        load_checkpoint(tmp_path, trained(0, width=4))


def test_a_player_without_its_average_does_not_fit(tmp_path):
    save_checkpoint(tmp_path, trained(1), 0.0)
    network = next(iter(trained(0).states)).modules
    train = Train([Player("net", network, partial(torch.optim.Adam, lr=0.01))])
    with pytest.raises(TrainingError, match="the moving average has other parameters"):
        load_checkpoint(tmp_path, train)


def _flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "bit": (lambda state: _flip_a_bit(state / "tensors.safetensors"), r"tensors\.safetensors is damaged"),
    "gone": (lambda state: (state / "tensors.safetensors").unlink(), r"tensors\.safetensors is damaged"),
    "numbers": (lambda state: (state / "state.json").write_text("{"), r"state\.json cannot be read"),
    "list": (lambda state: (state / "state.json").write_text("[]"), r"state\.json cannot be read"),
    "field": (lambda state: (state / "state.json").write_text('{"gansdk": 1}'), r"state\.json cannot be read"),
    "newer": (
        lambda state: (state / "state.json").write_text('{"gansdk": 2}'),
        "format version 2, this gansdk reads 1",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_one_line(tmp_path, damage):
    save_checkpoint(tmp_path, trained(1), 0.0)
    do, message = DAMAGE[damage]
    do(tmp_path / "000000001")
    with pytest.raises(TrainingError, match=message) as caught:
        load_checkpoint(tmp_path, trained(0))
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_safetensors_are_refused_although_the_digest_fits(tmp_path):
    save_checkpoint(tmp_path, trained(1), 0.0)
    tensors, numbers = (tmp_path / "000000001" / name for name in ("tensors.safetensors", "state.json"))
    tensors.write_bytes(b"\x80\x04K\x01.")
    numbers.write_text(json.dumps(json.loads(numbers.read_text()) | {"files": {tensors.name: sha256(tensors)}}))
    with pytest.raises(TrainingError, match="cannot be read"):
        load_checkpoint(tmp_path, trained(0))


def test_a_disk_that_takes_no_more_keeps_the_checkpoint_before(tmp_path):
    train = trained(1)
    save_checkpoint(tmp_path, train, 0.0)
    go_on(train, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputError, match="cannot write"):
            save_checkpoint(tmp_path, train, 0.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["000000001"]
    assert load_checkpoint(tmp_path, trained(0)).step == 1


KILLED_ANYWHERE = """
    import os, signal, sys
    from pathlib import Path

    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, {here!r})
    from test_checkpoints import go_on, trained

    from gansdk.training.checkpoints import load_checkpoint, save_checkpoint

    WATCHED = {{"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "os.scandir", "os.listdir"}}


    def save_and_die(folder, at):
        '''Saves step 2 over step 1 in a child that is killed as it touches a file for the at-th time.'''
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        touched = 0

        def watch(event, args):
            nonlocal touched
            if event in WATCHED and str(args[0]).startswith(str(folder)):
                touched += 1
                if touched == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        save_checkpoint(folder, after[2], 0.0)
        os._exit(0)


    after = {{1: trained(1), 2: trained(2)}}
    for at in range(1, 100):
        folder = Path({folder!r}) / str(at)
        save_checkpoint(folder, after[1], 0.0)
        code = save_and_die(folder, at)
        found = trained(0)
        step = load_checkpoint(folder, found).step
        (player,) = found.states
        (expected,) = after[step].states
        assert all(map(torch.equal, player.modules.state_dict().values(), expected.modules.state_dict().values()))
        print(at, code, step)
        go_on(found, 1)
        save_checkpoint(folder, found, 0.0)  # and what the killed one left is no hindrance
        assert len(list(folder.iterdir())) == 1
        if code == 0:
            break
"""


def test_a_writer_killed_at_any_file_leaves_a_whole_checkpoint(tmp_path):
    here = os.path.dirname(__file__)  # noqa: PTH120
    script = textwrap.dedent(KILLED_ANYWHERE.format(here=here, folder=str(tmp_path)))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(rows) > 6  # it was killed at several places …
    assert [code for _, code, _ in rows] == [-9] * (len(rows) - 1) + [0]
    steps = [step for *_, step in rows]
    assert steps == sorted(steps)  # … and there is one moment from which the new one counts
    assert {1, 2} == set(steps)
