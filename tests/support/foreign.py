"""The tiny method's network as a stranger would publish it, and an importer that recognises it."""

from __future__ import annotations

import tiny

import gansdk

IMPORTER = gansdk.Importer("tiny", method="tiny", layouts=("Tiny of strangers",), function="foreign:recognise")

_THEIRS = {"0": "first", "1": "norm1", "2": "act", "3": "second", "4": "norm2", "5": "last"}


def published(width: int = 8, seed: int = 0):
    """Tensors by the stranger's names."""
    (network,) = tiny.trained_networks(width, seed).values()
    named = ([*key.split("."), value] for key, value in network.state_dict().items())
    return {f"{_THEIRS[index]}.{kind}": value for index, kind, value in named}


def recognise(tensors, /) -> gansdk.Recognised | None:
    if "first.weight" not in tensors:
        return None
    if "norm1.running_mean" not in tensors:
        raise gansdk.InputError("looks like Tiny of strangers but lacks 'norm1.running_mean'", hint="it is not whole")
    ours = {theirs: index for index, theirs in _THEIRS.items()}
    renamed = {
        f"generator.{ours[name]}.{kind}": value
        for name, kind, value in ([*k.split("."), v] for k, v in tensors.items())
    }
    width = tensors["first.weight"].shape[0]
    facts = tiny.FACTS.model_copy(update={"safe_precisions": ("fp16",)})  # claims are not believed
    return gansdk.Recognised("Tiny of strangers", {"width": width}, facts, renamed)


def misbehave(_tensors, /):
    return "yes"
