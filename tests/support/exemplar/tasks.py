"""Functions of the tasks: an image made darker, with a little noise; and the brightness that the network gives one."""

from __future__ import annotations

import numpy as np
import torch


def darken(model, inputs, options, context, /):
    photo = inputs["photo"]
    noise = np.random.default_rng(options.seed).integers(0, 2, photo.pixels.shape)
    pixels = (photo.pixels * (1 - options.by) + noise).clip(0, 255).astype(np.uint8)
    return photo.replace(pixels=pixels)


def describe(model, inputs, options, context, /):
    return describe_many(model, [inputs], options, context)[0]


def describe_many(model, inputs, options, context, /):
    images = np.stack([item["photo"].pixels for item in inputs]).astype(np.float32) / 255
    made = model.generator.generate({"image": torch.from_numpy(images).permute(0, 3, 1, 2)})
    return [{"brightness": float(image.mean())} for image in made]
