"""Trains the evaluators of small images that gansdk/evaluation/classifiers.py loads, and writes their files::

    export GANSDK_DATA=data                    # as scripts/fetch_datasets.py fills it
    python scripts/train_evaluators.py             # all, or only those that are named

They learn from the official training split. The test split is opened once, after the last step, for the accuracy that
is recorded. One seed, one version of torch and one kind of processor give the same weights again.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch.nn import functional as F

from gansdk.data.mnist import FASHION_MNIST, MNIST
from gansdk.data.opening import find_data
from gansdk.data.stacked import ImageBatches, StackedImages, stack_images
from gansdk.evaluation.evaluators import PRETRAINED, EvaluatorRecord, evaluator_network, predict
from gansdk.files import sha256, write_whole

SETS = {known.name: known for known in (MNIST, FASHION_MNIST)}
EPOCHS = {"mnist": 5, "fashion-mnist": 7}
BATCH = 128
RATE = 4e-3
DECAY = 0.02


def train(data: StackedImages, *, epochs: int, seed: int) -> Any:
    """An evaluator's network, trained and in eval mode."""
    torch.manual_seed(seed)
    network = evaluator_network(len(data.classes)).to(memory_format=torch.channels_last)
    batches = ImageBatches(data, size=BATCH, seed=seed, labelled=True)
    steps = epochs * len(data) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=steps)
    for step in range(steps):
        batch = batches.batch(step)
        loss = F.cross_entropy(network(batch["images"]), batch["labels"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(f"{data.name} {step}/{steps} loss {loss.item():.4f}", file=sys.stderr)
    return network.eval()


def accuracy(network: Any, data: StackedImages) -> float:
    """The part of a data set that a network gets right."""
    return float(np.mean(predict(network, data.images).probabilities.argmax(axis=1) == data.labels))


def make(name: str, seed: int) -> EvaluatorRecord:
    """Trains an evaluator, tries it and writes its two files."""
    known = SETS[name]
    network = train(stack_images(find_data(f"{name}:train", SETS).data), epochs=EPOCHS[name], seed=seed)
    test = stack_images(find_data(f"{name}:test", SETS).data)
    weights = PRETRAINED / f"{name}.safetensors"
    write_whole(weights, save({key: tensor.contiguous() for key, tensor in network.state_dict().items()}))
    record = EvaluatorRecord(
        name=name,
        weights=sha256(weights),
        digests={split: declared.digest for split, declared in known.splits.items()},
        accuracy=accuracy(network, test),
        count=len(test),
        licence=known.licence,
        author=known.author,
        seed=seed,
        epochs=EPOCHS[name],
        batch=BATCH,
        optimiser=f"AdamW, weight decay {DECAY}; one cycle of the learning rate up to {RATE}",
        torch=torch.__version__,
        command=f"python scripts/train_evaluators.py {name} --seed {seed}",
    )
    write_whole(weights.with_suffix(".json"), record.model_dump_json(indent=2) + "\n")
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SETS)}; all if none is named")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SETS):
        parser.error(f"no evaluator is trained on {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    torch.use_deterministic_algorithms(True)
    for name in arguments.names or SETS:
        start = time.monotonic()
        record = make(name, arguments.seed)
        took = time.monotonic() - start
        print(f"{name}: {record.accuracy:.2%} of {record.count} test images, {took:.0f} s")


if __name__ == "__main__":
    main()
