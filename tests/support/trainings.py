"""Short trainings of the adversary's recipes, and what they leave in their folders."""

import json

import torch
from adversary import METHOD
from safetensors.torch import load_file

from gansdk.training import trainer

METHODS = {"tiny": METHOD}
INTERVALS = {"log_every": 2, "samples_every": 2, "checkpoint_every": 2}


def train(run, photos, *, method=METHOD, config="small", **changes):
    """A training of six steps on a CPU, with something to write down after every second one."""
    given = {"data": {"photos": photos}, "device": "cpu", "precision": "fp32"}
    return trainer.train(method, config, run, **(given | INTERVALS | changes))


class Notes(list):
    """What a training says, but for what every training says at its start."""

    def append(self, text):
        if not text.startswith(("training tiny ", "no licence is stated")):
            super().append(text)


def stop_at(step):
    """A watcher that stops a training after so many steps, as Ctrl-C does."""

    def progress(at):
        if at.step == step:
            raise KeyboardInterrupt

    return progress


def state(run):
    """The tensors and the numbers of a run's checkpoint."""
    (folder,) = (run / "state").iterdir()
    return load_file(folder / "tensors.safetensors"), json.loads((folder / "state.json").read_text())


def metrics(run):
    """The lines of a run's metric log, without the time."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def assert_same_run(left, right):
    """Holds that two runs are equal to the last bit in all that they leave."""
    (tensors, numbers), (others, other_numbers) = state(left), state(right)
    assert tensors.keys() == others.keys()
    assert all(torch.equal(tensors[key], others[key]) for key in tensors)
    for field in ("step", "numbers", "averages"):
        assert numbers[field] == other_numbers[field]
    assert metrics(left) == metrics(right)
    model = "model/model.safetensors"
    assert (left / model).read_bytes() == (right / model).read_bytes()
    sheets = sorted(path.name for path in (left / "samples").iterdir())
    assert sheets == sorted(path.name for path in (right / "samples").iterdir())
    assert (left / "samples" / sheets[-1]).read_bytes() == (right / "samples" / sheets[-1]).read_bytes()
